"""The live shoppers: the retailer's day goes on while the hub watches."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from hub.sandbox.baskets import Baskets
from hub.sandbox.retailer import Retailer
from hub.sandbox.staff import Staff

RATE = 12.0  # customers a minute
WEB_LINES = (1, 3)  # a web order is short
REMEMBERED = 200  # orders and tickets that somebody may come back with
CARD, CASH = "CARD", "CASH"


class Shoppers:
    """One step is one customer; the pause after it is drawn so that ``rate`` a minute come on average.

    ``happened`` counts what customers and the retailer's own people did, in words for a person.
    """

    def __init__(self, retailer: Retailer, rate: float = RATE) -> None:
        self.happened: Counter[str] = Counter()
        self._retailer = retailer
        self._rate = rate
        # Another stream at every start: a demo that is started again is not the same day again.
        purpose = f"live {retailer.clock.now().isoformat()}"
        self._draw = retailer.world.random(purpose)
        self._baskets = Baskets(retailer.world, purpose)
        self._staff = Staff(retailer, self._draw, self.happened)
        self._orders: deque[int] = deque(maxlen=REMEMBERED)
        self._tickets: deque[str] = deque(maxlen=REMEMBERED)
        self._unpaid: deque[dict[str, Any]] = deque()
        self._comes: tuple[tuple[float, Callable[[], str | None]], ...] = (
            (0.66, self._buy),
            (0.22, self._order),
            (0.03, self._pay_in_parts),
            (0.04, self._bring_back),
            (0.01, self._void),
            (0.04, self._cancel),
        )

    def step(self, stop: threading.Event) -> float:
        """One customer; who wanted to do what cannot be done now (nothing was bought yet) buys something instead."""
        self._pay_the_rest()
        shares = [share for share, _ in self._comes]
        act = self._draw.choices([act for _, act in self._comes], weights=shares)[0]
        self.happened[act() or self._buy()] += 1
        self._staff.step()
        return self._draw.expovariate(self._rate / 60)

    # --- in a store -------------------------------------------------------------------------------

    def _buy(self) -> str:
        basket = self._baskets.at(self._retailer.clock.now())
        sold = self._retailer.tills.sell(basket.store, basket.lines, till=basket.till, operator=basket.operator)
        self._tickets.append(sold["id"])
        return "sales at a till"

    def _pay_in_parts(self) -> str:
        """The ticket stays open until the last part is paid."""
        basket = self._baskets.at(self._retailer.clock.now())
        sale = self._retailer.tills.sell(
            basket.store, basket.lines, till=basket.till, operator=basket.operator, payments=()
        )
        self._unpaid.append(sale)
        total = int(sale["total_money"]["amount"])
        self._retailer.tills.pay(sale["id"], (CASH, total // 2))
        return "sales paid in parts"

    def _pay_the_rest(self) -> None:
        while self._unpaid:
            sale = self._unpaid.popleft()
            total = int(sale["total_money"]["amount"])
            self._retailer.tills.pay(sale["id"], (CARD, total - total // 2))
            self._tickets.append(sale["id"])

    def _bring_back(self) -> str | None:
        """Something comes back, to any store."""
        if not self._tickets:
            return None
        store = self._draw.choice(self._retailer.world.stores).code
        self._retailer.tills.give_back(store, self._take(self._tickets))
        return "returns in a store"

    def _void(self) -> str | None:
        """A cashier takes back what was just rung up."""
        if not self._tickets:
            return None
        self._retailer.tills.void(self._tickets.pop())
        return "tickets voided"

    # --- in the shop ------------------------------------------------------------------------------

    def _order(self) -> str:
        order = self._retailer.shop.order(self._baskets.lines(self._draw.randint(*WEB_LINES)))
        self._orders.append(order["id"])
        return "orders in the shop"

    def _cancel(self) -> str | None:
        if not self._orders:
            return None
        self._retailer.shop.cancel(self._take(self._orders))
        return "orders cancelled"

    def _take(self, remembered: deque[Any]) -> Any:
        """Any one of them, and each once."""
        chosen = self._draw.randrange(len(remembered))
        found = remembered[chosen]
        del remembered[chosen]
        return found
