"""Bringing one product of the shop in line: only what differs is sent, and whether it is on sale comes last."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connectors.shopify import product_documents as documents
from connectors.shopify.changes import Changes
from connectors.shopify.pictures import Pictures
from connectors.shopify.price_documents import NAMESPACE
from connectors.shopify.product_parts import Product, Variant
from connectors.shopify.product_view import View, shop_locale
from connectors.shopify.translations import Translations
from hub.errors import Reject
from hub.model import Content

Wish = Mapping[str, Any]
TEXTS = {"title": ("title", "title"), "description": ("descriptionHtml", "body_html")}
AT_ONCE = 250  # https://shopify.dev/docs/api/usage/limits: elements of a list that is sent
PLAIN = {"brand": "vendor", "category": "productType"}


def created(changes: Changes, key: str, wanted: Wish, view_of: Callable[[Product], View], empty: Product) -> str:
    """A draft with its texts and options, which nobody sees yet; answers its id."""
    view = view_of(empty)
    product: dict[str, Any] = {"handle": key.lower(), "status": "DRAFT", **_own_texts(wanted, view)}
    product |= {name: wanted[ours] for ours, name in PLAIN.items() if wanted.get(ours)}
    if options := [*_options(wanted, view)]:
        product["productOptions"] = options
    payload = changes.make(
        documents.CREATE,
        {"product": product},
        payload="productCreate",
        path="",
        cost=documents.CREATE_COST,
        again=False,  # a second one would take another handle
    )
    return str(payload["product"]["id"])


def _own_texts(wanted: Wish, view: View) -> dict[str, str]:
    """The texts in the shop's own language."""
    own, found = view.locales[0], {}
    for ours, (name, _) in TEXTS.items():
        text = next((t for locale, t in (wanted.get(ours) or {}).items() if shop_locale(locale) == own), None)
        if text is not None:
            found[name] = text
    if "title" not in found:
        raise Reject(f"title.{own}", "the shop cannot show a product without a title in its own language")
    return found


def _options(wanted: Wish, view: View) -> Iterator[dict[str, Any]]:
    for position, axis in enumerate(wanted.get("axes") or (), 1):
        values = dict.fromkeys(word_of(one["options"][axis], view) for one in wanted["variants"])
        yield {"name": name_of(axis, view), "position": position, "values": [{"name": value} for value in values]}


def name_of(axis: str, view: View) -> str:
    """What customers read for an axis: the product's own option where it has one."""
    held = view.option_of(axis)
    return held.name if held else view.axes.get(axis, {}).get(view.locales[0], axis)


def word_of(value: Any, view: View) -> str:
    """An option's value in the shop's own language."""
    if not isinstance(value, Mapping):
        return str(value)
    own = view.locales[0]
    found = next((str(word) for locale, word in value.items() if shop_locale(locale) == own), None)
    if found is None:
        raise Reject("variants", f"an option has no word in the shop's own language ({own})")
    return found


class Writer:
    """Changes of one product that is there."""

    def __init__(self, changes: Changes, wanted: Wish, view_of: Callable[[Product], View]) -> None:
        self.changes = changes
        self.wanted = wanted
        self.view_of = view_of
        self.translations = Translations(changes)

    # --- texts ------------------------------------------------------------------------------------

    def texts(self, held: Product, fields: frozenset[str]) -> None:
        """Title, description, brand and category; then the same in the other languages."""
        view = self.view_of(held)
        value, changed = view.value(), {}
        own = _own_texts({**self.wanted, "title": self.wanted.get("title") or held.texts["title"]}, view)
        for ours, (name, key) in TEXTS.items():
            if ours not in fields or value[ours] == self.wanted[ours]:
                continue
            if name in own and own[name] != held.texts[key].get(view.locales[0]) and not self._same(ours, view):
                changed[name] = own[name]
            self._translate(held.id, ours, key, view, anew=name in changed)
        for ours, name in PLAIN.items():
            if ours in fields and self.wanted[ours] is not None and value[ours] != self.wanted[ours]:
                changed[name] = self.wanted[ours]
        if changed:
            self._update({"id": held.id, **changed})

    def _same(self, ours: str, view: View) -> bool:
        """Whether the shop's own language says it already, if written another way."""
        wanted = self.wanted[ours]
        return any(view.value()[ours].get(one) == wanted[one] for one in wanted if shop_locale(one) == view.locales[0])

    def _translate(self, resource: str, ours: str, key: str, view: View, *, anew: bool) -> None:
        """What differs; everything where the text that is translated changed, since it counts as outdated then."""
        said = view.value()[ours]
        for canonical, text in self.wanted[ours].items():
            locale = shop_locale(canonical)
            outdated = anew or (locale, key) in view.held.outdated
            if locale in view.locales[1:] and (outdated or said.get(canonical) != text):
                self.translations.say(resource, key, locale, text, f"{ours}.{canonical}")

    def _update(self, product: dict[str, Any]) -> None:
        self.changes.make(
            documents.UPDATE, {"product": product}, payload="productUpdate", path="", cost=documents.UPDATE_COST
        )

    # --- variants ---------------------------------------------------------------------------------

    def variants(self, held: Product) -> bool:
        """New ones, changed ones; whether the product must be read again before their order is looked at."""
        view = self.view_of(held)
        self._same_axes(view)
        matched = view.matched()
        alone = held.variants[0] if not held.options and len(held.variants) == 1 else None
        if alone is not None and alone.id not in {v.id for v in matched.values() if v} and len(matched) == 1:
            matched = dict.fromkeys(matched, alone)  # the one variant of a product without options
        wishes = {one["sku"]: one for one in self.wanted["variants"]}
        updates = [(sku, u) for sku, v in matched.items() if v and (u := self._update_of(v, wishes[sku], view))]
        for start in range(0, len(updates), AT_ONCE):
            part = updates[start : start + AT_ONCE]
            self._bulk(documents.UPDATE_VARIANTS, held.id, part, "productVariantsBulkUpdate", again=True)
        new = [(sku, self._input(wishes[sku], view)) for sku, v in matched.items() if v is None]
        strategy = "DEFAULT" if any(matched.values()) else "REMOVE_STANDALONE_VARIANT"
        for start in range(0, len(new), AT_ONCE):
            part = new[start : start + AT_ONCE]
            self._bulk(documents.CREATE_VARIANTS, held.id, part, "productVariantsBulkCreate", strategy=strategy)
            strategy = "DEFAULT"
        return bool(updates or new)

    def _same_axes(self, view: View) -> None:
        """Other options would make other variants of those that are sold: that is for a person."""
        held = [view.axis_of(option) for option in view.held.options]
        wanted = list(self.wanted.get("axes") or ())
        if sorted(held) != sorted(wanted) and view.held.variants:
            names = ", ".join(option.name for option in view.held.options) or "none"
            raise Reject("axes", f"the shop's product has other options ({names}) than {', '.join(wanted) or 'none'}")

    def _update_of(self, variant: Variant, wish: Wish, view: View) -> dict[str, Any] | None:
        full, held = self._input(wish, view), view.variant_value(variant, wish)
        found: dict[str, Any] = {}
        if variant.sku != wish["sku"]:
            found["inventoryItem"] = {"sku": wish["sku"]}
        if held["gtin"] != wish.get("gtin"):
            found["barcode"] = full["barcode"]
        words = {name_of(axis, view): word_of(value, view) for axis, value in wish["options"].items()}
        if any(variant.options.get(name) != word for name, word in words.items()):
            found["optionValues"] = full["optionValues"]
        if variant.active != wish["active"]:
            found["metafields"] = [_active(wish["active"])]
        return {"id": variant.id, **found} if found else None

    def _input(self, wish: Wish, view: View) -> dict[str, Any]:
        """A new variant: counted, and not sold beyond what is there."""
        found: dict[str, Any] = {
            "barcode": barcode(wish.get("gtin")),
            "inventoryItem": {"sku": wish["sku"], "tracked": True},
            "inventoryPolicy": "DENY",
            "optionValues": [
                {"optionName": name_of(axis, view), "name": word_of(value, view)}
                for axis, value in wish["options"].items()
            ],
        }
        return found if wish["active"] else {**found, "metafields": [_active(False)]}

    def _bulk(
        self,
        document: str,
        product: str,
        variants: list[tuple[str, dict[str, Any]]],
        payload: str,
        *,
        again: bool = False,
        **more: Any,
    ) -> None:
        """``variants`` are (SKU, input); a refusal names the place of the SKU among what is wanted."""
        try:
            self.changes.make(
                document,
                {"product": product, "variants": [one for _, one in variants], **more},
                payload=payload,
                path="",
                cost=documents.VARIANTS_COST,
                again=again,
            )
        except Reject as error:
            raise Reject(self._place(error.path, [sku for sku, _ in variants]), error.reason) from None

    def _place(self, path: str, sent: list[str]) -> str:
        found = re.fullmatch(r"variants\[(\d+)\](.*)", path)
        if found is None:
            return path
        skus = [one["sku"] for one in self.wanted["variants"]]
        return f"variants[{skus.index(sent[int(found[1])])}]{found[2]}"

    def order_variants(self, held: Product) -> Product:
        """The wanted ones first, in their order, then what else the product has."""
        matched = self.view_of(held).matched()
        wanted = [v for one in self.wanted["variants"] if (v := matched.get(one["sku"]))]
        rest = [v for v in held.variants if v not in wanted]
        if [v for v in held.variants if v in wanted] == wanted:
            return held
        positions = [{"id": v.id, "position": n} for n, v in enumerate(wanted, 1)]
        self.changes.make(
            documents.REORDER_VARIANTS,
            {"product": held.id, "positions": positions},
            payload="productVariantsBulkReorder",
            path="variants",
            cost=documents.VARIANTS_COST,
        )
        return replace(held, variants=[*wanted, *rest])

    def option_words(self, held: Product, *, names: bool) -> None:
        """Values of options in the other languages; of a new product the names of its options too."""
        view = self.view_of(held)
        for n, wish in enumerate(self.wanted["variants"]):
            for axis, value in wish["options"].items():
                option = view.option_of(axis)
                if option is None:
                    continue
                if names:
                    self._say(option.id, view.axes.get(axis, {}), option.words, view, "axes")
                id, words = option.values.get(word_of(value, view), ("", {}))
                if id and isinstance(value, Mapping):
                    self._say(id, value, words, view, f"variants[{n}].options.{axis}")

    def _say(self, resource: str, said: Mapping[str, str], held: Mapping[str, str], view: View, path: str) -> None:
        for canonical, word in said.items():
            locale = shop_locale(canonical)
            if locale in view.locales[1:] and held.get(locale) != word:
                self.translations.say(resource, "name", locale, word, f"{path}.{canonical}")

    # --- pictures and status ----------------------------------------------------------------------

    def pictures(self, held: Product, pictures: Pictures, content: Callable[[str], Content]) -> Product:
        return pictures.show(self.view_of(held), content, self.translations)

    def status(self, held: Product) -> bool:
        """Whether the product is on sale; False where it cannot be yet, since an article still costs nothing."""
        if held.status == self.wanted["status"]:
            return True
        matched = self.view_of(held).matched()
        sold = [matched.get(one["sku"]) for one in self.wanted.get("variants") or () if one["active"]]
        if self.wanted["status"] == "active" and any(v is None or Decimal(v.price) == 0 for v in sold):
            return False
        self._update({"id": held.id, "status": self.wanted["status"].upper()})
        return True


def _active(active: bool) -> dict[str, str]:
    value = "true" if active else "false"
    return {"namespace": NAMESPACE, "key": documents.ACTIVE, "type": "boolean", "value": value}


def barcode(gtin: str | None) -> str | None:
    """A GTIN as scanners and shops write it: 13 digits where the first of 14 is 0."""
    return gtin[1:] if gtin and len(gtin) == 14 and gtin.startswith("0") else gtin
