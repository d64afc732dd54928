"""What the tills sell and where: items with their variations, and the stores (the warehouse has no till)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.sandbox.clock import PARIS
from hub.sandbox.state import State
from hub.sandbox.tills.tables import CURRENCY, money, rfc3339, square_id, whole_millis
from hub.sandbox.world import Location, Sku, World

COLUMNS = "id, item_id, code, item_name, name, sku, upc, price_cents, ordinal, updated_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One article at the tills; ``code`` is what the retailer calls it."""

    id: str
    item_id: str
    code: str
    item_name: str
    name: str
    sku: str
    upc: str
    price_cents: int
    ordinal: int
    updated_at: int

    @property
    def version(self) -> int:
        """Square's optimistic version: milliseconds."""
        return self.updated_at // 1000


class Catalog:
    """Items, variations and locations; they do not change after :meth:`populate`."""

    def __init__(self, state: State, world: World) -> None:
        self.state = state
        self.world = world
        self.merchant_id = square_id(13, world.seed, "merchant", prefix="ML")

    def populate(self) -> None:
        """All stores and all articles of the world."""
        self.state.insert("INSERT INTO till_location VALUES (?, ?, ?, ?, ?)", self._locations())
        self.state.insert("INSERT INTO till_variation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._variations())

    def location_ids(self) -> dict[str, str]:
        """Square's id of each store by the retailer's code."""
        return {row["code"]: row["id"] for row in self.state.rows("SELECT code, id FROM till_location")}

    def variations(self) -> list[Variation]:
        """All of them, in the world's order."""
        rows = self.state.rows(f"SELECT {COLUMNS} FROM till_variation ORDER BY position")  # noqa: S608 - ours
        return [Variation(**dict(row)) for row in rows]

    def variation(self, code: str) -> Variation:
        """The variation that the retailer calls ``code``; ``KeyError`` when the tills do not have it."""
        row = self.state.row(f"SELECT {COLUMNS} FROM till_variation WHERE code = ?", (code,))  # noqa: S608 - ours
        if row is None:
            raise KeyError(code)
        return Variation(**dict(row))

    def _locations(self) -> Iterator[tuple[object, ...]]:
        opened = whole_millis(self.world.start - timedelta(days=700))
        for n, place in enumerate(self.world.stores):
            id = square_id(13, self.world.seed, "location", place.code, prefix="L")
            yield id, place.code, _name(n, place), place.name.split()[0], opened

    def _variations(self) -> Iterator[tuple[object, ...]]:
        created = whole_millis(self.world.start - timedelta(days=300))
        ordinals: dict[str, int] = {}
        for position, sku in enumerate(self.world.skus):
            ordinal = ordinals[sku.product] = ordinals.get(sku.product, -1) + 1
            id = square_id(24, self.world.seed, "variation", sku.code)
            item = square_id(24, self.world.seed, "item", sku.product)
            label = f"{sku.size} {sku.colour}"
            yield (
                *(id, item, sku.code, sku.name, label, sku.code, _upc(sku)),
                *(sku.price_cents, ordinal, position, created),
            )


def _name(n: int, place: Location) -> str:
    """Names differ from the ERP's in case and space here and there."""
    return place.name.lower() if n % 6 == 2 else f" {place.name}" if n % 6 == 4 else place.name


def _upc(sku: Sku) -> str:
    """What was scanned at the counter: an EAN-13 that starts with 0 is a UPC-A and scans with 12 digits."""
    return sku.ean.removeprefix("0")


def location_document(row: Any, merchant_id: str) -> dict[str, Any]:
    """A location as ``ListLocations`` shows it."""
    return {
        "id": row["id"],
        "name": row["name"],
        "address": {"locality": row["city"], "country": "FR"},
        "timezone": str(PARIS),
        "capabilities": ["CREDIT_CARD_PROCESSING"],
        "status": "ACTIVE",
        "created_at": rfc3339(row["created_at"]),
        "merchant_id": merchant_id,
        "country": "FR",
        "language_code": "fr-FR",
        "currency": CURRENCY,
        "business_name": "Maison Omni",
        "type": "PHYSICAL",
    }


def variation_document(variation: Variation) -> dict[str, Any]:
    """A variation as a ``CatalogObject``."""
    return {
        **_object("ITEM_VARIATION", variation.id, variation),
        "item_variation_data": {
            "item_id": variation.item_id,
            "name": variation.name,
            "sku": variation.sku,
            "upc": variation.upc,
            "ordinal": variation.ordinal,
            "pricing_type": "FIXED_PRICING",
            "price_money": money(variation.price_cents),
            "track_inventory": True,
            "sellable": True,
            "stockable": True,
        },
    }


def item_document(variations: list[Variation]) -> dict[str, Any]:
    """An item as a ``CatalogObject``, its variations inside."""
    first = variations[0]
    return {
        **_object("ITEM", first.item_id, first),
        "item_data": {
            "name": first.item_name,
            "is_taxable": True,
            "product_type": "REGULAR",
            "variations": [variation_document(variation) for variation in variations],
        },
    }


def _object(type: str, id: str, variation: Variation) -> dict[str, Any]:
    return {
        "type": type,
        "id": id,
        "updated_at": rfc3339(variation.updated_at),
        "version": variation.version,
        "is_deleted": False,
        "present_at_all_locations": True,
    }
