"""What the shop pushes: https://shopify.dev/docs/apps/build/webhooks/subscribe/https."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from connectors.shopify.answers import gid
from connectors.shopify.options import Options
from connectors.shopify.orders import is_split, record
from hub.connector import Connection
from hub.errors import ConfigError, Reject, StopRun
from hub.model import CHANGED, Origin, Pushed, Record
from hub.transport.http import parse_json
from hub.transport.times import instant_of

SIGNATURE = "x-shopify-hmac-sha256"
TRIGGERED = "x-shopify-triggered-at"
DELIVERY = "x-shopify-webhook-id"
TOPIC = "x-shopify-topic"
# Topics whose body is the whole order. orders/edited and refunds/create carry the edit or the refund alone, and the
# shop sends orders/updated with them.
ORDERS = (
    "orders/create",
    "orders/paid",
    "orders/updated",
    "orders/cancelled",
    "orders/fulfilled",
    "orders/partially_fulfilled",
)
PRODUCTS = ("products/create", "products/update")
AHEAD = timedelta(minutes=5)  # how far the shop's clock may run before ours


def verify(connection: Connection, options: Options, request: Pushed) -> None:
    """The signature over the raw body first, in constant time; then the time and the names that are needed."""
    secret = str(connection.extra.get("webhook_secret") or "")
    if not secret:
        raise ConfigError("has no webhook_secret, so no webhook can be believed", f"connection {connection.id}")
    signed = base64.b64encode(hmac.new(secret.encode(), request.body, hashlib.sha256).digest())
    if not hmac.compare_digest(signed, request.headers.get(SIGNATURE, "").encode()):
        raise Reject(f"headers.{SIGNATURE}", "the signature does not fit the body")
    for name in (DELIVERY, TOPIC):
        if not request.headers.get(name):
            raise Reject(f"headers.{name}", "is missing")
    _fresh(request, options.window)


def _fresh(request: Pushed, window: timedelta) -> None:
    try:
        age = request.received_at - instant_of(request.headers.get(TRIGGERED, ""))
    except ValueError:
        raise Reject(f"headers.{TRIGGERED}", "is missing or no time") from None
    if not -AHEAD <= age <= window:
        raise Reject(f"headers.{TRIGGERED}", f"the message is {age.total_seconds():.0f} s old, allowed are {window}")


def unpack(request: Pushed) -> Iterator[Record]:
    """The order of an order topic; of a product, that it and its prices should be looked at; nothing for others.

    An order that was paid in several ways is only a doorbell: how much in which way, the next reading asks.
    """
    topic = request.headers.get(TOPIC)
    if topic not in (*ORDERS, *PRODUCTS):
        return
    origin = Origin(source=f"{request.system} {topic}", message=request.headers.get(DELIVERY))
    try:
        body = parse_json(request.body, origin.source)
    except StopRun as error:
        raise Reject("body", str(error)) from None
    if topic in PRODUCTS:
        yield from changed(body, origin)
        return
    if is_split(body):
        return
    found = record(body, origin)
    if not isinstance(found, Record):
        raise Reject(found.path, found.reason)
    yield found


def changed(body: Any, origin: Origin) -> Iterator[Record]:
    """A product and the prices of its variants, by the shop's ids: what they hold is read from the shop itself."""
    product = body if isinstance(body, dict) else {}
    if not product.get("id"):
        raise Reject("id", "the product has no id")
    yield Record(object=CHANGED, key=gid("Product", product["id"]), data={"object": "product"}, origin=origin)
    variants = product.get("variants")
    for variant in variants if isinstance(variants, list) else ():
        if isinstance(variant, dict) and (item := variant.get("inventory_item_id")):
            yield Record(object=CHANGED, key=gid("InventoryItem", item), data={"object": "price"}, origin=origin)
