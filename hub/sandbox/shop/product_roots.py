"""Where a query about products, their texts or pictures may start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub.sandbox.shop.pages import LARGEST, View, connection, cursor_value, page, page_size
from hub.sandbox.shop.requests import condition_of, refuse_more_than
from hub.sandbox.shop.tables import gid, legacy_id
from hub.sandbox.shop.texts import LISTED, LOCALES, PRIMARY, digest
from hub.sandbox.shop.views import Views

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from hub.sandbox.shop.shop import Shop

    Info = GraphQLResolveInfo[Any]

OF_VARIANTS = "p.id IN (SELECT product_id FROM shop_variant WHERE {column} {{}})"
PRODUCT_FIELDS = {
    **{name: f"p.{name}" for name in ("id", "title", "handle", "status", "vendor", "product_type")},
    **{name: f"p.{name}" for name in ("created_at", "updated_at")},
    **{name: OF_VARIANTS.format(column=name) for name in ("sku", "barcode")},
}
PRODUCT_SORTS = {"ID": "id", "TITLE": "title", "CREATED_AT": "created_at", "UPDATED_AT": "updated_at"}
FILE_FIELDS = {"id": "id", "filename": "name", "status": "status", "created_at": "created_at"}
KEY_TYPES = {"body_html": "HTML", "handle": "URI"}


class ProductRoots:
    """Resolvers by the names of the root fields."""

    def __init__(self, shop: Shop, views: Views) -> None:
        self._shop = shop
        self._views = views

    def product(self, info: Info, id: str) -> View | None:
        return self._views.products.by_id(legacy_id(id, "Product") or 0)

    def product_by_identifier(self, info: Info, identifier: Mapping[str, Any]) -> View | None:
        """By exactly one of id and handle."""
        if identifier.get("id"):
            return self.product(info, identifier["id"])
        row = self._shop.state.row("SELECT * FROM shop_product WHERE handle = ?", (identifier.get("handle"),))
        return self._views.products.product(row) if row else None

    def product_variant(self, info: Info, id: str) -> View | None:
        return self._views.products.variant_by_id(legacy_id(id, "ProductVariant") or 0)

    def products(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        query: str | None = None,
        sortKey: str = "ID",
        reverse: bool = False,
    ) -> View:
        size, sort = page_size(first), PRODUCT_SORTS[sortKey]
        sql, values = condition_of(query, PRODUCT_FIELDS)
        way = "DESC" if reverse else "ASC"
        if after:
            sql += f" AND (p.{sort}, p.id) {'<' if reverse else '>'} (?, ?)"
            values += cursor_value(after)[:2]
        rows = self._shop.state.rows(
            f"SELECT p.* FROM shop_product p WHERE {sql} ORDER BY p.{sort} {way}, p.id {way} LIMIT ?",  # noqa: S608 - ours
            [*values, size + 1],
        )
        found = [((row[sort], row["id"]), self._views.products.product(row)) for row in rows[:size]]
        return page(found, len(rows) > size, bool(after))

    def files(self, info: Info, first: int | None = None, after: str | None = None, query: str | None = None) -> View:
        size = page_size(first)
        sql, values = condition_of(query, FILE_FIELDS)
        rows = self._shop.media.page(sql, values, cursor_value(after)[0] if after else 0, size + 1)
        found = [((row["id"],), self._views.products.media.image(row)) for row in rows[:size]]
        return page(found, len(rows) > size, bool(after))

    # --- texts ------------------------------------------------------------------------------------

    def shop_locales(self, info: Info, published: bool | None = None) -> list[View]:
        found = [{"locale": locale, "name": name, "primary": locale == PRIMARY} for locale, name in LOCALES.items()]
        return [{**locale, "published": True} for locale in found if published is not False]

    def translatable_resource(self, info: Info, resourceId: str) -> View | None:
        content = self._shop.texts.content(resourceId)
        return None if content is None else self._translatable(resourceId, content)

    def translatable_resources(
        self, info: Info, resourceType: str, first: int | None = None, after: str | None = None
    ) -> View:
        type, table = LISTED[resourceType]
        size, passed = page_size(first), cursor_value(after)[0] if after else 0
        rows = self._shop.state.rows(
            f"SELECT id FROM {table} WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608 - ours
            (passed, size + 1),
        )
        found = [((row["id"],), self.translatable_resource(info, gid(type, row["id"]))) for row in rows[:size]]
        return page([(key, view) for key, view in found if view], len(rows) > size, bool(after))

    def translatable_resources_by_ids(
        self, info: Info, resourceIds: list[str], first: int | None = None, after: str | None = None
    ) -> View:
        refuse_more_than(LARGEST, resourceIds, ["translatableResourcesByIds", "resourceIds"])
        found = [((id,), self.translatable_resource(info, id)) for id in resourceIds]
        return connection([(key, view) for key, view in found if view], first, after)

    def _translatable(self, resource: str, content: Mapping[str, str | None]) -> View:
        return {
            "resourceId": resource,
            "translatableContent": lambda info, marketId=None: [_content(*entry) for entry in content.items()],
            "translations": self._views.products.media.translations(resource),
        }


def _content(key: str, value: str | None) -> View:
    found = {"key": key, "locale": PRIMARY, "value": value, "digest": None if value is None else digest(value)}
    return {**found, "type": KEY_TYPES.get(key, "SINGLE_LINE_TEXT_FIELD")}
