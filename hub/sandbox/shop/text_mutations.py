"""The mutations that write translations and metafields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.sandbox.shop.metafields import APP_NAMESPACE
from hub.sandbox.shop.outcomes import Input
from hub.sandbox.shop.pages import View
from hub.sandbox.shop.requests import told
from hub.sandbox.shop.views import Views
from hub.sandbox.web import Note

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from hub.sandbox.shop.shop import Shop

    Info = GraphQLResolveInfo[Any]


class TextMutations:
    """Resolvers by the names of the root fields."""

    def __init__(self, shop: Shop, views: Views, note: Note) -> None:
        self._shop = shop
        self._views = views
        self._note = note

    def translations_register(self, info: Info, resourceId: str, translations: Sequence[Input]) -> View:
        found, errors = self._shop.texts.register(resourceId, translations)
        self._note.summary = told(f"{len(translations)} translations", errors)
        return {"translations": found, "userErrors": errors}

    def translations_remove(
        self, info: Info, resourceId: str, translationKeys: Sequence[str], locales: Sequence[str]
    ) -> View:
        found, errors = self._shop.texts.remove(resourceId, translationKeys, locales)
        self._note.summary = told(f"{len(found)} translations", errors, "removed")
        return {"translations": found, "userErrors": errors}

    def metafields_set(self, info: Info, metafields: Sequence[Input]) -> View:
        rows, errors = self._shop.metafields.set(metafields)
        self._note.summary = told(f"{len(metafields)} metafields", errors)
        views = None if errors else [self._views.products.metafield(row) for row in rows]
        return {"metafields": views, "userErrors": errors}

    def metafields_delete(self, info: Info, metafields: Sequence[Input]) -> View:
        wanted = [{**entry, "namespace": entry.get("namespace") or APP_NAMESPACE} for entry in metafields]
        gone = self._shop.metafields.delete(wanted)
        self._note.summary = told(f"{len(metafields)} metafields", [], "deleted")
        return {"deletedMetafields": gone, "userErrors": []}
