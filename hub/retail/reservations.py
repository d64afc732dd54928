"""Reservations: pieces promised to an order line, until an authoritative record contains the promise.

A line is the sum of its steps in any order: a release that arrives before its reserve still ends it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

StepKind = Literal["reserve", "release", "accepted", "shipped"]


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


def still_reserved(steps: Iterable[Step], as_of: Mapping[str, datetime], now: datetime) -> list[Reserved]:
    """What is reserved ``now``, in the order of the first step of each line.

    ``as_of``: up to when the authority of each location vouches for its stock. Pieces accepted by the
    ERP or shipped stay reserved until that moment is past, and are in the authority's numbers after it:
    so nothing is sold twice in between and nothing is deducted twice.
    """
    lines: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step in steps:
        if step.expires_at is None or step.expires_at > now:
            lines[step.order, step.line].append(step)
    found = []
    for (order, line), history in lines.items():
        quantity = _reserved_of(history, as_of)
        if quantity > 0:
            found.append(Reserved(order=order, line=line, location=_location_of(history), quantity=quantity))
    return found


def next_expiry(steps: Iterable[Step], now: datetime) -> datetime | None:
    """When the clock alone ends the next hold."""
    return min((s.expires_at for s in steps if s.expires_at is not None and s.expires_at > now), default=None)


def _reserved_of(history: list[Step], as_of: Mapping[str, datetime]) -> int:
    """Pieces reserved, less those released, less those that the stock's authority has taken over.

    A line that an edit made larger is reserved again as a whole: the largest promise contains the others.
    Acceptance and shipment of the same pieces are two moments of one hand-over, and several systems may tell of
    each: the largest count of any one of them is what was handed over.
    """
    reserved = max((s.quantity for s in history if s.kind == "reserve"), default=0)
    released = sum(s.quantity for s in history if s.kind == "release")
    place = _location_of(history)
    taken: dict[tuple[str, str], int] = defaultdict(int)
    for step in history:
        where = step.location or place
        vouched = as_of.get(where) if where else None
        if step.kind in ("accepted", "shipped") and vouched is not None and vouched > step.occurred_at:
            taken[step.system, step.kind] += step.quantity
    return reserved - released - max(taken.values(), default=0)


def _location_of(history: list[Step]) -> str | None:
    """The latest word on where the pieces are taken from."""
    placed = [s for s in history if s.location is not None]
    return max(placed, key=lambda s: s.occurred_at).location if placed else None
