"""What is pushed to the gateway: signed by whom we know, and not what they usually send; or not signed at all."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from contract.suite import Context
from hypothesis import strategies as st
from support.fuzz.records import mapped, samples
from support.fuzz.target import Target
from support.fuzz.values import CANARY, EDITS, HOSTILE, TEXTS, as_json, mutated
from support.fuzz.vendors import FOLDERS, NOW, Standing, built

from hub.connector import Connection
from hub.errors import Reject
from hub.flow.ingest import unpacked
from hub.model import Origin, Pushed

URL = "https://hub.example.org/hooks/{}"
PRODUCT = {"id": 7, "title": "T", "updated_at": NOW.isoformat(), "variants": [{"id": 8, "inventory_item_id": 9}]}
EVENT = {
    "merchant_id": "M", "type": "order.updated", "event_id": "e-1", "created_at": NOW.isoformat(),
    "data": {"type": "order", "id": "o-1", "object": {"order_updated": {"order_id": "o-1", "version": 1}}},
}  # fmt: skip
TOPICS = ("orders/create", "orders/updated", "products/update", "refunds/create", "app/uninstalled")


def _body(system: str, topic: str) -> Any:
    if system == "tills":
        return EVENT
    order = next(given for object, given in samples("shopify") if object == "orders")
    return PRODUCT if topic.startswith("products") else order


def _signature(system: str, body: bytes) -> dict[str, str]:
    signed = body if system == "shop" else URL.format(system).encode() + body
    name = "x-shopify-hmac-sha256" if system == "shop" else "x-square-hmacsha256-signature"
    return {name: base64.b64encode(hmac.new(CANARY.encode(), signed, hashlib.sha256).digest()).decode()}


def _take(given: tuple[str, str, Any, Any, Mapping[str, str], bool]) -> object:
    system, topic, edits, whole, headers, honest = given
    body = as_json(mutated(_body(system, topic), edits) if whole is None else whole)
    told = {"x-shopify-topic": topic, "x-shopify-webhook-id": "w-1", "x-shopify-triggered-at": NOW.isoformat()}
    sent = {**told, **headers, **_signature(system, body if honest else body + b" ")}
    url = URL.format(system)
    request = Pushed(system=system, path=f"/hooks/{system}", url=url, headers=sent, body=body, received_at=NOW)
    extra = {"webhook_secret": CANARY, "webhook_signature_key": CANARY}
    connection = Connection(id=system, host="vendor.example.org", password=CANARY, extra=extra)
    connector = built(system, Context(system=system, connection=connection, clock=Standing()), None)
    try:
        connector.verify(request)
    except Reject as refusal:
        return refusal
    assert honest, "a forged message was taken for a true one"
    assert isinstance(connector.identity(request), str)
    mapped(FOLDERS[system], unpacked(connector, request, Origin(source="pushed", line=1)))
    return None


HEADERS = st.dictionaries(
    st.sampled_from(("x-shopify-topic", "x-shopify-webhook-id", "x-shopify-triggered-at", "host", "x-other")),
    st.sampled_from(TEXTS) | st.text(max_size=10),
    max_size=2,
)
WHOLE = st.none() | st.none() | st.none() | HOSTILE
SYSTEMS, HONEST = st.sampled_from(("shop", "tills")), st.sampled_from((True, True, True, False))
INPUTS = st.tuples(SYSTEMS, st.sampled_from(TOPICS), EDITS, WHOLE, HEADERS, HONEST)
TARGETS = [Target(name="webhook", inputs=INPUTS, take=_take, share=14)]
