"""Holding: what a guard stopped is kept whole, with the numbers, the plan in words and the keys it would change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hub.connector import Reopens
from hub.flow import guard, packing, weighing
from hub.flow.mapped import Mapped
from hub.flow.objects import OBJECTS, CanonicalObject
from hub.flow.outcome import Pass
from hub.journal import audit, held, snapshots, states
from hub.model import Batch, Extent, Record, Scope

if TYPE_CHECKING:
    from hub.flow.engine import Engine

KIND = "held"  # of packed batches in the vault


def hold_snapshot(
    engine: Engine,
    current: Pass,
    system: str,
    canonical: CanonicalObject,
    batch: Batch,
    scope: Scope,
    mapped: Mapped,
    found: guard.Measured,
    objections: Sequence[str],
    *,
    route: str,
    snapshot: int,
    source: str,
) -> int:
    """A snapshot waits for a person; an older one of its series that waits is superseded by it."""
    number = held.begin(
        engine.journal, flow=canonical.flow, system=system, route=route, object=canonical.name, state="held",
        run=current.run, at=engine.clock.now(), series=scope.series, snapshot=snapshot, as_of=scope.as_of,
    )  # fmt: skip
    payload = scope.raw if scope.raw and isinstance(engine.systems[system], Reopens) else None
    payload = payload or engine.vault.keep(engine.journal, KIND, packing.pack(packing.lean(batch, scope.raw)))
    held.add_page(engine.journal, number, payload, source, len(batch.records))
    told(engine, current, number, canonical, system, {canonical.name: found}, objections, scope.series, source)
    held.keep_records(engine.journal, number, _records(engine, system, canonical, mapped))
    if scope.extent is Extent.COMPLETE:
        superseded(engine, current, system, canonical.name, scope, but=(number, snapshot))
    current.counts["held"] += len(batch.records)
    return number


def hold_pages(
    engine: Engine,
    current: Pass,
    system: str,
    number: int,
    pages: Iterable[Mapped],
    found: dict[str, guard.Measured],
    objections: Sequence[str],
) -> None:
    """The pages of a reading wait for a person; their keys stay as they are, and nothing newer vouches for them."""
    row = held.show(engine.journal, number) or {}
    canonical = OBJECTS[row["object"]]
    told(engine, current, number, canonical, system, found, objections, "", row["source"])
    for mapped in pages:
        for name in mapped.records:
            if OBJECTS[name].kind == "state":
                keep_apart(engine, current, system, number, OBJECTS[name], mapped)
    current.counts["held"] += row["rows"]


def keep_apart(
    engine: Engine, current: Pass, system: str, number: int, canonical: CanonicalObject, mapped: Mapped
) -> None:
    """Remember the keys; a level that is held is not vouched for by what the source says of others."""
    moved = _records(engine, system, canonical, mapped)
    held.keep_records(engine.journal, number, moved)
    if "availability" in canonical.derives:
        keys = [row[1] for row in moved]
        known = states.detach(engine.journal, system, canonical.name, keys=keys, run=current.run)
        current.mark_subjects(canonical, known.values())


def told(
    engine: Engine,
    current: Pass,
    number: int,
    canonical: CanonicalObject,
    system: str,
    found: dict[str, guard.Measured],
    objections: Sequence[str],
    series: str,
    source: str,
) -> None:
    """The plan in words and why, in the journal, the audit and the log."""
    plan, reason = plan_of(found), "; ".join(objections)
    measured = {name: weighing.as_row(one) for name, one in found.items()}
    held.stop(
        engine.journal, number, object=canonical.name, measured=measured, plan=plan, reason=reason,
        at=engine.clock.now(),
    )  # fmt: skip
    entry = audit.Entry(
        step="held", system=system, object=canonical.name, key=series, answer=reason,
        origin={"source": source, "held": number},
    )  # fmt: skip
    audit.write(engine.journal, current.run, canonical.flow, [entry])
    engine.log.warning("%s: %s waits for a person as number %d: %s", system, source, number, reason)


def plan_of(found: dict[str, guard.Measured]) -> str:
    """What a batch would do, in words; by object where it brings several."""
    said = {name: "; ".join(p for p in (guard.words(one), guard.largest_move(one)) if p) for name, one in found.items()}
    return next(iter(said.values())) if len(said) == 1 else ". ".join(f"{name}: {one}" for name, one in said.items())


def superseded(
    engine: Engine, current: Pass, system: str, object: str, scope: Scope, *, but: tuple[int, int] | None = None
) -> None:
    """A newer snapshot of the series has come, held itself as (batch, snapshot) or not: older ones need nobody."""
    if scope.as_of is None:
        return
    number, snapshot = but or (None, None)
    snapshots.supersede_held(engine.journal, system, object, scope, but=snapshot)
    now = engine.clock.now()
    rows = held.supersede_series(engine.journal, system, object, scope.series, scope.as_of, now, number)
    say_superseded(engine, current, system, rows)


def say_superseded(engine: Engine, current: Pass, system: str, rows: Sequence[dict[str, Any]]) -> None:
    entries = [
        audit.Entry(
            step="superseded", system=system, object=row["object"], key=row["series"],
            origin={"source": row["source"], "held": row["id"]}, answer="a newer one has come; nobody decided",
        )
        for row in rows
    ]  # fmt: skip
    audit.write(engine.journal, current.run, current.flow, entries)
    for row in rows:
        engine.log.info("%s: number %d, %s, is superseded by a newer one", system, row["id"], row["source"])


def digest_of(raw: Record) -> str:
    """What makes a word the same word when it is read once more."""
    body = json.dumps([raw.source_version, packing.plain(raw.data)], sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()[:24]


def _records(engine: Engine, system: str, canonical: CanonicalObject, mapped: Mapped) -> list[tuple[Any, ...]]:
    """(object, key, subject, source key, digest, as of) of what would change: the last record of each such key.

    A page also repeats words that are known; these are no part of the question.
    """
    last = {canonical.key_of(made.data): (made, raw) for made, raw, _ in mapped.records.get(canonical.name, [])}
    before = states.data_of(engine.journal, system, canonical.name, list(last))
    return [
        (canonical.name, key, canonical.subject_of(made.data), raw.key, digest_of(raw), made.event_time)
        for key, (made, raw) in last.items()
        if before.get(key) != dict(made.data)
    ]
