"""What is wrong with an object that somebody wants to put into the catalog; every mistake with its field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.sandbox.faults.now import changed_meanwhile
from hub.sandbox.tills.catalog import ITEM, VARIATION, Catalog
from hub.sandbox.tills.errors import error
from hub.sandbox.tills.tables import CURRENCY

if TYPE_CHECKING:
    from hub.sandbox.tills.upsert import Given

LONGEST_NAME = 512
STALE = "Object version does not match latest database version."


def problems(catalog: Catalog, batch: Sequence[Given]) -> Iterator[dict[str, Any]]:
    """The mistakes in one batch."""
    places = set(catalog.location_ids().values())
    new = {str(one.object.get("id")) for one in batch if str(one.object.get("id")).startswith("#")}
    for one in batch:
        yield from _identity(catalog, one)
        if one.object.get("type") == ITEM:
            yield from _item(one)
        elif one.object.get("type") == VARIATION:
            yield from _variation(catalog, one, new, places)
        else:
            yield error("INVALID_VALUE", "Only items and their variations are kept here.", f"{one.path}.type")


def _identity(catalog: Catalog, one: Given) -> Iterator[dict[str, Any]]:
    """A new object has an id of the caller's with ``#``, a known one its id and its present version."""
    id = one.object.get("id")
    if not isinstance(id, str) or not id:
        yield error("MISSING_REQUIRED_PARAMETER", "Field is required.", f"{one.path}.id")
        return
    if one.object.get("is_deleted"):
        yield error("INVALID_VALUE", "`is_deleted` must not be set to true.", f"{one.path}.is_deleted")
    if id.startswith("#"):
        return
    known = catalog.row(id)
    if known is None or known["deleted"] or known["type"] != one.object.get("type"):
        yield error("NOT_FOUND", f"Catalog object with ID `{id}` not found.", f"{one.path}.id")
    elif one.object.get("version") != known["updated_at"] // 1000 or changed_meanwhile():
        yield error("CONFLICT", STALE, f"{one.path}.version")


def _item(one: Given) -> Iterator[dict[str, Any]]:
    data, path = one.object.get("item_data") or {}, f"{one.path}.item_data"
    yield from _name(data.get("name"), f"{path}.name")
    if not isinstance(data.get("variations"), list) or not data["variations"]:
        yield error("MISSING_REQUIRED_PARAMETER", "An item must have at least one variation.", f"{path}.variations")


def _name(value: Any, field: str) -> Iterator[dict[str, Any]]:
    if not isinstance(value, str) or not value.strip():
        yield error("VALUE_EMPTY", "Field must not be blank.", field)
    elif len(value) > LONGEST_NAME:
        yield error("VALUE_TOO_LONG", f"Field must not be longer than {LONGEST_NAME}.", field)


def _variation(catalog: Catalog, one: Given, new: set[str], places: set[str]) -> Iterator[dict[str, Any]]:
    data, path = one.object.get("item_variation_data") or {}, f"{one.path}.item_variation_data"
    item = data.get("item_id")
    known = catalog.row(item) if isinstance(item, str) and item not in new else None
    if item not in new and (known is None or known["deleted"] or known["type"] != ITEM):
        yield error("NOT_FOUND", f"Item `{item}` not found.", f"{path}.item_id")
    yield from _name(data.get("name"), f"{path}.name")
    yield from _price(data, path)
    for n, override in enumerate(data.get("location_overrides") or ()):
        at = f"{path}.location_overrides[{n}]"
        if override.get("location_id") not in places:
            yield error("NOT_FOUND", f"Location `{override.get('location_id')}` not found.", f"{at}.location_id")
        if override.get("pricing_type") or override.get("price_money"):
            yield from _price(override, at)


def _price(data: Mapping[str, Any], path: str) -> Iterator[dict[str, Any]]:
    """A fixed price has an amount, one that is typed has none."""
    price, kind = data.get("price_money"), data.get("pricing_type")
    if kind not in ("FIXED_PRICING", "VARIABLE_PRICING"):
        yield error("INVALID_ENUM_VALUE", f"`{kind}` is no pricing type.", f"{path}.pricing_type")
    elif (kind == "FIXED_PRICING") != bool(price):
        text = "`price_money` belongs to FIXED_PRICING, and only to it."
        yield error("INVALID_VALUE", text, f"{path}.price_money")
    elif price and (type(price.get("amount")) is not int or price["amount"] < 0):
        yield error("INVALID_VALUE", "Expected cents, not negative.", f"{path}.price_money.amount")
    elif price and price.get("currency") != CURRENCY:
        yield error("UNSUPPORTED_CURRENCY", f"This seller's currency is {CURRENCY}.", f"{path}.price_money.currency")
