"""The roots of the shop's GraphQL schema: stock and orders here, products and what is written beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from hub.sandbox.shop.media_mutations import MediaMutations
from hub.sandbox.shop.order_mutations import OrderMutations
from hub.sandbox.shop.pages import LARGEST, View, connection, cursor_value, page, page_size
from hub.sandbox.shop.product_mutations import ProductMutations
from hub.sandbox.shop.product_roots import ProductRoots
from hub.sandbox.shop.quantities import Outcome, Quantities
from hub.sandbox.shop.requests import condition_of, idempotency_key, refuse_more_than
from hub.sandbox.shop.tables import legacy_id
from hub.sandbox.shop.text_mutations import TextMutations
from hub.sandbox.shop.views import Views

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo, GraphQLSchema

    from hub.sandbox.shop.shop import Shop
    from hub.sandbox.web import Note

    Info = GraphQLResolveInfo[Any]

VARIANT_FIELDS = {"id": "v.id", "sku": "v.sku", "barcode": "v.barcode", "product_id": "v.product_id"}
ITEM_FIELDS = {"id": "v.item_id", "sku": "v.sku", "created_at": "v.created_at"}
ORDER_FIELDS = {
    "id": "id",
    "name": "'#' || number",
    "created_at": "created_at",
    "processed_at": "created_at",
    "updated_at": "updated_at",
}
SORTS = {"ID": "id", "CREATED_AT": "created_at", "PROCESSED_AT": "created_at", "UPDATED_AT": "updated_at"}


@cache
def schema() -> GraphQLSchema:
    """The shop's own subset of the Admin schema."""
    from graphql import build_schema

    parts = sorted((part.name, part) for part in resources.files(__package__).joinpath("schema").iterdir())
    return build_schema(
        "\n".join(part.read_text(encoding="utf-8") for name, part in parts if name.endswith(".graphql"))
    )


class Roots:
    """The root value of one execution: graphql-core calls its methods by the names of the root fields."""

    def __init__(self, shop: Shop, note: Note, base: str = "") -> None:
        self._shop = shop
        self._note = note
        self._views = Views(shop, base)
        self._parts = (
            self,
            ProductRoots(shop, self._views),
            ProductMutations(shop, self._views, note),
            TextMutations(shop, self._views, note),
            OrderMutations(shop, self._views, note),
            MediaMutations(shop, self._views, note, base),
        )

    def __getitem__(self, name: str) -> Callable[..., Any]:
        """The resolver of root field ``name``: camelCase in the schema, snake_case here."""
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
        part = next(part for part in self._parts if hasattr(type(part), snake))
        return getattr(part, snake)  # type: ignore[no-any-return]

    def shop(self, info: Info) -> View:
        return self._views.shop_view()

    def node(self, info: Info, id: str) -> View | None:
        return self._views.node(id)

    def nodes(self, info: Info, ids: list[str]) -> list[View | None]:
        refuse_more_than(LARGEST, ids, ["nodes", "ids"])
        return [self._views.node(id) for id in ids]

    def location(self, info: Info, id: str | None = None) -> View | None:
        return self._views.location(None if id is None else legacy_id(id, "Location") or 0)

    def locations(self, info: Info, first: int | None = None, after: str | None = None) -> View:
        places = [((id,), view) for id in self._views.locations if (view := self._views.location(id))]
        return connection(places, first, after)

    def product_variants(
        self, info: Info, first: int | None = None, after: str | None = None, query: str | None = None
    ) -> View:
        return self._variants("id", VARIANT_FIELDS, self._views.variant, first, after, query)

    def inventory_items(
        self, info: Info, first: int | None = None, after: str | None = None, query: str | None = None
    ) -> View:
        return self._variants("item_id", ITEM_FIELDS, lambda v: self._views.item(v.item_id), first, after, query)

    def inventory_item(self, info: Info, id: str) -> View | None:
        return self._views.item(legacy_id(id, "InventoryItem") or 0)

    def inventory_level(self, info: Info, id: str) -> View | None:
        return self._views.level_by_gid(id)

    def order(self, info: Info, id: str) -> View | None:
        return self._views.node(id) if legacy_id(id, "Order") else None

    def fulfillment_order(self, info: Info, id: str) -> View | None:
        return self._views.orders.group_by_id(legacy_id(id, "FulfillmentOrder") or 0)

    def fulfillment(self, info: Info, id: str) -> View | None:
        return self._views.orders.fulfillment_by_id(legacy_id(id, "Fulfillment") or 0)

    def refund(self, info: Info, id: str) -> View | None:
        return self._views.orders.refund_by_id(legacy_id(id, "Refund") or 0)

    def orders(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        query: str | None = None,
        sortKey: str = "PROCESSED_AT",
        reverse: bool = False,
    ) -> View:
        import json

        size, sort = page_size(first), SORTS[sortKey]
        sql, values = condition_of(query, ORDER_FIELDS)
        terms = [sql]
        if after:
            terms.append(f"({sort}, id) {'<' if reverse else '>'} (?, ?)")
            values += cursor_value(after)[:2]
        rows = self._shop.orders.page(sort, terms, values, limit=size + 1, reverse=reverse)
        views = [((row["sort"], row["id"]), self._views.orders.order(json.loads(row["document"]))) for row in rows]
        return page(views[:size], len(rows) > size, bool(after))

    def inventory_set_quantities(self, info: Info, input: Mapping[str, Any]) -> View:
        """Set quantities once per idempotency key."""
        key = idempotency_key(info)
        self._note.idempotency_key = key
        refuse_more_than(LARGEST, input["quantities"], ["inventorySetQuantities", "input", "quantities"])
        _require_change_from(input["quantities"])
        outcome = Quantities(self._shop.inventory).set(key, input)
        self._note.summary = _told(input, outcome)
        return {
            "inventoryAdjustmentGroup": self._views.adjustment(outcome.adjustment) if outcome.adjustment else None,
            "userErrors": [
                {
                    "__typename": "InventorySetQuantitiesUserError",
                    "code": e.code,
                    "field": e.field,
                    "message": e.message,
                }
                for e in outcome.errors
            ],
        }

    def _variants(
        self,
        column: str,
        fields: Mapping[str, str],
        view: Callable[[Any], View | None],
        first: int | None,
        after: str | None,
        query: str | None,
    ) -> View:
        size = page_size(first)
        sql, values = condition_of(query, fields)
        passed = cursor_value(after)[0] if after else 0
        rows = self._shop.state.rows(
            f"SELECT v.item_id, v.{column} AS cursor FROM shop_variant v WHERE v.{column} > ? AND {sql}"  # noqa: S608 - columns are ours
            f" ORDER BY v.{column} LIMIT ?",
            [passed, *values, size + 1],
        )
        found = [((row["cursor"],), view(self._views.variants[row["item_id"]])) for row in rows]
        return page([(key, item) for key, item in found[:size] if item], len(rows) > size, bool(after))


def _require_change_from(quantities: list[Mapping[str, Any]]) -> None:
    from graphql import GraphQLError

    if any("changeFromQuantity" not in entry for entry in quantities):
        message = "InventoryQuantityInput must include the following argument: changeFromQuantity."
        raise GraphQLError(message, extensions={"code": "INVALID_FIELD_ARGUMENTS"})


def _told(value: Mapping[str, Any], outcome: Outcome) -> str:
    """One line for the ledger."""
    what = f"{len(value['quantities'])} {value['name']}"
    if outcome.errors:
        return f"{what}: refused, {', '.join(sorted({error.code for error in outcome.errors}))}"
    return f"{what}: {'set' if outcome.adjustment else 'nothing to change'}"
