"""A product of the shop, as the hub speaks of it.

A value is shaped after what is wanted, where that is known: the locales that are wanted, and options
as one word or as a word in each language. So it can be compared, and what is not ours is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.shopify.product_parts import Locales, Option, Picture, Product, Variant
from hub.model import Binding, Remote
from hub.transport.matching import folded, gtin14

_BETWEEN_TAGS = re.compile(r">\s+<")

Axes = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Looks at ``held`` with what is wanted in mind."""

    held: Product
    wanted: Mapping[str, Any]
    axes: Axes
    locales: Locales
    known: Mapping[str, str]  # hash of a picture by the shop's id of it

    def remote(self, matched: str | None = None) -> Remote:
        """Everything, with the shop's ids of the product, its variants and its pictures."""
        pairs = [(sku, variant) for sku, variant in self.matched().items() if variant]
        pictures = {hash: Binding(external_id=p.id) for p in self.held.pictures if len(hash := self.hash_of(p)) == 64}
        skus = {sku: Binding(external_id=v.item, extra={"variant": v.id, "product": self.held.id}) for sku, v in pairs}
        return Remote(
            value=self.value(),
            binding=self.held.binding,
            matched=matched,
            bindings={"sku": skus, "media": pictures},
        )

    def value(self) -> dict[str, Any]:
        """In the shape of what is delivered."""
        return {
            "title": self._text("title", "title"),
            "description": self._text("description", "body_html"),
            "brand": self._plain("brand", self.held.vendor),
            "category": self._plain("category", self.held.category),
            "status": self.held.status,
            "axes": [self.axis_of(option) for option in self.held.options],
            "variants": self._variants(),
            "media": self._media(),
        }

    def matched(self) -> dict[str, Variant | None]:
        """The variant behind each wanted SKU: by its SKU, then by its GTIN; without a wish all by their own SKU."""
        wanted = self.wanted.get("variants")
        if wanted is None:
            return {v.sku: v for v in self.held.variants if v.sku}
        by_sku = {folded(v.sku): v for v in self.held.variants if v.sku}
        found = {one["sku"]: by_sku.get(folded(one["sku"])) for one in wanted}
        taken = {v.id for v in found.values() if v}
        by_gtin = {gtin14(v.gtin): v for v in self.held.variants if v.id not in taken and gtin14(v.gtin)}
        return {one["sku"]: found[one["sku"]] or by_gtin.get(one.get("gtin") or "") for one in wanted}

    def axis_of(self, option: Option) -> str:
        """The retailer's name of an option: that of the axis whose word it bears in any language."""
        name = folded(option.name)
        for axis, words in self.axes.items():
            if name == folded(axis) or name in {folded(word) for word in words.values()}:
                return axis
        return name

    def option_of(self, axis: str) -> Option | None:
        return next((option for option in self.held.options if self.axis_of(option) == axis), None)

    def hash_of(self, picture: Picture) -> str:
        """The whole hash where it is known, and otherwise a name that is no hash."""
        if picture.id in self.known:
            return self.known[picture.id]
        start = picture.hash or "unknown"
        wanted = (one["hash"] for one in self.wanted.get("media") or ())
        return next((hash for hash in wanted if hash.startswith(start)), None) or (
            start if len(start) == 64 else f"unknown:{picture.id.rsplit('/', 1)[-1]}"
        )

    def _text(self, name: str, key: str) -> dict[str, str]:
        wanted = self.wanted.get(name)
        held = {locale: text for locale, text in self.held.texts[key].items() if text}
        if not isinstance(wanted, Mapping):
            return held
        found = {canonical: held[shop] for canonical in wanted if (shop := shop_locale(canonical)) in held}
        if name == "description":
            return {one: wanted[one] if same_html(text, wanted[one]) else text for one, text in found.items()}
        return found

    def _plain(self, name: str, held: str) -> str | None:
        """Nothing is no wish: where the owner says nothing, the shop's own word stays."""
        return None if name in self.wanted and self.wanted[name] is None else held

    def _variants(self) -> list[dict[str, Any]]:
        matched = {v.id: sku for sku, v in self.matched().items() if v}
        wishes = {one["sku"]: one for one in self.wanted.get("variants") or ()}
        held = [variant for variant in self.held.variants if variant.id in matched]
        return [self.variant_value(variant, wishes.get(matched[variant.id], {})) for variant in held]

    def variant_value(self, variant: Variant, wish: Mapping[str, Any]) -> dict[str, Any]:
        """One variant, its options shaped after ``wish``."""
        return {
            "sku": variant.sku,
            "gtin": gtin14(variant.gtin) or variant.gtin or None,
            "options": self._options(variant, wish.get("options") or {}),
            "active": variant.active,
        }

    def _options(self, variant: Variant, wish: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for option in self.held.options:
            axis, name = self.axis_of(option), variant.options.get(option.name, "")
            words = option.values.get(name, ("", {self.locales[0]: name}))[1]
            wanted = wish.get(axis)
            if isinstance(wanted, Mapping):
                found[axis] = {one: words[shop_locale(one)] for one in wanted if shop_locale(one) in words}
            else:
                found[axis] = name
        return found

    def _media(self) -> list[dict[str, Any]]:
        """In the shop's order; the position is the wanted one where the same picture stands in the same place."""
        wanted = sorted(self.wanted.get("media") or (), key=lambda one: one["position"])
        found = []
        for n, picture in enumerate(self.held.pictures):
            hash = self.hash_of(picture)
            wish = next((one for one in wanted if one["hash"] == hash), None)
            position = wanted[n]["position"] if n < len(wanted) and wanted[n]["hash"] == hash else n + 1
            locales = wish["alt"] if wish else picture.alt
            alt = {one: picture.alt[shop_locale(one)] for one in locales if shop_locale(one) in picture.alt}
            found.append({"hash": hash, "position": position, "alt": alt})
        return found


def shop_locale(canonical: str) -> str:
    """``pt_BR`` as the shop writes it: ``pt-BR``."""
    return canonical.replace("_", "-")


def same_html(one: str, other: str) -> bool:
    """Whether two texts differ only in how the shop writes HTML: spaces between tags, closed line breaks."""
    return _plain_html(one) == _plain_html(other)


def _plain_html(text: str) -> str:
    return _BETWEEN_TAGS.sub("><", text.replace("<br />", "<br>").replace("<br/>", "<br>")).strip()
