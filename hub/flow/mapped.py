"""Mapping a batch: every raw record through its mappings, every result against its schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hub.flow.carried import PERSONAL
from hub.model import Origin, Record, Refused, Scope
from hub.retail.checks import CHECKS
from hub.schemas.values import foreign

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.mapping import Mapping

LONGEST_KEY = 500  # PostgreSQL's indexes take 2,704 bytes


@dataclass(slots=True)
class Mapped:
    """What the mappings made of a batch, by canonical object."""

    records: dict[str, list[tuple[Record, Record, Mapping]]] = field(default_factory=dict)  # (canonical, raw, by)
    refused: list[tuple[Refused, Record | None, Mapping | None]] = field(default_factory=list)


def map_all(
    engine: Engine,
    system: str,
    records: Sequence[Record | Refused],
    scope: Scope,
    mappings: Sequence[Mapping],
    lookups: Callable[[str, str], str | None] | None = None,
) -> Mapped:
    """Every raw record through every mapping of its object, each result validated against its schema."""
    mapped = Mapped()
    lookups = lookups or engine.lookups(system)
    for raw in records:
        if isinstance(raw, Refused):
            refused = replace(raw, origin=with_raw(raw.origin, scope))
            mapped.refused.append((refused, None, mappings[0] if mappings else None))
            continue
        if scope.raw and not raw.origin.raw:
            raw = raw.become(origin=with_raw(raw.origin, scope))
        for mapping in mappings:
            for made in mapping.map(raw, lookups):
                if isinstance(made, Refused):
                    mapped.refused.append((made, raw, mapping))
                elif (objection := objected(engine, mapping.target, made) or unstorable(raw, made)) is not None:
                    mapped.refused.append((refused_by_schema(made, raw, objection), raw, mapping))
                else:
                    mapped.records.setdefault(mapping.target, []).append((made, raw, mapping))
    for name, made_of in mapped.records.items():
        mapped.records[name] = without_personal(engine, name, made_of)
    return mapped


def objected(engine: Engine, object: str, made: Record) -> tuple[str, str] | None:
    """What is wrong with a record: by its schema first, then by the rules that a schema cannot say."""
    return engine.schemas.validate(object, made.data) or (CHECKS[object](made.data) if object in CHECKS else None)


def unstorable(raw: Record, made: Record | None = None) -> tuple[str, str] | None:
    """What is wrong with keys and versions, which stand beside the data in columns and indexes of their own."""
    named = {"key": raw.key, "source_version": made.source_version if made else None}
    for name, value in named.items():
        if (found := next(foreign(value), None)) is not None:
            return name, found[1]
        if isinstance(value, str) and len(value) > LONGEST_KEY:
            return name, f"is longer than {LONGEST_KEY} characters"
    return None


def without_personal(
    engine: Engine, object: str, records: list[tuple[Record, Record, Mapping]]
) -> list[tuple[Record, Record, Mapping]]:
    """The same records with what is personal moved to the vault; ``personal`` leads to it."""
    fields = engine.schemas.get(object).personal
    if not fields:
        return records
    moved = []
    for made, raw, mapping in records:
        data = {name: value for name, value in made.data.items() if name not in fields}
        personal = {name: made.data[name] for name in fields if made.data.get(name)}
        if personal:
            payload = json.dumps(personal, ensure_ascii=False, sort_keys=True).encode()
            data[PERSONAL] = engine.vault.keep(engine.journal, PERSONAL, payload)
        moved.append((made.become(data=data), raw, mapping))
    return moved


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
