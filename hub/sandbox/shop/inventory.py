"""How many pieces the shop believes in: ``available``, ``committed``, and ``on_hand`` as their sum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hub.sandbox.clock import Clock
from hub.sandbox.shop.tables import legacy_id, stored
from hub.sandbox.state import State
from hub.sandbox.world import World

COLUMNS = (
    "SELECT l.item_id, l.location_id, p.level_id, l.available, l.committed, l.updated_at"
    " FROM shop_level l JOIN shop_location p ON p.id = l.location_id"
)
UNKNOWN_PIECES = 10  # of each article that only the shop knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One item at one location."""

    item_id: int
    location_id: int
    level_id: int
    available: int
    committed: int
    updated_at: str

    @property
    def on_hand(self) -> int:
        return self.available + self.committed

    def quantity(self, name: str) -> int:
        """The quantity called ``name``; 0 for the states that this shop does not use."""
        held = {"available": self.available, "committed": self.committed, "on_hand": self.on_hand}
        return held.get(name, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Pieces of an item, wanted by an order or put somewhere for it."""

    item_id: int
    quantity: int
    location_id: int = 0


class Inventory:
    """Stateless over :class:`State`; what changes levels belongs into a transaction of the caller's."""

    def __init__(self, state: State, world: World, clock: Clock) -> None:
        self.state = state
        self.world = world
        self.clock = clock

    def populate(self) -> None:
        """Every article at every location, with the numbers that somebody typed in long ago."""
        places = {row["id"]: row["code"] for row in self.state.rows("SELECT id, code FROM shop_location")}
        variants = self.state.rows("SELECT item_id, code FROM shop_variant ORDER BY item_id")
        at = stored(self.world.night)
        outdated = self.world.outdated
        self.state.insert(
            "INSERT INTO shop_level VALUES (?, ?, ?, 0, ?)",
            (
                (variant["item_id"], place, outdated.get((variant["code"], code), UNKNOWN_PIECES), at)
                for variant in variants
                for place, code in places.items()
            ),
        )

    def stock(self, item_id: int, quantities: Iterable[Mapping[str, Any]]) -> None:
        """Start to stock a new item at every location, with nothing but what ``InventoryLevelInput`` says."""
        given = {legacy_id(one["locationId"], "Location"): one["availableQuantity"] for one in quantities}
        at = stored(self.clock.now())
        places = [row["id"] for row in self.state.rows("SELECT id FROM shop_location")]
        rows = [(item_id, place, given.get(place, 0), at) for place in places]
        self.state.insert("INSERT INTO shop_level VALUES (?, ?, ?, 0, ?)", rows)

    def level(self, item_id: int, location_id: int) -> Level | None:
        """The level of an item at a location; None when the item is not stocked there."""
        found = self._levels("l.item_id = ? AND l.location_id = ?", (item_id, location_id))
        return found[0] if found else None

    def levels(
        self,
        *,
        items: Sequence[int] = (),
        locations: Sequence[int] = (),
        after: tuple[int, int] = (0, 0),
        limit: int = -1,
    ) -> list[Level]:
        """Levels of ``items`` at ``locations`` (either may be open), ordered by item and location, after that pair."""
        terms, values = ["(l.item_id, l.location_id) > (?, ?)"], [*after]
        for column, ids in (("item_id", items), ("location_id", locations)):
            if ids:
                terms.append(f"l.{column} IN ({', '.join('?' * len(ids))})")
                values += ids
        return self._levels(" AND ".join(terms), values, f"ORDER BY l.item_id, l.location_id LIMIT {limit}")

    def _levels(self, where: str, values: Sequence[Any], rest: str = "") -> list[Level]:
        rows = self.state.connection.execute(f"{COLUMNS} WHERE {where} {rest}", values)
        names = tuple(column[0] for column in rows.description)
        return [Level(**dict(zip(names, row, strict=True))) for row in rows]

    def numbers(self, name: str) -> dict[str, int]:
        """The quantity called ``name`` by ``SKU@LOCATION``, in the retailer's own codes."""
        rows = self.state.rows(
            "SELECT v.code AS sku, p.code AS place, l.available, l.committed FROM shop_level l"
            " JOIN shop_variant v ON v.item_id = l.item_id JOIN shop_location p ON p.id = l.location_id"
        )
        terms = {"available": ("available",), "committed": ("committed",), "on_hand": ("available", "committed")}[name]
        return {f"{row['sku']}@{row['place']}": sum(row[term] for term in terms) for row in rows}

    def set_available(self, item_id: int, location_id: int, available: int) -> Level:
        """Set one level, whatever it was; starts stocking the item there if it was not."""
        with self.state.transaction() as connection:
            connection.execute(
                "INSERT INTO shop_level VALUES (?, ?, ?, 0, ?) ON CONFLICT (item_id, location_id)"
                " DO UPDATE SET available = excluded.available, updated_at = excluded.updated_at",
                (item_id, location_id, available, stored(self.clock.now())),
            )
            return self.levels(items=[item_id], locations=[location_id])[0]

    def shift(self, deltas: Iterable[tuple[int, int, int]]) -> None:
        """Add to ``available``: (item, location, delta)."""
        at = stored(self.clock.now())
        self.state.insert(
            "UPDATE shop_level SET available = available + ?, updated_at = ? WHERE item_id = ? AND location_id = ?",
            [(delta, at, item, place) for item, place, delta in deltas],
        )

    def commit(self, wanted: Iterable[Piece], at: str) -> list[Piece]:
        """Promise pieces to an order: from the warehouse while it has some, then from one store after the other.

        What nobody has is promised from the warehouse all the same: the shop oversells rather than refuses.
        """
        taken = [part for piece in wanted for part in self._split(piece)]
        self._promise(taken, at)
        return taken

    def release(self, parts: Iterable[Piece], at: str) -> None:
        """Give back what was promised: it can be sold again."""
        self._promise([replace(part, quantity=-part.quantity) for part in parts], at)

    def consume(self, parts: Iterable[Piece], at: str) -> None:
        """What was promised leaves the house; a negative quantity comes back and is promised again."""
        self.state.insert(
            "UPDATE shop_level SET committed = committed - ?, updated_at = ? WHERE item_id = ? AND location_id = ?",
            [(part.quantity, at, part.item_id, part.location_id) for part in parts],
        )

    def receive(self, parts: Iterable[Piece], at: str) -> None:
        """Pieces come back and can be sold again where they were received."""
        self.state.insert(
            "UPDATE shop_level SET available = available + ?, updated_at = ? WHERE item_id = ? AND location_id = ?",
            [(part.quantity, at, part.item_id, part.location_id) for part in parts],
        )

    def _split(self, piece: Piece) -> list[Piece]:
        held = self.levels(items=[piece.item_id])
        taken: dict[int, int] = {}
        missing = piece.quantity
        for level in held:
            part = min(missing, max(0, level.available))
            if part:
                taken[level.location_id] = part
                missing -= part
        if missing and held:
            first = held[0].location_id
            taken[first] = taken.get(first, 0) + missing
        return [Piece(item_id=piece.item_id, location_id=place, quantity=n) for place, n in taken.items()]

    def _promise(self, parts: Iterable[Piece], at: str) -> None:
        self.state.insert(
            "UPDATE shop_level SET available = available - ?, committed = committed + ?, updated_at = ?"
            " WHERE item_id = ? AND location_id = ?",
            [(part.quantity, part.quantity, at, part.item_id, part.location_id) for part in parts],
        )
