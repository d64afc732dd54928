"""The live shoppers: the retailer's day goes on while the hub watches."""

from __future__ import annotations

import threading
from collections import Counter

from hub.sandbox.baskets import Baskets
from hub.sandbox.retailer import Retailer
from hub.sandbox.world import WAREHOUSE

RATE = 12.0  # baskets a minute
IN_SHOP, CANCELLED = 0.25, 0.10  # shares of baskets ordered in the shop, and of those cancelled soon after
PARTIAL_FILE, ERP_CHANGE = 0.04, 0.10  # how often a basket is followed by either
WEB_LINES = (1, 3)  # a web order is short


class Shoppers:
    """One step is one customer; the pause after it is drawn so that ``rate`` a minute come on average.

    ``happened`` counts what was done, in words for a person.
    """

    def __init__(self, retailer: Retailer, rate: float = RATE) -> None:
        self.happened: Counter[str] = Counter()
        self._retailer = retailer
        self._rate = rate
        # Another stream at every start: a demo that is started again is not the same day again.
        purpose = f"live {retailer.clock.now().isoformat()}"
        self._draw = retailer.world.random(purpose)
        self._baskets = Baskets(retailer.world, purpose)
        self._orders: list[int] = []

    def step(self, stop: threading.Event) -> float:
        if self._chance(IN_SHOP):
            self._order()
        else:
            self._sell()
        if self._chance(PARTIAL_FILE):
            self._count()
        if self._chance(ERP_CHANGE):
            self._book()
        return self._draw.expovariate(self._rate / 60)

    def _sell(self) -> None:
        basket = self._baskets.at(self._retailer.clock.now())
        self._retailer.tills.sell(basket.store, basket.lines, till=basket.till, operator=basket.operator)
        self.happened["sales at a till"] += 1

    def _order(self) -> None:
        order = self._retailer.shop.order(self._baskets.lines(self._draw.randint(*WEB_LINES)))
        self.happened["orders in the shop"] += 1
        self._orders.append(order["id"])
        if self._chance(CANCELLED):
            self._retailer.shop.cancel(self._orders.pop(self._draw.randrange(len(self._orders))))
            self.happened["orders cancelled"] += 1

    def _count(self) -> None:
        """A store counts some shelves and sends a partial file."""
        self._retailer.stores.drop(self._draw.choice(self._retailer.world.stores).code, complete=False)
        self.happened["store files"] += 1

    def _book(self) -> None:
        """A goods receipt at the warehouse, or now and then a write-off."""
        sku = self._draw.choice(self._retailer.world.skus).code
        self._retailer.erp.bump(sku, WAREHOUSE, self._draw.choice((24, 12, 6, -1)))
        self.happened["bookings in the ERP"] += 1

    def _chance(self, share: float) -> bool:
        return self._draw.random() < share
