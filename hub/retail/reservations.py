"""Reservations: pieces promised to an order line, until an authoritative record contains the promise.

A line is the sum of its steps in any order: a release that arrives before its reserve still ends it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal

StepKind = Literal["reserve", "release", "accepted", "shipped", "taken_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step in the life of a reservation: pieces are positive, ``location`` is None while undecided."""

    order: str
    line: str
    kind: StepKind
    quantity: int
    location: str | None
    occurred_at: datetime
    system: str = ""  # who says so
    expires_at: datetime | None = None  # a hold: from then on it counts no more, as if it had been released


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Pieces of one order line that must not be sold again."""

    order: str
    line: str
    location: str | None
    quantity: int


def still_reserved(
    steps: Iterable[Step], as_of: Mapping[str, datetime], now: datetime, told: Mapping[str, str] = MappingProxyType({})
) -> list[Reserved]:
    """What is reserved ``now``, in the order of the first step of each line.

    ``as_of``: up to when the authority of each location vouches for its stock. Pieces accepted by the
    ERP or shipped stay reserved until that moment is past, and are in the authority's numbers after it:
    so nothing is sold twice in between and nothing is deducted twice.

    ``told``: the authorities that are told of orders, by location. Such a one deducts what it took on itself,
    whenever that is: what others say of a shipment from there does not mean that it has.
    """
    lines: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step in steps:
        if step.expires_at is None or step.expires_at > now:
            lines[step.order, step.line].append(step)
    found = []
    for (order, line), history in lines.items():
        for place, quantity in _left_of(history, as_of, told).items():
            found.append(Reserved(order=order, line=line, location=place, quantity=quantity))
    return found


def next_expiry(steps: Iterable[Step], now: datetime) -> datetime | None:
    """When the clock alone ends the next hold."""
    return min((s.expires_at for s in steps if s.expires_at is not None and s.expires_at > now), default=None)


def _left_of(history: Sequence[Step], as_of: Mapping[str, datetime], told: Mapping[str, str]) -> dict[str | None, int]:
    """Pieces still reserved, by where they are taken from: promised, less what the stock's authority has taken over.

    Acceptance and shipment of the same pieces are two moments of one hand-over, and several systems may tell of
    each: the largest count of any one of them is what was handed over.
    """
    plan = _planned(history)
    inside = [step for step in history if _is_inside(step, step.location or plan, as_of, told)]
    systems = dict.fromkeys(step.system for step in history)
    taken = max((max(_accepted(inside, s), _shipped(inside, history, s)) for s in systems), default=0)
    left = max(0, _promised(history) - taken)
    found: dict[str | None, int] = defaultdict(int)
    for place, quantity in _on_the_way(history, inside).items():
        found[place] += min(left, quantity)
        left -= min(left, quantity)
    found[plan] += left
    return {place: quantity for place, quantity in found.items() if quantity > 0}


def _promised(history: Sequence[Step]) -> int:
    """A line that an edit made larger is reserved again as a whole: the largest promise contains the others."""
    reserved = max((s.quantity for s in history if s.kind == "reserve"), default=0)
    return reserved - sum(s.quantity for s in history if s.kind == "release")


def _is_inside(step: Step, place: str | None, as_of: Mapping[str, datetime], told: Mapping[str, str]) -> bool:
    """Whether the authority's numbers contain this hand-over; from an unknown place, once those of every place do."""
    deducts = {system for where, system in told.items() if place in (where, None)}
    if step.kind not in ("accepted", "shipped") or (deducts and step.system not in deducts):
        return False
    vouched = as_of.get(place) if place else min(as_of.values(), default=None)
    return vouched is not None and vouched > step.occurred_at


def _accepted(inside: Sequence[Step], system: str) -> int:
    """What ``system`` holds for the line: its last word, since an edit changes that."""
    said = [s for s in inside if s.kind == "accepted" and s.system == system]
    return max(said, key=lambda s: (s.occurred_at, -s.quantity)).quantity if said else 0


def _shipped(inside: Sequence[Step], history: Sequence[Step], system: str) -> int:
    """Pieces that left, less those of parcels that stayed after all."""
    left = sum(s.quantity for s in inside if s.kind == "shipped" and s.system == system)
    return max(0, left - sum(s.quantity for s in history if s.kind == "taken_back" and s.system == system))


def _on_the_way(history: Sequence[Step], inside: Sequence[Step]) -> dict[str, int]:
    """Pieces that left a place whose numbers still contain them; of several who tell of it, who tells of most."""
    by_system: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for step in history:
        if step.kind in ("shipped", "taken_back") and step.location and step not in inside:
            by_system[step.system][step.location] += step.quantity if step.kind == "shipped" else -step.quantity
    most = max(by_system.values(), key=lambda places: (sum(places.values()), sorted(places.items())), default={})
    return {place: quantity for place, quantity in sorted(most.items()) if quantity > 0}


def _planned(history: Sequence[Step]) -> str | None:
    """The latest word on where the line is taken from; a parcel speaks for its own pieces only.

    Of two at one moment always the same one, in whichever order they were learnt.
    """
    placed = [s for s in history if s.location is not None and s.kind in ("reserve", "release", "accepted")]
    return max(placed, key=lambda s: (s.occurred_at, s.location)).location if placed else None
