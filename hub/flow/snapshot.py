"""Snapshots: known by their identity, compared as lines, guarded as a whole, then applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.errors import StopRun
from hub.flow import guard, holding, weighing
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
    *,
    approved: int | None = None,
) -> None:
    """Map what differs; hold the whole where a guard objects, else keep it and settle what is missing.

    ``approved`` is the number of the snapshot that was held and may be applied now.
    """
    difference = what_differs(engine, system, canonical, batch, scope, mapping)
    chosen = [batch.records[n] for n in (difference.to_map if difference else range(len(batch.records)))]
    mapped = map_all(engine, system, chosen, scope, [mapping])
    present = difference.keys if difference else frozenset(r.key or "" for r in chosen)
    if approved is None and held(engine, current, system, canonical, batch, scope, mapping, mapped, present):
        return
    broken = scope.extent is Extent.DELTA
    if approved is None:
        state = "refused" if broken else "accepted"
        number = remember(engine, current, system, canonical, batch, scope, mapping, state, None)
    else:
        number = approved
        snapshots.decide(engine.journal, number, "accepted", signature(mapping), current.run)
    keep(engine, current, system, mapped, scope, snapshot=None if broken else number)
    current.counts.judge("unchanged", difference.unchanged if difference else 0)
    if not broken:
        settle_series(engine, current, system, canonical, scope, number, present)


def held(
    engine: Engine,
    current: Pass,
    system: str,
    canonical: CanonicalObject,
    batch: Batch,
    scope: Scope,
    mapping: Mapping,
    mapped: Mapped,
    present: frozenset[str],
) -> bool:
    """Whether a guard objects; then it waits for a person, whole."""
    if scope.extent is Extent.DELTA or not canonical.weighed:
        return False
    found = weighing.snapshot(engine, system, canonical, mapped, batch, scope, present)
    objections = guard.objections(found, weighing.limits(engine, canonical))
    if not objections:
        return False
    number = remember(engine, current, system, canonical, batch, scope, mapping, "held", "; ".join(objections))
    holding.hold_snapshot(
        engine, current, system, canonical, batch, scope, mapped, found, objections,
        route=mapping.source_object, snapshot=number, source=source_of(batch, scope),
    )  # fmt: skip
    return True


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
    holding.superseded(engine, current, system, canonical.name, scope)


def settle_missing(
    engine: Engine, current: Pass, system: str, canonical: CanonicalObject, scope: Scope, present: frozenset[str]
) -> None:
    """Keys of the series that a complete snapshot lacks: the flow says whether they stay, become 0, or wait."""
    policy = weighing.policy_of(engine, system, canonical)
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
