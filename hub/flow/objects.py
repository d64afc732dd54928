"""The canonical objects: what identifies them, whether they are state or event, what is derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalObject:
    """How the engine treats one canonical object.

    State is replaced by the source's newer word; events are kept once each. ``key`` names the fields
    of the business key, ``subject`` the fields of which the first that is filled says what it belongs to,
    ``derives`` the derived objects that rest on it, each with the fields of the subject to derive again,
    ``moment`` the field that holds an event's time, ``guarded`` the number whose move to zero a guard counts,
    ``measured`` the number whose moves it weighs, ``weighed`` that a guard may hold many changes of it at once.
    """

    name: str
    kind: Literal["state", "event"]
    key: tuple[str, ...]
    subject: tuple[str, ...]
    derives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    moment: str | None = None
    guarded: str | None = None
    measured: str | None = None
    weighed: bool = False
    urgent: bool = False  # what rests on it goes ahead of the rest
    newest_first: bool = False  # at a target the latest value counts alone: after an outage it goes first

    @property
    def flow(self) -> str:
        """The flow that carries it."""
        return next(flow for flow, carried in FLOWS.items() if self.name in carried)

    def key_of(self, data: Mapping[str, Any]) -> str:
        """The business key: ``SKU@LOCATION``; an undecided part stays empty."""
        return "@".join(str(data.get(part) or "") for part in self.key)

    def subject_of(self, data: Mapping[str, Any]) -> str:
        """What it belongs to: that by which derived objects load it."""
        return first_of(data, self.subject)


def first_of(data: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    """The first of ``fields`` that is filled, as text."""
    return next((str(data[name]) for name in fields if data.get(name)), "")


AVAILABILITY = {"availability": ("sku",)}
PRICE = {"price_in_force": ("sku",)}
PRODUCT = {"complete_product": ("product", "sku")}
ORDER = {"order_progress": ("order",)}

OBJECTS: Mapping[str, CanonicalObject] = {
    o.name: o
    for o in (
        CanonicalObject(name="location", kind="state", key=("location",), subject=("location",)),
        CanonicalObject(
            name="stock_level", kind="state", key=("sku", "location"), subject=("sku",), derives=AVAILABILITY,
            guarded="on_hand", newest_first=True, measured="on_hand", weighed=True,
        ),
        CanonicalObject(
            name="stock_movement", kind="event", key=("sku", "location"), subject=("sku",), derives=AVAILABILITY,
            moment="occurred_at",
        ),
        CanonicalObject(
            name="reservation", kind="event", key=("sku", "location"), subject=("sku",), derives=AVAILABILITY,
            moment="occurred_at",
        ),
        CanonicalObject(
            name="price", kind="state", key=("sku", "entry"), subject=("sku",), derives=PRICE, newest_first=True,
            measured="amount", weighed=True,
        ),
        CanonicalObject(
            name="product", kind="state", key=("product",), subject=("product",), derives=PRODUCT, weighed=True
        ),
        # A price is delivered beside its product's name, so it must know which product that is.
        CanonicalObject(
            name="variant", kind="state", key=("sku",), subject=("product", "sku"), derives={**PRODUCT, **PRICE},
            weighed=True,
        ),
        CanonicalObject(
            name="media", kind="state", key=("asset",), subject=("product",), derives=PRODUCT, weighed=True
        ),
        CanonicalObject(name="order", kind="state", key=("order",), subject=("order",), derives=ORDER, urgent=True),
        CanonicalObject(
            name="order_status", kind="state", key=("order",), subject=("order",), derives=ORDER, urgent=True
        ),
        CanonicalObject(
            name="fulfilment", kind="state", key=("order", "fulfilment"), subject=("order",), derives=ORDER,
            urgent=True,
        ),
        CanonicalObject(
            name="order_return", kind="event", key=("order",), subject=("order",), derives=ORDER, moment="occurred_at"
        ),
    )
}  # fmt: skip

# What a flow carries, in the order in which a source is read.
FLOWS: Mapping[str, tuple[str, ...]] = {
    "stock": ("location", "stock_level", "stock_movement", "reservation"),
    "price": ("location", "price"),
    "product": ("product", "variant", "media"),
    "order": ("location", "order", "order_status", "fulfilment", "order_return"),
}

# What a flow writes to its targets, and the derived object that it comes from.
DELIVERS: Mapping[str, Mapping[str, str]] = {
    "stock": {"availability": "stock_level"},
    "price": {"price_in_force": "price"},
    "product": {"complete_product": "product"},
    "order": {"order_progress": "order"},
}

# Which flow a derived object belongs to.
FLOW_OF: Mapping[str, str] = {derived: flow for flow, delivers in DELIVERS.items() for derived in delivers}

# Where a target's own business does not move the value, a change found there was made by a person.
EDITABLE = ("price", "product")


def newest_first(object: str) -> bool:
    """Whether of what waits for a target the newest goes out first; else all go in their order."""
    return OBJECTS[object].newest_first


def delivered_by(flow: str) -> tuple[str, ...]:
    """The objects that ``flow`` writes to its targets."""
    return tuple(DELIVERS[flow].values())


def objects_of(flow: str) -> tuple[CanonicalObject, ...]:
    """The canonical objects of ``flow``; a :class:`ConfigError` where there is no such flow."""
    if flow not in FLOWS:
        raise ConfigError(f'no flow "{flow}"; there are {", ".join(sorted(FLOWS))}')
    return tuple(OBJECTS[name] for name in FLOWS[flow])


def mentioned(object: str, value: Mapping[str, Any]) -> dict[str, set[str]]:
    """The keys of other objects that a delivered value names, by object: its bindings travel with it."""
    found: dict[str, set[str]] = {}
    if object == "product":
        found["sku"] = {v["sku"] for v in value.get("variants") or ()}
        found["media"] = {m["hash"] for m in value.get("media") or ()}
    elif object == "price":
        found["location"] = set(value.get("overrides") or ())
    elif object == "order":
        pieces = [line for part in ("refunds", "returns") for one in value.get(part) or () for line in one["lines"]]
        found["location"] = {line["location"] for line in pieces if line.get("location")}
    return found
