"""What the shop sells and where: products, variants and locations, typed in by people over the years."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from hub.sandbox.shop.tables import stored
from hub.sandbox.state import State
from hub.sandbox.world import Location, Sku, World, check_digit

VENDOR = "Maison Omni"
WITHOUT_SKU = 5  # variants whose SKU was never filled in; their barcode is right
UNTIDY = 12  # variants whose SKU is in lower case or has spaces around it
UNKNOWN = (("GIFT-0025", "Carte cadeau 25"), ("GIFT-0050", "Carte cadeau 50"), ("TOTE-OLD", "Sac en toile 2019"))

# Ids as large as Shopify's, so that nobody keeps them in 32 bits.
FIRST_LOCATION, FIRST_LEVEL = 68509171734, 101337497622
FIRST_PRODUCT, FIRST_VARIANT, FIRST_ITEM = 8034563883030, 44176253485078, 46277862457366
STEP = 32768


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One article in the shop; ``code`` is what the retailer calls it, ``sku`` what the shop has on file."""

    id: int
    product_id: int
    item_id: int
    code: str
    sku: str
    barcode: str
    title: str
    size: str
    colour: str
    price_cents: int
    position: int
    created_at: str
    product: str  # the product's title


class Catalog:
    """Products, variants and locations; they do not change after :meth:`populate`."""

    def __init__(self, state: State, world: World) -> None:
        self.state = state
        self.world = world

    def populate(self) -> None:
        """Articles in the world's order, then those that no other system knows."""
        created = stored(self.world.start - timedelta(days=400))
        self.state.insert("INSERT INTO shop_location VALUES (?, ?, ?, ?, ?, ?)", self._locations(created))
        products, variants = [], []
        for number, (title, group) in enumerate(self._products()):
            id = FIRST_PRODUCT + number * STEP
            products.append((id, title, f"produit-{number + 1}", created))
            variants += [(id, position, *columns) for position, columns in enumerate(group, 1)]
        self.state.insert("INSERT INTO shop_product VALUES (?, ?, ?, ?)", products)
        self.state.insert(
            "INSERT INTO shop_variant VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (FIRST_VARIANT + n * STEP, product, FIRST_ITEM + n * STEP, *columns, position, created)
                for n, (product, position, *columns) in enumerate(variants)
            ),
        )

    def variants(self, ids: list[int] | None = None) -> list[Variant]:
        """All variants by id, or those of ``ids`` that exist."""
        rows = self.state.rows(
            "SELECT v.*, p.title AS product FROM shop_variant v JOIN shop_product p ON p.id = v.product_id"
            " WHERE ? IS NULL OR v.id IN (SELECT value FROM json_each(?)) ORDER BY v.id",
            (ids if ids is None else 1, json.dumps(ids or [])),
        )
        return [Variant(**dict(row)) for row in rows]

    def variant(self, code: str) -> Variant:
        """The variant that the retailer calls ``code``; ``KeyError`` when the shop does not have it."""
        row = self.state.row("SELECT id FROM shop_variant WHERE code = ?", (code,))
        if row is None:
            raise KeyError(code)
        return self.variants([row["id"]])[0]

    def _locations(self, created: str) -> Iterator[tuple[object, ...]]:
        for n, place in enumerate(self.world.locations):
            yield FIRST_LOCATION + n * STEP, place.code, FIRST_LEVEL + n * STEP, _name(n, place), _city(place), created

    def _products(self) -> Iterator[tuple[str, list[tuple[str, str, str, str, str, str, int]]]]:
        draw = self.world.random("shop catalog")
        odd = draw.sample(range(len(self.world.skus)), WITHOUT_SKU + UNTIDY)
        without, untidy = set(odd[:WITHOUT_SKU]), set(odd[WITHOUT_SKU:])
        position = {sku.code: n for n, sku in enumerate(self.world.skus)}
        for _, group in groupby(self.world.skus, key=lambda sku: sku.product):
            skus = list(group)
            yield skus[0].name, [_columns(s, _sku(s.code, position[s.code], without, untidy)) for s in skus]
        for n, (code, title) in enumerate(UNKNOWN):
            twelve = f"200000000{n:03d}"
            yield title, [(code, code, twelve + check_digit(twelve), "Default Title", "", "", 2500)]


def _columns(sku: Sku, on_file: str) -> tuple[str, str, str, str, str, str, int]:
    return sku.code, on_file, sku.ean, f"{sku.size} / {sku.colour}", sku.size, sku.colour, sku.price_cents


def _sku(code: str, n: int, without: set[int], untidy: set[int]) -> str:
    if n in without:
        return ""
    if n in untidy:
        return code.lower() if n % 2 else f" {code} "
    return code


def _name(n: int, place: Location) -> str:
    """Names differ from the ERP's in case and space here and there."""
    return place.name.upper() if n % 7 == 3 else f"{place.name} " if n % 7 == 5 else place.name


def _city(place: Location) -> str:
    return place.name.split()[-1 if not place.is_store else 0]
