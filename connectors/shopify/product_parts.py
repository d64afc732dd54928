"""A product as the shop holds it, out of the shop's answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.shopify.answers import Data
from connectors.shopify.product_documents import alias
from hub.model import Binding

NO_OPTION = ("Title", "Default Title")  # the only option of a product without options, and its value
_HASH = re.compile(r"/([0-9a-f]{64}|[0-9a-f]{16})(?:_[0-9a-f-]{8,36})?\.[A-Za-z]{3,4}(?:\?|$)")

Locales = Sequence[str]  # the shop's own language first


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture on a product; ``hash`` is the whole SHA-256, its beginning, or None where its name does not tell."""

    id: str
    hash: str | None
    status: str
    errors: str
    alt: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A variant; ``options`` by the shop's names of options."""

    id: str
    item: str
    sku: str
    gtin: str
    price: str
    options: Mapping[str, str]
    active: bool

    @property
    def binding(self) -> Binding:
        return Binding(external_id=self.item, extra={"variant": self.id})


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option with its values, each with its words by locale and the shop's id."""

    id: str
    name: str
    words: Mapping[str, str]
    values: Mapping[str, tuple[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Everything that the hub delivers of a product; ``outdated`` translations are (locale, key)."""

    id: str
    handle: str
    status: str
    vendor: str
    category: str
    texts: Mapping[str, Mapping[str, str]]  # title, body_html -> locale -> text
    outdated: frozenset[tuple[str, str]]
    options: Sequence[Option]
    variants: Sequence[Variant]
    pictures: Sequence[Picture]

    @property
    def binding(self) -> Binding:
        return Binding(external_id=self.id, extra={"handle": self.handle})


def parsed(node: Data, locales: Locales) -> Product:
    """A product out of an answer to :func:`product_documents.products`."""
    said = {one: node[alias(one)] for one in locales[1:]}
    texts = {
        key: {locales[0]: own, **{one: t["value"] for one in said for t in said[one] if t["key"] == key and t["value"]}}
        for key, own in (("title", node["title"]), ("body_html", node["descriptionHtml"]))
    }
    return Product(
        id=node["id"],
        handle=node["handle"],
        status=node["status"].lower(),
        vendor=node["vendor"],
        category=node["productType"],
        texts=texts,
        outdated=frozenset((one, t["key"]) for one in said for t in said[one] if t["outdated"]),
        options=[_option(one, locales) for one in node["options"] if not _is_no_option(one)],
        variants=[_variant(one) for one in node["variants"]["nodes"]],
        pictures=[_picture(one, locales) for one in node["media"]["nodes"]],
    )


def _words(node: Data, own: str, key: str, locales: Locales) -> dict[str, str]:
    words = {locales[0]: own}
    for locale in locales[1:]:
        said = {t["key"]: t["value"] for t in node.get(alias(locale)) or ()}
        words[locale] = said.get(key) or ""
    return {locale: text for locale, text in words.items() if text}


def _option(node: Data, locales: Locales) -> Option:
    values = {v["name"]: (v["id"], _words(v, v["name"], "name", locales)) for v in node["optionValues"]}
    return Option(id=node["id"], name=node["name"], words=_words(node, node["name"], "name", locales), values=values)


def _is_no_option(node: Data) -> bool:
    return node["name"] == NO_OPTION[0] and [v["name"] for v in node["optionValues"]] == [NO_OPTION[1]]


def _variant(node: Data) -> Variant:
    return Variant(
        id=node["id"],
        item=node["inventoryItem"]["id"],
        sku=node["sku"] or "",
        gtin=node["barcode"] or "",
        price=str(node["price"]),
        options={one["name"]: one["value"] for one in node["selectedOptions"]},
        active=(node["active"] or {}).get("value") != "false",
    )


def _picture(node: Data, locales: Locales) -> Picture:
    found = _HASH.search((node.get("image") or {}).get("url") or "")
    return Picture(
        id=node["id"],
        hash=found[1] if found else None,
        status=node["status"],
        errors="; ".join(error["message"] for error in node["mediaErrors"]),
        alt=_words(node, node["alt"] or "", "alt", locales),
    )
