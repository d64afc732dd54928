"""Reading the catalog: lists, objects by id, and searches.

https://developer.squareup.com/docs/catalog-api/search-catalog-objects
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub.sandbox.tills import requests as read
from hub.sandbox.tills.articles import location_document
from hub.sandbox.tills.catalog import ITEM, VARIATION
from hub.sandbox.tills.errors import refused
from hub.sandbox.tills.tables import rfc3339
from hub.sandbox.web import Note, Reply, Request

if TYPE_CHECKING:
    from hub.sandbox.tills.tills import Tills

CATALOG_PAGE = 100
MOST_IDS, MOST_VALUES, LARGEST_PAGE = 1000, 250, 1000
RETRIEVE_NAMES = ("object_ids", "include_related_objects", "include_deleted_objects")
SEARCH_NAMES = (
    "cursor", "object_types", "include_deleted_objects", "include_related_objects", "begin_time", "query", "limit",
)  # fmt: skip
TYPES = (ITEM, VARIATION)
SEARCHED = {ITEM: ("name", "description"), VARIATION: ("name", "sku", "upc")}


class CatalogApi:
    """Four operations."""

    def __init__(self, tills: Tills) -> None:
        self.tills = tills
        self.catalog = tills.catalog

    def locations(self, request: Request, note: Note) -> Reply:
        """By name, as Square lists them."""
        rows = self.tills.state.rows("SELECT * FROM till_location ORDER BY trim(name)")
        return Reply(body={"locations": [location_document(row, self.catalog.merchant_id) for row in rows]})

    def objects(self, request: Request, note: Note) -> Reply:
        """Objects of the types asked for, 100 a page; an item carries its variations as well."""
        types = [part.strip().upper() for part in request.query.get("types", ITEM).split(",")]
        return _page(self._objects(types), request.query.get("cursor"), CATALOG_PAGE, "objects")

    def retrieve(self, request: Request, note: Note) -> Reply:
        """Objects by id, in the order asked for; what is unknown is left out."""
        body = read.body(request, RETRIEVE_NAMES)
        if "object_ids" not in body:
            raise refused("MISSING_REQUIRED_PARAMETER", "Field is required.", "object_ids")
        ids = read.strings(body["object_ids"], "object_ids", MOST_IDS)
        rows = [row for id in dict.fromkeys(ids) if (row := self.catalog.row(id)) is not None]
        found = [row for row in rows if body.get("include_deleted_objects") or not row["deleted"]]
        note.summary = f"{len(found)} objects"
        answer: dict[str, Any] = {"objects": [self.catalog.document(row) for row in found]}
        if body.get("include_related_objects"):
            above = dict.fromkeys(row["item_id"] for row in found if row["item_id"])
            answer["related_objects"] = [self.catalog.document(self.catalog.row(id)) for id in above]
        return Reply(body=answer)

    def search(self, request: Request, note: Note) -> Reply:
        """Objects whose attribute has one of the values asked for, or that changed after ``begin_time``."""
        body = read.body(request, SEARCH_NAMES)
        types = read.strings(body.get("object_types", list(TYPES)), "object_types", 20)
        wanted = _query(read.mapping(body.get("query"), "query"))
        since = rfc3339(read.moment(body["begin_time"], "begin_time")) if "begin_time" in body else ""
        objects = self._objects(types, deleted=bool(body.get("include_deleted_objects")))
        found = [object for object in objects if object["updated_at"] > since and wanted(object)]
        limit = body.get("limit")
        size = limit if isinstance(limit, int) and 0 < limit <= LARGEST_PAGE else LARGEST_PAGE  # else it is ignored
        note.summary = f"{len(found)} objects"
        return _page(found, body.get("cursor"), size, "objects")

    def _objects(self, types: list[str], *, deleted: bool = False) -> list[dict[str, Any]]:
        items = self.catalog.items(deleted=deleted) if ITEM in types else []
        rows = self.catalog.rows(VARIATION, deleted=deleted) if VARIATION in types else []
        return items + [self.catalog.document(row) for row in rows]


class OrderLookup:
    """One operation."""

    def __init__(self, tills: Tills) -> None:
        self.orders = tills.orders

    def retrieve(self, request: Request, note: Note) -> Reply:
        """Orders by id, at most 100; unknown ones are left out."""
        body = read.body(request, ("order_ids", "location_id"))
        if "order_ids" not in body:
            raise refused("MISSING_REQUIRED_PARAMETER", "Field is required.", "order_ids")
        found = self.orders.get(dict.fromkeys(read.strings(body["order_ids"], "order_ids", 100)))
        note.summary = f"{len(found)} orders"
        return Reply(body={"orders": found})


def _page(found: list[dict[str, Any]], cursor: Any, size: int, name: str) -> Reply:
    start = read.unseal(cursor) if cursor else 0
    if not isinstance(start, int) or not 0 <= start < max(1, len(found)):
        raise read.bad_cursor()
    answer: dict[str, Any] = {name: found[start : start + size]}
    if start + size < len(found):
        answer["cursor"] = read.seal(start + size)
    return Reply(body=answer)


def _query(query: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an object fits; of the queries that Square knows these two are served."""
    if not query:
        return lambda object: True
    kind = next(iter(query))
    if len(query) != 1 or kind not in ("set_query", "exact_query"):
        raise refused("INVALID_VALUE", "Exactly one of set_query and exact_query is served here.", "query")
    asked = read.mapping(query[kind], f"query.{kind}")
    name = read.text(asked.get("attribute_name"), f"query.{kind}.attribute_name")
    if kind == "set_query":
        values = read.strings(asked.get("attribute_values"), "query.set_query.attribute_values", MOST_VALUES)
    else:
        values = [read.text(asked.get("attribute_value"), "query.exact_query.attribute_value")]
    wanted = {value.casefold() for value in values}
    return lambda object: name in SEARCHED[object["type"]] and str(_data(object).get(name)).casefold() in wanted


def _data(object: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = object["item_data" if object["type"] == ITEM else "item_variation_data"]
    return found
