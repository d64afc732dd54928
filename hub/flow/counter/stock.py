"""Availability as it is now: of each article at each location that the channel sells from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import asin, cos, radians, sin, sqrt
from typing import TYPE_CHECKING, Any

from hub.flow.availability import authoritative, by_subject, known_of, selling_rules
from hub.flow.objects import OBJECTS
from hub.journal import counter, events, states
from hub.retail.availability import Known, available_to_sell, on_hand_everywhere
from hub.retail.reservations import next_expiry

if TYPE_CHECKING:
    from hub.flow.engine import Engine

EARTH_KM = 6371.0

Position = tuple[float, float]  # latitude, longitude in degrees


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What one location may sell of an article; ``as_of`` is up to when its stock is vouched for."""

    location: str
    name: str | None
    kind: str | None
    quantity: int
    stale: bool
    as_of: datetime
    distance_km: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What a channel may sell of an article; ``until`` is when the clock alone changes it."""

    sku: str
    quantity: int
    until: datetime | None
    locations: tuple[Place, ...]


def availability(
    engine: Engine, skus: Sequence[str], channel: str, *, near: Position | None = None, location: str | None = None
) -> list[Article]:
    """The articles of ``skus`` whose stock anybody has told of; the nearest locations first, or the channel's order."""
    known = knowledge(engine, skus)
    named = locations(engine)
    return [article(engine, sku, known[sku], channel, named, near, location) for sku in skus if known[sku].levels]


def knowledge(engine: Engine, skus: Sequence[str]) -> dict[str, Known]:
    """Everything the journal knows of each SKU's stock, up to its last event."""
    flow = OBJECTS["stock_level"].flow
    rows = authoritative(engine, states.dated(engine.journal, "stock_level", skus))
    movements = by_subject(events.open_of(engine.journal, "stock_movement", skus))
    steps = by_subject(events.open_of(engine.journal, "reservation", skus))
    return {sku: known_of(engine, flow, rows[sku], movements[sku], steps[sku]) for sku in skus}


def article(
    engine: Engine,
    sku: str,
    known: Known,
    channel: str,
    named: Mapping[str, dict[str, Any]],
    near: Position | None = None,
    location: str | None = None,
) -> Article:
    """What ``channel`` may sell of one article, everywhere or at ``location`` alone."""
    now = engine.clock.now()
    found = available_to_sell(known, on_hand_everywhere(known), selling_rules(engine, channel, sku, known), now)
    chosen = {place: a for place, a in found.items() if location in (None, place)}
    dues = [a.due for a in chosen.values() if a.due] + [d for d in [next_expiry(known.steps, now)] if d]
    places = [
        Place(
            location=place,
            name=named.get(place, {}).get("name"),
            kind=named.get(place, {}).get("kind"),
            quantity=available.quantity,
            stale=available.stale,
            as_of=known.levels[place].coverage.as_of,
            distance_km=distance(near, named.get(place, {})),
        )
        for place, available in chosen.items()
    ]
    if near is not None:
        places.sort(key=lambda p: (p.distance_km is None, p.distance_km))
    return Article(
        sku=sku,
        quantity=sum(p.quantity for p in places),
        until=min(dues, default=None),
        locations=tuple(places),
    )


def locations(engine: Engine) -> dict[str, dict[str, Any]]:
    """What is known of every location, by the system that is believed about it."""
    found: dict[str, dict[str, Any]] = {}
    for code, system, data in counter.all_of(engine.journal, "location"):
        if code not in found or engine.landscape.authority_of("location", code) == system:
            found[code] = data
    return found


def distance(near: Position | None, place: Mapping[str, Any]) -> float | None:
    """Kilometres as the crow flies, to 100 m; None where nobody said where the place is."""
    if near is None or "latitude" not in place or "longitude" not in place:
        return None
    here, there = [tuple(map(radians, p)) for p in (near, (float(place["latitude"]), float(place["longitude"])))]
    rise = sin((there[0] - here[0]) / 2) ** 2
    turn = cos(here[0]) * cos(there[0]) * sin((there[1] - here[1]) / 2) ** 2
    return round(2 * EARTH_KM * asin(sqrt(min(1.0, rise + turn))), 1)
