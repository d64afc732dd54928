"""The tills' webhooks, with Square's payload, headers and signature.

https://developer.squareup.com/docs/webhooks/step3validate: HMAC-SHA256 over the notification URL
followed by the raw body, under the subscription's signature key, in base64. The body says that there
is an order to read, not what is in it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from hub.sandbox.clock import Clock
from hub.sandbox.state import State
from hub.sandbox.tills.tables import rfc3339, whole_millis
from hub.sandbox.webhooks import Webhooks

GATEWAY_PATH = "/hooks/tills"
SIGNATURE_KEY = "tills-webhook-signature-key"  # the name of the file that holds it


class Notices:
    """Stateless over :class:`State`; what it tells belongs into the transaction of what happened."""

    def __init__(self, state: State, clock: Clock, merchant_id: str) -> None:
        self.state = state
        self.clock = clock
        self.merchant_id = merchant_id
        self.webhooks = Webhooks(state)

    @property
    def key(self) -> str:
        """The subscription's signature key."""
        return self.state.secret(SIGNATURE_KEY, lambda: secrets.token_urlsafe(16))

    def sign(self, url: str, body: bytes) -> Mapping[str, str]:
        """Square signs the address together with the body."""
        digest = hmac.new(self.key.encode(), url.encode() + body, hashlib.sha256).digest()
        return {"x-square-hmacsha256-signature": base64.b64encode(digest).decode()}

    def order_updated(self, order: Mapping[str, Any]) -> None:
        """Tell the subscriber that a ticket came in, or changed."""
        names = ("location_id", "state", "created_at", "updated_at", "version")
        updated = {"order_id": order["id"], **{name: order[name] for name in names}}
        data = {"type": "order_updated", "id": order["id"], "object": {"order_updated": updated}}
        self._enqueue("order.updated", data)

    def catalog_updated(self) -> None:
        """Tell the subscriber that something in the catalog changed; Square does not say what."""
        version = {"updated_at": rfc3339(whole_millis(self.clock.now()))}
        self._enqueue("catalog.version.updated", {"type": "catalog", "object": {"catalog_version": version}})

    def _enqueue(self, type: str, data: Mapping[str, Any]) -> None:
        now = rfc3339(whole_millis(self.clock.now()))
        event = {
            "merchant_id": self.merchant_id,
            "type": type,
            "event_id": str(uuid.uuid4()),
            "created_at": now,
            "data": data,
        }
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Square Connect v2",
            "square-environment": "Production",
            "square-initial-delivery-timestamp": now,
        }
        self.webhooks.enqueue("tills", GATEWAY_PATH, headers, json.dumps(event).encode())
