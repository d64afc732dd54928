"""A Shopify shop: orders out, available stock in, webhooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from connectors.shopify import orders, webhooks
from connectors.shopify.admin import Admin
from connectors.shopify.holdings import Holdings
from connectors.shopify.inventory import Inventory
from connectors.shopify.options import Options
from connectors.shopify.prices import Prices
from connectors.shopify.products import Products
from connectors.shopify.progress import Progress
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


class Shopify(Connector):
    """Source of ``orders``; target of ``stock_level``, ``price``, ``product`` and ``order``; listener to webhooks."""

    config: ClassVar[type[Options]] = Options
    options: Options

    def __init__(self, config: Options, context: Context, *, session: requests.Session | None = None) -> None:
        super().__init__(config, context)
        self.admin = Admin(context.connection, config, context.budget, session)
        self.holdings = Holdings(self.admin, config)
        self.inventory = Inventory(self.admin, self.holdings, config)
        self.prices = Prices(self.admin)
        # asked for when it is needed: a tool that only checks has no pictures to hand out
        self.products = Products(self.admin, config, lambda hash: context.content(hash))
        self.progress = Progress(self.admin)

    def check(self) -> Health:
        """Sign in, and see whether webhooks could be verified."""
        try:
            _, body = self.admin.rest("shop.json")
            name = str(body["shop"]["name"])
        except HubError as error:
            return Health(ok=False, detail=str(error))
        except (LookupError, TypeError):
            return Health(ok=False, detail=f"{self.admin.system} answered with something that is no shop")
        secret = self.context.connection.extra.get("webhook_secret")
        note = (
            "" if secret else "the connection has no webhook_secret: webhooks are refused, orders come by reading only"
        )
        return Health(ok=True, detail=note, facts={"shop": name})

    def read(self, object: str, since: Checkpoint | None) -> Iterator[Batch]:
        if object != orders.OBJECT:
            raise StopRun(f"shopify reads orders, not {object}")
        yield from orders.read(self.admin, self.options, self.context.clock, since)

    def rewind(self, object: str, moment: datetime) -> Checkpoint:
        return Checkpoint(value={"updated_at": moment.isoformat()})

    def release(self, checkpoint: Checkpoint) -> None:
        """The shop keeps nothing for us."""

    def capability(self, object: str) -> Capability:
        match object:
            case "stock_level":
                return self.inventory.capability()
            case "price":
                return self.prices.capability()
            case "product":
                return self.products.capability()
            case "order":
                return self.progress.capability()
        raise _strange("takes", object)

    def write(self, object: str, deliveries: Sequence[Delivery], key: str) -> Iterator[Receipt]:
        match object:
            case "stock_level":
                yield from self.inventory.write(deliveries, key)
            case "price":
                yield from self.prices.write(deliveries)
            case "product":
                yield from self.products.write(deliveries)
            case "order":
                yield from self.progress.write(deliveries)
            case _:
                raise _strange("takes", object)

    def find(self, object: str, references: Sequence[Reference]) -> Mapping[Reference, Remote]:
        match object:
            case "price":
                return self.prices.find(references)
            case "product":
                return self.products.find(references)
            case "order":
                return self.progress.find(references)
        return self.holdings.find(object, references)

    def settle(self, handles: Sequence[Handle]) -> Iterator[Receipt]:
        """The shop answers at once; nothing is ever under way."""
        return iter(())

    def verify(self, request: Pushed) -> None:
        webhooks.verify(self.context.connection, self.options, request)

    def identity(self, request: Pushed) -> str:
        """The id of the delivery, the same each time that the shop repeats it."""
        return request.headers[webhooks.DELIVERY]

    def unpack(self, request: Pushed) -> Iterable[Record]:
        return webhooks.unpack(request)


def _strange(does: str, object: str) -> StopRun:
    return StopRun(f"shopify {does} stock_level, price, product and order, not {object}")
