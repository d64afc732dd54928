"""Lines, taxes and amounts of an order as GraphQL objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.sandbox.shop import accounts
from hub.sandbox.shop.accounts import Document, money_signed
from hub.sandbox.shop.catalog import Catalog
from hub.sandbox.shop.documents import price_set
from hub.sandbox.shop.pages import View
from hub.sandbox.shop.tables import cents, gid, parsed, stored

COUNTRIES = frozenset({"AT", "BE", "CH", "DE", "ES", "FR", "GB", "IT", "LU", "NL", "US"})  # those of our schema


class OrderParts:
    """What stands on an order's page."""

    def __init__(self, variant: Callable[[int], View | None], catalog: Catalog) -> None:
        self._variant = variant
        self._catalog = catalog

    def line(self, line: Document) -> View:
        waiting, net = line["fulfillable_quantity"], accounts.net_cents(line)
        return {
            "__typename": "LineItem",
            "id": line["admin_graphql_api_id"],
            "sku": line["sku"] or None,
            "title": line["title"],
            "variantTitle": line["variant_title"],
            "name": line["name"],
            "vendor": line["vendor"],
            "quantity": line["quantity"],
            "currentQuantity": line["current_quantity"],
            "unfulfilledQuantity": waiting,
            "refundableQuantity": line["current_quantity"],
            "nonFulfillableQuantity": line["current_quantity"] - waiting,
            "isGiftCard": line["gift_card"],
            "requiresShipping": line["requires_shipping"],
            "taxable": line["taxable"],
            "originalUnitPriceSet": bag(line["price_set"]),
            "originalTotalSet": bag_of(cents(line["price"]) * line["quantity"]),
            "totalDiscountSet": bag_of(cents(line["price"]) * line["quantity"] - net),
            "discountedTotalSet": lambda info, withCodeDiscounts=None: bag_of(
                net if withCodeDiscounts else cents(line["price"]) * line["quantity"]
            ),
            "taxLines": lambda info, first=None: [tax_line(one) for one in line["tax_lines"][:first]],
            "product": lambda info: (self._variant(line["variant_id"]) or {}).get("product", lambda _: None)(info),
            "variant": lambda info: self._variant(line["variant_id"]),
        }

    def shipping(self, line: Document) -> View:
        price = bag(line["price_set"])
        return {
            "__typename": "ShippingLine",
            "id": gid("ShippingLine", line["id"]),
            "title": line["title"],
            "code": line["code"],
            "originalPriceSet": price,
            "discountedPriceSet": price,
            "currentDiscountedPriceSet": price,
            "taxLines": [tax_line(one) for one in line["tax_lines"]],
        }

    def adjustment(self, entry: Document) -> View:
        return {
            "__typename": "OrderAdjustment",
            "id": gid("OrderAdjustment", entry["id"]),
            "reason": None,
            "amountSet": bag(entry["amount_set"]),
            "taxAmountSet": bag(entry["tax_amount_set"]),
        }


def tax_line(line: Mapping[str, Any]) -> View:
    rate = line["rate"]
    return {
        "title": line["title"],
        "rate": rate,
        "ratePercentage": rate * 100,
        "priceSet": bag(line["price_set"]),
    }


def bag(value: Mapping[str, Any]) -> View:
    """A price set of REST as a ``MoneyBag``."""
    shop, presentment = value["shop_money"], value["presentment_money"]
    return {"shopMoney": _amount(shop), "presentmentMoney": _amount(presentment)}


def bag_of(amount: int) -> View:
    return bag(price_set(money_signed(amount)))


def _amount(value: Mapping[str, str]) -> View:
    return {"amount": value["amount"], "currencyCode": value["currency_code"]}


def utc(text: str | None) -> str | None:
    """REST's local time as GraphQL's UTC."""
    return stored(parsed(text)) if text else None


def country(code: Any) -> str | None:
    return code if code in COUNTRIES else None
