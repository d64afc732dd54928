"""Locations, levels, products and subscriptions as the REST API writes them."""

from __future__ import annotations

from typing import Any

from hub.sandbox.shop import notices
from hub.sandbox.shop.catalog import Variant
from hub.sandbox.shop.inventory import Level
from hub.sandbox.shop.media_views import CDN
from hub.sandbox.shop.tables import gid, level_gid, money, shown


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


def product(row: Any, options: list[Any], variants: list[dict[str, Any]], files: list[Any]) -> dict[str, Any]:
    images = [_image(row["id"], position, file) for position, file in enumerate(files, 1) if file["status"] == "READY"]
    return {
        "id": row["id"],
        "admin_graphql_api_id": gid("Product", row["id"]),
        "title": row["title"],
        "body_html": row["body_html"],
        "vendor": row["vendor"],
        "product_type": row["product_type"],
        "handle": row["handle"],
        "status": row["status"].lower(),
        "tags": row["tags"],
        "created_at": shown(row["created_at"]),
        "updated_at": shown(row["updated_at"]),
        "published_at": shown(row["published_at"]) if row["published_at"] else None,
        "options": [_option(option, variants) for option in options],
        "variants": variants,
        "images": images,
        "image": images[0] if images else None,
    }


def _option(option: Any, variants: list[dict[str, Any]]) -> dict[str, Any]:
    values = [*dict.fromkeys(variant[f"option{option['position']}"] for variant in variants)]
    return {**{name: option[name] for name in ("id", "product_id", "name", "position")}, "values": values}


def _image(product: int, position: int, file: Any) -> dict[str, Any]:
    return {
        "id": file["id"],
        "admin_graphql_api_id": gid("MediaImage", file["id"]),
        "product_id": product,
        "position": position,
        "alt": file["alt"],
        "width": file["width"],
        "height": file["height"],
        "src": f"https://cdn.shopify.com{CDN}/{file['name']}",
        "variant_ids": [],
        "created_at": shown(file["created_at"]),
        "updated_at": shown(file["updated_at"]),
    }


def variant(variant: Variant, available: int) -> dict[str, Any]:
    options = [*variant.options, None, None, None]
    before = variant.compare_at_cents
    return {
        "id": variant.id,
        "admin_graphql_api_id": gid("ProductVariant", variant.id),
        "product_id": variant.product_id,
        "title": variant.title,
        "sku": variant.sku,
        "barcode": variant.barcode,
        "price": money(variant.price_cents),
        "compare_at_price": None if before is None else money(before),
        **{f"option{n + 1}": options[n] for n in range(3)},
        "position": variant.position,
        "taxable": bool(variant.taxable),
        "requires_shipping": not variant.gift_card,
        "grams": variant.grams,
        "fulfillment_service": "manual",
        "inventory_management": "shopify" if variant.tracked else None,
        "inventory_policy": variant.policy.lower(),
        "inventory_item_id": variant.item_id,
        "inventory_quantity": available,
        "created_at": shown(variant.created_at),
        "updated_at": shown(variant.updated_at),
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
