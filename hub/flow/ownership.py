"""Ownership: each field of a product belongs to one system; what another says of it is kept, audited, and not used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub.flow.engine import Engine

OWNED = "product"  # where hub.yaml names the owners
KEYS: Mapping[str, frozenset[str]] = {
    "product": frozenset({"product"}),
    "variant": frozenset({"sku"}),
    "media": frozenset({"asset"}),
}


def owner(engine: Engine, object: str, field: str) -> str | None:
    """The system that owns ``field`` of a product, variant or picture; None: whoever speaks of it."""
    return engine.landscape.authority.get(OWNED, {}).get(name_of(object, field))


def name_of(object: str, field: str) -> str:
    """How hub.yaml names a field: a picture is owned as a whole."""
    return "media" if object == "media" else field


def not_owned(
    engine: Engine, system: str, object: str, data: Mapping[str, Any], before: Mapping[str, Any] | None
) -> list[str]:
    """Fields that ``system`` says something new of although another system owns them."""
    if object not in KEYS:
        return []
    said = [f for f, value in data.items() if f not in KEYS[object] and (before is None or before.get(f) != value)]
    return [f for f in said if owner(engine, object, f) not in (None, system)]


def sentence(engine: Engine, object: str, fields: Sequence[str]) -> str:
    """Whose the fields are, for the audit."""
    return "not used: " + ", ".join(f"{field} belongs to {owner(engine, object, field)}" for field in fields)
