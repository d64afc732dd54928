"""Once: one pass of a flow over all its sources and targets, without Airflow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hub.connector import Rewinds
from hub.errors import ConfigError, HubError, StopRun
from hub.flow import deliver, derive, ingest, keep, locks
from hub.flow.objects import DELIVERS, delivered_by
from hub.flow.outcome import Outcome, sentence
from hub.journal import checkpoints, held, outbox, recompute, remotes

if TYPE_CHECKING:
    from hub.flow.engine import Engine

ROUNDS = 5  # in which the flows bring about something for one another
SECONDS = 300.0  # for one target; a pass by hand may wait for a vendor's budget


def once(engine: Engine, flow: str, *, report: Callable[[str], None], system: str | None = None) -> Outcome:
    """Read every source, derive once, deliver to every target; one system's trouble does not stop another.

    Raises what went wrong, of every system, after everything else was done.
    """
    settings = engine.landscape.flows[flow]
    troubles: list[HubError] = []
    with engine.running("once", flow, None, list(settings.targets)) as current:
        for name in [system] if system else settings.sources:
            report(f"reading {name}")
            with trouble(troubles):
                if ingest.is_open(engine, name):
                    ingest.read(engine, current, name)
                else:
                    current.counts["waiting"] += 1
        report("deriving")
        derive.derive_touched(engine, current, keep.TOGETHER)
        for target in settings.targets:
            report(f"delivering to {target}")
            with trouble(troubles), locks.shared(engine.journal, f"deliver/{target}"):
                deliver.send_waiting(engine, current, target, SECONDS)
        waits = held.waiting(engine.journal, flow, list(settings.sources))
        if troubles:
            raise said_together(troubles)
        return engine.ended(current, flow, held=waits)


def once_all(engine: Engine, flows: Sequence[str], report: Callable[[str], None]) -> dict[str, Outcome]:
    """One pass of each flow, and on until they agree; one flow's trouble does not stop another.

    Raises what went wrong, of every flow, after everything else was done.
    """
    outcomes: dict[str, Outcome] = {}
    troubles: list[HubError] = []
    for flow in flows:
        with trouble(troubles):
            outcomes[flow] = once(engine, flow, report=report)
    with trouble(troubles):
        settle_together(engine, outcomes, report)
    if troubles:
        raise said_together(troubles)
    return outcomes


def settle_together(engine: Engine, outcomes: dict[str, Outcome], report: Callable[[str], None]) -> None:
    """Deliver again what the flows brought about for one another, until nothing that can go out is left."""
    for _ in range(ROUNDS):
        left = [flow for flow in outcomes if unfinished(engine, flow)]
        if not left:
            return
        for flow in left:
            report(f"settling {flow}")
            outcomes[flow] = added(outcomes[flow], follow(engine, flow))


def unfinished(engine: Engine, flow: str) -> bool:
    """Whether something of ``flow`` is due, can be sent now, or is in doubt at a target."""
    now = engine.clock.now()
    if any(recompute.due(engine.journal, derived, now) for derived in DELIVERS[flow]):
        return True
    targets = [t for t in engine.landscape.flows[flow].targets if ingest.is_open(engine, t)]
    objects = delivered_by(flow)
    return any(
        outbox.sendable(engine.journal, target, now, objects) or remotes.in_doubt(engine.journal, target, objects)
        for target in targets
    )


def follow(engine: Engine, flow: str) -> Outcome:
    """Derive and deliver ``flow`` without reading its sources."""
    settings = engine.landscape.flows[flow]
    troubles: list[HubError] = []
    with engine.running("once", flow, None, list(settings.targets)) as current:
        derive.derive_due(engine, current)
        for target in settings.targets:
            with trouble(troubles), locks.shared(engine.journal, f"deliver/{target}"):
                deliver.send_waiting(engine, current, target, SECONDS)
        if troubles:
            raise said_together(troubles)
        return engine.ended(current, flow)


def added(first: Outcome, then: Outcome) -> Outcome:
    """Two passes as one: what the first left pending, the second began with."""
    counts = {name: first.counts[name] + then.counts[name] for name in first.counts}
    counts["enqueued"] -= first.counts["pending"]
    counts |= {name: then.counts[name] for name in ("pending", "waiting")}
    subject = first.sentence.partition(":")[0]
    return replace(first, run=then.run, counts=counts, sentence=sentence(counts, subject))


def said_together(troubles: list[HubError]) -> HubError:
    """One error that says what is wrong with every system; of the kind that they all are."""
    if len(troubles) == 1:
        return troubles[0]
    sentences = "; ".join(dict.fromkeys(str(error) for error in troubles))
    kinds = {type(error) for error in troubles}
    return ConfigError(sentences) if kinds == {ConfigError} else StopRun(sentences)


@contextmanager
def trouble(found: list[HubError]) -> Iterator[None]:
    """Keep a system's trouble for the end, so that the others go on."""
    try:
        yield
    except HubError as error:
        found.append(error)


def rewind(engine: Engine, flow: str, system: str | None, since: str) -> None:
    """Let the next reading of ``system`` (or of every source) start at ``since``; what is known already stays known."""
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise ConfigError(f'--since is a moment as in 2026-11-20T06:00:00+01:00, not "{since}"') from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(engine.landscape.retailer.zone))
    for name in [system] if system else engine.landscape.flows[flow].sources:
        source = engine.systems[name]
        if not isinstance(source, Rewinds):
            if system:
                raise ConfigError(f"{name} cannot be read again from a moment: put its files into the folder again")
            continue
        for object in ingest.routes(engine, flow, name):
            with locks.exclusive(engine.journal, f"ingest/{name}/{object}"):  # a reading ends with its own position
                checkpoints.save(engine.journal, name, object, source.rewind(object, moment))
                checkpoints.mark_released(engine.journal, name, object)
