"""Ingest: what a system pushed and what it answers when asked, up to the journal, and on to the targets."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from hub.connector import Listener, Source
from hub.errors import ConfigError, HubError, Reject
from hub.flow import bind, derive, keep, locks, pages
from hub.flow.mapped import unstorable
from hub.flow.objects import delivered_by, objects_of
from hub.flow.outcome import Outcome, Pass
from hub.flow.refusals import PUSHED
from hub.flow.understood import MISREAD, batches, misread
from hub.journal import bindings, checkpoints, held, inbox, outbox, remotes
from hub.model import CHANGED, Batch, Checkpoint, Origin, Pushed, Record, Refused
from hub.points import reached

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
        ready = read(engine, current, system)
        derive.derive_touched(engine, current, keep.TOGETHER)
        ring = tuple(t for t in targets if not deliver_along(engine, current, t))
        ring += tuple(t for t in (*others_touched(engine, current), *doubted(engine, system)) if t not in ring)
        waits = held.waiting(engine.journal, flow, [system])
        subject = f"{flow} from {system}" if ready else f"{system} waits until what it holds is bound to our keys"
        return engine.ended(current, subject, ring=ring, held=waits)


def others_touched(engine: Engine, current: Pass) -> list[str]:
    """Targets of other flows for which something waits now: what was read was theirs too."""
    now = engine.clock.now()
    flows = [flow for flow in current.touched if flow != current.flow]
    targets = dict.fromkeys(t for flow in flows for t in engine.landscape.flows[flow].targets)
    return [target for target in targets if outbox.sendable(engine.journal, target, now)]


def doubted(engine: Engine, system: str) -> list[str]:
    """``system`` itself where it said that something of ours has changed there, which must be read back."""
    objects = [object for flow in engine.flows_into(system) for object in delivered_by(flow)]
    return [system] if remotes.in_doubt(engine.journal, system, objects) else []


def read(engine: Engine, current: Pass, system: str) -> bool:
    """Everything new from ``system``, journalled; False where its ids are not bound yet and nothing could be read.

    One reading of a vendor's object feeds every flow that rests on it: an order is an order, and a reservation.
    """
    from hub.flow import heal

    if system not in engine.landscape.flows[current.flow].sources:
        raise ConfigError(f"{system} is not a source of {current.flow}", engine.landscape.place("flows", current.flow))
    if engine.breakers.is_shut(system) and bind.bound(engine, system):
        take_pushed(engine, current, system)  # a system that is not asked may well tell
    engine.breakers.admit(system)
    if not bind.ready(engine, current, system):
        current.counts["waiting"] += 1
        return False
    heal.heal_bound(engine, current, system)
    take_pushed(engine, current, system)
    for name in routes(engine, current.flow, system):
        pull(engine, current, system, name, readers(engine, system, name))
    return True


def routes(engine: Engine, flow: str, system: str) -> list[str]:
    """The vendor's objects that a flow reads from ``system``, in the flow's order."""
    mappings = engine.mappings(system)
    return list(dict.fromkeys(m.source_object for o in objects_of(flow) for m in mappings if m.target == o.name))


def readers(engine: Engine, system: str, name: str) -> list[Mapping]:
    """Every mapping of a vendor's object to what some flow with ``system`` as a source carries."""
    flows = [flow for flow, settings in engine.landscape.flows.items() if system in settings.sources]
    carried = {canonical.name for flow in flows for canonical in objects_of(flow)}
    return [m for m in engine.mappings(system) if m.source_object == name and m.target in carried]


def pull(engine: Engine, current: Pass, system: str, name: str, mappings: list[Mapping]) -> None:
    """Batches after the checkpoint; each is committed before the source is told and before the next is read."""
    source = engine.systems[system]
    if not isinstance(source, Source):
        raise ConfigError(f"{system} cannot be read")
    with locks.exclusive(engine.journal, f"ingest/{system}/{name}"):
        release_left(engine, source, system, name)
        pages.go_on(engine, current, system, name, mappings)
        take_batches(engine, current, source, system, name, mappings)
        pages.finish(engine, current, system, name, mappings)


def release_left(engine: Engine, source: Source, system: str, name: str) -> None:
    """What was committed before a crash and not yet told to the source."""
    left = checkpoints.unreleased(engine.journal, system, name)
    if left is not None:
        source.release(left)
        checkpoints.mark_released(engine.journal, system, name)


def take_batches(
    engine: Engine, current: Pass, source: Source, system: str, name: str, mappings: list[Mapping]
) -> None:
    for batch in batches(source, system, name, checkpoints.load(engine.journal, system, name)):
        reached("batch read")
        with engine.journal.transaction():
            pages.take(engine, current, system, name, batch, mappings)
            checkpoints.save(engine.journal, system, name, batch.checkpoint)
            keep.finish(engine, current)
            reached("batch applied")
        reached("batch committed")
        source.release(batch.checkpoint)
        reached("source told")
        checkpoints.mark_released(engine.journal, system, name)
        reached("release noted")


def take_pushed(engine: Engine, current: Pass, system: str) -> None:
    """Messages in the inbox, as if they had been read; a doorbell has no records and is simply done."""
    listener = engine.systems[system]
    if not isinstance(listener, Listener):
        return
    while True:
        with engine.journal.transaction():
            if not take_messages(engine, current, system, listener):
                return
            keep.finish(engine, current)
            reached("pushes applied")
        reached("pushes committed")


def take_messages(engine: Engine, current: Pass, system: str, listener: Listener) -> bool:
    """The oldest messages of the inbox, in the caller's transaction; False where there is none."""
    claimed = inbox.claim(engine.journal, engine.vault, system)
    if not claimed:
        return False
    reached("pushes taken")
    for id_, raw, request in claimed:
        origin = Origin(source=f"{system} pushed {request.path}", raw=raw, message=str(id_))
        take_message(engine, current, system, unpacked(listener, request, origin))
    inbox.done(engine.journal, [id_ for id_, _, _ in claimed], current.run)
    return True


def take_message(engine: Engine, current: Pass, system: str, told: Iterable[Record | Refused]) -> None:
    """What a message tells, weighed by object; what only names something of ours that changed there is read back."""
    for name, some in groupby(told, key=lambda one: one.object):
        records = list(some)
        if name == CHANGED:
            doubt_changed(engine, current, system, records)
            continue
        batch = Batch(records=records, checkpoint=NOTHING)
        pages.take_whole(engine, current, system, name, batch, readers(engine, system, name))


def doubt_changed(engine: Engine, current: Pass, system: str, changed: Iterable[Record | Refused]) -> None:
    for record in changed:
        object = str(record.data["object"])
        key = bindings.key_of(engine.journal, system, object, record.key or "")
        if key is not None:
            current.doubted.setdefault((system, object), set()).add(key)


NOTHING = Checkpoint(value={})


def unpacked(listener: Listener, request: Pushed, origin: Origin) -> list[Record | Refused]:
    """The records of a message; one that cannot be unpacked is refused, or it would stop those behind it for ever."""
    try:
        return [record.become(origin=origin) for record in listener.unpack(request) if storable(record)]
    except Reject as error:
        path, reason = error.path, error.reason
    except MISREAD as error:
        path, reason = "body", misread(request.system, error)
    data = {"path": request.path, "received_at": request.received_at.isoformat()}
    return [Refused(object=PUSHED, key=None, data=data, path=path, reason=reason, origin=origin)]


def storable(record: Record) -> bool:
    """True, or :class:`Reject` where the key of a record could not even be looked up."""
    if (objection := unstorable(record)) is not None:
        raise Reject(*objection)
    return True


def deliver_along(engine: Engine, current: Pass, target: str) -> bool:
    """Deliver to ``target`` within this pass; False when somebody must be rung for what is left.

    What nothing at the target is bound to yet is bound on the way. Trouble at the target is the
    delivery's to report, not this source's.
    """
    from hub.flow import deliver

    objects = delivered_by(current.flow)
    if engine.breakers.is_shut(target):  # nobody can serve it now: its own schedule asks when it may
        return True
    if not (
        outbox.sendable(engine.journal, target, engine.clock.now(), objects)
        or remotes.in_doubt(engine.journal, target, objects)
        or bind.waiting(engine, current.flow, target)
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
    return not outbox.sendable(engine.journal, target, engine.clock.now(), objects)


def is_open(engine: Engine, system: str) -> bool:
    """Whether ``system``'s opening hours include this moment."""
    return bool(engine.landscape.systems[system].is_open(engine.clock.now()))


def opens_at(engine: Engine, system: str) -> str:
    """When ``system`` opens next, for a sentence."""
    at = engine.landscape.systems[system].opens_at(engine.clock.now())
    return f"{at:%H:%M %Z}" if at else "further notice"
