"""The tills as cashiers use them; Square's API is beside it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub.sandbox.baskets import Baskets, Line
from hub.sandbox.clock import PARIS, Clock, business_day
from hub.sandbox.floor import Floor
from hub.sandbox.ledger import Ledger
from hub.sandbox.state import State
from hub.sandbox.tills.catalog import Catalog
from hub.sandbox.tills.counts import Counts
from hub.sandbox.tills.notices import Notices
from hub.sandbox.tills.orders import Orders, Sale
from hub.sandbox.tills.tables import TABLES
from hub.sandbox.world import OFFLINE_TICKETS, OFFLINE_TILL, World

if TYPE_CHECKING:
    from fastapi import FastAPI

TOKEN = "tills-access-token"  # noqa: S105 - the name of the file that holds it
BACKLOG = 300  # tickets since the night files, those of the offline till among them
OFFLINE_BEFORE_NIGHT = timedelta(minutes=50)  # the offline till sold within this span before the night file
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
        self.catalog = Catalog(state, world)
        self.inventory = Counts(state, world, clock)
        self.orders = Orders(state, world)
        self.notices = Notices(state, clock, self.catalog.merchant_id)

    def populate(self, baskets: Baskets) -> None:
        """Articles, outdated counts, and the tickets since the night files; their webhooks are long gone."""
        with self.state.transaction():
            self.catalog.populate()
            self.inventory.populate()
            self._sell_offline(baskets)
            for basket in baskets.between(self.world.night, self.world.start, BACKLOG - OFFLINE_TICKETS):
                came_in = max(basket.at, self.back_online) if (basket.store, basket.till) == OFFLINE_TILL else basket.at
                self._sell(basket.store, basket.lines, basket.at, basket.till, basket.operator, came_in)

    @property
    def back_online(self) -> datetime:
        """When the till that had no network last night uploaded its tickets: this morning, before ``start``."""
        hour, minute = BACK_ONLINE
        evening = self.world.night.astimezone(PARIS)
        morning = (evening + timedelta(days=1)).replace(hour=hour, minute=minute)
        return min(morning, self.world.start - timedelta(minutes=10)).astimezone(self.world.night.tzinfo)

    def _sell_offline(self, baskets: Baskets) -> None:
        store, till = OFFLINE_TILL
        operator = self.world.location(store).operators[0]
        for n in range(OFFLINE_TICKETS):
            at = self.world.night - OFFLINE_BEFORE_NIGHT * (OFFLINE_TICKETS - n) / OFFLINE_TICKETS
            self._sell(store, baskets.lines(n + 1), at, till, operator, self.back_online)

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
        lines: Iterable[Line | tuple[str, int]],
        at: datetime | None = None,
        till: int = 1,
        uploaded_at: datetime | None = None,
        operator: str | None = None,
    ) -> dict[str, Any]:
        """A customer pays: the order as Square shows it. Lowers the till's own count and sends ``order.updated``.

        ``at`` is the true time (default: now) and ``uploaded_at`` when Square learns of it (default: then).
        """
        with self.state.transaction():
            moment = at or self.clock.now()
            cashier = operator or self.world.location(store).operators[0]
            order = self._sell(store, lines, moment, till, cashier, uploaded_at or moment)
            self.notices.order_updated(order)
        return order

    def _sell(
        self,
        store: str,
        lines: Iterable[Line | tuple[str, int]],
        at: datetime,
        till: int,
        operator: str,
        uploaded_at: datetime,
    ) -> dict[str, Any]:
        wanted = [line if isinstance(line, Line) else Line(sku=line[0], quantity=line[1]) for line in lines]
        ticket = self.floor.next_ticket(store, till, business_day(at))
        sale = Sale(
            store=store,
            location_id=self.catalog.location_ids()[store],
            till=till,
            operator=operator,
            business_day=ticket.business_day,
            sequence=ticket.sequence,
            at=at,
            uploaded_at=uploaded_at,
            lines=[(self.catalog.variation(line.sku), line.quantity) for line in wanted],
        )
        self.floor.sell(store, till, ticket, _merged(wanted), uploaded_at)
        self.inventory.sold(sale.location_id, _pieces(sale), sale.occurred_at)
        return self.orders.write(sale)

    def counts(self) -> dict[str, int]:
        """The tills' own numbers by ``SKU@LOCATION`` in the retailer's codes."""
        return self.inventory.numbers()


def _merged(lines: Iterable[Line]) -> list[Line]:
    """One line for each article: a cashier may scan it twice."""
    total: dict[str, int] = {}
    for line in lines:
        total[line.sku] = total.get(line.sku, 0) + line.quantity
    return [Line(sku=sku, quantity=n) for sku, n in total.items()]


def _pieces(sale: Sale) -> dict[str, int]:
    total: dict[str, int] = {}
    for variation, n in sale.lines:
        total[variation.id] = total.get(variation.id, 0) + n
    return total
