"""The live shoppers: the retailer's day goes on while the hub watches."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from hub.sandbox.baskets import Baskets
from hub.sandbox.customers import InStore, Online
from hub.sandbox.retailer import Retailer
from hub.sandbox.staff import Staff

RATE = 12.0  # customers a minute


class Shoppers:
    """One step is one customer; the pause after it is drawn so that ``rate`` a minute come on average.

    ``happened`` counts what customers and the retailer's own people did, in words for a person. The same
    ``purpose`` draws the same customers.
    """

    def __init__(self, retailer: Retailer, rate: float = RATE, *, purpose: str | None = None) -> None:
        self.happened: Counter[str] = Counter()
        self._rate = rate
        # Another stream at every start: a demo that is started again is not the same day again.
        purpose = purpose or f"live {retailer.clock.now().isoformat()}"
        self._draw = retailer.world.random(purpose)
        baskets = Baskets(retailer.world, purpose)
        self._store, self._online = InStore(retailer, self._draw, baskets), Online(retailer, self._draw, baskets)
        self._staff = Staff(retailer, self._draw, self.happened)
        self._comes: tuple[tuple[float, Callable[[], str | None]], ...] = (
            (0.60, self._store.buy),
            (0.03, self._store.pay_in_parts),
            (0.03, self._store.bring_back),
            (0.01, self._store.void),
            (0.22, self._online.order),
            (0.03, self._online.pay),
            (0.02, self._online.cancel),
            (0.01, self._online.edit),
            (0.01, self._online.take_out),
            (0.01, self._online.keep_back),
            (0.01, self._online.refund),
            (0.02, self._online.bring_to_store),
        )

    def step(self, stop: threading.Event) -> float:
        """One customer; who wants what cannot be (nothing was bought yet) buys something instead."""
        self._store.pay_the_rest()
        weights = [share for share, _ in self._comes]
        act = self._draw.choices([act for _, act in self._comes], weights=weights)[0]
        self.happened[act() or self._store.buy()] += 1
        self._staff.step()
        return self._draw.expovariate(self._rate / 60)
