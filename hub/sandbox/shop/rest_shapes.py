"""Locations, levels, products and subscriptions as the REST API writes them."""

from __future__ import annotations

from typing import Any

from hub.sandbox.shop import notices
from hub.sandbox.shop.catalog import VENDOR, Variant
from hub.sandbox.shop.inventory import Level
from hub.sandbox.shop.tables import gid, level_gid, money, shown

OPTIONS = (("Taille", "option1"), ("Couleur", "option2"))


def location(row: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "admin_graphql_api_id": gid("Location", row["id"]),
        "name": row["name"],
        "city": row["city"],
        "country": "FR",
        "country_code": "FR",
        "active": True,
        "legacy": False,
        "created_at": shown(row["created_at"]),
        "updated_at": shown(row["created_at"]),
    }


def level(level: Level) -> dict[str, Any]:
    return {
        "inventory_item_id": level.item_id,
        "location_id": level.location_id,
        "available": level.available,
        "updated_at": shown(level.updated_at),
        "admin_graphql_api_id": level_gid(level.level_id, level.item_id),
    }


def product(row: Any, variants: list[dict[str, Any]]) -> dict[str, Any]:
    options = [(name, sorted({v[key] for v in variants if v[key]})) for name, key in OPTIONS]
    return {
        "id": row["id"],
        "admin_graphql_api_id": gid("Product", row["id"]),
        "title": row["title"],
        "body_html": "",
        "vendor": VENDOR,
        "product_type": "",
        "handle": row["handle"],
        "status": "active",
        "tags": "",
        "created_at": shown(row["created_at"]),
        "updated_at": shown(row["created_at"]),
        "published_at": shown(row["created_at"]),
        "options": [{"name": name, "position": n, "values": values} for n, (name, values) in enumerate(options, 1)],
        "variants": variants,
        "images": [],
        "image": None,
    }


def variant(variant: Variant, available: int) -> dict[str, Any]:
    return {
        "id": variant.id,
        "admin_graphql_api_id": gid("ProductVariant", variant.id),
        "product_id": variant.product_id,
        "title": variant.title,
        "sku": variant.sku,
        "barcode": variant.barcode,
        "price": money(variant.price_cents),
        "compare_at_price": None,
        "option1": variant.size or "Default Title",
        "option2": variant.colour or None,
        "option3": None,
        "position": variant.position,
        "taxable": True,
        "requires_shipping": True,
        "grams": 0,
        "fulfillment_service": "manual",
        "inventory_management": "shopify",
        "inventory_policy": "continue",
        "inventory_item_id": variant.item_id,
        "inventory_quantity": available,
        "created_at": shown(variant.created_at),
        "updated_at": shown(variant.created_at),
    }


def webhook(row: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "topic": row["topic"],
        "address": row["address"],
        "format": "json",
        "api_version": notices.API_VERSION,
        "created_at": shown(row["created_at"]),
        "updated_at": shown(row["created_at"]),
    }
