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
from hub.sandbox.shop import backlog, rest_shapes
from hub.sandbox.shop.acts import Acts, Back, Tracking, parts_of
from hub.sandbox.shop.catalog import Catalog
from hub.sandbox.shop.documents import Terms
from hub.sandbox.shop.inventory import Inventory
from hub.sandbox.shop.media import Media
from hub.sandbox.shop.metafields import Metafields
from hub.sandbox.shop.notices import Notices
from hub.sandbox.shop.opening import Opening
from hub.sandbox.shop.options import Options
from hub.sandbox.shop.orders import Orders
from hub.sandbox.shop.products import Products
from hub.sandbox.shop.promises import Promises
from hub.sandbox.shop.tables import TABLES, gid, stored
from hub.sandbox.shop.texts import Texts, digest
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
        self.promises = Promises(self.inventory)
        self.orders = Orders(state, self.catalog, self.promises, self.notices, clock)
        self.acts = Acts(self.orders, self.notices)

    def populate(self, baskets: Baskets) -> None:
        """Articles, outdated levels and the orders of the last hours."""
        with self.state.transaction():
            Opening(self.catalog).populate()
            self.inventory.populate()
            backlog.populate(self, baskets)

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

    def order(
        self, lines: Iterable[Line | tuple[str, int]], at: datetime | None = None, **terms: Any
    ) -> dict[str, Any]:
        """A customer buys: the order as REST shows it. Lowers ``available`` and sends ``orders/create``.

        ``terms`` are those of :class:`Terms`: ``coupon="BIENVENUE10"``, ``payment="authorized"`` or ``"pending"``,
        ``payments=(("gift_card", 500), ("shopify_payments", None))``, ``changes={"currency": "USD"}`` and so on.
        """
        wanted = [line if isinstance(line, Line) else Line(sku=line[0], quantity=line[1]) for line in lines]
        return self.orders.place(wanted, at or self.clock.now(), Terms(**terms))

    def pay(self, order_id: int, cents: int | None = None, gateway: str | None = None) -> dict[str, Any]:
        """Money comes in, all that is outstanding unless ``cents`` says less. Sends ``orders/paid`` once it is all."""
        return self.acts.pay(order_id, self.clock.now(), cents, gateway)

    def cancel(self, order_id: int) -> dict[str, Any]:
        """A customer changes their mind: the order as REST shows it now. Sends ``orders/cancelled``."""
        return self.acts.cancel(order_id, self.clock.now())

    def fulfil(
        self,
        order_id: int,
        tracking: str | None = None,
        carrier: str | None = None,
        *,
        lines: Iterable[tuple[str, int]] | None = None,
    ) -> list[dict[str, Any]]:
        """A person sends all that is left, or ``lines`` (the retailer's codes and pieces), one parcel from each place.

        Answers the fulfilments as REST shows them.
        """
        if lines is None:
            parts = parts_of(self.promises.of(order_id))
        else:
            wanted = [(self._line(order_id, code)["id"], pieces) for code, pieces in lines]
            parts = [part for line, pieces in wanted for part in self.promises.pick(order_id, line, pieces)]
        places = dict.fromkeys(promise.location_id for promise, _ in parts)
        by_place = [[part for part in parts if part[0].location_id == place] for place in places]
        track = Tracking(company=carrier, number=tracking)
        return [self.acts.fulfil(order_id, group, track, self.clock.now()) for group in by_place]

    def take_back(self, order_id: int, fulfillment_id: int) -> dict[str, Any]:
        """A person cancels a parcel that stays after all: the fulfilment as REST shows it. Sends ``orders/updated``."""
        return self.acts.take_back(order_id, fulfillment_id, self.clock.now())

    def refund(
        self,
        order_id: int,
        lines: Iterable[tuple[str, int]] = (),
        location: str | None = None,
        *,
        restock: bool = True,
        cents: int | None = None,
        shipping_cents: int = 0,
        note: str | None = None,
    ) -> dict[str, Any]:
        """A person refunds pieces (the retailer's codes) or money alone: the refund as REST shows it.

        Pieces that were sent are put back at ``location`` (nowhere without one), those that were not
        where they were promised. Sends ``refunds/create`` and ``orders/updated``.
        """
        row = self.state.row("SELECT id FROM shop_location WHERE code = ?", (location,)) if location else None
        if location and row is None:
            raise KeyError(location)
        backs = [self._back(order_id, *line, row["id"] if row else None, restock) for line in lines]
        return self.acts.refund(order_id, backs, self.clock.now(), amount=cents, shipping=shipping_cents, note=note)

    def _back(self, order_id: int, code: str, quantity: int, location: int | None, restock: bool) -> Back:
        line = self._line(order_id, code)
        unsent = line["fulfillable_quantity"] >= quantity
        kind = "cancel" if unsent else "return" if location else "no_restock"
        return Back(
            line_id=line["id"], quantity=quantity, restock=kind if restock else "no_restock", location_id=location
        )

    def edit(self, order_id: int, code: str, quantity: int) -> dict[str, Any]:
        """A person changes how many pieces of an article are left in an order. Sends ``orders/edited``."""
        return self.acts.edit(order_id, self._line(order_id, code)["id"], quantity, self.clock.now())

    def _line(self, order_id: int, code: str) -> dict[str, Any]:
        order, variant = self.orders.get(order_id), self.catalog.variant(code)
        lines = [line for line in order["line_items"] if line["variant_id"] == variant.id] if order else []
        if not lines:
            raise KeyError(f"{order_id} {code}")
        found: dict[str, Any] = lines[0]
        return found

    def merchandiser_edits(self, product: str, **texts: str) -> dict[str, Any]:
        """A person changes a product (the retailer's code) in the admin: the product as REST shows it.

        ``texts`` are named as in ``ProductUpdateInput`` (title, descriptionHtml, vendor, productType, status).
        Sends ``products/update``.
        """
        id = self.catalog.product_of(product)["id"]
        with self.state.transaction():
            outcome = self.products.update(id, texts)
            if outcome.errors:
                raise ValueError(outcome.errors[0]["message"])
            return self._told(id)

    def merchandiser_prices(self, code: str, price_cents: int, compare_at_cents: int | None = None) -> dict[str, Any]:
        """A person types another price of an article into the admin; sends ``products/update``."""
        variant = self.catalog.variant(code)
        with self.state.transaction():
            self.state.execute(
                "UPDATE shop_variant SET price_cents = ?, compare_at_cents = ?, updated_at = ? WHERE id = ?",
                (price_cents, compare_at_cents, stored(self.clock.now()), variant.id),
            )
            self.catalog.touch([variant.product_id], stored(self.clock.now()))
            return self._told(variant.product_id)

    def merchandiser_removes_picture(self, product: str, position: int) -> dict[str, Any]:
        """A person takes the picture at ``position`` (from 1) off a product; sends ``products/update``."""
        id = self.catalog.product_of(product)["id"]
        with self.state.transaction():
            self.media.detach(id, [self.catalog.files(id)[position - 1]["id"]])
            return self._told(id)

    def _told(self, product_id: int) -> dict[str, Any]:
        document = self.product_document(self.catalog.product(product_id))
        self.notices.send("products/update", document)
        return document

    def merchandiser_translates(self, product: str, locale: str, key: str, text: str) -> None:
        """A person types another translation of a product's ``title`` or ``body_html``; Shopify tells nobody."""
        resource = gid("Product", self.catalog.product_of(product)["id"])
        present = (self.texts.content(resource) or {})[key] or ""
        entry = {"key": key, "locale": locale, "value": text, "translatableContentDigest": digest(present)}
        with self.state.transaction():
            _, errors = self.texts.register(resource, [entry])
        if errors:
            raise ValueError(errors[0]["message"])

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
