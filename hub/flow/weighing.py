"""Weighing: what a batch would do to what is known, measured before anything of it is applied."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hub.flow import guard
from hub.flow.mapped import Mapped
from hub.flow.objects import OBJECTS, CanonicalObject
from hub.journal import snapshots, states
from hub.model import Batch, Extent, Record, Scope

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.mapping import Mapping as CompiledMapping

Made = tuple[Record, Record, "CompiledMapping"]  # canonical, raw, by


def limits(engine: Engine, canonical: CanonicalObject) -> guard.Limits:
    """The guards of the flow that carries ``canonical``."""
    flow = engine.landscape.flows.get(canonical.flow)
    if flow is None:
        return guard.Limits()
    return guard.Limits(**{name: getattr(flow.guards, name) for name in guard.Limits.__dataclass_fields__})


def weighed(engine: Engine, mappings: Sequence[CompiledMapping]) -> list[CanonicalObject]:
    """The objects that ``mappings`` make and of which a guard may hold a reading."""
    made = [OBJECTS[name] for name in dict.fromkeys(m.target for m in mappings)]
    return [one for one in made if one.weighed and _weighs(limits(engine, one))]


def _weighs(found: guard.Limits) -> bool:
    return any(limit is not None for limit in (found.drops, found.to_zero, found.price_change, found.changes))


def snapshot(
    engine: Engine,
    system: str,
    canonical: CanonicalObject,
    mapped: Mapped,
    batch: Batch,
    scope: Scope,
    present: Collection[str],
) -> guard.Measured:
    """A snapshot beside the series that it continues; ``present`` are its source keys."""
    complete = scope.extent is Extent.COMPLETE
    last = snapshots.last_complete(engine.journal, system, canonical.name, scope.series) if complete else None
    known, positive = states.positive(
        engine.journal, system, canonical.name, scope.series, canonical.measured or canonical.guarded or ""
    )
    policy = policy_of(engine, system, canonical)
    absent = _absent(engine, system, canonical, scope, present) if complete else []
    count = tally(engine, system, canonical, mapped.records.get(canonical.name, []))
    if policy == "zero" and canonical.guarded:
        gone = _with_stock(engine, system, canonical, absent)
        count += guard.Tally(changed=gone, dropped=gone, to_zero=gone)
    return guard.Measured(
        rows=len(batch.records),
        tally=count,
        known=known + count.apart,
        positive=positive + count.apart_positive,
        rows_before=last["rows"] if last else None,
        usual=snapshots.usual_rows(engine.journal, system, canonical.name, scope) if complete else None,
        absent=len(absent),
        policy=policy,
        ended=scope.ended,
        counted=scope.rows == len(batch.records),
    )


def pages(
    engine: Engine, system: str, canonical: CanonicalObject, count: guard.Tally, rows: int, limits: guard.Limits
) -> guard.Measured:
    """The pages of a reading; what is known is counted only where so much changes that a share matters.

    All of it counts, also what nothing vouches for since a guard held a newer word: the same absurdity said twice must
    not find an empty shop to compare itself with.
    """
    matters = count.changed >= limits.at_least
    field = canonical.measured or canonical.guarded or ""
    known, positive = (
        states.positive(engine.journal, system, canonical.name, "", field, all=True) if matters else (0, 0)
    )
    return guard.Measured(rows=rows, tally=count, known=known, positive=positive, file=False)


def tally(engine: Engine, system: str, canonical: CanonicalObject, records: Sequence[Made]) -> guard.Tally:
    """What ``records`` would change; of several with one key the last counts."""
    if not records:
        return guard.Tally()
    last: dict[str, Mapping[str, Any]] = {}
    for made, _, _ in records:
        last[canonical.key_of(made.data)] = made.data
    before = states.data_of(engine.journal, system, canonical.name, list(last))
    apart = states.detached(engine.journal, system, canonical.name, list(before))
    beside = _prices_beside(engine, system, canonical, [d for key, d in last.items() if key not in before])
    changes = (
        guard.Change(
            key=key,
            before=before.get(key),
            after=dict(data),
            beside=_comparable(data, beside.get(str(data.get("sku")), ())),
            apart=key in apart,
        )
        for key, data in last.items()
    )
    return guard.tally(changes, canonical.measured)


def as_row(found: guard.Measured) -> dict[str, Any]:
    """The measured numbers as the journal keeps them."""
    row = asdict(found)
    if found.tally.largest is not None:
        row["tally"]["largest"] = {name: str(value) for name, value in asdict(found.tally.largest).items()}
    return row


def policy_of(engine: Engine, system: str, canonical: CanonicalObject) -> str:
    """What hub.yaml says of keys that a complete snapshot of ``system`` lacks."""
    flow = engine.landscape.flows.get(canonical.flow)
    settings = flow.sources.get(system) if flow else None
    return settings.missing if settings else "hold"


def _absent(
    engine: Engine, system: str, canonical: CanonicalObject, scope: Scope, present: Collection[str]
) -> list[str]:
    """Keys of the series that a complete snapshot lacks."""
    known = states.of_series(engine.journal, system, canonical.name, scope.series, scope.as_of)
    return [key for source, (key, _, detached) in known.items() if source not in present and not detached]


def _with_stock(engine: Engine, system: str, canonical: CanonicalObject, keys: Sequence[str]) -> int:
    known = states.data_of(engine.journal, system, canonical.name, keys)
    return sum(1 for data in known.values() if data[str(canonical.guarded)] > 0)


def _prices_beside(
    engine: Engine, system: str, canonical: CanonicalObject, new: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """By article, the prices that are known: a new entry of a price list mostly takes another one's place."""
    if canonical.name != "price" or not new:
        return {}
    return states.of_subjects(engine.journal, system, canonical.name, sorted({data["sku"] for data in new}))


def _comparable(data: Mapping[str, Any], known: Sequence[Mapping[str, Any]]) -> list[Decimal]:
    """Amounts that a new price may be compared with: regular ones of the same list, in the same currency."""
    same = ("currency", "tax_included")
    return [
        Decimal(str(one["amount"]))
        for one in known
        if one["kind"] == "regular"
        and not one.get("withdrawn")
        and all(one.get(name) == data.get(name) for name in same)
        and _list_of(one) == _list_of(data)
    ]


def _list_of(price: Mapping[str, Any]) -> str | None:
    found: str | None = (price.get("scope") or {}).get("list")
    return found
