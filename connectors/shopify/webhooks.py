"""What the shop pushes: https://shopify.dev/docs/apps/build/webhooks/subscribe/https."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import timedelta

from connectors.shopify.options import Options
from connectors.shopify.orders import record
from hub.connector import Connection
from hub.errors import ConfigError, Reject, StopRun
from hub.model import Origin, Pushed, Record
from hub.transport.http import parse_json
from hub.transport.times import instant_of

SIGNATURE = "x-shopify-hmac-sha256"
TRIGGERED = "x-shopify-triggered-at"
DELIVERY = "x-shopify-webhook-id"
TOPIC = "x-shopify-topic"
ORDERS = ("orders/create", "orders/updated", "orders/edited", "orders/cancelled")
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
    """The order of an order topic; nothing for other topics."""
    if request.headers.get(TOPIC) not in ORDERS:
        return
    place = f"{request.system} {request.headers[TOPIC]}"
    try:
        found = record(parse_json(request.body, place), Origin(source=place, message=request.headers.get(DELIVERY)))
    except StopRun as error:
        raise Reject("body", str(error)) from None
    if not isinstance(found, Record):
        raise Reject(found.path, found.reason)
    yield found
