"""The canonical objects: what identifies them, whether they are state or event, what is derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hub.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalObject:
    """How the engine treats one canonical object.

    State is replaced by the source's newer word; events are kept once each. ``key`` names the fields
    of the business key, ``subject`` the field by which derived objects are computed, ``moment`` the
    field that holds an event's time, ``guarded`` the number whose move to zero a guard counts.
    """

    name: str
    kind: Literal["state", "event"]
    key: tuple[str, ...]
    subject: str
    derives: str | None = None
    moment: str | None = None
    guarded: str | None = None

    def key_of(self, data: Mapping[str, Any]) -> str:
        """The business key: ``SKU@LOCATION``; an undecided part stays empty."""
        return "@".join(str(data.get(part) or "") for part in self.key)

    def parts_of(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {part: data[part] for part in self.key}


OBJECTS: Mapping[str, CanonicalObject] = {
    o.name: o
    for o in (
        CanonicalObject(name="location", kind="state", key=("location",), subject="location"),
        CanonicalObject(
            name="stock_level",
            kind="state",
            key=("sku", "location"),
            subject="sku",
            derives="availability",
            guarded="on_hand",
        ),
        CanonicalObject(
            name="stock_movement",
            kind="event",
            key=("sku", "location"),
            subject="sku",
            derives="availability",
            moment="occurred_at",
        ),
        CanonicalObject(
            name="reservation",
            kind="event",
            key=("sku", "location"),
            subject="sku",
            derives="availability",
            moment="occurred_at",
        ),
    )
}

# What a flow carries, in the order in which a source is read.
FLOWS: Mapping[str, tuple[str, ...]] = {"stock": ("location", "stock_level", "stock_movement", "reservation")}

# What a flow writes to its targets, and the derived object that it comes from.
DELIVERS: Mapping[str, Mapping[str, str]] = {"stock": {"availability": "stock_level"}}

# The objects in which a target's own ids for bound keys are looked up, and the state that knows them.
BOUND_FROM: Mapping[str, str] = {"sku": "stock_level", "location": "location"}


def objects_of(flow: str) -> tuple[CanonicalObject, ...]:
    """The canonical objects of ``flow``; a :class:`ConfigError` where there is no such flow."""
    if flow not in FLOWS:
        raise ConfigError(f'no flow "{flow}"; there are {", ".join(sorted(FLOWS))}')
    return tuple(OBJECTS[name] for name in FLOWS[flow])
