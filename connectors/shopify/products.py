"""Products in the shop: found by their variants, created as drafts, brought in line, published last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import Any

from connectors.shopify import product_documents as documents
from connectors.shopify.admin import Admin
from connectors.shopify.answers import Data
from connectors.shopify.changes import Changes
from connectors.shopify.gathering import Way, gather
from connectors.shopify.options import Options
from connectors.shopify.pictures import Pictures
from connectors.shopify.product_parts import Product, parsed
from connectors.shopify.product_search import Search
from connectors.shopify.product_view import View, shop_locale
from connectors.shopify.product_writer import Writer, created
from hub.connector import Capability
from hub.errors import Reject, TryLater
from hub.model import (
    Conflict,
    Content,
    Delivery,
    Done,
    Doubtful,
    Postponed,
    Receipt,
    Reference,
    Rejected,
    Remote,
)
from hub.transport.retry import NotNow

FIELDS = frozenset({"title", "description", "brand", "category", "status", "axes", "variants", "media"})
UNTIL_PRICED = 30.0  # seconds before looking again whether a new article has its price


class Products:
    """The shop as a target of ``product``; ``content`` fetches a picture by its hash."""

    def __init__(self, admin: Admin, options: Options, content: Callable[[str], Content]) -> None:
        self.admin = admin
        self.options = options
        self.content = content
        self.search = Search(admin)

    def capability(self) -> Capability:
        """Several calls make up one product, so after a doubt it is read back and the rest is sent."""
        return Capability(
            batch_size=1,
            knows=("product", "sku", "media"),
            fields=FIELDS,
            read_back=timedelta(0),
            aggregate="product",
        )

    @cached_property
    def locales(self) -> tuple[str, ...]:
        """The shop's languages, its own first."""
        found = self.admin.graphql(documents.LOCALES, {}, cost=documents.LOCALES_COST)["shopLocales"]
        return tuple(one["locale"] for one in sorted(found, key=lambda one: (not one["primary"], one["locale"])))

    # --- reading ----------------------------------------------------------------------------------

    def find(self, references: Sequence[Reference]) -> dict[Reference, Remote]:
        """What the shop holds of each, in the shape of what it should hold."""
        ids = {one: b.external_id for one in references if (b := one.bindings.get("product"))}
        matched = dict.fromkeys(ids, "binding")
        for one, (id, by) in self.search.found([one for one in references if one not in ids]).items():
            ids[one], matched[one] = id, by
        held = self._held(list(ids.values()), self._locales_of([one.value for one in references]))
        return {one: self._view(held[id], one.value, {}).remote(matched[one]) for one, id in ids.items() if id in held}

    def _view(self, held: Product, wanted: Mapping[str, Any], known: Mapping[str, str]) -> View:
        locales = self._locales_of([wanted])
        return View(held=held, wanted=wanted, axes=self.options.axes, locales=locales, known=known)

    def _locales_of(self, wanted: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        """Those of the shop's languages that somebody speaks here; all where nothing is wanted."""
        spoken = {shop_locale(one) for value in wanted for one in value.get("title") or ()}
        return tuple(one for one in self.locales if not spoken or one in spoken or one == self.locales[0])

    def _held(self, ids: Sequence[str], locales: tuple[str, ...]) -> dict[str, Product]:
        if not ids:
            return {}
        way = Way(
            everything=documents.all_products(locales[1:]),
            connection="products",
            page=documents.PRODUCTS_AT_ONCE,
            page_cost=documents.PRODUCTS_COST,
            some=documents.products(locales[1:]),
            cost=documents.PRODUCT_COST,
            ids=5,
        )
        wanted = set(ids)
        nodes = (node for node in gather(self.admin, way, ids) if node["id"] in wanted)
        return {node["id"]: parsed(self._whole(node, locales), locales) for node in nodes}

    def _whole(self, node: Data, locales: tuple[str, ...]) -> Data:
        """With what did not fit on the product's own pages of variants and pictures."""
        found = dict(node)
        for name, document in (("variants", documents.ALL_VARIANTS), ("media", documents.all_media(locales[1:]))):
            if node[name]["pageInfo"]["hasNextPage"]:
                rest = self.admin.pages(document, {"id": node["id"]}, documents.REST_COST, "product", name)
                found[name] = {"nodes": list(rest)}
        return found

    # --- writing ----------------------------------------------------------------------------------

    def write(self, deliveries: Sequence[Delivery]) -> Iterator[Receipt]:
        """One receipt for each; what fails after a first change is in doubt, what fails before it changed nothing."""
        for one in deliveries:
            changes = Changes(self.admin)
            try:
                yield self._write(one, changes)
            except Reject as error:
                yield Rejected(key=one.key, path=error.path, reason=error.reason)
            except TryLater as error:
                if not changes.made:
                    raise
                yield Doubtful(key=one.key, reason=str(error))

    def _write(self, one: Delivery, changes: Changes) -> Receipt:
        wanted = {name: value for name, value in one.value.items() if name in FIELDS}
        self._speaks(wanted)
        media = one.known.get("media") or {}
        pictures = Pictures(changes, wanted.get("media") or (), media)
        held, known = self._find_one(one, wanted), {b.external_id: hash for hash, b in media.items()}
        fields = frozenset(wanted) & (one.changed or frozenset(wanted))

        def view_of(product: Product) -> View:
            return self._view(product, wanted, {**known, **pictures.ids})

        if held is None:
            pictures.upload([m["hash"] for m in wanted.get("media") or () if m["hash"] not in media], self.content)
            id = created(changes, one.key, wanted, view_of, _nothing())
            held, fields = self._read(id, wanted), frozenset(wanted)
        elif (remote := view_of(held).remote()) and _edited(one, remote, fields):
            return Conflict(key=one.key, remote=remote)
        return self._bring_in_line(one, held, fields, Writer(changes, wanted, view_of), pictures)

    def _bring_in_line(
        self, one: Delivery, held: Product, fields: frozenset[str], writer: Writer, pictures: Pictures
    ) -> Receipt:
        wanted, new = writer.wanted, bool(writer.changes.made)
        on_sale = True
        if fields & {"title", "description", "brand", "category"}:
            writer.texts(held, fields)
        if "variants" in fields:
            if writer.variants(held):
                held = self._read(held.id, wanted)
            held = writer.order_variants(held)
            writer.option_words(held, names=new)
        if "media" in fields:
            writer.pictures(held, pictures, self.content)
        writer.translations.register()
        if "status" in fields:
            on_sale = writer.status(held)
        if not on_sale and not writer.changes.made:
            return Postponed(key=one.key, delay=UNTIL_PRICED)
        return Done(key=one.key, remote=self._confirmed(held.id, wanted, writer, pictures))

    def _confirmed(self, id: str, wanted: Mapping[str, Any], writer: Writer, pictures: Pictures) -> Remote:
        """What the shop holds now; pictures in the order given to them, which the shop arranges a little later."""
        held = self._read(id, wanted)
        place = {m["hash"]: n for n, m in enumerate(pictures.wanted)}
        look = writer.view_of(held)
        order = sorted(held.pictures, key=lambda p: place.get(look.hash_of(p), len(place)))
        return writer.view_of(replace(held, pictures=order)).remote()

    def _find_one(self, one: Delivery, wanted: Mapping[str, Any]) -> Product | None:
        """The product behind a delivery, by its id or by what identifies it; a doubt refuses rather than doubles."""
        if binding := one.bindings.get("product"):
            held = self._held([binding.external_id], self._locales_of([wanted]))
            if held:
                return next(iter(held.values()))
        reference = Reference(key=one.key, value=wanted)
        found = self.search.found([reference])
        if reference not in found:
            self.search.nobody_else(wanted)
            return None
        return self._read(found[reference][0], wanted)

    def _read(self, id: str, wanted: Mapping[str, Any]) -> Product:
        held = self._held([id], self._locales_of([wanted]))
        if id not in held:
            raise NotNow(f"{self.admin.system} does not show {id} yet", delay=1.0)
        return held[id]

    def _speaks(self, wanted: Mapping[str, Any]) -> None:
        """Every language that is wanted must be one of the shop's."""
        for name in ("title", "description"):
            for locale in wanted.get(name) or ():
                if shop_locale(locale) not in self.locales:
                    said = ", ".join(self.locales)
                    raise Reject(f"{name}.{locale}", f"the shop speaks {said}: add the language in its settings")


def _edited(one: Delivery, remote: Remote, fields: frozenset[str]) -> bool:
    """Whether somebody changed there what this delivery would write."""
    before = one.previous
    return before is not None and any(name in before and before[name] != remote.value[name] for name in fields)


def _nothing() -> Product:
    """A product before it is there: its options get the names that customers read."""
    return Product(
        id="",
        handle="",
        status="draft",
        vendor="",
        category="",
        texts={"title": {}, "body_html": {}},
        outdated=frozenset(),
        options=(),
        variants=(),
        pictures=(),
    )
