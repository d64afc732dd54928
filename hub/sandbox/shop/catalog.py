"""What the shop sells and where: products, options, variants and locations, as they lie in its tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.sandbox.shop.tables import gid
from hub.sandbox.state import State
from hub.sandbox.world import World

DEFAULT_TITLE = "Default Title"  # the only value of the only option of a product without options
NO_OPTION = "Title"
VENDOR = "Maison Omni"

# Ids as large as Shopify's, so that nobody keeps them in 32 bits.
FIRST_LOCATION, FIRST_LEVEL = 68509171734, 101337497622
FIRST_PRODUCT, FIRST_VARIANT, FIRST_ITEM = 8034563883030, 44176253485078, 46277862457366
FIRST_OPTION, FIRST_VALUE, FIRST_FILE = 10207854756118, 4412875243030, 31872406159638
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
    options: tuple[str, ...]  # values, in the order of the product's options
    price_cents: int
    compare_at_cents: int | None
    taxable: int
    policy: str
    tracked: int
    grams: int
    position: int
    created_at: str
    updated_at: str
    product: str  # the product's title
    vendor: str

    @property
    def title(self) -> str:
        return " / ".join(self.options)

    @property
    def gift_card(self) -> bool:
        return self.code.startswith("GIFT-")


class Catalog:
    """Reads products, options, variants and locations."""

    def __init__(self, state: State, world: World) -> None:
        self.state = state
        self.world = world

    def variants(self, ids: Sequence[int] | None = None) -> list[Variant]:
        """All variants by id, or those of ``ids`` that exist."""
        where = "? IS NULL OR v.id IN (SELECT value FROM json_each(?))"
        return self._variants(where, None if ids is None else 1, json.dumps(ids or []))

    def variants_of(self, product_id: int) -> list[Variant]:
        """A product's variants by position."""
        return self._variants("v.product_id = ?", product_id, order="v.position, v.id")

    def _variants(self, where: str, *values: Any, order: str = "v.id") -> list[Variant]:
        rows = self.state.rows(
            "SELECT v.*, p.title AS product, p.vendor FROM shop_variant v JOIN shop_product p ON p.id = v.product_id"  # noqa: S608 - ours
            f" WHERE {where} ORDER BY {order}",
            values,
        )
        return [Variant(**{**dict(row), "options": tuple(json.loads(row["options"]))}) for row in rows]

    def variant(self, code: str) -> Variant:
        """The variant that the retailer calls ``code``; ``KeyError`` when the shop does not have it."""
        row = self.state.row("SELECT id FROM shop_variant WHERE code = ?", (code,))
        if row is None:
            raise KeyError(code)
        return self.variants([row["id"]])[0]

    def product(self, id: int) -> Any | None:
        """The row of a product; None when there is none."""
        return self.state.row("SELECT * FROM shop_product WHERE id = ?", (id,))

    def product_of(self, code: str) -> Any:
        """The row of the product that the retailer calls ``code`` (TS0001); ``KeyError`` when there is none."""
        row = self.state.row(
            "SELECT p.* FROM shop_product p JOIN shop_variant v ON v.product_id = p.id"
            " WHERE v.code = ? OR v.code LIKE ? || '-%' LIMIT 1",
            (code, code),
        )
        if row is None:
            raise KeyError(code)
        return row

    def options(self, product_id: int) -> list[Any]:
        """Rows of a product's options by position."""
        return self.state.rows("SELECT * FROM shop_option WHERE product_id = ? ORDER BY position", (product_id,))

    def values(self, option_id: int) -> list[Any]:
        """Rows of an option's values by position."""
        return self.state.rows("SELECT * FROM shop_option_value WHERE option_id = ? ORDER BY position", (option_id,))

    def files(self, product_id: int) -> list[Any]:
        """Rows of a product's pictures by position, without their bytes."""
        return self.state.rows(
            "SELECT f.id, f.name, f.alt, f.mime, length(f.content) AS size, f.width, f.height, f.status, f.error,"
            " f.created_at, f.updated_at FROM shop_product_file p JOIN shop_file f ON f.id = p.file_id"
            " WHERE p.product_id = ? ORDER BY p.position",
            (product_id,),
        )

    def touch(self, product_ids: Iterable[int], at: str) -> None:
        """Products change when anything of them does."""
        self.state.insert("UPDATE shop_product SET updated_at = ? WHERE id = ?", [(at, id) for id in product_ids])

    def next_id(self, table: str, first: int, column: str = "id") -> int:
        """An id that nobody has."""
        row = self.state.row(f"SELECT max({column}) AS last FROM {table}")  # noqa: S608 - names are ours
        return first if row is None or row["last"] is None else row["last"] + STEP


def variant_gid(id: int) -> str:
    return gid("ProductVariant", id)
