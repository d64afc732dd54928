"""Snapshots: known by their identity, compared as lines, guarded as a whole, then applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.errors import StopRun
from hub.flow import guard
from hub.flow.compare import Difference, compare
from hub.flow.keep import keep, vouch
from hub.flow.mapped import Mapped, map_all, signature
from hub.flow.objects import OBJECTS, CanonicalObject
from hub.flow.outcome import Pass
from hub.journal import audit, snapshots, states
from hub.model import Batch, Extent, Lines, Scope

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.mapping import Mapping


def take_snapshot(
    engine: Engine, current: Pass, system: str, batch: Batch, scope: Scope, mappings: Sequence[Mapping]
) -> None:
    """A file or a complete export: known by its identity, compared, guarded as a whole, then applied."""
    if len({m.target for m in mappings}) != 1 or OBJECTS[mappings[0].target].kind != "state":
        raise StopRun(f"{system}: a snapshot is read by exactly one mapping to a state object")
    canonical, mapping, rows = OBJECTS[mappings[0].target], mappings[0], len(batch.records)
    seen = snapshots.state_of(engine.journal, system, canonical.name, scope.identity or "")
    if seen is not None:
        current.counts["held" if seen == "held" else "read"] += rows
        current.counts["unchanged"] += 0 if seen == "held" else rows
        return
    known = snapshots.as_of(engine.journal, system, canonical.name, scope.series)
    if scope.extent is Extent.COMPLETE and known and scope.as_of and scope.as_of < known:
        remember(engine, current, system, canonical, batch, scope, mapping, "superseded", "a newer one is known")
        current.counts.judge("superseded", rows)
        return
    apply_snapshot(engine, current, system, canonical, batch, scope, mapping)


def apply_snapshot(
    engine: Engine,
    current: Pass,
    system: str,
    canonical: CanonicalObject,
    batch: Batch,
    scope: Scope,
    mapping: Mapping,
) -> None:
    """Map what differs; hold the whole where a guard objects, else keep it and settle what is missing."""
    difference = what_differs(engine, system, canonical, batch, scope, mapping)
    chosen = [batch.records[n] for n in (difference.to_map if difference else range(len(batch.records)))]
    mapped = map_all(engine, system, chosen, scope, [mapping])
    present = difference.keys if difference else frozenset(r.key or "" for r in chosen)
    objection = guarded(engine, current, system, canonical, mapped, batch, scope, present)
    if objection:
        remember(engine, current, system, canonical, batch, scope, mapping, "held", objection)
        entry = audit.Entry(
            step="held", system=system, object=canonical.name, key=scope.series, answer=objection,
            origin={"source": source_of(batch, scope), "raw": scope.raw},
        )  # fmt: skip
        audit.write(engine.journal, current.run, current.flow, [entry])
        current.counts["held"] += len(batch.records)
        return
    broken = scope.extent is Extent.DELTA
    state = "refused" if broken else "accepted"
    number = remember(engine, current, system, canonical, batch, scope, mapping, state, None)
    keep(engine, current, system, mapped, scope, snapshot=None if broken else number)
    current.counts.judge("unchanged", difference.unchanged if difference else 0)
    if not broken:
        settle_series(engine, current, system, canonical, scope, number, present)


def what_differs(
    engine: Engine, system: str, canonical: CanonicalObject, batch: Batch, scope: Scope, mapping: Mapping
) -> Difference | None:
    """The raw comparison with the last accepted snapshot, where both are lines; None: map everything."""
    if scope.extent is not Extent.COMPLETE or not isinstance(batch.records, Lines):
        return None
    last = snapshots.last_complete(engine.journal, system, canonical.name, scope.series)
    touched = states.touched_since_complete(engine.journal, system, canonical.name, scope.series)
    previous: Lines | None = None
    if last and last["raw"] and last["mapping"] == signature(mapping):
        previous = reopened(engine, system, last)
    return compare(batch.records, previous, touched)


def reopened(engine: Engine, system: str, last: dict[str, Any]) -> Lines | None:
    """The lines of an earlier snapshot, from the vault; None where it is no longer kept."""
    from hub.connector import Reopens

    source = engine.systems[system]
    if not isinstance(source, Reopens):
        return None
    try:
        records = source.reopen(engine.vault.open(engine.journal, last["raw"]), last["source"]).records
    except StopRun:
        return None
    return records if isinstance(records, Lines) else None


def guarded(
    engine: Engine,
    current: Pass,
    system: str,
    canonical: CanonicalObject,
    mapped: Mapped,
    batch: Batch,
    scope: Scope,
    present: frozenset[str],
) -> str | None:
    """Why this snapshot must wait for a person, or None."""
    limits = engine.landscape.flows[canonical.flow].guards
    if scope.extent is Extent.DELTA or canonical.guarded is None:
        return None
    last = snapshots.last_complete(engine.journal, system, canonical.name, scope.series)
    _, positive = states.positive(engine.journal, system, canonical.name, scope.series, canonical.guarded)
    records = mapped.records.get(canonical.name, [])
    before = known_data(engine, system, canonical, [r.key for r, _, _ in records])
    changes = ((before.get(r.key), dict(r.data)) for r, _, _ in records)
    measured = guard.Measured(
        rows=len(batch.records),
        rows_before=last["rows"] if last and scope.extent is Extent.COMPLETE else None,
        positive_before=positive,
        to_zero=guard.falls_to_zero(changes, canonical.guarded)
        + missing_to_zero(engine, current, system, canonical, scope, present),
    )
    return guard.objection(measured, guard.Limits(fewer_rows=limits.fewer_rows, to_zero=limits.to_zero))


def missing_to_zero(
    engine: Engine, current: Pass, system: str, canonical: CanonicalObject, scope: Scope, present: frozenset[str]
) -> int:
    """How many articles in stock would become 0 because a complete snapshot lacks them."""
    if scope.extent is not Extent.COMPLETE or canonical.guarded is None:
        return 0
    if engine.landscape.flows[current.flow].sources[system].missing != "zero":
        return 0
    known = states.of_series(engine.journal, system, canonical.name, scope.series, scope.as_of)
    absent = [key for source, (key, _, detached) in known.items() if source not in present and not detached]
    return sum(1 for data in known_data(engine, system, canonical, absent).values() if data[canonical.guarded] > 0)


def known_data(
    engine: Engine, system: str, canonical: CanonicalObject, keys: Sequence[str]
) -> dict[str, dict[str, Any]]:
    return states.data_of(engine.journal, system, canonical.name, keys)


def settle_series(
    engine: Engine,
    current: Pass,
    system: str,
    canonical: CanonicalObject,
    scope: Scope,
    number: int,
    present: frozenset[str],
) -> None:
    """After the lines: move the series on, supersede what was held, and deal with keys that are missing."""
    if scope.as_of is None or scope.extent is not Extent.COMPLETE:
        return
    settle_missing(engine, current, system, canonical, scope, present)
    vouch(engine, current, system, canonical, scope, snapshot=number)
    snapshots.supersede_held(engine.journal, system, canonical.name, scope)


def settle_missing(
    engine: Engine, current: Pass, system: str, canonical: CanonicalObject, scope: Scope, present: frozenset[str]
) -> None:
    """Keys of the series that a complete snapshot lacks: the flow says whether they stay, become 0, or wait."""
    policy = engine.landscape.flows[canonical.flow].sources[system].missing
    known = states.of_series(engine.journal, system, canonical.name, scope.series, scope.as_of)
    absent = [source for source, (_, _, detached) in known.items() if source not in present and not detached]
    if not absent:
        return
    zero = canonical.guarded if policy == "zero" else None
    missing = states.detach(engine.journal, system, canonical.name, source_keys=absent, zero=zero, run=current.run)
    current.mark_subjects(canonical, missing.values())
    answer = f"missing from {scope.identity}: {policy}"
    entries = [
        audit.Entry(step="missing", system=system, object=canonical.name, key=key, subject=subject, answer=answer)
        for key, subject in missing.items()
    ]
    audit.write(engine.journal, current.run, current.flow, entries)
    if policy == "hold":
        current.counts["held"] += len(missing)


def remember(
    engine: Engine,
    current: Pass,
    system: str,
    canonical: CanonicalObject,
    batch: Batch,
    scope: Scope,
    mapping: Mapping,
    state: str,
    reason: str | None,
) -> int:
    return snapshots.record(
        engine.journal,
        system,
        canonical.name,
        scope,
        source=source_of(batch, scope),
        rows=len(batch.records),
        mapping=signature(mapping),
        state=state,
        reason=reason,
        run=current.run,
    )


def source_of(batch: Batch, scope: Scope) -> str:
    """The name of what was read: of its first record, else of its identity."""
    return batch.records[0].origin.source if len(batch.records) else str(scope.identity)
