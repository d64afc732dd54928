"""A draft: what was gathered goes through a pass in one transaction, which somebody decides to keep or to roll back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from hub.connector import Listener
from hub.errors import TryLater
from hub.flow import bind, derive, heal, holding, ingest, keep, pages
from hub.flow.objects import DELIVERS, delivered_by
from hub.flow.outcome import Pass
from hub.flow.plan import gathered as reading
from hub.flow.plan.changes import Change, of_sending, of_step
from hub.flow.plan.gathered import Gathered, Questions, Reading
from hub.journal import checkpoints, held, outbox, plans
from hub.journal.vault import Draft as DraftVault

if TYPE_CHECKING:
    from hub.flow.engine import Engine

LOOKS = 3  # at new keys, of which a target is asked before the pass is repeated with its answers
LONGEST_WAIT = timedelta(seconds=5)  # for another process, in the draft's transaction
IN_THE_WAY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


@dataclass(slots=True, kw_only=True)
class Draft:
    """A pass as it went: what it changed, what it counted by source, what its targets would be sent."""

    current: Pass
    counts: dict[str, Counter[str]] = field(default_factory=dict)  # by source
    unbound: list[str] = field(default_factory=list)  # sources that cannot be understood yet
    own: Mapping[str, Collection[str]] = field(default_factory=dict)  # derived object -> what the readings touch
    changes: list[Change] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)  # batches that a guard stopped
    read_first: Counter[str] = field(default_factory=Counter)  # by target
    waiting: dict[str, int] = field(default_factory=dict)  # by target
    queued: dict[str, int] = field(default_factory=dict)  # by target: all that can be sent, these changes included


Decide = Callable[[Draft], bool]
Only = Mapping[str, Collection[str]] | None  # derived object -> what is derived beside what the readings touch


def drafted(engine: Engine, run: Pass, gathered: Gathered, decide: Decide, only: Only = None) -> Draft:
    """The pass in a transaction that is committed where ``decide`` says so.

    New keys that a target may know already are asked for outside of it, and the pass is repeated with the answers.
    Raises :class:`TryLater` where other processes are in the way for too long.
    """
    for look in range(LOOKS):
        draft, questions = attempted(engine, run, gathered, decide, only, last=look == LOOKS - 1)
        if not questions:
            break
        reading.ask(engine, gathered, questions)
    return draft


def attempted(
    engine: Engine, run: Pass, gathered: Gathered, decide: Decide, only: Only, *, last: bool
) -> tuple[Draft, Questions]:
    try:
        with draft_vault(engine) as vault, engine.journal.transaction() as transaction:
            plans.wait_patiently(engine.journal, LONGEST_WAIT)
            draft, questions = passed(engine, run, gathered, only)
            if last:
                questions = {}
            if questions or not decide(draft):
                raise psycopg.Rollback(transaction)
            vault.publish()
    except IN_THE_WAY as error:
        raise TryLater("other processes are at work on the same keys; try again", 5.0) from error
    return draft, questions


@contextmanager
def draft_vault(engine: Engine) -> Iterator[DraftVault]:
    """Nothing becomes a file in the vault before it is sure that it stays."""
    real = engine.vault
    engine.vault = draft = DraftVault(real)
    try:
        yield draft
    finally:
        engine.vault = real


def passed(engine: Engine, run: Pass, gathered: Gathered, only: Only) -> tuple[Draft, Questions]:
    """The whole pass as far as the outbox; answers what should be asked before it can be told whole.

    What the readings mark and doubt is written once, at their end, in the order that all processes share.
    """
    current = Pass(run=run.run, flow=run.flow, targets=run.targets)
    draft = Draft(current=current)
    current.counts["enqueued"] += outbox.open_count(engine.journal, run.targets, delivered_by(run.flow))
    bound = sum(bind.keep(engine, current, target, o, found) for (target, o), found in gathered.found.items())
    for system in gathered.systems:
        before = Counter(current.counts)
        take(engine, draft, gathered, system)
        draft.counts[system] = Counter({name: n - before[name] for name, n in current.counts.items()})
    draft.own = {name: set(marked) for name, marked in current.marked.items()}
    keep.finish(engine, current)
    if only is not None:
        current.only = {name: {*draft.own.get(name, ()), *only.get(name, ())} for name in {*draft.own, *only}}
    derive.derive_touched(engine, current, keep.TOGETHER)
    if bound:
        enqueue_bound(engine, current, {target for target, _ in gathered.found})
    tell(engine, draft)
    systems = dict.fromkeys([*gathered.systems, *run.targets])
    return draft, reading.unknown(engine, gathered, systems)


def take(engine: Engine, draft: Draft, gathered: Gathered, system: str) -> None:
    """One source: what it pushed, then what it answered."""
    if system in gathered.closed:
        draft.current.counts["waiting"] += 1
        return
    if not bind.bound(engine, system):
        draft.current.counts["waiting"] += 1
        draft.unbound.append(system)
        return
    heal.heal_bound(engine, draft.current, system)
    listener = engine.systems[system]
    while isinstance(listener, Listener) and ingest.take_messages(engine, draft.current, system, listener):
        pass
    for one in gathered.of(system):
        take_reading(engine, draft.current, one)


def take_reading(engine: Engine, current: Pass, one: Reading) -> None:
    """A whole reading at once, weighed as a whole; what waited for a person and is overtaken by it waits no more."""
    mappings = ingest.readers(engine, one.system, one.name)
    pages.take_all(engine, current, one.system, one.name, one.batches, mappings)
    for batch in one.batches:
        checkpoints.save(engine.journal, one.system, one.name, batch.checkpoint)
    overtaken = held.supersede_overtaken(engine.journal, one.system, one.name, engine.clock.now())
    holding.say_superseded(engine, current, one.system, overtaken)


def enqueue_bound(engine: Engine, current: Pass, targets: Collection[str]) -> None:
    """What is bound now can be sent, whichever flow it belongs to."""
    for target in sorted(targets):
        for flow in engine.flows_into(target):
            derive.enqueue_for(engine, current, flow, target, None, urgent=False)


def tell(engine: Engine, draft: Draft) -> None:
    """What the pass wrote, from the journal itself, while the transaction lasts."""
    current = draft.current
    flows = list(dict.fromkeys([current.flow, *current.touched]))
    targets = sorted({t for flow in flows for t in engine.landscape.flows[flow].targets})
    objects = [object for flow in flows for object in delivered_by(flow)]
    subjects = sorted({subject for derived in current.derived.values() for subject in derived})
    sends = plans.to_send(engine.journal, targets, objects, subjects, current.run)
    draft.changes = [of_step(row) for row in plans.steps(engine.journal, current.run)]
    draft.changes += [of_sending(row) for row in sends]
    draft.held = held.of_run(engine.journal, current.run)
    draft.read_first = Counter(row["target"] for row in sends if row["read_first"])
    for target in current.targets:
        draft.waiting[target] = bind.waiting(engine, current.flow, target)
        draft.queued[target] = outbox.open_count(engine.journal, [target], delivered_by(current.flow))
    current.counts["waiting"] += sum(draft.waiting.values())
    current.counts["pending"] = sum(draft.queued.values())


def due_in(draft: Draft, changes: Collection[Change]) -> dict[str, list[str]]:
    """What of ``changes`` was due whatever the sources say: derived object -> subjects."""
    found: dict[str, list[str]] = {}
    for flow in dict.fromkeys([draft.current.flow, *draft.current.touched]):
        for derived, object in DELIVERS[flow].items():
            subjects = {one.subject for one in changes if one.object == object and one.place == "target"}
            if due := subjects & draft.current.derived.get(derived, set()) - set(draft.own.get(derived, ())):
                found[derived] = sorted(due)
    return found
