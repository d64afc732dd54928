"""What a till prints, as Square's order: lines, discounts, taxes and tenders, every cent accounted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from hub.sandbox.tills.articles import Variation
from hub.sandbox.tills.tables import money, rfc3339, square_id, whole_millis
from hub.sandbox.world import SKEW_MINUTES, SKEWED_TILL

AT_THE_COUNTER = timedelta(seconds=40)  # from opening a ticket to its payment
VAT_PERCENT = 20
OPEN, COMPLETED, CANCELED = "OPEN", "COMPLETED", "CANCELED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One part of what a customer pays; ``card`` is the last four digits of a gift card or card."""

    method: str  # Square's TenderType: CARD, CASH, SQUARE_GIFT_CARD ...
    cents: int
    card: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """What is taken off a whole ticket."""

    name: str
    cents: int
    code: str = ""  # of the coupon, where there was one


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """Where, when and by whom; ``at`` is the true time, ``uploaded_at`` when Square learnt of it."""

    seed: int
    store: str
    location_id: str
    till: int
    operator: str
    business_day: str
    sequence: int
    at: datetime
    uploaded_at: datetime

    @cached_property
    def id(self) -> str:
        return square_id(29, self.seed, "order", self.store, self.till, self.business_day, self.sequence)

    @property
    def closed_at(self) -> int:
        """The time by this till's clock."""
        return till_time(self.store, self.till, self.at)

    @property
    def occurred_at(self) -> int:
        """When Square books the pieces: never later than it learnt of them."""
        return min(self.closed_at, whole_millis(self.uploaded_at))

    def head(self) -> dict[str, Any]:
        """What every kind of ticket begins with."""
        return {
            "id": self.id,
            "location_id": self.location_id,
            "source": {"name": "Point of Sale"},
            "metadata": {
                "business_day": self.business_day,
                "workstation": str(self.till),
                "operator": self.operator,
                "sequence": str(self.sequence),
            },
            "created_at": rfc3339(self.closed_at - AT_THE_COUNTER // timedelta(microseconds=1)),
            "updated_at": rfc3339(whole_millis(self.uploaded_at)),
            "version": 1,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What a customer takes home; paid in one or several parts, or not yet in full."""

    ticket: Ticket
    lines: Sequence[tuple[Variation, int]]
    payments: Sequence[Payment] | None = None  # None: all of it by card
    discount: Discount | None = None

    @property
    def pieces(self) -> dict[str, int]:
        """By variation id."""
        total: dict[str, int] = {}
        for variation, n in self.lines:
            total[variation.id] = total.get(variation.id, 0) + n
        return total

    def document(self) -> dict[str, Any]:
        """The order as Square keeps it."""
        shares = self._shares()
        lines = [self._line(n, variation, pieces, shares[n]) for n, (variation, pieces) in enumerate(self.lines)]
        document = {
            **self.ticket.head(),
            "line_items": lines,
            "taxes": [tax(sum(line["total_tax_money"]["amount"] for line in lines))],
            **_totals(lines),
        }
        if self.discount:
            document["discounts"] = [_discount(self.discount)]
        total = document["total_money"]["amount"]
        payments = [Payment(method="CARD", cents=total)] if self.payments is None else self.payments
        tenders = [tender(document, payment, n, self.ticket.closed_at) for n, payment in enumerate(payments)]
        return settled({**document, "tenders": tenders}, self.ticket.closed_at)

    def _shares(self) -> list[int]:
        """The discount over the lines, in proportion and to the cent."""
        gross = [variation.price_at(self.ticket.location_id) * pieces for variation, pieces in self.lines]
        off = min(self.discount.cents, sum(gross)) if self.discount else 0
        ends = [off * sum(gross[: n + 1]) // max(1, sum(gross)) for n in range(len(gross))]
        return [end - before for end, before in zip(ends, [0, *ends], strict=False)]

    def _line(self, n: int, variation: Variation, pieces: int, off: int) -> dict[str, Any]:
        price = variation.price_at(self.ticket.location_id)
        line = {
            "uid": square_id(22, self.ticket.id, n),
            "catalog_object_id": variation.id,
            "catalog_version": variation.version,
            "item_type": "ITEM",
            "name": variation.item_name,
            "variation_name": variation.name,
            "quantity": str(pieces),
            "base_price_money": money(price),
            "variation_total_price_money": money(price * pieces),
            "gross_sales_money": money(price * pieces),
            "applied_taxes": [{"uid": square_id(22, self.ticket.id, n, "tax"), "tax_uid": "vat"}],
            "total_tax_money": money(included(price * pieces - off)),
            "total_discount_money": money(off),
            "total_service_charge_money": money(0),
            "total_money": money(price * pieces - off),
        }
        if off:
            line["applied_discounts"] = [{"discount_uid": "off", "applied_money": money(off)}]
        return line


def till_time(store: str, till: int, at: datetime) -> int:
    """``at`` by the clock of a till, in microseconds."""
    fast = SKEW_MINUTES if (store, till) == SKEWED_TILL else 0
    return whole_millis(at + timedelta(minutes=fast))


def included(gross: int) -> int:
    """French VAT of 20% inside a price, rounded half up."""
    return (2 * gross * VAT_PERCENT + 100 + VAT_PERCENT) // (2 * (100 + VAT_PERCENT))


def tax(cents: int) -> dict[str, Any]:
    """The one tax of an order."""
    return {
        "uid": "vat",
        "name": "TVA 20 %",
        "type": "INCLUSIVE",
        "percentage": str(VAT_PERCENT),
        "scope": "ORDER",
        "applied_money": money(cents),
    }


def tender(order: dict[str, Any], payment: Payment, n: int, at: int) -> dict[str, Any]:
    """The ``n``-th payment of an order."""
    found = {
        "id": square_id(22, order["id"], "tender", n),
        "location_id": order["location_id"],
        "transaction_id": order["id"],
        "created_at": rfc3339(at),
        "amount_money": money(payment.cents),
        "type": payment.method,
    }
    if payment.card:
        found["card_details"] = {"status": "CAPTURED", "card": {"last_4": payment.card}}
    return found


def settled(order: dict[str, Any], at: int) -> dict[str, Any]:
    """The order with its state: completed, and closed ``at``, once the tenders make up its total; open until then.

    ``ValueError`` where more was paid than is owed.
    """
    paid = sum(one["amount_money"]["amount"] for one in order["tenders"])
    due = order["total_money"]["amount"] - paid
    if due < 0:
        raise ValueError(f"{-due} cents too much for {order['id']}")
    closed = {} if due else {"closed_at": rfc3339(at)}
    return {**order, **closed, "state": OPEN if due else COMPLETED, "net_amount_due_money": money(due)}


def _totals(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    names = ("total_money", "total_tax_money", "total_discount_money")
    sums = {name: money(sum(line[name]["amount"] for line in lines)) for name in names}
    return {**sums, "total_tip_money": money(0), "total_service_charge_money": money(0)}


def _discount(discount: Discount) -> dict[str, Any]:
    found: dict[str, Any] = {
        "uid": "off",
        "name": discount.name,
        "type": "FIXED_AMOUNT",
        "amount_money": money(discount.cents),
        "applied_money": money(discount.cents),
        "scope": "ORDER",
    }
    if discount.code:
        found["metadata"] = {"code": discount.code}
    return found
