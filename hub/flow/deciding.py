"""Deciding: a person approves or rejects what a guard holds, and the audit keeps who, what and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hub.connector import Reopens
from hub.errors import ConfigError, HubError, StopRun
from hub.flow import derive, holding, ingest, keep, locks, packing, pages, snapshot
from hub.flow.mapped import map_all
from hub.flow.objects import OBJECTS
from hub.flow.outcome import Outcome, Pass
from hub.journal import audit, held, snapshots
from hub.model import Batch, Lines

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

    A key of which a newer word has come meanwhile keeps it: the batch's is counted as superseded. Where somebody has
    approved it and was killed while its pages were applied, the rest of them is. Raises
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
    if not any(mapping.target == row["object"] for mapping in mappings):
        raise StopRun(
            f"number {number} cannot be applied: nothing makes {row['object']} of {row['route']} of {row['system']} "
            "any more; put back what was taken out of hub.yaml or the mappings, or reject it"
        )
    if left_over(engine, row):
        engine.log.info("number %d was approved by %s; the rest of it is applied", number, row["decided_by"])
        pages.apply(engine, current, row["system"], number, mappings)
        return
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


def left_over(engine: Engine, row: Mapping[str, Any]) -> bool:
    """Whether it is approved and was not applied to its end; the next reading of its source would do that too."""
    return row["state"] == "approved" and bool(held.pages(engine.journal, row["id"]))


def apply_snapshot(engine: Engine, current: Pass, row: dict[str, Any], batch: Batch) -> None:
    """What was held is accepted, compared with what is known now."""
    mappings = ingest.readers(engine, row["system"], row["route"])
    (mapping,) = [m for m in mappings if m.target == row["object"]]
    snapshot.apply_snapshot(
        engine, current, row["system"], OBJECTS[row["object"]], batch, batch.scope, mapping, approved=row["snapshot"]
    )
    for position, _, _ in held.pages(engine.journal, row["id"]):
        held.page_taken(engine.journal, row["id"], position)


def would_become(
    engine: Engine, row: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str], Mapping[str, Any]]:
    """By object and key, what an undecided batch says of ``keys``, which are rows of :func:`hub.journal.held.records`.

    Empty where it cannot be opened any more: whoever approves it is told why.
    """
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    wanted = {one["source_key"] for one in keys}
    with suppress(HubError):
        mappings = ingest.readers(engine, row["system"], row["route"]) if row["state"] == "held" else []
        for batch in batches_of(engine, row) if mappings else ():
            records = batch.records
            named = records.keys() if isinstance(records, Lines) else [one.key for one in records]
            some = [records[n] for n, key in enumerate(named) if key in wanted]
            for name, made in map_all(engine, row["system"], some, batch.scope, mappings).records.items():
                found |= {(name, OBJECTS[name].key_of(record.data)): record.data for record, _, _ in made}
    return found


def batches_of(engine: Engine, row: Mapping[str, Any]) -> Iterator[Batch]:
    """A snapshot, or the pages of a reading one after the other."""
    if row["snapshot"] is not None:
        yield reopened(engine, row)
        return
    for _, payload, _ in held.pages(engine.journal, row["id"]):
        yield packing.unpack(engine.vault.open(engine.journal, payload))


def reopened(engine: Engine, row: Mapping[str, Any]) -> Batch:
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
