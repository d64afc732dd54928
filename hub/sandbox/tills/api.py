"""Square's addresses, who may come in, and how often."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from hub.sandbox.limits import Bucket
from hub.sandbox.tills import requests as read
from hub.sandbox.tills.catalog import item_document, location_document, variation_document
from hub.sandbox.tills.errors import NOT_FOUND, RATE_LIMITED, UNAUTHORIZED, refused
from hub.sandbox.tills.inventory import InventoryApi
from hub.sandbox.tills.search import OrderSearch
from hub.sandbox.web import Note, Refusal, Reply, Request, Route, Web

if TYPE_CHECKING:
    from hub.sandbox.tills.tills import Tills

# Square publishes no number; 20 calls a second is where clients report 429 RATE_LIMITED.
BUCKET, PER_SECOND = 20, 20
CATALOG_PAGE = 100
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")


def web(tills: Tills) -> Web:
    """The tills' API; each call makes one with a full budget of its own."""
    gate = Gate(tills).let_in
    catalog, inventory = CatalogApi(tills), InventoryApi(tills)
    found = [
        ("GET", "locations", catalog.locations, False),
        ("GET", "catalog/list", catalog.objects, False),
        ("POST", "orders/search", OrderSearch(tills).search, False),
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
        self.bucket = Bucket(BUCKET, PER_SECOND)

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


class CatalogApi:
    """Two operations."""

    def __init__(self, tills: Tills) -> None:
        self.tills = tills

    def locations(self, request: Request, note: Note) -> Reply:
        """By name, as Square lists them."""
        rows = self.tills.state.rows("SELECT * FROM till_location ORDER BY trim(name)")
        merchant = self.tills.catalog.merchant_id
        return Reply(body={"locations": [location_document(row, merchant) for row in rows]})

    def objects(self, request: Request, note: Note) -> Reply:
        """Objects of the types asked for, 100 a page; an item carries its variations as well."""
        types = [part.strip().upper() for part in request.query.get("types", "ITEM").split(",")]
        objects = self._objects(types)
        start = read.unseal(request.query["cursor"]) if request.query.get("cursor") else 0
        if not isinstance(start, int) or not 0 <= start < max(1, len(objects)):
            raise read.bad_cursor()
        answer: dict[str, Any] = {"objects": objects[start : start + CATALOG_PAGE]}
        if start + CATALOG_PAGE < len(objects):
            answer["cursor"] = read.seal(start + CATALOG_PAGE)
        return Reply(body=answer)

    def _objects(self, types: list[str]) -> list[dict[str, Any]]:
        variations = self.tills.catalog.variations()
        found: list[dict[str, Any]] = []
        if "ITEM" in types:
            groups = groupby(variations, key=lambda variation: variation.item_id)
            found += [item_document([*group]) for _, group in groups]
        if "ITEM_VARIATION" in types:
            found += [variation_document(variation) for variation in variations]
        return found
