"""A product as Square's item and back: our fields in the item's own shape, everything else left as it was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

from connectors.square.catalog import ITEM, VARIATION, Object
from hub.errors import Reject
from hub.model import Binding
from hub.transport.matching import folded, gtin14

FIELDS = frozenset({"title", "description", "status", "variants"})
NEW_ITEM = "#item"
PRESENCE = ("present_at_all_locations", "present_at_location_ids", "absent_at_location_ids")
Value = Mapping[str, Any]


# --- from Square ----------------------------------------------------------------------------------


def value_of(item: Object, wanted: Value, language: str) -> dict[str, Any]:
    """What an item holds, in the words of ``wanted`` where it means the same.

    A variation that ``wanted`` does not speak of and that is not sold any more counts as not there.
    """
    data = item["item_data"]
    html = data.get("description_html") or data.get("description")
    return {
        "title": {language: data["name"]} if data.get("name") else {},
        "description": {language: html} if html else {},
        "status": status_of(item),
        "variants": list(_variants(item, wanted, language)),
    }


def status_of(item: Object) -> str:
    """Archived, else a draft where no store has it, else active."""
    if item["item_data"].get("is_archived"):
        return "archived"
    somewhere = item.get("present_at_all_locations", True) or item.get("present_at_location_ids")
    return "active" if somewhere else "draft"


def _variants(item: Object, wanted: Value, language: str) -> Iterator[dict[str, Any]]:
    known = {folded(one["sku"]): one for one in wanted.get("variants") or ()}
    for variation in variations(item):
        data = variation["item_variation_data"]
        asked, sold = known.pop(folded(data.get("sku") or ""), None), data.get("sellable", True) is not False
        if not asked and not sold:
            continue
        name = data.get("name") or ""
        yield {
            "sku": asked["sku"] if asked else data.get("sku") or f"unknown:{variation['id']}",
            "gtin": gtin14(data.get("upc") or "") or None,
            "options": asked["options"] if asked and _is_named(asked, name, language) else {"name": name},
            "active": sold,
        }


def _is_named(variant: Value, name: str, language: str) -> bool:
    try:
        return name in names_of(variant, language)
    except Reject:
        return False  # it has no name in this language; writing it says so


def variations(item: Object) -> list[Object]:
    """The variations that are there, in their order."""
    found = [one for one in item["item_data"].get("variations") or () if not one.get("is_deleted")]
    return sorted(found, key=lambda one: one["item_variation_data"].get("ordinal") or 0)


def bindings_of(item: Object, wanted: Value) -> dict[str, Binding]:
    """Square's ids of the variants, by the SKUs of ``wanted``."""
    known = {folded(one["sku"]): one["sku"] for one in wanted.get("variants") or ()}
    return {
        known[sku]: Binding(external_id=one["id"], extra={"item": item["id"]})
        for one in reversed(variations(item))  # of two with one SKU the first is it
        if (sku := folded(one["item_variation_data"].get("sku") or "")) in known
    }


# --- to Square ------------------------------------------------------------------------------------


def new_item(value: Value, language: str) -> Object:
    """An item that Square does not have; its articles have no price yet, so a cashier would type it."""
    item = {
        "type": ITEM,
        "id": NEW_ITEM,
        "present_at_all_locations": True,
        "item_data": {"product_type": "REGULAR", "is_taxable": True, "variations": []},
    }
    return changed(item, value, FIELDS, language)


def changed(item: Object, value: Value, fields: frozenset[str], language: str) -> Object:
    """The item with those ``fields`` as ``value`` says; whatever else it holds stays."""
    data = dict(item["item_data"])
    if "title" in fields and "title" in value:
        data["name"] = _text(value["title"], language, "title")
    if "description" in fields and "description" in value:
        data = _described(data, (value["description"] or {}).get(language))
    if "variants" in fields and "variants" in value:
        data["variations"] = _with_variants({**item, "item_data": data}, value["variants"], language)
    after = {**item, "item_data": data}
    return _with_status(after, value["status"]) if "status" in fields and "status" in value else after


def _described(data: dict[str, Any], html: str | None) -> dict[str, Any]:
    """``description_html`` alone: Square keeps the plain ones in step with it."""
    if (data.get("description_html") or data.get("description")) == html:
        return data
    rest = {name: text for name, text in data.items() if not name.startswith("description")}
    return {**rest, "description_html": html} if html else rest


def _with_status(item: Object, status: str) -> Object:
    data = {**item["item_data"], "is_archived": status == "archived"}
    if status_of({**item, "item_data": data}) == status:
        return {**item, "item_data": data}
    nowhere = status == "draft"
    present = {name: value for name, value in item.items() if name not in PRESENCE}
    return {
        **present,
        "present_at_all_locations": not nowhere,
        "item_data": {
            **data,
            "variations": [_present(one, nowhere=nowhere) for one in data.get("variations") or ()],
        },
    }


def _present(variation: Object, *, nowhere: bool) -> Object:
    """A variation is nowhere where its item is not."""
    rest = {name: value for name, value in variation.items() if name not in PRESENCE}
    return {**rest, "present_at_all_locations": not nowhere}


def _with_variants(item: Object, variants: Sequence[Value], language: str) -> list[Object]:
    """Each variant in its place; a variation that is not among them is no longer sold, and never deleted."""
    held = variations(item)
    found = []
    for ordinal, variant in enumerate(variants):
        sku = folded(variant["sku"])
        before = next((one for one in held if folded(one["item_variation_data"].get("sku") or "") == sku), None)
        held = [one for one in held if one is not before]
        found.append(_varied(before or _new_variation(item, ordinal), variant, ordinal, language))
    for ordinal, left in enumerate(held, len(found)):
        data = {**left["item_variation_data"], "sellable": False, "ordinal": ordinal}
        found.append({**left, "item_variation_data": data})
    return found


def _varied(before: Object, variant: Value, ordinal: int, language: str) -> Object:
    data = dict(before["item_variation_data"])
    names = names_of(variant, language)
    if data.get("name") not in names:
        data["name"] = names[0]
    if gtin14(data.get("upc") or "") != (variant.get("gtin") or ""):
        data["upc"] = _upc(variant.get("gtin"))
    if (data.get("sellable", True) is not False) != bool(variant["active"]):
        data["sellable"] = bool(variant["active"])
    if folded(data.get("sku") or "") != folded(variant["sku"]):
        data["sku"] = variant["sku"]
    if data.get("ordinal") != ordinal:
        data["ordinal"] = ordinal
    return {**before, "item_variation_data": {name: one for name, one in data.items() if one is not None}}


def _new_variation(item: Object, ordinal: int) -> Object:
    return {
        "type": VARIATION,
        "id": f"{NEW_ITEM}-{ordinal}",
        **{name: item[name] for name in PRESENCE if name in item},
        "item_variation_data": {
            "item_id": item["id"],
            "pricing_type": "VARIABLE_PRICING",
            "track_inventory": True,
            "stockable": True,
            "sellable": True,
        },
    }


def names_of(variant: Value, language: str) -> list[str]:
    """What a cashier may read for the options, ``M bleu`` first; the order in which they stand says nothing."""
    words = [_text(option, language, "variants.options") for option in variant["options"].values()]
    return [" ".join(order) for order in permutations(words)] if any(words) else [variant["sku"]]


def _text(value: Any, language: str, path: str) -> str:
    """A text, or that of ``language``, or of the one language there is."""
    if isinstance(value, str):
        return value
    found = (value or {}).get(language) or (next(iter(value.values())) if len(value or {}) == 1 else None)
    if not found:
        raise Reject(path, f"there is no text in {language}, which the tills show")
    return str(found)


def _upc(gtin: str | None) -> str | None:
    """A GTIN as a scanner reads it: UPC-A of 12 digits, EAN-13, or all 14; an EAN-8 keeps 12."""
    if not gtin:
        return None
    return gtin[2:] if gtin.startswith("00") else gtin.removeprefix("0")
