"""The tills as cashiers use them; Square's API is beside it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hub.sandbox.baskets import Baskets
from hub.sandbox.clock import PARIS, Clock
from hub.sandbox.floor import Floor
from hub.sandbox.ledger import Ledger
from hub.sandbox.state import State
from hub.sandbox.tills.backlog import BACKLOG, OFFLINE_BEFORE_NIGHT, payments
from hub.sandbox.tills.catalog import Catalog
from hub.sandbox.tills.counter import Counter, Wanted
from hub.sandbox.tills.counts import Counts
from hub.sandbox.tills.notices import Notices
from hub.sandbox.tills.orders import Orders
from hub.sandbox.tills.returns import Return
from hub.sandbox.tills.tables import TABLES
from hub.sandbox.tills.tickets import COMPLETED, Discount, Payment, Ticket
from hub.sandbox.world import OFFLINE_TICKETS, OFFLINE_TILL, World

if TYPE_CHECKING:
    from fastapi import FastAPI

TOKEN = "tills-access-token"  # noqa: S105 - the name of the file that holds it
BACK_ONLINE = (8, 5)  # hour and minute, local, of the morning after


class Tills:
    """Everything lies in ``state``: any number of instances show the same tills."""

    def __init__(self, state: State, world: World, ledger: Ledger, clock: Clock) -> None:
        self.state = state
        self.world = world
        self.ledger = ledger
        self.clock = clock
        state.declare(*TABLES)
        self.floor = Floor(state, world)
        self.catalog = Catalog(state, world, clock)
        self.inventory = Counts(state, world, clock)
        self.orders = Orders(state)
        self.notices = Notices(state, clock, self.catalog.merchant_id)

    @cached_property
    def counter(self) -> Counter:
        return Counter(self)

    def populate(self, baskets: Baskets) -> None:
        """Articles, outdated counts, and the tickets since the night files; their webhooks are long gone."""
        draw = self.world.random("till payments")
        with self.state.transaction():
            self.catalog.populate()
            self.inventory.populate()
            self._sell_offline(baskets)
            known = {variation.code: variation for variation in self.catalog.variations()}
            for basket in baskets.between(self.world.night, self.world.start, BACKLOG - OFFLINE_TICKETS):
                came_in = max(basket.at, self.back_online) if (basket.store, basket.till) == OFFLINE_TILL else basket.at
                ticket = self.counter.ticket(basket.store, basket.till, basket.operator, basket.at, came_in)
                articles = [(known[line.sku], line.quantity) for line in basket.lines]
                cents = sum(variation.price_at(ticket.location_id) * n for variation, n in articles)
                self.counter.sell(ticket, articles, payments(draw, cents), None)

    @property
    def back_online(self) -> datetime:
        """When the till that had no network last night uploaded its tickets: this morning, before ``start``."""
        hour, minute = BACK_ONLINE
        evening = self.world.night.astimezone(PARIS)
        morning = (evening + timedelta(days=1)).replace(hour=hour, minute=minute)
        return min(morning, self.world.start - timedelta(minutes=10)).astimezone(self.world.night.tzinfo)

    def _sell_offline(self, baskets: Baskets) -> None:
        store, till = OFFLINE_TILL
        for n in range(OFFLINE_TICKETS):
            at = self.world.night - OFFLINE_BEFORE_NIGHT * (OFFLINE_TICKETS - n) / OFFLINE_TICKETS
            ticket = self.counter.ticket(store, till, None, at, self.back_online)
            self.counter.sell(ticket, self.counter.articles(baskets.lines(n + 1)), None, None)

    def app(self) -> FastAPI:
        """Square's API under ``/v2/``."""
        from hub.sandbox.tills.api import web

        return web(self).app()

    # --- credentials ------------------------------------------------------------------------------

    @property
    def token(self) -> str:
        """The access token of the hub's application."""
        return self.state.secret(TOKEN, lambda: f"EAAA{secrets.token_urlsafe(45)}")

    @property
    def signature_key(self) -> str:
        return self.notices.key

    def sign(self, url: str, body: bytes) -> Mapping[str, str]:
        """The headers that prove that a webhook comes from here."""
        return self.notices.sign(url, body)

    # --- what happens at a till -------------------------------------------------------------------

    def sell(
        self,
        store: str,
        lines: Wanted,
        at: datetime | None = None,
        till: int = 1,
        uploaded_at: datetime | None = None,
        operator: str | None = None,
        *,
        payments: Sequence[tuple[str, int] | Payment] | None = None,
        discount: Discount | None = None,
    ) -> dict[str, Any]:
        """A customer comes to a till: the order as Square shows it, with ``order.updated`` sent.

        ``at`` is the true time (default: now) and ``uploaded_at`` when Square learns of it (default: then).
        ``payments`` are Square's tender types with cents (default: all by card); while they do not make up
        the total the order stays OPEN. A paid one lowers the till's own count.
        """
        parts = None if payments is None else [_payment(one) for one in payments]
        with self.state.transaction():
            ticket = self._ticket(store, till, operator, at, uploaded_at)
            return self._told(self.counter.sell(ticket, self.counter.articles(lines), parts, discount))

    def pay(self, order: str, payment: tuple[str, int] | Payment, at: datetime | None = None) -> dict[str, Any]:
        """Another part of an open order is paid; the last one completes it."""
        with self.state.transaction():
            return self._told(self.counter.pay(order, _payment(payment), at or self.clock.now()))

    def void(self, order: str, at: datetime | None = None, operator: str | None = None) -> dict[str, Any]:
        """A ticket is taken back: an open one is CANCELED, a paid one returned as a whole (a post-void)."""
        with self.state.transaction():
            known = next(iter(self.orders.get([order])), None)
            if known is None or known["state"] != COMPLETED:
                return self._told(self.counter.cancel(order, at or self.clock.now()))
            store, till = self.counter.store(known), int(known["metadata"]["workstation"])
            back = Return(
                ticket=self._ticket(store, till, operator, at, None),
                lines=self.counter.parts(known, None),
                original=known,
                void=True,
                reason="Annulation",
            )
            return self._told(self.counter.take_back(back))

    def give_back(
        self,
        store: str,
        original: str | Mapping[str, Any] | None,
        lines: Sequence[tuple[str, int]] | None = None,
        at: datetime | None = None,
        till: int = 1,
        operator: str | None = None,
        *,
        restock: bool = True,
        cents: Mapping[str, int] | None = None,
    ) -> dict[str, Any]:
        """Goods come back to ``store``, wherever they were bought.

        ``original`` is a till's order or its id (``lines`` None: all that is left of it), or the number of an
        order that no till knows, as in ``SHOP-1001``, with what was paid for the lines in ``cents`` by SKU.
        """
        with self.state.transaction():
            known = self._known(original)
            parts = (
                self.counter.parts(known, lines) if known else self.counter.unlinked(store, lines or (), cents or {})
            )
            back = Return(
                ticket=self._ticket(store, till, operator, at, None),
                lines=parts,
                original=known,
                reference="" if known else str(original or ""),
                restock=restock,
            )
            return self._told(self.counter.take_back(back))

    def counts(self) -> dict[str, int]:
        """The tills' own numbers by ``SKU@LOCATION`` in the retailer's codes."""
        return self.inventory.numbers()

    # --- what a store manager changes -------------------------------------------------------------

    def rename(self, product: str, name: str) -> None:
        """Another name of an item, typed at the till; sends ``catalog.version.updated``."""
        with self.state.transaction():
            self.catalog.rename(product, name)
            self.notices.catalog_updated()

    def reprice(self, sku: str, cents: int) -> None:
        """Another price of an article, typed at the till; sends ``catalog.version.updated``."""
        with self.state.transaction():
            self.catalog.reprice(sku, cents)
            self.notices.catalog_updated()

    def remove(self, product: str) -> None:
        """An item deleted at the till with its variations; sends ``catalog.version.updated``."""
        with self.state.transaction():
            self.catalog.remove(product)
            self.notices.catalog_updated()

    def _told(self, order: dict[str, Any]) -> dict[str, Any]:
        self.notices.order_updated(order)
        return order

    def _ticket(
        self, store: str, till: int, operator: str | None, at: datetime | None, uploaded_at: datetime | None
    ) -> Ticket:
        moment = at or self.clock.now()
        return self.counter.ticket(store, till, operator, moment, uploaded_at or moment)

    def _known(self, original: str | Mapping[str, Any] | None) -> dict[str, Any] | None:
        id = original if isinstance(original, str) else (original or {}).get("id", "")
        return next(iter(self.orders.get([id])), None)


def _payment(given: tuple[str, int] | Payment) -> Payment:
    return given if isinstance(given, Payment) else Payment(method=given[0], cents=given[1])
