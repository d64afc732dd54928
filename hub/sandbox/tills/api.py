"""Square's addresses, who may come in, and how often."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hub.sandbox.limits import Bucket
from hub.sandbox.tills.errors import NOT_FOUND, RATE_LIMITED, UNAUTHORIZED, refused
from hub.sandbox.tills.inventory import InventoryApi
from hub.sandbox.tills.lookup import CatalogApi, OrderLookup
from hub.sandbox.tills.search import OrderSearch
from hub.sandbox.tills.upsert import Upsert
from hub.sandbox.web import Refusal, Request, Route, Web

if TYPE_CHECKING:
    from hub.sandbox.tills.tills import Tills

# Square publishes no number; 20 calls a second is where clients report 429 RATE_LIMITED.
BUCKET, PER_SECOND = 20, 20
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")


def web(tills: Tills) -> Web:
    """The tills' API; each call makes one with a full budget of its own."""
    gate = Gate(tills).let_in
    catalog, inventory = CatalogApi(tills), InventoryApi(tills)
    found = [
        ("GET", "locations", catalog.locations, False),
        ("GET", "catalog/list", catalog.objects, False),
        ("POST", "catalog/batch-retrieve", catalog.retrieve, False),
        ("POST", "catalog/search", catalog.search, False),
        ("POST", "catalog/batch-upsert", Upsert(tills).upsert, True),
        ("POST", "orders/search", OrderSearch(tills).search, False),
        ("POST", "orders/batch-retrieve", OrderLookup(tills).retrieve, False),
        ("POST", "inventory/counts/batch-retrieve", inventory.retrieve, False),
        ("POST", "inventory/changes/batch-create", inventory.change, True),
    ]
    routes = [
        Route(method=method, path=f"/v2/{name}", operation=name, handler=handler, gate=gate, write=write)
        for method, name, handler, write in found
    ]
    return Web("tills", tills.ledger, routes, NOT_FOUND)


class Gate:
    """Sign-in, API version and the bucket of the one access token."""

    def __init__(self, tills: Tills) -> None:
        self.token = tills.token
        self.bucket = Bucket(BUCKET, PER_SECOND * tills.state.haste)

    def let_in(self, request: Request) -> Mapping[str, str]:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            raise Refusal(UNAUTHORIZED)
        version = request.headers.get("square-version", "")
        if not VERSION.fullmatch(version):
            text = "The Square-Version header must be a date: YYYY-MM-DD."
            raise refused("INVALID_SQUARE_VERSION_FORMAT", text, "Square-Version")
        if self.bucket.take() > 0:
            raise Refusal(RATE_LIMITED)
        return {"Square-Version": version}
