"""Ownership: each field of a product belongs to one system; what another says of it is kept, audited, and not used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.retail.product import disowned

if TYPE_CHECKING:
    from hub.flow.engine import Engine

OBJECTS = ("product", "variant", "media")


def not_owned(
    engine: Engine, system: str, object: str, data: Mapping[str, Any], before: Mapping[str, Any] | None
) -> list[str]:
    """Fields of which ``system`` says something new although another system owns them."""
    if object not in OBJECTS:
        return []
    said = {field: value for field, value in data.items() if before is None or before.get(field) != value}
    return disowned(object, system, said, owners(engine))


def owners(engine: Engine) -> Mapping[str, str]:
    """The owner of each field of a product, as hub.yaml names them."""
    return engine.landscape.authority.get("product", {})


def sentence(engine: Engine, fields: Sequence[str]) -> str:
    """Whose the fields are, for the audit."""
    return "not used: " + ", ".join(f"{field} belongs to {owners(engine)[field]}" for field in fields)
