"""Products, options and variants as GraphQL objects, with what apps keep beside them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub.sandbox.shop.catalog import NO_OPTION, Variant
from hub.sandbox.shop.media_views import MediaViews
from hub.sandbox.shop.metafields import compare_digest
from hub.sandbox.shop.pages import View, connection
from hub.sandbox.shop.tables import gid, money

if TYPE_CHECKING:
    from hub.sandbox.shop.shop import Shop

OWNER_TYPES = {"Product": "PRODUCT", "ProductVariant": "PRODUCTVARIANT"}


class ProductViews:
    """Callables run only when their field is asked for."""

    def __init__(self, shop: Shop, base: str, item: Callable[[int], View | None]) -> None:
        self.shop = shop
        self.catalog = shop.catalog
        self.media = MediaViews(shop, base)
        self._item = item

    def by_id(self, id: int) -> View | None:
        row = self.catalog.product(id)
        return self.product(row) if row else None

    def product(self, row: Any) -> View:
        id = row["id"]
        resource = gid("Product", id)
        return {
            "__typename": "Product",
            "id": resource,
            "legacyResourceId": str(id),
            "title": row["title"],
            "handle": row["handle"],
            "status": row["status"],
            "descriptionHtml": row["body_html"],
            "vendor": row["vendor"],
            "productType": row["product_type"],
            "tags": [tag for tag in row["tags"].split(", ") if tag],
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
            "publishedAt": row["published_at"],
            "totalInventory": lambda info: sum(self._pieces(variant) for variant in self.catalog.variants_of(id)),
            "tracksInventory": lambda info: any(variant.tracked for variant in self.catalog.variants_of(id)),
            "hasOnlyDefaultVariant": lambda info: [o["name"] for o in self.catalog.options(id)] == [NO_OPTION],
            "options": lambda info, first=None: self._options(id)[: first if first is not None else None],
            "variants": lambda info, first=None, after=None: connection(self._variants(id), first, after),
            "variantsCount": lambda info: _count(len(self.catalog.variants_of(id))),
            "media": lambda info, first=None, after=None: connection(self._media(id), first, after),
            "mediaCount": lambda info: _count(len(self.catalog.files(id))),
            **self._beside(resource),
        }

    def _beside(self, resource: str) -> View:
        """What apps keep beside it: metafields and translations."""
        return {
            "metafield": lambda info, key, namespace=None: self._metafield(resource, namespace, key),
            "metafields": lambda info, first=None, after=None, namespace=None, keys=None: connection(
                self._metafields(resource, namespace, keys), first, after
            ),
            "translations": self.media.translations(resource),
        }

    def _pieces(self, variant: Variant) -> int:
        return sum(level.available for level in self.shop.inventory.levels(items=[variant.item_id]))

    def _media(self, product: int) -> list[tuple[tuple[int], View]]:
        return [((row["id"],), self.media.image(row)) for row in self.catalog.files(product)]

    # --- options ----------------------------------------------------------------------------------

    def _options(self, product: int) -> list[View]:
        return [self._option(row) for row in self.catalog.options(product)]

    def option_by_id(self, id: int) -> View | None:
        row = self.shop.state.row("SELECT * FROM shop_option WHERE id = ?", (id,))
        return self._option(row) if row else None

    def _option(self, row: Any) -> View:
        resource = gid("ProductOption", row["id"])
        return {
            "__typename": "ProductOption",
            "id": resource,
            "name": row["name"],
            "position": row["position"],
            "values": lambda info: [value["name"] for value in self._used(row)],
            "optionValues": lambda info: [self._value(value) for value in self.catalog.values(row["id"])],
            "translations": self.media.translations(resource),
        }

    def _used(self, option: Any) -> list[Any]:
        """The values that a variant has; ``optionValues`` shows the others too."""
        at = option["position"] - 1
        used = {variant.options[at] for variant in self.catalog.variants_of(option["product_id"])}
        return [value for value in self.catalog.values(option["id"]) if value["name"] in used]

    def value_by_id(self, id: int) -> View | None:
        row = self.shop.state.row("SELECT * FROM shop_option_value WHERE id = ?", (id,))
        return self._value(row) if row else None

    def _value(self, row: Any) -> View:
        resource = gid("ProductOptionValue", row["id"])
        return {
            "__typename": "ProductOptionValue",
            "id": resource,
            "name": row["name"],
            "hasVariants": lambda info: self._has_variants(row),
            "translations": self.media.translations(resource),
        }

    def _has_variants(self, value: Any) -> bool:
        option = self.shop.state.row("SELECT * FROM shop_option WHERE id = ?", (value["option_id"],))
        return option is not None and value["id"] in {used["id"] for used in self._used(option)}

    # --- variants ---------------------------------------------------------------------------------

    def _variants(self, product: int) -> list[tuple[tuple[int], View]]:
        return [((variant.id,), self.variant(variant)) for variant in self.catalog.variants_of(product)]

    def variant_by_id(self, id: int) -> View | None:
        found = self.catalog.variants([id])
        return self.variant(found[0]) if found else None

    def variant(self, variant: Variant) -> View:
        resource, before = gid("ProductVariant", variant.id), variant.compare_at_cents
        return {
            "__typename": "ProductVariant",
            "id": resource,
            "legacyResourceId": str(variant.id),
            "sku": variant.sku or None,
            "barcode": variant.barcode or None,
            "title": variant.title,
            "displayName": f"{variant.product} - {variant.title}",
            "position": variant.position,
            "price": money(variant.price_cents),
            "compareAtPrice": None if before is None else money(before),
            "taxable": bool(variant.taxable),
            "inventoryPolicy": variant.policy,
            "inventoryQuantity": lambda info: self._pieces(variant),
            "selectedOptions": lambda info: self._selected(variant),
            "createdAt": variant.created_at,
            "updatedAt": variant.updated_at,
            "product": lambda info: self.by_id(variant.product_id),
            "inventoryItem": lambda info: self._item(variant.item_id),
            **self._beside(resource),
        }

    def _selected(self, variant: Variant) -> list[View]:
        options = self.catalog.options(variant.product_id)
        return [self._choice(option, value) for option, value in zip(options, variant.options, strict=True)]

    def _choice(self, option: Any, name: str) -> View:
        def value(info: Any) -> View | None:
            found = next((row for row in self.catalog.values(option["id"]) if row["name"] == name), None)
            return self._value(found) if found else None

        return {"name": option["name"], "value": name, "optionValue": value}

    # --- metafields -------------------------------------------------------------------------------

    def _metafield(self, owner: str, namespace: str | None, key: str) -> View | None:
        row = self.shop.metafields.one(owner, namespace, key)
        return self.metafield(row) if row else None

    def _metafields(self, owner: str, namespace: str | None, keys: list[str] | None) -> list[tuple[tuple[int], View]]:
        """``keys`` are written ``namespace.key``, or ``key`` where ``namespace`` is given."""
        rows = self.shop.metafields.of(owner, namespace)
        wanted = None if keys is None else {key if "." in key else f"{namespace}.{key}" for key in keys}
        shown = [row for row in rows if wanted is None or f"{row['namespace']}.{row['key']}" in wanted]
        return [((row["id"],), self.metafield(row)) for row in shown]

    def metafield(self, row: Any) -> View:
        type = row["owner"].rsplit("/", 2)[1]
        return {
            "__typename": "Metafield",
            "id": gid("Metafield", row["id"]),
            "legacyResourceId": str(row["id"]),
            **{name: row[name] for name in ("namespace", "key", "type", "value")},
            "jsonValue": _json(row),
            "compareDigest": compare_digest(row),
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
            "owner": lambda info: self._owner(row["owner"]),
            "ownerType": OWNER_TYPES[type],
        }

    def _owner(self, resource: str) -> View | None:
        type, number = resource.rsplit("/", 2)[1:]
        return self.by_id(int(number)) if type == "Product" else self.variant_by_id(int(number))


def _json(row: Any) -> Any:
    return row["value"] if row["type"].endswith("text_field") else json.loads(row["value"])


def _count(n: int) -> View:
    return {"count": n, "precision": "EXACT"}
