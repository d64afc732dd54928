"""What Square pushes: https://developer.squareup.com/docs/webhooks/step3validate."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from connectors.square import catalog
from connectors.square.api import Api
from connectors.square.options import Options
from hub.connector import Connection
from hub.errors import ConfigError, Reject, StopRun
from hub.model import CHANGED, Origin, Pushed, Record
from hub.transport.http import parse_json
from hub.transport.times import instant_of

CATALOG = "catalog.version.updated"
SIGNATURE = "x-square-hmacsha256-signature"
AHEAD = timedelta(minutes=5)  # how far Square's clock may run before ours


def verify(connection: Connection, options: Options, request: Pushed) -> None:
    """The signature over notification URL and raw body first, in constant time; then the event's own time.

    The URL is the one that was entered at Square: behind a proxy the gateway sees another.
    """
    key = str(connection.extra.get("webhook_signature_key") or "")
    if not key:
        raise ConfigError("has no webhook_signature_key, so no webhook can be believed", f"connection {connection.id}")
    url = str(connection.extra.get("webhook_url") or request.url)
    signed = base64.b64encode(hmac.new(key.encode(), url.encode() + request.body, hashlib.sha256).digest())
    if not hmac.compare_digest(signed, request.headers.get(SIGNATURE, "").encode()):
        raise Reject(f"headers.{SIGNATURE}", f"the signature does not fit {url} and the body")
    event = _event(request)
    if not event.get("event_id"):
        raise Reject("body.event_id", "is missing")
    _fresh(event, request, options.window)


def identity(request: Pushed) -> str:
    """The event's id, the same each time that Square repeats it."""
    return str(_event(request)["event_id"])


def changes(api: Api, overlap: timedelta, request: Pushed) -> Iterator[Record]:
    """What of ours changed in the catalog; Square says that something did, and since when is asked for.

    Of an order it names the id only, so that message says no more than that there is something to read.
    """
    event = _event(request)
    if event.get("type") != CATALOG:
        return
    origin = Origin(source=request.path, message=identity(request))
    for one in catalog.changed_after(api, _changed_at(event) - overlap):
        item = str(one["id"] if one["type"] == catalog.ITEM else one["item_variation_data"].get("item_id"))
        yield Record(object=CHANGED, key=item, data={"object": "product"}, origin=origin)
        for variation in [one] if one["type"] == catalog.VARIATION else one["item_data"].get("variations") or []:
            yield Record(object=CHANGED, key=variation["id"], data={"object": "price"}, origin=origin)


def _changed_at(event: dict[str, Any]) -> datetime:
    try:
        return instant_of(str(event["data"]["object"]["catalog_version"]["updated_at"]))
    except (KeyError, TypeError, ValueError):
        raise Reject("body.data.object.catalog_version.updated_at", "is missing or no time") from None


def _event(request: Pushed) -> dict[str, Any]:
    try:
        event = parse_json(request.body, request.system)
    except StopRun as error:
        raise Reject("body", str(error)) from None
    if not isinstance(event, dict):
        raise Reject("body", "is no event")
    return event


def _fresh(event: dict[str, Any], request: Pushed, window: timedelta) -> None:
    try:
        age = request.received_at - instant_of(str(event.get("created_at")))
    except ValueError:
        raise Reject("body.created_at", "is missing or no time") from None
    if not -AHEAD <= age <= window:
        raise Reject("body.created_at", f"the event is {age.total_seconds():.0f} s old, allowed are {window}")
