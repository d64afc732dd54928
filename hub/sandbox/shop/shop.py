"""The shop as its people and customers use it; its APIs are beside it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub.sandbox.baskets import Baskets, Line
from hub.sandbox.clock import Clock
from hub.sandbox.ledger import Ledger
from hub.sandbox.shop import rest_shapes
from hub.sandbox.shop.catalog import Catalog
from hub.sandbox.shop.inventory import Inventory
from hub.sandbox.shop.media import Media
from hub.sandbox.shop.metafields import Metafields
from hub.sandbox.shop.notices import Notices
from hub.sandbox.shop.opening import Opening
from hub.sandbox.shop.options import Options
from hub.sandbox.shop.orders import Orders
from hub.sandbox.shop.products import Products
from hub.sandbox.shop.tables import TABLES
from hub.sandbox.shop.texts import Texts
from hub.sandbox.shop.variants import Variants
from hub.sandbox.state import State
from hub.sandbox.world import World

if TYPE_CHECKING:
    from fastapi import FastAPI

TOKEN = "shop-access-token"  # noqa: S105 - the name of the file that holds it


class Shop:
    """Everything lies in ``state``: any number of instances show the same shop."""

    def __init__(self, state: State, world: World, ledger: Ledger, clock: Clock) -> None:
        self.state = state
        self.world = world
        self.ledger = ledger
        self.clock = clock
        state.declare(*TABLES)
        self.catalog = Catalog(state, world)
        self.inventory = Inventory(state, world, clock)
        self.options = Options(self.catalog, clock)
        self.variants = Variants(self.catalog, self.options, self.inventory, clock)
        self.products = Products(self.catalog, self.options, self.variants, clock)
        self.media = Media(self.catalog, clock)
        self.texts = Texts(state, clock)
        self.metafields = Metafields(state, clock)
        self.notices = Notices(state, clock)
        self.orders = Orders(state, self.catalog, self.inventory, self.notices, clock)

    def populate(self, baskets: Baskets) -> None:
        """Articles, outdated levels and the orders of the last hours."""
        with self.state.transaction():
            Opening(self.catalog).populate()
            self.inventory.populate()
            self.orders.populate(baskets)

    def app(self) -> FastAPI:
        """The Admin API under ``/admin/api/2026-04/``."""
        from hub.sandbox.shop.api import web

        return web(self).app()

    # --- credentials ------------------------------------------------------------------------------

    @property
    def token(self) -> str:
        """The access token of the hub's app."""
        return self.state.secret(TOKEN, lambda: f"shpat_{secrets.token_hex(16)}")

    @property
    def webhook_secret(self) -> str:
        return self.notices.secret

    def sign(self, url: str, body: bytes) -> Mapping[str, str]:
        """The headers that prove that a webhook comes from here."""
        return self.notices.sign(url, body)

    def product_document(self, row: Any) -> dict[str, Any]:
        """A product as REST and webhooks show it."""
        held = self.catalog.variants_of(row["id"])
        levels = self.inventory.levels(items=[variant.item_id for variant in held])
        pieces = Counter[int]()
        for level in levels:
            pieces[level.item_id] += level.available
        variants = [rest_shapes.variant(variant, pieces[variant.item_id]) for variant in held]
        return rest_shapes.product(row, self.catalog.options(row["id"]), variants, self.catalog.files(row["id"]))

    # --- what happens in a shop -------------------------------------------------------------------

    def order(self, lines: Iterable[Line | tuple[str, int]], at: datetime | None = None) -> dict[str, Any]:
        """A customer buys: the order as REST shows it. Lowers ``available`` and sends ``orders/create``."""
        wanted = [line if isinstance(line, Line) else Line(sku=line[0], quantity=line[1]) for line in lines]
        return self.orders.place(wanted, at or self.clock.now())

    def cancel(self, order_id: int) -> dict[str, Any]:
        """A customer changes their mind: the order as REST shows it now. Sends ``orders/cancelled``."""
        return self.orders.cancel(order_id, self.clock.now())

    def set_available(self, sku: str, location: str, available: int) -> None:
        """A merchandiser types a number into the admin; nobody is told."""
        row = self.state.row("SELECT id FROM shop_location WHERE code = ?", (location,))
        if row is None:
            raise KeyError(location)
        self.inventory.set_available(self.catalog.variant(sku).item_id, row["id"], available)

    def levels(self, name: str = "available") -> dict[str, int]:
        """``available``, ``committed`` or ``on_hand`` by ``SKU@LOCATION`` in the retailer's codes.

        Articles that only the shop knows are among them, under their own SKU.
        """
        return self.inventory.numbers(name)
