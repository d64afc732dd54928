"""Square tills: sales and returns out; counts, prices and products in; a doorbell for what happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from connectors.square import orders, webhooks
from connectors.square.api import Api
from connectors.square.inventory import Inventory
from connectors.square.options import Options
from connectors.square.prices import Prices
from connectors.square.products import Products
from hub.connector import Capability, Connector, Context
from hub.errors import HubError, StopRun
from hub.model import (
    Batch,
    Checkpoint,
    Delivery,
    Handle,
    Health,
    Pushed,
    Receipt,
    Record,
    Reference,
    Remote,
)

if TYPE_CHECKING:
    import requests


class Square(Connector):
    """Source of ``orders``, target of ``stock_level``, ``price`` and ``product``, listener to webhooks."""

    config: ClassVar[type[Options]] = Options
    options: Options

    def __init__(self, config: Options, context: Context, *, session: requests.Session | None = None) -> None:
        super().__init__(config, context)
        self.api = Api(context.connection, config, context.budget, session)
        self.inventory = Inventory(self.api, context.clock)
        self.prices = Prices(self.api)
        self.products = Products(self.api, config.language)

    def check(self) -> Health:
        """Sign in, and see whether webhooks could be verified."""
        try:
            locations = len(self.api.locations())
        except HubError as error:
            return Health(ok=False, detail=str(error))
        key = self.context.connection.extra.get("webhook_signature_key")
        note = (
            ""
            if key
            else "the connection has no webhook_signature_key: webhooks are refused, sales come by reading only"
        )
        return Health(ok=True, detail=note, facts={"locations": locations})

    def read(self, object: str, since: Checkpoint | None) -> Iterator[Batch]:
        if object != orders.OBJECT:
            raise StopRun(f"square reads orders, not {object}")
        yield from orders.read(self.api, self.options, self.context.clock, since)

    def rewind(self, object: str, moment: datetime) -> Checkpoint:
        return orders.rewind(self.api, moment)

    def release(self, checkpoint: Checkpoint) -> None:
        """Square keeps nothing for us."""

    def capability(self, object: str) -> Capability:
        return self._holder(object).capability()

    def write(self, object: str, deliveries: Sequence[Delivery], key: str) -> Iterator[Receipt]:
        yield from self._holder(object).write(deliveries, key)

    def find(self, object: str, references: Sequence[Reference]) -> Mapping[Reference, Remote]:
        if object == "price":
            return self.prices.find(references)
        if object == "product":
            return self.products.find(references)
        return self.inventory.find(object, references)

    def settle(self, handles: Sequence[Handle]) -> Iterator[Receipt]:
        """Square answers at once; nothing is ever under way."""
        return iter(())

    def verify(self, request: Pushed) -> None:
        webhooks.verify(self.context.connection, self.options, request)

    def identity(self, request: Pushed) -> str:
        return webhooks.identity(request)

    def unpack(self, request: Pushed) -> Iterable[Record]:
        """What of ours changed in the catalog; none of an order, which is a doorbell."""
        return webhooks.changes(self.api, self.options.overlap, request)

    def _holder(self, object: str) -> Inventory | Prices | Products:
        """What writes ``object``."""
        if object == "stock_level":
            return self.inventory
        if object == "price":
            return self.prices
        if object == "product":
            return self.products
        raise StopRun(f"square takes stock_level, price and product, not {object}")
