"""An order as Shopify's REST API and webhooks write it: https://shopify.dev/docs/api/admin-rest/2026-04/resources/order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.sandbox.shop.catalog import VENDOR, Variant
from hub.sandbox.shop.tables import gid, money

CURRENCY = "EUR"
SHIPPING_CENTS = 490
TAX_RATE = 0.2
PEOPLE = (
    ("Camille", "Martin", "12 rue des Lilas", "75019", "Paris"),
    ("Léa", "Bernard", "3 place Bellecour", "69002", "Lyon"),
    ("Hugo", "Petit", "27 cours Mirabeau", "13100", "Aix-en-Provence"),
    ("Inès", "Moreau", "8 quai Kléber", "67000", "Strasbourg"),
    ("Noël", "Lefèvre", "41 rue Nationale", "59800", "Lille"),
    ("Zoé", "Garcia", "5 allée Jean-Jaurès", "31000", "Toulouse"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """One line of an order."""

    variant: Variant
    quantity: int

    @property
    def cents(self) -> int:
        return self.variant.price_cents * self.quantity


def order(id: int, number: int, bought: Sequence[Bought], at: str) -> dict[str, Any]:
    """A new, paid order; ``at`` is the time as REST shows it."""
    goods = sum(line.cents for line in bought)
    person = PEOPLE[number % len(PEOPLE)]
    address = _address(person)
    email = f"client{number}@example.com"
    return {
        "id": id,
        "admin_graphql_api_id": gid("Order", id),
        "name": f"#{number}",
        "number": number - 1000,
        "order_number": number,
        "created_at": at,
        "processed_at": at,
        "updated_at": at,
        "cancelled_at": None,
        "cancel_reason": None,
        "closed_at": None,
        "confirmed": True,
        "test": False,
        "token": hashlib.sha256(str(id).encode()).hexdigest()[:32],
        "source_name": "web",
        "location_id": None,
        "user_id": None,
        "financial_status": "paid",
        "fulfillment_status": None,
        "currency": CURRENCY,
        "presentment_currency": CURRENCY,
        "taxes_included": True,
        **_totals(goods, SHIPPING_CENTS),
        "email": email,
        "contact_email": email,
        "phone": None,
        "note": None,
        "tags": "",
        "customer": {"id": 6200000000000 + number, "email": email, "first_name": person[0], "last_name": person[1]},
        "billing_address": address,
        "shipping_address": address,
        "line_items": [_line(id, n, line) for n, line in enumerate(bought)],
        "shipping_lines": [_shipping(id)],
        "tax_lines": [_tax(goods + SHIPPING_CENTS)],
        "discount_codes": [],
        "fulfillments": [],
        "refunds": [],
    }


def cancelled(document: dict[str, Any], at: str) -> dict[str, Any]:
    """The same order, cancelled by the customer and paid back."""
    lines = [{**line, "current_quantity": 0, "fulfillable_quantity": 0} for line in document["line_items"]]
    current = {name: "0.00" for name in document if name.startswith("current_")}
    return {
        **document,
        **current,
        "cancelled_at": at,
        "cancel_reason": "customer",
        "closed_at": at,
        "updated_at": at,
        "financial_status": "refunded",
        "line_items": lines,
    }


def _totals(goods: int, shipping: int) -> dict[str, Any]:
    total = goods + shipping
    return {
        "subtotal_price": money(goods),
        "total_line_items_price": money(goods),
        "total_discounts": "0.00",
        "total_tax": money(_tax_cents(total)),
        "total_price": money(total),
        "total_price_set": price_set(money(total)),
        "current_subtotal_price": money(goods),
        "current_total_tax": money(_tax_cents(total)),
        "current_total_price": money(total),
        "total_weight": 0,
    }


def price_set(amount: str) -> dict[str, Any]:
    """An amount in the shop's and the customer's currency."""
    value = {"amount": amount, "currency_code": CURRENCY}
    return {"shop_money": value, "presentment_money": value}


def _line(order: int, n: int, line: Bought) -> dict[str, Any]:
    variant = line.variant
    price = money(variant.price_cents)
    id = order * 8 + 17 + n * 2
    return {
        "id": id,
        "admin_graphql_api_id": gid("LineItem", id),
        "variant_id": variant.id,
        "product_id": variant.product_id,
        "product_exists": True,
        "sku": variant.sku,
        "title": variant.product,
        "variant_title": variant.title,
        "name": f"{variant.product} - {variant.title}",
        "vendor": VENDOR,
        "quantity": line.quantity,
        "current_quantity": line.quantity,
        "fulfillable_quantity": line.quantity,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "variant_inventory_management": "shopify",
        "price": price,
        "price_set": price_set(price),
        "total_discount": "0.00",
        "discount_allocations": [],
        "tax_lines": [_tax(line.cents)],
        "taxable": True,
        "requires_shipping": True,
        "gift_card": False,
        "grams": 0,
        "properties": [],
    }


def _tax_cents(gross: int) -> int:
    return round(gross - gross / (1 + TAX_RATE))


def _tax(gross: int) -> dict[str, Any]:
    amount = money(_tax_cents(gross))
    return {"title": "FR TVA", "rate": TAX_RATE, "price": amount, "price_set": price_set(amount)}


def _shipping(order: int) -> dict[str, Any]:
    price = money(SHIPPING_CENTS)
    return {"id": order + 1, "title": "Colissimo", "code": "Colissimo", "price": price, "price_set": price_set(price)}


def _address(person: tuple[str, str, str, str, str]) -> dict[str, Any]:
    first, last, street, code, city = person
    return {
        "first_name": first,
        "last_name": last,
        "name": f"{first} {last}",
        "address1": street,
        "address2": None,
        "zip": code,
        "city": city,
        "province": None,
        "country": "France",
        "country_code": "FR",
        "phone": None,
        "company": None,
    }
