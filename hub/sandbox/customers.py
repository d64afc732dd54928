"""What customers do, at a till or in the shop: each act answers its name, or None where it cannot be now."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.sandbox.baskets import Baskets, Line
from hub.sandbox.retailer import Retailer

WEB_LINES = (1, 3)  # a web order is short
REMEMBERED = 200  # orders and tickets that somebody may come back with
COUPON, WITH_COUPON, PAID_LATER = "BIENVENUE10", 0.10, 0.15
CARD, CASH = "CARD", "CASH"
SECOND_THOUGHTS = timedelta(seconds=10)  # an order can be changed so long; later it may be on its way already


class InStore:
    """Customers of the stores."""

    def __init__(self, retailer: Retailer, draw: random.Random, baskets: Baskets) -> None:
        self._retailer = retailer
        self._draw = draw
        self._baskets = baskets
        self._tickets: deque[str] = deque(maxlen=REMEMBERED)
        self._unpaid: deque[tuple[str, int]] = deque()  # ticket and cents

    def buy(self) -> str:
        self._tickets.append(self._ring_up()["id"])
        return "sales at a till"

    def pay_in_parts(self) -> str:
        """The ticket stays open until the last part is paid."""
        sale = self._ring_up(payments=())
        total = int(sale["total_money"]["amount"])
        self._retailer.tills.pay(sale["id"], (CASH, total // 2))
        self._unpaid.append((sale["id"], total - total // 2))
        return "sales paid in parts"

    def pay_the_rest(self) -> None:
        while self._unpaid:
            ticket, cents = self._unpaid.popleft()
            self._retailer.tills.pay(ticket, (CARD, cents))
            self._tickets.append(ticket)

    def bring_back(self) -> str | None:
        """All of a ticket comes back, to any store."""
        if not self._tickets:
            return None
        self._retailer.tills.give_back(any_store(self._retailer, self._draw), take(self._tickets, self._draw))
        return "returns in a store"

    def void(self) -> str | None:
        """A cashier takes back what was just rung up."""
        if not self._tickets:
            return None
        self._retailer.tills.void(self._tickets.pop())
        return "tickets voided"

    def _ring_up(self, **more: Any) -> dict[str, Any]:
        basket = self._baskets.at(self._retailer.clock.now())
        return self._retailer.tills.sell(basket.store, basket.lines, till=basket.till, operator=basket.operator, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """An order as its customer remembers it."""

    id: int
    number: int
    at: datetime
    lines: Sequence[Line]


class Online:
    """Customers of the shop, and those who look after them there."""

    def __init__(self, retailer: Retailer, draw: random.Random, baskets: Baskets) -> None:
        self._retailer = retailer
        self._draw = draw
        self._baskets = baskets
        self._orders: deque[Ordered] = deque(maxlen=REMEMBERED)
        self._unpaid: deque[int] = deque()

    def order(self) -> str:
        terms: dict[str, Any] = {"coupon": COUPON} if self._draw.random() < WITH_COUPON else {}
        later = self._draw.random() < PAID_LATER
        if later:
            terms["payment"] = "pending"
        lines = self._baskets.lines(self._draw.randint(*WEB_LINES))
        placed = self._retailer.shop.order(lines, **terms)
        self._orders.append(Ordered(id=placed["id"], number=placed["order_number"], at=self._now(), lines=lines))
        if later:
            self._unpaid.append(placed["id"])
        return "orders in the shop"

    def pay(self) -> str | None:
        """Somebody who wanted to pay later does."""
        if not self._unpaid:
            return None
        id = self._unpaid.popleft()
        if self._document(id)["cancelled_at"] is None:
            self._retailer.shop.pay(id)
        return "orders paid later"

    def cancel(self) -> str | None:
        """Somebody changes their mind before anything was sent."""
        return self._of_one(sent=False, act=lambda one: self._retailer.shop.cancel(one.id), name="orders cancelled")

    def edit(self) -> str | None:
        """A person in the shop's office adds a piece for somebody who called."""

        def one_more(one: Ordered) -> None:
            line = one.lines[0]
            self._retailer.shop.edit(one.id, line.sku, line.quantity + 1)

        return self._of_one(sent=False, act=one_more, name="orders edited")

    def take_out(self) -> str | None:
        """A person in the shop's office takes a piece out for somebody who called."""

        def one_less(one: Ordered) -> None:
            line = one.lines[0]
            self._retailer.shop.edit(one.id, line.sku, line.quantity - 1)

        return self._of_one(
            sent=False, act=one_less, name="pieces taken out of orders", fits=lambda one: pieces(one) > 1
        )

    def keep_back(self) -> str | None:
        """A parcel is packed in the shop's office and stays after all."""

        def packed_and_unpacked(one: Ordered) -> None:
            for parcel in self._retailer.shop.fulfil(one.id, lines=[(one.lines[0].sku, 1)]):
                self._retailer.shop.take_back(one.id, parcel["id"])

        return self._of_one(sent=False, act=packed_and_unpacked, name="parcels kept back")

    def refund(self) -> str | None:
        """A parcel comes back to a store, and a person refunds it in the shop."""

        def give_back(one: Ordered) -> None:
            place = any_store(self._retailer, self._draw)
            self._retailer.shop.refund(one.id, [(one.lines[0].sku, 1)], place)

        return self._of_one(sent=True, act=give_back, name="refunds in the shop")

    def bring_to_store(self) -> str | None:
        """Somebody brings a piece of an online order back to a store, which pays it out."""

        def at_the_till(one: Ordered) -> None:
            sku, store = one.lines[0].sku, any_store(self._retailer, self._draw)
            cents = {sku: paid_for_one(self._document(one.id)["line_items"][0])}
            self._retailer.tills.give_back(store, f"SHOP-{one.number}", [(sku, 1)], cents=cents)

        return self._of_one(sent=True, act=at_the_till, name="online orders returned in a store")

    def _of_one(
        self, *, sent: bool, act: Callable[[Ordered], object], name: str,
        fits: Callable[[Ordered], bool] = lambda one: True,
    ) -> str | None:  # fmt: skip
        """Do something once with the newest paid order: one that was sent whole, or one that was placed just now."""
        for one in reversed(self._orders):
            if not sent and self._now() - one.at > SECOND_THOUGHTS:
                return None
            known = self._document(one.id)
            paid = known["financial_status"] == "paid" and known["cancelled_at"] is None
            if paid and fits(one) and known["fulfillment_status"] == ("fulfilled" if sent else None):
                self._orders.remove(one)
                act(one)
                return name
        return None

    def _now(self) -> datetime:
        return self._retailer.clock.now()

    def _document(self, id: int) -> dict[str, Any]:
        found = self._retailer.shop.orders.get(id)
        assert found is not None  # noqa: S101 - the shop forgets no order
        return found


def pieces(one: Ordered) -> int:
    return sum(line.quantity for line in one.lines)


def paid_for_one(line: Mapping[str, Any]) -> int:
    """Cents for a piece of an order's line, after what was taken off."""
    off = sum((Decimal(part["amount"]) for part in line["discount_allocations"]), Decimal())
    return int((Decimal(line["price"]) - off / line["quantity"]) * 100)


def any_store(retailer: Retailer, draw: random.Random) -> str:
    return draw.choice(retailer.world.stores).code


def take(remembered: deque[str], draw: random.Random) -> str:
    """Any one of them, and each once."""
    chosen = draw.randrange(len(remembered))
    found = remembered[chosen]
    del remembered[chosen]
    return found
