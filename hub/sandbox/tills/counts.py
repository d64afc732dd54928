"""How many pieces the tills believe in.

A physical count sets the number as of the time it was taken; what was sold after that time is
deducted from it, whenever the sale was uploaded, and what was sold before it is not. So a count that
carries its as-of erases no sale, and one that carries the present erases those it did not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.sandbox.clock import Clock
from hub.sandbox.state import State
from hub.sandbox.tills.tables import PARTS, quantity, rfc3339, whole_millis
from hub.sandbox.world import World

Pair = tuple[str, str]  # location id, variation id


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysicalCount:
    """What somebody counted: ``quantity`` in hundred-thousandths, ``occurred_at`` in microseconds."""

    pair: Pair
    quantity: int
    occurred_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The tills' present number of one article in one store."""

    pair: Pair
    quantity: int
    calculated_at: int

    def document(self) -> dict[str, Any]:
        """As Square's ``InventoryCount``."""
        return {
            "catalog_object_id": self.pair[1],
            "catalog_object_type": "ITEM_VARIATION",
            "state": "IN_STOCK",
            "location_id": self.pair[0],
            "quantity": quantity(self.quantity),
            "calculated_at": rfc3339(self.calculated_at),
        }


class Counts:
    """Stateless over :class:`State`; what changes counts belongs into a transaction of the caller's."""

    def __init__(self, state: State, world: World, clock: Clock) -> None:
        self.state = state
        self.world = world
        self.clock = clock

    def populate(self) -> None:
        """Every article in every store, as the last stocktaking and its mistakes left it."""
        stores = {row["code"]: row["id"] for row in self.state.rows("SELECT code, id FROM till_location")}
        rows = self.state.rows("SELECT code, id FROM till_object WHERE type = 'ITEM_VARIATION'")
        articles = {row["code"]: row["id"] for row in rows}
        at = whole_millis(self.world.night - timedelta(days=1))
        counts = (
            (stores[place], articles[sku], pieces * PARTS, pieces * PARTS, at, at)
            for (sku, place), pieces in self.world.outdated.items()
            if place in stores
        )
        self.state.insert("INSERT INTO till_count VALUES (?, ?, ?, ?, ?, ?)", counts)

    def sold(self, location: str, pieces: Mapping[str, int], occurred_at: int) -> None:
        """Book a sale of whole ``pieces`` by variation; each leaves its number unless a later count covers it."""
        now = whole_millis(self.clock.now())
        rows = [(n * PARTS, location, variation, occurred_at) for variation, n in pieces.items()]
        self.state.insert(
            "INSERT INTO till_sold (quantity, location_id, variation_id, occurred_at) VALUES (?, ?, ?, ?)", rows
        )
        self.state.insert(
            "UPDATE till_count SET quantity = quantity - ?, calculated_at = ?"
            " WHERE location_id = ? AND variation_id = ? AND counted_at < ?",
            [(n, now, place, variation, at) for n, place, variation, at in rows],
        )

    def take(self, count: PhysicalCount, *, ignore_unchanged: bool) -> bool:
        """Apply a physical count; whether it was recorded.

        One taken before the count that is in force changes nothing, and one that repeats its number is
        ignored where the caller says so (Square's ``ignore_unchanged_counts``).
        """
        row = self.state.row(
            "SELECT counted, counted_at FROM till_count WHERE location_id = ? AND variation_id = ?", count.pair
        )
        if row is not None and ignore_unchanged and row["counted"] == count.quantity:
            return False
        if row is None or count.occurred_at >= row["counted_at"]:
            self._set(count)
        return True

    def _set(self, count: PhysicalCount) -> None:
        now = whole_millis(self.clock.now())
        left = count.quantity - self._sold_after(count.pair, count.occurred_at)
        self.state.execute(
            "INSERT OR REPLACE INTO till_count VALUES (?, ?, ?, ?, ?, ?)",
            (*count.pair, left, count.quantity, count.occurred_at, now),
        )

    def _sold_after(self, pair: Pair, moment: int) -> int:
        row = self.state.row(
            "SELECT sum(quantity) AS n FROM till_sold WHERE location_id = ? AND variation_id = ? AND occurred_at > ?",
            (*pair, moment),
        )
        return (row and row["n"]) or 0

    def get(self, pairs: Iterable[Pair]) -> list[Count]:
        """The counts of ``pairs``, in their order; those that were never counted are left out."""
        sql = "SELECT * FROM till_count WHERE location_id = ? AND variation_id = ?"
        return [_count(row) for pair in pairs if (row := self.state.row(sql, pair)) is not None]

    def newest_first(self, changed_after: int, stores: set[str], articles: set[str]) -> list[Pair]:
        """Which counts changed after a moment, in some stores and of some articles (empty: all)."""
        rows = self.state.rows(
            "SELECT location_id, variation_id FROM till_count WHERE calculated_at > ?"
            " ORDER BY calculated_at DESC, location_id, variation_id",
            (changed_after,),
        )
        pairs = [(row["location_id"], row["variation_id"]) for row in rows]
        return [p for p in pairs if (not stores or p[0] in stores) and (not articles or p[1] in articles)]

    def numbers(self) -> dict[str, int]:
        """Whole pieces by ``SKU@LOCATION``, in the retailer's own codes."""
        rows = self.state.rows(
            "SELECT v.code AS sku, l.code AS place, c.quantity FROM till_count c"
            " JOIN till_object v ON v.id = c.variation_id JOIN till_location l ON l.id = c.location_id"
        )
        return {f"{row['sku']}@{row['place']}": row["quantity"] // PARTS for row in rows}


def _count(row: Any) -> Count:
    pair = (row["location_id"], row["variation_id"])
    return Count(pair=pair, quantity=row["quantity"], calculated_at=row["calculated_at"])
