"""The Admin API's addresses, who may come in, and how often."""

from __future__ import annotations

import hmac
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hub.sandbox.limits import Bucket
from hub.sandbox.shop import uploads
from hub.sandbox.shop.graphql import GraphQL
from hub.sandbox.shop.notices import API_VERSION
from hub.sandbox.shop.rest import NOT_FOUND, Rest
from hub.sandbox.web import Gate, Handler, Refusal, Reply, Request, Route, Web

if TYPE_CHECKING:
    from hub.sandbox.shop.shop import Shop

BASE = f"/admin/api/{API_VERSION}"
# https://shopify.dev/docs/api/usage/limits: the standard plan's REST bucket
REST_BUCKET, REST_PER_SECOND = 40, 2
CALL_LIMIT = "X-Shopify-Shop-Api-Call-Limit"
WRONG_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105
TOO_FAST = "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."


def web(shop: Shop) -> Web:
    """The shop's API; each call makes one with full budgets of its own."""
    rest, gates = Rest(shop), Gates(shop)
    graphql = GraphQL(shop)
    routes = [
        _rest("GET", "shop", rest.shop_json, gates.rest),
        _rest("GET", "locations", rest.locations, gates.rest),
        _rest("GET", "products", rest.products, gates.rest),
        _rest("GET", "products/{id}", rest.product, gates.rest),
        _rest("GET", "inventory_levels", rest.inventory_levels, gates.rest),
        _rest("POST", "inventory_levels/set", rest.set_level, gates.rest, write=True),
        _rest("GET", "orders", rest.orders, gates.rest),
        _rest("GET", "orders/{id}", rest.order, gates.rest),
        _rest("GET", "orders/{id}/transactions", rest.transactions, gates.rest),
        _rest("GET", "webhooks", rest.webhooks, gates.rest),
        _rest("POST", "webhooks", rest.add_webhook, gates.rest, write=True),
        _rest("DELETE", "webhooks/{id}", rest.delete_webhook, gates.rest, write=True),
        Route(
            method="POST",
            path=f"{BASE}/graphql.json",
            operation="graphql",
            handler=graphql.post,
            gate=gates.signed_in,
            locks=lambda request: b"mutation" in request.body,
        ),
        *uploads.routes(shop),
    ]
    return Web("shop", shop.ledger, routes, NOT_FOUND)


def _rest(method: str, name: str, handler: Handler, gate: Gate, write: bool = False) -> Route:
    return Route(method=method, path=f"{BASE}/{name}.json", operation=name, handler=handler, gate=gate, write=write)


class Gates:
    """Sign-in and the leaky bucket of the one access token."""

    def __init__(self, shop: Shop) -> None:
        self.token = shop.token
        self.bucket = Bucket(REST_BUCKET, REST_PER_SECOND * shop.state.haste)

    def signed_in(self, request: Request) -> Mapping[str, str]:
        given = request.headers.get("x-shopify-access-token", "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            raise Refusal(Reply(status=401, body={"errors": WRONG_TOKEN}))
        return {"X-Shopify-API-Version": API_VERSION}

    def rest(self, request: Request) -> Mapping[str, str]:
        headers = self.signed_in(request)
        wait = self.bucket.take()
        if wait > 0:
            limits = {CALL_LIMIT: f"{REST_BUCKET}/{REST_BUCKET}", "Retry-After": f"{max(2, math.ceil(wait)):.1f}"}
            raise Refusal(Reply(status=429, body={"errors": TOO_FAST}, headers={**headers, **limits}))
        used = min(REST_BUCKET, math.ceil(self.bucket.used))
        return {**headers, CALL_LIMIT: f"{used}/{REST_BUCKET}"}
