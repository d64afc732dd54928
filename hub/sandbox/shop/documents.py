"""An order as Shopify's REST API and webhooks write it: https://shopify.dev/docs/api/admin-rest/2026-04/resources/order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.sandbox.shop.catalog import Variant
from hub.sandbox.shop.tables import gid, money

CURRENCY = "EUR"
SHIPPING_CENTS = 490
TAX_RATE = 0.2
CARD = "shopify_payments"
GIFT_CARD = "gift_card"
PEOPLE = (
    ("Camille", "Martin", "12 rue des Lilas", "75019", "Paris"),
    ("Léa", "Bernard", "3 place Bellecour", "69002", "Lyon"),
    ("Hugo", "Petit", "27 cours Mirabeau", "13100", "Aix-en-Provence"),
    ("Inès", "Moreau", "8 quai Kléber", "67000", "Strasbourg"),
    ("Noël", "Lefèvre", "41 rue Nationale", "59800", "Lille"),
    ("Zoé", "Garcia", "5 allée Jean-Jaurès", "31000", "Toulouse"),
    ("Jade 🌻", "N’Guyen", "1 bis, rue de l’Œuvre", "44000", "Nantes"),
)
# Codes that a customer may type in: percent off every line, or cents off the whole basket.
COUPONS: Mapping[str, tuple[str, int]] = {
    "BIENVENUE10": ("percentage", 10),
    "NOEL20": ("percentage", 20),
    "MERCI5": ("fixed_amount", 500),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """One line of an order."""

    variant: Variant
    quantity: int

    @property
    def cents(self) -> int:
        return self.variant.price_cents * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a customer buys; ``payments`` are (gateway, cents), None for what is left."""

    coupon: str | None = None
    payment: str = "paid"  # or "authorized", "pending"
    payments: Sequence[tuple[str, int | None]] = ((CARD, None),)
    shipping_cents: int = SHIPPING_CENTS
    note: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)  # put over the finished document: bad input


def order(id: int, number: int, bought: Sequence[Bought], at: str, terms: Terms) -> dict[str, Any]:
    """A new order, before any payment; ``at`` is the time as REST shows it."""
    off = _allocated([line.cents for line in bought], terms.coupon)
    lines = [_line(id, n, line, cents) for n, (line, cents) in enumerate(zip(bought, off, strict=True))]
    person = PEOPLE[number % len(PEOPLE)]
    return {
        **_head(id, number, at),
        "currency": CURRENCY,
        "presentment_currency": CURRENCY,
        "taxes_included": True,
        **_totals(bought, off, terms.shipping_cents),
        **_person(number, person),
        "note": terms.note,
        "note_attributes": [],
        "tags": "",
        "line_items": lines,
        "shipping_lines": [_shipping(id, terms.shipping_cents)],
        "tax_lines": [_tax_line(_tax_total(bought, off, terms.shipping_cents))],
        **_discounts(terms.coupon, sum(off)),
        "fulfillments": [],
        "refunds": [],
    }


def _head(id: int, number: int, at: str) -> dict[str, Any]:
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
        "financial_status": "pending",
        "fulfillment_status": None,
        "payment_gateway_names": [],
    }


def _person(number: int, person: tuple[str, str, str, str, str]) -> dict[str, Any]:
    address, email = _address(person), f"client{number}@example.com"
    customer = {"id": 6200000000000 + number, "email": email, "first_name": person[0], "last_name": person[1]}
    return {
        "email": email,
        "contact_email": email,
        "phone": None,
        "customer": customer,
        "customer_locale": "fr-FR",
        "billing_address": address,
        "shipping_address": address,
    }


def _totals(bought: Sequence[Bought], shares: Sequence[int], shipping: int) -> dict[str, Any]:
    """Amounts contain the tax; those that may change later are named ``current_`` as well."""
    goods, off = sum(line.cents for line in bought), sum(shares)
    net, total = goods - off, goods - off + shipping
    cents = {
        "subtotal_price": net,
        "total_line_items_price": goods,
        "total_discounts": off,
        "total_tax": _tax_total(bought, shares, shipping),
        "total_price": total,
    }
    current = {f"current_{name}": cents[name] for name in cents if name != "total_line_items_price"}
    return {
        **{name: money(value) for name, value in (cents | current).items()},
        **{f"{name}_set": price_set(money(value)) for name, value in (cents | current).items()},
        "total_shipping_price_set": price_set(money(shipping)),
        "total_outstanding": money(total),
        "total_weight": sum(line.variant.grams * line.quantity for line in bought),
    }


def _tax_total(bought: Sequence[Bought], off: Sequence[int], shipping: int) -> int:
    """The sum of the lines' taxes and the shipping's; a gift card is money, not goods."""
    goods = sum(tax_cents(b.cents - cents) for b, cents in zip(bought, off, strict=True) if not b.variant.gift_card)
    return goods + tax_cents(shipping)


def _allocated(amounts: Sequence[int], coupon: str | None) -> list[int]:
    """A coupon's worth on each line in cents; ``KeyError`` for a code that nobody gave out."""
    if coupon is None:
        return [0] * len(amounts)
    type, value = COUPONS[coupon]
    whole = sum(amounts) * value // 100 if type == "percentage" else min(value, sum(amounts))
    shares, done, passed = [], 0, 0
    for amount in amounts:  # each line up to what is due with it, so that the last cent finds its line
        passed += amount
        due = whole * passed // max(1, sum(amounts))
        shares.append(due - done)
        done = due
    return shares


def _discounts(coupon: str | None, off: int) -> dict[str, Any]:
    if coupon is None:
        return {"discount_codes": [], "discount_applications": []}
    type, value = COUPONS[coupon]
    application = {
        "target_type": "line_item",
        "type": "discount_code",
        "value": f"{value}.0" if type == "percentage" else money(value),
        "value_type": type,
        "allocation_method": "across",
        "target_selection": "all",
        "code": coupon,
    }
    codes = [{"code": coupon, "amount": money(off), "type": type}]
    return {"discount_codes": codes, "discount_applications": [application]}


def price_set(amount: str) -> dict[str, Any]:
    """An amount in the shop's and the customer's currency."""
    value = {"amount": amount, "currency_code": CURRENCY}
    return {"shop_money": value, "presentment_money": value}


def _line(order: int, n: int, line: Bought, off: int) -> dict[str, Any]:
    variant = line.variant
    price = money(variant.price_cents)
    id = order * 8 + 17 + n * 2
    share = {"amount": money(off), "amount_set": price_set(money(off)), "discount_application_index": 0}
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
        "vendor": variant.vendor,
        "quantity": line.quantity,
        "current_quantity": line.quantity,
        "fulfillable_quantity": line.quantity,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "variant_inventory_management": "shopify",
        "price": price,
        "price_set": price_set(price),
        "total_discount": "0.00",  # of the line alone; a code's share is among the allocations
        "discount_allocations": [share] if off else [],
        "tax_lines": [] if variant.gift_card else [_tax(line.cents - off)],
        "taxable": not variant.gift_card,
        "requires_shipping": not variant.gift_card,
        "gift_card": variant.gift_card,
        "grams": variant.grams,
        "properties": [],
    }


def tax_cents(gross: int) -> int:
    """The tax that an amount contains."""
    return round(gross - gross / (1 + TAX_RATE))


def _tax(gross: int) -> dict[str, Any]:
    return _tax_line(tax_cents(gross))


def _tax_line(cents: int) -> dict[str, Any]:
    amount = money(cents)
    return {"title": "FR TVA", "rate": TAX_RATE, "price": amount, "price_set": price_set(amount)}


def _shipping(order: int, cents: int) -> dict[str, Any]:
    price = money(cents)
    return {
        "id": order + 1,
        "title": "Colissimo",
        "code": "Colissimo",
        "source": "shopify",
        "carrier_identifier": None,
        "price": price,
        "price_set": price_set(price),
        "discounted_price": price,
        "discounted_price_set": price_set(price),
        "discount_allocations": [],
        "tax_lines": [_tax(cents)],
    }


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
        "province_code": None,
        "country": "France",
        "country_code": "FR",
        "phone": None,
        "company": None,
        "latitude": None,
        "longitude": None,
    }
