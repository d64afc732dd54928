"""Availability: what each location holds and may sell of one SKU, from everything that is known of it.

    on hand            = the authority's level + movements that it does not contain
    available to sell  = max(0, on hand - unavailable - reserved - safety stock)

A location nobody has spoken of has no value at all: absent, null and zero are three different things.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from hub.retail.coverage import Cover, Coverage, LatePolicy, Movement, cover
from hub.retail.reservations import Reserved, Step, still_reserved

QuarantinePolicy = Literal["keep", "zero"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The authority's word on one location, and how its movements are to be read."""

    on_hand: int
    unavailable: int = 0
    coverage: Coverage
    late_events: LatePolicy = "apply"
    quarantined: bool = False  # a newer line of it was refused
    when_quarantined: QuarantinePolicy = "keep"
    told_of_orders: str | None = None  # its authority, where orders are delivered to that: it deducts what it takes on


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything known of one SKU: levels and movements by location, reservations of every channel."""

    levels: Mapping[str, Level]
    movements: Mapping[str, Sequence[Movement]] = field(default_factory=dict)
    steps: Sequence[Step] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SellingRules:
    """How one channel sells: ``sells_from`` in the order in which unplaced reservations are taken."""

    sells_from: Sequence[str]
    safety_stock: Mapping[str, int] = field(default_factory=dict)  # by location; absent: 0
    stale_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnHand:
    """What lies at one location: the level, and what became of each movement."""

    quantity: int
    level: int
    on_top: tuple[str, ...] = ()
    contained: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    late_policy: LatePolicy = "apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Available:
    """What one location may sell, and the numbers it came from."""

    quantity: int
    on_hand: int
    unavailable: int
    reserved: int  # promised from this very location
    unplaced: int  # promised by the channel and taken from here until somebody decides
    safety_stock: int
    stale: bool
    due: datetime | None  # when the clock alone changes it

    def why(self) -> dict[str, Any]:
        """The numbers, for the trace."""
        return {
            "on_hand": self.on_hand,
            "unavailable": self.unavailable,
            "reserved": self.reserved + self.unplaced,
            "safety_stock": self.safety_stock,
            "stale": self.stale,
        }


def on_hand(level: Level, movements: Sequence[Movement]) -> OnHand:
    """The level with the movements on top that it does not contain; each is applied once or not at all."""
    found: dict[Cover, list[Movement]] = defaultdict(list)
    for movement in {m.id: m for m in movements}.values():
        found[cover(movement, level.coverage)].append(movement)
    applied = found[Cover.ON_TOP] + (found[Cover.LATE] if level.late_events == "apply" else [])
    quantity = level.on_hand + sum(m.delta for m in applied)
    if level.quarantined and level.when_quarantined == "zero":
        quantity = 0
    return OnHand(
        quantity=quantity,
        level=level.on_hand,
        on_top=tuple(m.id for m in found[Cover.ON_TOP]),
        contained=tuple(m.id for m in found[Cover.CONTAINED]),
        late=tuple(m.id for m in found[Cover.LATE]),
        late_policy=level.late_events,
    )


def on_hand_everywhere(known: Known) -> dict[str, OnHand]:
    """What lies at every location that an authority has spoken of."""
    return {place: on_hand(level, known.movements.get(place, ())) for place, level in known.levels.items()}


def available_to_sell(
    known: Known, lying: Mapping[str, OnHand], rules: SellingRules, now: datetime
) -> dict[str, Available]:
    """What each location that the channel sells from may sell now.

    Reservations without a location are taken from the locations in the order of ``sells_from``, from
    what is left there after everything else; their sum over the channel is what counts.
    """
    as_of = {place: level.coverage.as_of for place, level in known.levels.items()}
    told = {place: level.told_of_orders for place, level in known.levels.items() if level.told_of_orders}
    reserved = still_reserved(known.steps, as_of, now, told)
    unplaced = sum(r.quantity for r in reserved if r.location is None)
    found: dict[str, Available] = {}
    for place in rules.sells_from:
        if place not in known.levels:
            continue
        sellable = _before_unplaced(known.levels[place], lying[place], _reserved_at(place, reserved), place, rules, now)
        taken = min(unplaced, sellable.quantity)
        unplaced -= taken
        found[place] = _less(sellable, taken)
    return found


def _reserved_at(place: str, reserved: Sequence[Reserved]) -> int:
    return sum(r.quantity for r in reserved if r.location == place)


def _before_unplaced(
    level: Level, lying: OnHand, reserved: int, place: str, rules: SellingRules, now: datetime
) -> Available:
    safety = rules.safety_stock.get(place, 0)
    goes_stale = level.coverage.as_of + rules.stale_after if rules.stale_after is not None else None
    stale = goes_stale is not None and goes_stale <= now
    quantity = 0 if stale else max(0, lying.quantity - level.unavailable - reserved - safety)
    return Available(
        quantity=quantity,
        on_hand=lying.quantity,
        unavailable=level.unavailable,
        reserved=reserved,
        unplaced=0,
        safety_stock=safety,
        stale=stale,
        due=None if stale else goes_stale,
    )


def _less(available: Available, taken: int) -> Available:
    from dataclasses import replace

    return replace(available, quantity=available.quantity - taken, unplaced=taken) if taken else available
