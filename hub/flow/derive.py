"""Derive: whatever changed, the values that rest on it are computed again for now, and the difference is enqueued."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hub.errors import ConfigError
from hub.flow import availability
from hub.flow.objects import DELIVERS, OBJECTS
from hub.flow.outcome import Pass
from hub.journal import audit, desired, events, outbox, recompute, settings, snapshots

if TYPE_CHECKING:
    from hub.flow.engine import Engine

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
DERIVATIONS: dict[str, Derivation] = {"availability": availability.derive}


def derive_due(engine: Engine, current: Pass, ahead: timedelta = timedelta()) -> None:
    """Everything of the flow that is due now, or ``ahead`` of it; each batch of subjects is one transaction."""
    for name in DELIVERS[current.flow]:
        tick(engine, current, name)
        while derive_some(engine, current, name, engine.clock.now() + ahead):
            pass


def derive_some(engine: Engine, current: Pass, name: str, until: datetime) -> bool:
    """One batch of subjects of derived object ``name`` that are due by ``until``; False when none are left."""
    with engine.journal.transaction():
        claimed = recompute.claim(engine.journal, name, until, SUBJECTS_AT_ONCE)
        if not claimed:
            return False
        derived = DERIVATIONS[name](engine, current.flow, sorted(claimed))
        changed = desired.upsert(engine.journal, derived.values, current.run)
        audit.write(engine.journal, current.run, current.flow, [entry(c) for c in changed])
        events.mark_contained(engine.journal, derived.contained_object, derived.contained)
        for subject, due in derived.due.items():
            recompute.mark(engine.journal, name, {subject: False}, due)
        for urgent in (True, False):
            subjects = [s for s, u in claimed.items() if u is urgent]
            enqueue(engine, current, subjects, urgent=urgent)
    return True


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


def enqueue(engine: Engine, current: Pass, subjects: Sequence[str] | None, *, urgent: bool) -> None:
    """Bring every target's outbox in line for ``subjects``."""
    if subjects is not None and not subjects:
        return
    for target in sorted(engine.landscape.flows[current.flow].targets):
        try:
            enqueue_for(engine, current, target, subjects, urgent=urgent)
        except ConfigError as error:  # its delivery says so too; the other targets go on
            engine.log.warning("%s: nothing can be put into its outbox: %s", target, error)
            settings.replace(engine.journal, f"behind/{target}", "yes")


def catch_up(engine: Engine, current: Pass, target: str) -> None:
    """Compare everything, where the outbox of ``target`` could not follow while its configuration was wrong."""
    if settings.get(engine.journal, f"behind/{target}") != "yes":
        return
    with engine.journal.transaction():
        settings.replace(engine.journal, f"behind/{target}", "no")
        enqueue_for(engine, current, target, None, urgent=False)


def enqueue_for(engine: Engine, current: Pass, target: str, subjects: Sequence[str] | None, *, urgent: bool) -> None:
    """Bring one target's outbox in line with what it should hold and was confirmed to hold."""
    for object in DELIVERS[current.flow].values():
        binds = engine.target(target).capability(object).binds
        enqueued, coalesced = outbox.rediff(
            engine.journal, target, object, binds, subjects=subjects, urgent=urgent, run=current.run
        )
        current.counts["enqueued"] += enqueued
        current.counts["coalesced"] += coalesced


def tick(engine: Engine, current: Pass, name: str) -> None:
    """The clock moved: what went stale since the last look must be derived again."""
    ages, now = engine.landscape.stale_ages(), engine.clock.now()
    last = settings.get(engine.journal, f"tick/{name}")
    since = datetime.fromisoformat(last) if last else datetime.min.replace(tzinfo=UTC)
    if not ages or now <= since:
        return
    with engine.journal.transaction():
        for canonical in OBJECTS.values():
            if canonical.derives == name and canonical.kind == "state":
                turned = snapshots.turned_stale(engine.journal, canonical.name, ages, since, now)
                recompute.mark(engine.journal, name, dict.fromkeys(turned, False), now)
        settings.replace(engine.journal, f"tick/{name}", now.isoformat())
