"""The mutations that write products, options and variants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.sandbox.shop.catalog import variant_gid
from hub.sandbox.shop.metafields import AT_ONCE
from hub.sandbox.shop.outcomes import Input, Outcome, refused
from hub.sandbox.shop.pages import LARGEST, View
from hub.sandbox.shop.requests import refuse_more_than, told
from hub.sandbox.shop.tables import gid, legacy_id
from hub.sandbox.shop.views import Views
from hub.sandbox.web import Note

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from hub.sandbox.shop.shop import Shop

    Info = GraphQLResolveInfo[Any]


class ProductMutations:
    """Resolvers by the names of the root fields; each call is carried out whole or not at all."""

    def __init__(self, shop: Shop, views: Views, note: Note) -> None:
        self._shop = shop
        self._views = views
        self._note = note

    def product_create(self, info: Info, product: Input | None = None, media: Sequence[Input] | None = None) -> View:
        """A product with its options, its first variant, its metafields and pictures."""
        outcome = self._shop.products.create(product or {})
        return self._product("product", outcome, self._with_more(outcome, product or {}, media or []))

    def product_update(self, info: Info, product: Input | None = None, media: Sequence[Input] | None = None) -> View:
        id = legacy_id(str((product or {}).get("id")), "Product") or 0
        outcome = self._shop.products.update(id, product or {})
        return self._product("product", outcome, self._with_more(outcome, product or {}, media or []))

    def _with_more(self, outcome: Outcome, value: Input, media: Sequence[Input]) -> int | None:
        if outcome.errors:
            return None
        id = outcome.ids[0]
        self._metafields(gid("Product", id), value)
        self._shop.media.attach(id, [self._shop.media.create(m["originalSource"], m.get("alt")) for m in media])
        return id

    def product_options_create(
        self, info: Info, productId: str, options: Sequence[Input], variantStrategy: str | None = None
    ) -> View:
        """New options for the variants that are there; ``CREATE``, which multiplies variants, is not offered."""
        if variantStrategy == "CREATE":
            outcome = refused("CREATE would make variants that nobody named", ["variantStrategy"], "OPTIONS_OVER_LIMIT")
        else:
            outcome = self._shop.options.create(_number(productId), options)
        return self._product("options", outcome, _number(productId))

    def product_option_update(
        self,
        info: Info,
        productId: str,
        option: Input,
        optionValuesToAdd: Sequence[Input] | None = None,
        optionValuesToUpdate: Sequence[Input] | None = None,
        optionValuesToDelete: Sequence[str] | None = None,
        variantStrategy: str | None = None,
    ) -> View:
        add, rename = optionValuesToAdd or [], optionValuesToUpdate or []
        outcome = self._shop.options.update(_number(productId), option, add, rename)
        return self._product("option", outcome, _number(productId))

    # --- variants ---------------------------------------------------------------------------------

    def product_variants_bulk_create(
        self, info: Info, productId: str, variants: Sequence[Input], strategy: str | None = None
    ) -> View:
        refuse_more_than(LARGEST, variants, ["productVariantsBulkCreate", "variants"])
        outcome = self._shop.variants.create(_number(productId), variants, strategy or "DEFAULT")
        return self._variants(outcome, productId, variants)

    def product_variants_bulk_update(
        self, info: Info, productId: str, variants: Sequence[Input], allowPartialUpdates: bool | None = None
    ) -> View:
        refuse_more_than(LARGEST, variants, ["productVariantsBulkUpdate", "variants"])
        outcome = self._shop.variants.update(_number(productId), variants, bool(allowPartialUpdates))
        return self._variants(outcome, productId, variants)

    def product_variants_bulk_delete(self, info: Info, productId: str, variantsIds: Sequence[str]) -> View:
        outcome = self._shop.variants.delete(_number(productId), variantsIds)
        return self._product("variants", outcome, _number(productId))

    def product_variants_bulk_reorder(self, info: Info, productId: str, positions: Sequence[Input]) -> View:
        outcome = self._shop.variants.reorder(_number(productId), positions)
        return self._product("variants", outcome, _number(productId))

    # --- answers ----------------------------------------------------------------------------------

    def _variants(self, outcome: Outcome, product: str, inputs: Sequence[Input]) -> View:
        by_id = {str(entry.get("id")): entry for entry in inputs}
        for n, id in enumerate(outcome.ids):
            self._metafields(variant_gid(id), by_id.get(variant_gid(id)) or inputs[n])
        found = {variant.id: variant for variant in self._shop.catalog.variants(list(outcome.ids))}
        views = [self._views.variant(found[id]) for id in outcome.ids]
        return {
            **self._product(f"{len(inputs)} variants", outcome, _number(product)),
            "productVariants": None if outcome.errors and not views else views,
        }

    def _product(self, what: str, outcome: Outcome, id: int | None) -> View:
        self._note.summary = told(what, outcome.errors)
        view = self._views.products.by_id(id) if id is not None else None
        return {"product": view, "userErrors": list(outcome.errors)}

    def _metafields(self, owner: str, value: Mapping[str, Any]) -> None:
        """Metafields given with a product or variant; each 25 are one call of their own."""
        entries = [{**entry, "ownerId": owner} for entry in value.get("metafields") or []]
        for start in range(0, len(entries), AT_ONCE):
            self._shop.metafields.set(entries[start : start + AT_ONCE])


def _number(product: str) -> int:
    return legacy_id(product, "Product") or 0
