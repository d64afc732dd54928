"""The shop's webhooks: who gets which, with Shopify's headers and signature.

https://shopify.dev/docs/apps/build/webhooks/subscribe/https: HMAC-SHA256 of the raw body under the
app's client secret, in base64; ``X-Shopify-Webhook-Id`` names the delivery, ``X-Shopify-Event-Id``
what happened.
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
from hub.sandbox.shop.tables import stored
from hub.sandbox.state import State
from hub.sandbox.webhooks import Webhooks

API_VERSION = "2026-04"
DOMAIN = "maison-omni.myshopify.com"
TOPICS = (
    "orders/create", "orders/paid", "orders/updated", "orders/edited", "orders/cancelled", "orders/fulfilled",
    "refunds/create", "products/update",
)  # fmt: skip
GATEWAY_PATH = "/hooks/shop"  # the app itself subscribes to TOPICS here; REST adds further addresses
SECRET = "shop-webhook-secret"  # noqa: S105 - the name of the file that holds it


class Notices:
    """Stateless over :class:`State`; ``send`` belongs into the transaction of what it tells."""

    def __init__(self, state: State, clock: Clock) -> None:
        self.state = state
        self.clock = clock
        self.webhooks = Webhooks(state)

    @property
    def secret(self) -> str:
        """The app's client secret, which signs every webhook."""
        return self.state.secret(SECRET, lambda: secrets.token_hex(16))

    def sign(self, url: str, body: bytes) -> Mapping[str, str]:
        """Shopify signs the body alone."""
        digest = hmac.new(self.secret.encode(), body, hashlib.sha256).digest()
        return {"X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode()}

    def send(self, topic: str, document: Mapping[str, Any]) -> None:
        """Tell every subscriber of ``topic``."""
        event, at = str(uuid.uuid4()), self.clock.now().isoformat()
        body = json.dumps(document, ensure_ascii=False).encode()
        for address in (GATEWAY_PATH, *self._addresses(topic)):
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "Shopify-Captain-Hook",
                "X-Shopify-Topic": topic,
                "X-Shopify-Shop-Domain": DOMAIN,
                "X-Shopify-API-Version": API_VERSION,
                "X-Shopify-Webhook-Id": str(uuid.uuid4()),
                "X-Shopify-Event-Id": event,
                "X-Shopify-Triggered-At": at,
                **_subject(topic, document),
            }
            self.webhooks.enqueue("shop", address, headers, body)

    def _addresses(self, topic: str) -> list[str]:
        rows = self.state.rows("SELECT address FROM shop_subscription WHERE topic = ? ORDER BY id", (topic,))
        return [row["address"] for row in rows]

    # --- subscriptions made by REST ---------------------------------------------------------------

    def subscriptions(self) -> list[Any]:
        return self.state.rows("SELECT * FROM shop_subscription ORDER BY id")

    def subscribe(self, topic: str, address: str) -> Any:
        """The new subscription; ``sqlite3.IntegrityError`` when this address has the topic already."""
        cursor = self.state.execute(
            "INSERT INTO shop_subscription (topic, address, created_at) VALUES (?, ?, ?)",
            (topic, address, stored(self.clock.now())),
        )
        return self.state.row("SELECT * FROM shop_subscription WHERE id = ?", (cursor.lastrowid,))

    def unsubscribe(self, id: int) -> bool:
        """Whether there was such a subscription."""
        return self.state.execute("DELETE FROM shop_subscription WHERE id = ?", (id,)).rowcount == 1


def _subject(topic: str, document: Mapping[str, Any]) -> dict[str, str]:
    """The header that names what a message is about."""
    if topic == "products/update":
        return {"X-Shopify-Product-Id": str(document["id"])}
    about = document.get("order_edit", document)
    return {"X-Shopify-Order-Id": str(about.get("order_id", about["id"]))}
