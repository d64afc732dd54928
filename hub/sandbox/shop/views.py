"""The shop's rows as GraphQL objects: dictionaries whose callables run only when their field is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hub.sandbox.shop import notices
from hub.sandbox.shop.catalog import Variant
from hub.sandbox.shop.documents import CURRENCY
from hub.sandbox.shop.inventory import Level
from hub.sandbox.shop.order_views import OrderViews
from hub.sandbox.shop.pages import View, cursor_value, page, page_size
from hub.sandbox.shop.product_views import ProductViews
from hub.sandbox.shop.tables import gid, legacy_id, level_gid

if TYPE_CHECKING:
    from hub.sandbox.shop.shop import Shop


class Views:
    """Made for one execution: what does not change is read once and kept."""

    def __init__(self, shop: Shop, base: str = "") -> None:
        self.shop = shop
        self.inventory = shop.inventory
        self.products = ProductViews(shop, base, self.item)
        self.orders = OrderViews(shop, self.location, self.products.variant_by_id)

    @cached_property
    def variants(self) -> dict[int, Variant]:
        """All variants by their inventory item."""
        return {variant.item_id: variant for variant in self.shop.catalog.variants()}

    @cached_property
    def locations(self) -> dict[int, Any]:
        return {row["id"]: row for row in self.shop.state.rows("SELECT * FROM shop_location ORDER BY id")}

    # --- single objects ---------------------------------------------------------------------------

    def node(self, id: str) -> View | None:
        """Any object by its gid; None when there is none."""
        kinds: dict[str, Callable[[int], View | None]] = {
            "Location": self.location,
            "Product": self.products.by_id,
            "ProductVariant": self.products.variant_by_id,
            "ProductOption": self.products.option_by_id,
            "ProductOptionValue": self.products.value_by_id,
            "MediaImage": self.products.media.by_id,
            "InventoryItem": self.item,
            "Order": self.orders.by_id,
            "FulfillmentOrder": self.orders.group_by_id,
            "Fulfillment": self.orders.fulfillment_by_id,
            "Refund": self.orders.refund_by_id,
            "InventoryAdjustmentGroup": self.adjustment,
        }
        if (level := self.level_by_gid(id)) is not None:
            return level
        for type, view in kinds.items():
            if (number := legacy_id(id, type)) is not None:
                return view(number)
        return None

    def shop_view(self) -> View:
        return {
            "__typename": "Shop",
            "id": gid("Shop", 60361277654),
            "name": "Maison Omni",
            "email": "boutique@example.com",
            "myshopifyDomain": notices.DOMAIN,
            "currencyCode": CURRENCY,
            "ianaTimezone": "Europe/Paris",
            "taxesIncluded": True,
        }

    def location(self, id: int | None) -> View | None:
        """The location ``id``, the first one for None as Shopify answers its primary one."""
        row = self.locations.get(id) if id is not None else next(iter(self.locations.values()))
        if row is None:
            return None
        place = row["id"]
        return {
            "__typename": "Location",
            "id": gid("Location", place),
            "legacyResourceId": str(place),
            "name": row["name"],
            "isActive": True,
            "fulfillsOnlineOrders": True,
            "shipsInventory": True,
            "createdAt": row["created_at"],
            "updatedAt": row["created_at"],
            "inventoryLevel": lambda info, inventoryItemId: self._level(inventoryItemId, gid("Location", place)),
            "inventoryLevels": lambda info, first=None, after=None: self.levels(first, after, locations=[place]),
        }

    def item(self, id: int) -> View | None:
        variant = self.variants.get(id)
        if variant is None:
            return None
        return {
            "__typename": "InventoryItem",
            "id": gid("InventoryItem", id),
            "legacyResourceId": str(id),
            "sku": variant.sku or None,
            "tracked": bool(variant.tracked),
            "requiresShipping": not variant.gift_card,
            "measurement": _measurement(variant),
            "createdAt": variant.created_at,
            "updatedAt": variant.updated_at,
            "variant": lambda info: self.variant(variant),
            "inventoryLevel": lambda info, locationId: self._level(gid("InventoryItem", id), locationId),
            "inventoryLevels": lambda info, first=None, after=None: self.levels(first, after, items=[id]),
        }

    def variant(self, variant: Variant) -> View:
        return self.products.variant(variant)

    def level(self, level: Level) -> View:
        id = level_gid(level.level_id, level.item_id)
        return {
            "__typename": "InventoryLevel",
            "id": id,
            "isActive": True,
            "canDeactivate": False,
            "createdAt": self.locations[level.location_id]["created_at"],
            "updatedAt": level.updated_at,
            "item": lambda info: self.item(level.item_id),
            "location": lambda info: self.location(level.location_id),
            "quantities": lambda info, names: [_quantity(level, name) for name in names],
        }

    def level_by_gid(self, id: str) -> View | None:
        head, _, item = id.partition("?inventory_item_id=")
        number = legacy_id(head, "InventoryLevel")
        if number is None or not item.isdigit():
            return None
        place = next((row["id"] for row in self.locations.values() if row["level_id"] == number), None)
        level = self.inventory.level(int(item), place) if place is not None else None
        return self.level(level) if level else None

    def _level(self, item_gid: str, location_gid: str) -> View | None:
        level = self.inventory.level(
            legacy_id(item_gid, "InventoryItem") or 0, legacy_id(location_gid, "Location") or 0
        )
        return self.level(level) if level else None

    def adjustment(self, id: int) -> View | None:
        """What a set changed, as it was then."""
        row = self.shop.state.row("SELECT * FROM shop_adjustment WHERE id = ?", (id,))
        if row is None:
            return None
        return {
            "__typename": "InventoryAdjustmentGroup",
            "id": gid("InventoryAdjustmentGroup", id),
            "createdAt": row["created_at"],
            "reason": row["reason"],
            "referenceDocumentUri": row["reference"],
            "changes": [self._change(change) for change in json.loads(row["changes"])],
        }

    def _change(self, change: dict[str, Any]) -> View:
        item, place = change["item_id"], change["location_id"]
        return {**change, "item": lambda info: self.item(item), "location": lambda info: self.location(place)}

    # --- pages ------------------------------------------------------------------------------------

    def levels(
        self, first: int | None, after: str | None, *, items: Sequence[int] = (), locations: Sequence[int] = ()
    ) -> View:
        size = page_size(first)
        start = tuple(cursor_value(after)) if after else (0, 0)
        found = self.inventory.levels(items=items, locations=locations, after=(start[0], start[1]), limit=size + 1)
        rows = [((level.item_id, level.location_id), self.level(level)) for level in found]
        return page(rows[:size], len(rows) > size, bool(after))


def _quantity(level: Level, name: str) -> View:
    number = f"{level.level_id}-{name}"
    return {
        "__typename": "InventoryQuantity",
        "id": f"gid://shopify/InventoryQuantity/{number}?inventory_item_id={level.item_id}",
        "name": name,
        "quantity": level.quantity(name),
        "updatedAt": level.updated_at,
    }


def _measurement(variant: Variant) -> View:
    weight = {"unit": "GRAMS", "value": float(variant.grams)}
    return {"id": gid("InventoryItemMeasurement", variant.item_id), "weight": weight}
