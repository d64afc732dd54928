"""Mapping a batch: every raw record through its mappings, every result against its schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hub.model import Origin, Record, Refused, Scope

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.mapping import Mapping


@dataclass(slots=True)
class Mapped:
    """What the mappings made of a batch, by canonical object."""

    records: dict[str, list[tuple[Record, Record, Mapping]]] = field(default_factory=dict)  # (canonical, raw, by)
    refused: list[tuple[Refused, Record | None, Mapping | None]] = field(default_factory=list)


def map_all(
    engine: Engine, system: str, records: Sequence[Record | Refused], scope: Scope, mappings: Sequence[Mapping]
) -> Mapped:
    """Every raw record through every mapping of its object, each result validated against its schema."""
    mapped = Mapped()
    lookups = engine.lookups(system)
    for raw in records:
        if isinstance(raw, Refused):
            refused = replace(raw, origin=with_raw(raw.origin, scope))
            mapped.refused.append((refused, None, mappings[0] if mappings else None))
            continue
        raw = raw.become(origin=with_raw(raw.origin, scope))
        for mapping in mappings:
            for made in mapping.map(raw, lookups):
                if isinstance(made, Refused):
                    mapped.refused.append((made, raw, mapping))
                elif (objection := engine.schemas.validate(mapping.target, made.data)) is not None:
                    mapped.refused.append((refused_by_schema(made, raw, objection), raw, mapping))
                else:
                    mapped.records.setdefault(mapping.target, []).append((made, raw, mapping))
    return mapped


def with_raw(origin: Origin, scope: Scope) -> Origin:
    """An origin that leads to the payload in the vault."""
    return origin if origin.raw or not scope.raw else replace(origin, raw=scope.raw)


def refused_by_schema(made: Record, raw: Record, objection: tuple[str, str]) -> Refused:
    path, reason = objection
    return Refused(object=made.object, key=made.key, data=raw.data, path=path, reason=reason, origin=raw.origin)


def signature(mapping: Mapping) -> str:
    """A mapping as the audit names it: name, version and the hash of its content."""
    return f"{mapping.name}/{mapping.version}#{mapping.hash[:12]}"


def origin_row(origin: Origin) -> dict[str, Any]:
    return {k: v for k, v in asdict(origin).items() if v is not None}
