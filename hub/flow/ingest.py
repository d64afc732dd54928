"""Ingest: what a system pushed and what it answers when asked, up to the journal, and on to the targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hub.connector import Listener, Source
from hub.errors import ConfigError, HubError, Reject
from hub.flow import bind, derive, intake, keep, locks
from hub.flow.objects import objects_of
from hub.flow.outcome import Outcome, Pass
from hub.flow.understood import batches
from hub.journal import checkpoints, inbox, outbox, snapshots
from hub.model import Batch, Checkpoint, Origin, Pushed, Record, Refused

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.mapping import Mapping

INLINE_SECONDS = 10.0  # a delivery that rides on an ingest; what is left is the delivery DAG's


def ingest(engine: Engine, flow: str, system: str) -> Outcome:
    """Read ``system`` for ``flow``; derive; deliver where nobody else is delivering, else leave it to be rung for."""
    targets = list(engine.landscape.flows[flow].targets)
    with engine.running("ingest", flow, system, targets) as current:
        if not is_open(engine, system):
            current.counts["waiting"] += 1
            return engine.ended(current, f"{system} is closed until {opens_at(engine, system)}")
        with locks.exclusive(engine.journal, f"ingest/{system}"):
            ready = read(engine, current, system)
        derive.derive_due(engine, current, keep.TOGETHER)
        ring = tuple(t for t in targets if not deliver_along(engine, current, t))
        held = bool(snapshots.held(engine.journal, [system]))
        subject = f"{flow} from {system}" if ready else f"{system} waits until what it holds is bound to our keys"
        return engine.ended(current, subject, ring=ring, held=held)


def read(engine: Engine, current: Pass, system: str) -> bool:
    """Everything new from ``system``, journalled; False where its ids are not bound yet and nothing could be read."""
    if system not in engine.landscape.flows[current.flow].sources:
        raise ConfigError(f"{system} is not a source of {current.flow}", engine.landscape.place("flows", current.flow))
    if not bind.ready(engine, current, system):
        current.counts["waiting"] += 1
        return False
    take_pushed(engine, current, system)
    for name, mappings in routes(engine, current.flow, system):
        pull(engine, current, system, name, mappings)
    return True


def routes(engine: Engine, flow: str, system: str) -> Iterator[tuple[str, list[Mapping]]]:
    """The vendor's objects that a flow reads, with the mappings that read them, in the flow's order."""
    found: dict[str, list[Mapping]] = {}
    for canonical in objects_of(flow):
        for mapping in engine.mappings(system):
            if mapping.target == canonical.name:
                found.setdefault(mapping.source_object, []).append(mapping)
    yield from found.items()


def pull(engine: Engine, current: Pass, system: str, name: str, mappings: list[Mapping]) -> None:
    """Batches after the checkpoint; each is committed before the source is told and before the next is read."""
    source = engine.systems[system]
    if not isinstance(source, Source):
        raise ConfigError(f"{system} cannot be read")
    left = checkpoints.unreleased(engine.journal, system, name)
    if left is not None:
        source.release(left)
        checkpoints.mark_released(engine.journal, system, name)
    for batch in batches(source, system, name, checkpoints.load(engine.journal, system, name)):
        with engine.journal.transaction():
            intake.take(engine, current, system, batch, mappings)
            checkpoints.save(engine.journal, system, name, batch.checkpoint)
            keep.finish(engine, current)
        source.release(batch.checkpoint)
        checkpoints.mark_released(engine.journal, system, name)


def take_pushed(engine: Engine, current: Pass, system: str) -> None:
    """Messages in the inbox, as if they had been read; a doorbell has no records and is simply done."""
    listener = engine.systems[system]
    if not isinstance(listener, Listener):
        return
    by_object = dict(routes(engine, current.flow, system))
    while True:
        with engine.journal.transaction():
            claimed = inbox.claim(engine.journal, engine.vault, system)
            if not claimed:
                return
            for id_, raw, request in claimed:
                origin = Origin(source=f"{system} pushed {request.path}", raw=raw, message=str(id_))
                for record in unpacked(listener, request, origin):
                    batch = Batch(records=[record], checkpoint=NOTHING)
                    intake.take(engine, current, system, batch, by_object.get(record.object, []))
            inbox.done(engine.journal, [id_ for id_, _, _ in claimed], current.run)
            keep.finish(engine, current)


NOTHING = Checkpoint(value={})
PUSHED = "pushed"  # what a message is called that could not be unpacked


def unpacked(listener: Listener, request: Pushed, origin: Origin) -> list[Record | Refused]:
    """The records of a message; one that cannot be unpacked is refused, or it would stop those behind it for ever."""
    try:
        return [record.become(origin=origin) for record in listener.unpack(request)]
    except Reject as error:
        data = {"path": request.path, "received_at": request.received_at.isoformat()}
        return [Refused(object=PUSHED, key=None, data=data, path=error.path, reason=error.reason, origin=origin)]


def deliver_along(engine: Engine, current: Pass, target: str) -> bool:
    """Deliver to ``target`` within this pass; False when somebody must be rung for what is left.

    What nothing at the target is bound to yet is bound on the way. Trouble at the target is the
    delivery's to report, not this source's.
    """
    from hub.flow import deliver

    if not outbox.sendable(engine.journal, target, engine.clock.now()) and not bind.waiting(
        engine, current.flow, target
    ):
        return True
    with locks.if_free(engine.journal, f"deliver/{target}") as free:
        if not free:
            return False
        try:
            deliver.send_waiting(engine, current, target, INLINE_SECONDS)
        except HubError as error:
            engine.log.warning("%s: left to the delivery DAG: %s", target, error)
            return False
    return not outbox.sendable(engine.journal, target, engine.clock.now())


def is_open(engine: Engine, system: str) -> bool:
    """Whether ``system``'s opening hours include this moment."""
    return bool(engine.landscape.systems[system].is_open(engine.clock.now()))


def opens_at(engine: Engine, system: str) -> str:
    """When ``system`` opens next, for a sentence."""
    at = engine.landscape.systems[system].opens_at(engine.clock.now())
    return f"{at:%H:%M %Z}" if at else "further notice"
