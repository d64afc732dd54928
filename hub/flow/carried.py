"""Carried: what travels with a delivery beside its value: the target's own ids, and what is personal."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.flow.objects import mentioned
from hub.journal import bindings
from hub.model import Binding

if TYPE_CHECKING:
    from hub.connector import Capability
    from hub.flow.engine import Engine

PERSONAL = "personal"  # the part of a key that leads to personal values in the vault


@dataclass(frozen=True, slots=True)
class Ids:
    """A target's ids, by bound object and key."""

    tables: Mapping[str, Mapping[str, Binding]]

    def of_parts(self, parts: Mapping[str, Any]) -> dict[str, Binding]:
        """The ids of what a key is made of, where they are known."""
        return {name: table[parts[name]] for name, table in self.tables.items() if parts.get(name) in table}

    def of_value(self, object: str, value: Mapping[str, Any]) -> dict[str, dict[str, Binding]]:
        """The ids of what a value mentions, where they are known."""
        found = mentioned(object, value)
        return {
            name: {key: table[key] for key in sorted(found[name]) if key in table}
            for name, table in self.tables.items()
            if found.get(name)
        }


def load(
    engine: Engine,
    target: str,
    capability: Capability,
    object: str,
    rows: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]],
) -> Ids:
    """The ids that deliveries of ``object`` carry: of their parts and of what their values mention."""
    wanted: dict[str, set[str]] = defaultdict(set)
    names = (*capability.binds, *capability.knows)
    for parts, value in rows:
        found = mentioned(object, value)
        for name in names:
            wanted[name] |= found.get(name, set()) | ({parts[name]} if parts.get(name) else set())
    return Ids({name: bindings.some(engine.journal, target, name, sorted(keys)) for name, keys in wanted.items()})


def opened(engine: Engine, parts: Mapping[str, Any]) -> dict[str, Any]:
    """A key's parts, with what is personal taken out of the vault: only for the moment in which it is sent."""
    if not parts.get(PERSONAL):
        return dict(parts)
    return {**parts, PERSONAL: json.loads(engine.vault.open(engine.journal, parts[PERSONAL]))}


def as_json(ids: Mapping[str, Binding]) -> dict[str, Any]:
    """Ids as an attempt keeps them."""
    return {name: {"external_id": b.external_id, "extra": dict(b.extra)} for name, b in ids.items()}
