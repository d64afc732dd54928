"""Deciding: a person approves or rejects what a guard holds, and the audit keeps who, what and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hub.connector import Reopens
from hub.errors import ConfigError, HubError, StopRun
from hub.flow import derive, holding, ingest, keep, locks, packing, pages, snapshot
from hub.flow.objects import OBJECTS
from hub.flow.outcome import Outcome, Pass
from hub.journal import audit, held, snapshots
from hub.model import Batch

if TYPE_CHECKING:
    from hub.flow.engine import Engine


def found(engine: Engine, number: int) -> dict[str, Any]:
    """The held batch ``number``; a :class:`ConfigError` where there is none."""
    row = held.show(engine.journal, number)
    if row is None or row["state"] in ("gathering", "passed"):
        raise ConfigError(f"nothing is held as number {number}; see: hub held list")
    return row


def approve(engine: Engine, number: int, *, who: str, why: str) -> Outcome:
    """Apply exactly the held batch, derive, and deliver where nobody else does.

    A key of which a newer word has come meanwhile keeps it: the batch's is counted as superseded. Raises
    :class:`~hub.errors.HubError` where somebody, or a newer batch, was faster.
    """
    row = found(engine, number)
    why = reason_of(why)
    targets = list(engine.landscape.flows[row["flow"]].targets) if row["flow"] in engine.landscape.flows else []
    with engine.running("approve", row["flow"], row["system"], targets) as current:
        with locks.exclusive(engine.journal, f"ingest/{row['system']}/{row['route']}"):
            apply(engine, current, number, who, why)
        derive.derive_touched(engine, current, keep.TOGETHER)
        ring = tuple(t for t in targets if not ingest.deliver_along(engine, current, t))
        ring += tuple(t for t in ingest.others_touched(engine, current) if t not in ring)
        return engine.ended(current, f"number {number}, approved by {who}", ring=ring)


def reject(engine: Engine, number: int, *, who: str, why: str) -> dict[str, Any]:
    """Nothing of the held batch is ever applied; the same words read once more change nothing."""
    row = found(engine, number)
    why = reason_of(why)
    with engine.running("reject", row["flow"], row["system"]) as current:
        with engine.journal.transaction():
            row = taken(engine, current, number, "rejected", who, why)
            if row["snapshot"] is not None:
                snapshots.decide(engine.journal, row["snapshot"], "refused", None, current.run)
        engine.ended(current, f"number {number}, rejected by {who}")
    return row


def apply(engine: Engine, current: Pass, number: int, who: str, why: str) -> None:
    """The decision and what follows from it: a snapshot in one transaction, pages in one each."""
    row = found(engine, number)
    mappings = ingest.readers(engine, row["system"], row["route"])
    try:
        batch = reopened(engine, row) if row["snapshot"] is not None else None
    except StopRun as error:
        failed(engine, current, number, who, str(error))
        raise
    with engine.journal.transaction():
        taken(engine, current, number, "approved", who, why)
        if batch is not None:
            apply_snapshot(engine, current, row, batch)
        else:
            held.reattach(engine.journal, number)
        keep.finish(engine, current)
    if batch is None:
        pages.apply(engine, current, row["system"], number, mappings)


def apply_snapshot(engine: Engine, current: Pass, row: dict[str, Any], batch: Batch) -> None:
    """What was held is accepted, compared with what is known now."""
    mappings = ingest.readers(engine, row["system"], row["route"])
    (mapping,) = [m for m in mappings if m.target == row["object"]]
    snapshot.apply_snapshot(
        engine, current, row["system"], OBJECTS[row["object"]], batch, batch.scope, mapping, approved=row["snapshot"]
    )
    for position, _, _ in held.pages(engine.journal, row["id"]):
        held.page_taken(engine.journal, row["id"], position)


def reopened(engine: Engine, row: dict[str, Any]) -> Batch:
    """The snapshot as it was read; a :class:`StopRun` where its payload is no longer kept."""
    ((_, payload, source),) = held.pages(engine.journal, row["id"])
    raw = engine.vault.open(engine.journal, payload)
    if payload.startswith(f"{holding.KIND}/"):
        return packing.unpack(raw)
    connector = engine.systems[row["system"]]
    if not isinstance(connector, Reopens):
        raise StopRun(f"{row['system']} cannot open its snapshots again; the connector was changed")
    batch = connector.reopen(raw, source)
    return replace(batch, raw=None, scope=replace(batch.scope, raw=payload))


def taken(engine: Engine, current: Pass, number: int, state: str, who: str, why: str) -> dict[str, Any]:
    """The decision, once: written, audited, and said."""
    row = held.show(engine.journal, number, alone=True)
    if row is None or row["state"] != "held":
        raise HubError(already(number, row))
    held.decide(engine.journal, number, state, who, why, engine.clock.now())
    note(engine, current, row, state, f"{state} by {who}: {why}", who=who, why=why)
    return {**row, "state": state, "decided_by": who, "why": why}


def failed(engine: Engine, current: Pass, number: int, who: str, reason: str) -> None:
    """It cannot be applied any more, whoever wants it."""
    with engine.journal.transaction():
        row = held.show(engine.journal, number, alone=True)
        if row is not None and row["state"] == "held":
            held.decide(engine.journal, number, "failed", who, reason, engine.clock.now())
            note(engine, current, row, "failed", reason, who=who)


def note(engine: Engine, current: Pass, row: dict[str, Any], step: str, answer: str, **decided: str) -> None:
    origin = {"source": row["source"], "held": row["id"], **decided}
    entry = audit.Entry(
        step=step, system=row["system"], object=row["object"], key=row["series"], origin=origin, answer=answer
    )  # fmt: skip
    audit.write(engine.journal, current.run, row["flow"], [entry])
    engine.log.info("number %d, %s of %s: %s", row["id"], row["source"], row["system"], answer)


def already(number: int, row: dict[str, Any] | None) -> str:
    if row is None:
        return f"number {number} is no longer held"
    by = f" by {row['decided_by']}" if row["decided_by"] else ", since a newer one has come"
    at = f" at {row['decided_at']:%Y-%m-%d %H:%M:%S} UTC" if row["decided_at"] else ""
    return f"number {number} was {row['state']}{by}{at}; nothing was done"


def reason_of(why: str) -> str:
    """A reason that says something, on one line."""
    text = " ".join(why.split())
    if not text:
        raise ConfigError("say why: whoever looks at this later has nothing else")
    return text[:1000]
