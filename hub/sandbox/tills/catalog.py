"""What the tills sell and where: items with their variations, and the stores (the warehouse has no till)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from hub.sandbox.clock import Clock
from hub.sandbox.state import State
from hub.sandbox.tills.articles import Variation, document_of, variation_of
from hub.sandbox.tills.tables import money, square_id, whole_millis
from hub.sandbox.world import World

ITEM, VARIATION = "ITEM", "ITEM_VARIATION"
MILLISECOND = 1000  # microseconds: one version


class Catalog:
    """Stateless over :class:`State`; what changes it belongs into a transaction of the caller's."""

    def __init__(self, state: State, world: World, clock: Clock) -> None:
        self.state = state
        self.world = world
        self.clock = clock
        self.merchant_id = square_id(13, world.seed, "merchant", prefix="ML")

    # --- reading ----------------------------------------------------------------------------------

    def location_ids(self) -> dict[str, str]:
        """Square's id of each store by the retailer's code."""
        return {row["code"]: row["id"] for row in self.state.rows("SELECT code, id FROM till_location")}

    def rows(self, type: str, *, deleted: bool = False) -> list[Any]:
        """The objects of a type in the order of their creation, the deleted ones only if asked for."""
        where = "" if deleted else " AND NOT deleted"
        return self.state.rows(f"SELECT * FROM till_object WHERE type = ?{where} ORDER BY position", (type,))  # noqa: S608

    def row(self, id: str) -> Any:
        """One object, deleted or not; None where there was never one."""
        return self.state.row("SELECT * FROM till_object WHERE id = ?", (id,))

    def children(self, item_id: str) -> list[Any]:
        """The variations of an item that are not deleted, as they are ordered there."""
        sql = "SELECT * FROM till_object WHERE item_id = ? AND NOT deleted ORDER BY position"
        return sorted(self.state.rows(sql, (item_id,)), key=_ordinal)

    def document(self, row: Any) -> dict[str, Any]:
        """One object as Square shows it."""
        return document_of(row, self.children(row["id"]) if row["type"] == ITEM and not row["deleted"] else ())

    def items(self, *, deleted: bool = False) -> list[dict[str, Any]]:
        """Every item with its variations, the deleted items only if asked for."""
        inside: dict[str, list[Any]] = defaultdict(list)
        for row in self.rows(VARIATION):
            inside[row["item_id"]].append(row)
        return [document_of(row, sorted(inside[row["id"]], key=_ordinal)) for row in self.rows(ITEM, deleted=deleted)]

    def variations(self) -> list[Variation]:
        """All of them, in the order of their creation."""
        items = {row["id"]: json.loads(row["document"])["item_data"] for row in self.rows(ITEM)}
        return [variation_of(row, items[row["item_id"]]) for row in self.rows(VARIATION)]

    def variation(self, code: str) -> Variation:
        """The variation that the retailer calls ``code``; ``KeyError`` when the tills do not have it."""
        row = self._coded(VARIATION, code)
        return variation_of(row, json.loads(self.row(row["item_id"])["document"])["item_data"])

    def item(self, code: str) -> dict[str, Any]:
        """The item of a product, or of an article; ``KeyError`` when the tills do not have it."""
        try:
            row = self._coded(ITEM, code)
        except KeyError:
            row = self.row(self._coded(VARIATION, code)["item_id"])
        return self.document(row)

    def _coded(self, type: str, code: str) -> Any:
        sql = "SELECT * FROM till_object WHERE type = ? AND code = ? AND NOT deleted ORDER BY position"
        if (row := self.state.row(sql, (type, code))) is None:
            raise KeyError(code)
        return row

    # --- writing ----------------------------------------------------------------------------------

    def populate(self) -> None:
        """All stores and all articles of the world, as somebody entered them long ago."""
        from hub.sandbox.tills import stocked

        self.state.insert("INSERT INTO till_location VALUES (?, ?, ?, ?, ?)", stocked.locations(self.world))
        created = whole_millis(self.world.start - timedelta(days=300))
        for code, object in stocked.objects(self.world):
            self.write(object, code, created)

    def write(self, object: Mapping[str, Any], code: str | None = None, at: int = 0) -> None:
        """Keep a ``CatalogObject`` whole, under the next version; its variations are objects of their own.

        ``code`` is what the retailer calls an item; a variation's is its SKU. ``at`` is in microseconds.
        """
        known = self.row(object["id"])
        row = {
            "id": object["id"],
            "type": object["type"],
            "item_id": object.get("item_variation_data", {}).get("item_id"),
            "code": _code(object) if code is None else code,
            "position": known["position"] if known else self._last() + 1,
            "updated_at": at or self._next(known["updated_at"] if known else 0),
            "deleted": 0,
            "document": json.dumps(_kept(object)),
        }
        if known and object["type"] == ITEM and code is None:
            row["code"] = known["code"]
        names = ", ".join(row)
        self.state.execute(
            f"INSERT OR REPLACE INTO till_object ({names}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608 - ours
            tuple(row.values()),
        )

    def delete(self, ids: Iterable[str]) -> None:
        """Objects that are no longer there, and say so to whom asks for deleted ones."""
        for id in ids:
            at = self._next(self.row(id)["updated_at"])
            self.state.execute("UPDATE till_object SET deleted = 1, updated_at = ? WHERE id = ?", (at, id))

    def rename(self, product: str, name: str) -> None:
        """A store manager types another name."""
        item = self.item(product)
        self.write({**item, "item_data": {**item["item_data"], "name": name}})

    def remove(self, product: str) -> None:
        """A store manager deletes an item."""
        item = self.item(product)
        self.delete([item["id"], *(one["id"] for one in item["item_data"]["variations"])])

    def reprice(self, code: str, cents: int) -> None:
        """A store manager types another price, for all stores."""
        found = self.document(self._coded(VARIATION, code))
        data = {**found["item_variation_data"], "pricing_type": "FIXED_PRICING", "price_money": money(cents)}
        self.write({**found, "item_variation_data": data})

    def _next(self, before: int) -> int:
        """Now, but never the version that was there before."""
        return max(whole_millis(self.clock.now()), before + MILLISECOND)

    def _last(self) -> int:
        row = self.state.row("SELECT max(position) AS n FROM till_object")
        return -1 if row is None or row["n"] is None else int(row["n"])


def _code(object: Mapping[str, Any]) -> str:
    return str(object.get("item_variation_data", {}).get("sku") or "").strip().upper()


def _kept(object: Mapping[str, Any]) -> dict[str, Any]:
    """What a row does not say by itself."""
    left_out = ("type", "id", "updated_at", "version", "is_deleted")
    kept = {name: value for name, value in object.items() if name not in left_out}
    if "item_data" in kept:
        data = {name: value for name, value in kept["item_data"].items() if name != "variations"}
        kept["item_data"] = _described(data)
    return {"present_at_all_locations": True, **kept}


def _described(data: dict[str, Any]) -> dict[str, Any]:
    """``description`` and ``description_html`` are one text; where both are given the latter counts."""
    text = data.pop("description", None)
    html = data.get("description_html") or text
    return {**data, "description": html, "description_html": html} if html else data


def _ordinal(row: Any) -> tuple[int, int]:
    return json.loads(row["document"])["item_variation_data"].get("ordinal", 0), row["position"]
