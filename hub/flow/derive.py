"""Derive: whatever changed, the values that rest on it are computed again for now, and the difference is enqueued."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING

from psycopg import Rollback

from hub.errors import ConfigError
from hub.flow import edits, rules
from hub.flow.objects import DELIVERS, FLOW_OF, OBJECTS, delivered_by
from hub.flow.outcome import Pass
from hub.journal import audit, desired, events, outbox, recompute, settings, snapshots, waiting
from hub.points import reached

if TYPE_CHECKING:
    from hub.flow.engine import Engine

WAITING_LOOKS = timedelta(minutes=1)
SUBJECTS_AT_ONCE = 500  # a transaction of about a second


@dataclass(slots=True)
class Derived:
    """What a derivation answers for some subjects."""

    values: list[desired.Desired] = field(default_factory=list)
    due: dict[str, datetime] = field(default_factory=dict)  # when the clock alone changes a subject
    contained: list[tuple[str, str]] = field(default_factory=list)  # (system, id) of events in a snapshot for good
    contained_object: str = ""
    waiting: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # (subject, target) -> what it waits for


Derivation = Callable[["Engine", str, Sequence[str]], Derived]

# One pure function per derived object, each behind a loader of its inputs.
DERIVATIONS: Mapping[str, str] = {
    "availability": "hub.flow.availability",
    "price_in_force": "hub.flow.prices",
    "complete_product": "hub.flow.products",
    "order_progress": "hub.flow.orders",
}


def derivation(name: str) -> Derivation:
    """The function of a derived object; loaded when it is first needed, since these modules know this one."""
    found: Derivation = import_module(DERIVATIONS[name]).derive
    return found


def derive_touched(engine: Engine, current: Pass, ahead: timedelta = timedelta()) -> None:
    """What is due of this pass's flow, and of every other flow that what it read belongs to as well."""
    for flow in dict.fromkeys([current.flow, *current.touched]):
        derive_due(engine, current, ahead, flow)


def derive_due(
    engine: Engine,
    current: Pass,
    ahead: timedelta = timedelta(),
    flow: str | None = None,
    *,
    seconds: float | None = None,
) -> None:
    """Everything of the flow that is due now, or ``ahead`` of it; each batch of subjects is one transaction.

    After ``seconds`` no further batch is begun: what is due stays due.
    """
    until = None if seconds is None else time.monotonic() + seconds
    if not rules.are_current(engine):
        engine.log.warning("hub.yaml was edited since this process began: what is due is left to the next one")
        return
    for name in DELIVERS[flow or current.flow]:
        tick(engine, name)
        derived: set[str] = set()  # what changes again within ``ahead`` is due again at once, and must not be for ever
        while new := derive_some(engine, current, name, engine.clock.now() + ahead) - derived:
            derived |= new
            if until is not None and time.monotonic() >= until:
                break
        current.derived.setdefault(name, set()).update(derived)


def derive_some(engine: Engine, current: Pass, name: str, until: datetime) -> set[str]:
    """One batch of subjects of derived object ``name`` that are due by ``until``; which these were.

    None where hub.yaml was edited meanwhile: what an edit marks is seen only after the edit itself, so it is
    enough to look at the rules behind the claim, which then goes back.
    """
    flow = FLOW_OF[name]
    claimed: dict[str, bool] = {}
    with engine.journal.transaction():
        only = None if current.only is None else current.only.get(name, ())
        claimed |= recompute.claim(engine.journal, name, until, SUBJECTS_AT_ONCE, only)
        if not claimed:
            return set()
        if not rules.are_current(engine):
            claimed.clear()
            raise Rollback
        derived = derivation(name)(engine, flow, sorted(claimed))
        events.mark_contained(engine.journal, derived.contained_object, derived.contained)
        look_again(engine, name, sorted(claimed), derived)
        for target in sorted(engine.landscape.flows[flow].targets):
            outbox.alone(engine.journal, target)  # as late as may be: what was read keeps its events until it has this
        changed = desired.upsert(engine.journal, held_there(engine, derived.values), current.run)
        audit.write(engine.journal, current.run, flow, [entry(c) for c in changed])
        edits.overtaken(engine, changed)
        reached("derived")
        for urgent in (True, False):
            subjects = [s for s, u in claimed.items() if u is urgent]
            enqueue(engine, current, flow, subjects, urgent=urgent)
        reached("enqueued")
    reached("derivation committed")
    return set(claimed)


def look_again(engine: Engine, name: str, subjects: Sequence[str], derived: Derived) -> None:
    """When the clock alone changes something, and, for what waits, before long: what it waits for may come any way."""
    waiting.replace(engine.journal, name, subjects, derived.waiting)
    soon = engine.clock.now() + WAITING_LOOKS
    due = dict(derived.due)
    for subject, _ in derived.waiting:
        due[subject] = min(soon, due.get(subject, soon))
    at: dict[datetime, dict[str, bool]] = defaultdict(dict)
    for subject, moment in due.items():
        at[moment][subject] = False
    for moment in sorted(at):
        recompute.mark(engine.journal, name, at[moment], moment)


def held_there(engine: Engine, values: Sequence[desired.Desired]) -> list[desired.Desired]:
    """``values`` without the fields that their target's vendor cannot hold."""
    fields = {of: fields_of(engine, *of) for of in {(value.target, value.object) for value in values}}
    return [only_fields(value, fields[value.target, value.object]) for value in values]


def fields_of(engine: Engine, target: str, object: str) -> frozenset[str] | None:
    try:
        return engine.target(target).capability(object).fields
    except ConfigError:
        return None  # its delivery says what is wrong


def only_fields(value: desired.Desired, fields: frozenset[str] | None) -> desired.Desired:
    if fields is None:
        return value
    return replace(value, value={name: part for name, part in value.value.items() if name in fields})


def entry(changed: desired.Changed) -> audit.Entry:
    value = changed.desired
    return audit.Entry(
        step="derived",
        system=value.target,
        object=value.object,
        key=value.key,
        subject=value.subject,
        before=changed.before,
        after={**value.value, "generation": changed.generation, "because": value.why},
    )


def enqueue(engine: Engine, current: Pass, flow: str, subjects: Sequence[str] | None, *, urgent: bool) -> None:
    """Bring every target's outbox in line for ``subjects``."""
    if subjects is not None and not subjects:
        return
    for target in sorted(engine.landscape.flows[flow].targets):
        try:
            enqueue_for(engine, current, flow, target, subjects, urgent=urgent)
        except ConfigError as error:  # its delivery says so too; the other targets go on
            engine.log.warning("%s: nothing can be put into its outbox: %s", target, error)
            settings.replace(engine.journal, f"behind/{target}", "yes")


def catch_up(engine: Engine, current: Pass, target: str) -> None:
    """Compare everything, where the outbox of ``target`` could not follow while its configuration was wrong."""
    if settings.get(engine.journal, f"behind/{target}") != "yes":
        return
    with engine.journal.transaction():
        outbox.alone(engine.journal, target)
        settings.replace(engine.journal, f"behind/{target}", "no")
        for flow in engine.flows_into(target):
            enqueue_for(engine, current, flow, target, None, urgent=False)


def enqueue_for(
    engine: Engine, current: Pass, flow: str, target: str, subjects: Sequence[str] | None, *, urgent: bool
) -> None:
    """Bring one target's outbox in line with what it should hold and was confirmed to hold.

    Counted where the pass is of that flow; a pass of another flow leaves the counting to it.
    """
    for object in delivered_by(flow):
        offers = engine.target(target).capability(object)
        enqueued, coalesced = outbox.rediff(
            engine.journal, target, object, offers.binds, offers.aggregate,
            subjects=subjects, urgent=urgent, run=current.run,
        )  # fmt: skip
        if flow == current.flow:
            current.counts["enqueued"] += enqueued
            current.counts["coalesced"] += coalesced


def tick(engine: Engine, name: str) -> None:
    """The clock moved: stock that went stale since the last look must be derived again."""
    if name != "availability":
        return  # whatever else the clock changes says itself when
    ages, now = engine.landscape.stale_ages(), engine.clock.now()
    last = settings.get(engine.journal, f"tick/{name}")
    since = datetime.fromisoformat(last) if last else datetime.min.replace(tzinfo=UTC)
    if not ages or now <= since:
        return
    with engine.journal.transaction():
        for canonical in OBJECTS.values():
            if name in canonical.derives and canonical.kind == "state":
                turned = snapshots.turned_stale(engine.journal, canonical.name, ages, since, now)
                recompute.mark(engine.journal, name, dict.fromkeys(turned, False), now)
        settings.replace(engine.journal, f"tick/{name}", now.isoformat())
