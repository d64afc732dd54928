"""What the PIM knows of the assortment: models with texts, variants with their options, and two things gone wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.sandbox.assortment import Assortment, Style, colour_code
from hub.sandbox.pim.structure import CHANNEL, FAMILY_OF, LOCALES, TWO_LEVELS, brand_code, category_code, variant_of
from hub.sandbox.pim.tables import seconds
from hub.sandbox.vocabulary import Texts

WITHOUT_VARIANTS = "VI0901"  # a style whose articles nobody has created
CIRCLE = ("CX0901", "CX0902")  # two models that an old import made each other's parent
IN_CIRCLE = "CX0901-M-BLU"
SEASON = "back_to_school_2026"

Values = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A product or a product model with its own values; those of its parents are theirs."""

    kind: str  # product, model
    code: str
    parent: str | None
    body: Mapping[str, Any]
    created: int
    updated: int


def items(assortment: Assortment) -> Iterator[Item]:
    """Models first, each before what hangs below it."""
    draw = assortment.world.random("pim")
    start = assortment.world.start
    for style in assortment.products:
        new = style.code.startswith("NV")
        created = start - timedelta(days=draw.uniform(2, 10) if new else draw.uniform(100, 500))
        updated = start - timedelta(days=draw.uniform(0.5, 2) if new else draw.uniform(3, 99))
        at = {"created": seconds(created), "updated": seconds(updated)}
        yield _root(style, at)
        yield from _variants(style, assortment, at)
    old = seconds(start - timedelta(days=900))
    yield from _gone_wrong({"created": old, "updated": old})


def text(texts: Texts, scope: str | None = None) -> list[dict[str, Any]]:
    """A value for each language."""
    return [{"locale": LOCALES[locale], "scope": scope, "data": data} for locale, data in texts.items()]


def plain(data: Any) -> list[dict[str, Any]]:
    """A value that is the same everywhere."""
    return [{"locale": None, "scope": None, "data": data}]


def _root(style: Style, at: Mapping[str, int]) -> Item:
    printed = {
        "locale": "fr_FR",
        "scope": "print",
        "data": f"Catalogue papier, page {style.number} : {style.title['fr']}",
    }
    values = {
        "name": text(style.title),
        "description": [*text(style.description, CHANNEL), printed],
        "material": text(style.material),
        "brand": plain(brand_code(style.brand)),
    }
    categories = [category_code(style.category), *([SEASON] if style.number % 7 == 0 else [])]
    return _model(style.code, FAMILY_OF.get(style.family, "clothing"), None, values, sorted(categories), at)


def _variants(style: Style, assortment: Assortment, at: Mapping[str, int]) -> Iterator[Item]:
    family = FAMILY_OF.get(style.family, "clothing")
    skus = [assortment.sku(code) for code in style.skus]
    if family == TWO_LEVELS:
        for size in dict.fromkeys(sku.size for sku in skus):
            yield _model(f"{style.code}-{size}", family, style.code, {"size": plain(size)}, [], at)
    for position, sku in enumerate(skus, 1):
        values = {"colour": plain(colour_code(sku.code)), "variant_position": plain(position)}
        own = values if family == TWO_LEVELS else {"size": plain(sku.size), **values}
        parent = f"{style.code}-{sku.size}" if family == TWO_LEVELS else style.code
        yield _product(sku.code, family, parent, own, at)


def _gone_wrong(at: Mapping[str, int]) -> Iterator[Item]:
    name = {"name": text({"fr": "Jupe plissée Odile", "en": "Pleated skirt Odile", "de": "Faltenrock Odile"})}
    yield _model(WITHOUT_VARIANTS, "clothing", None, name, ["women_dresses"], at)
    one, other = CIRCLE
    yield _model(one, "clothing", other, {"name": text({"fr": "Cycliste"})}, [], at)
    yield _model(other, "clothing", one, {}, [], at)
    yield _product(IN_CIRCLE, "clothing", one, {"size": plain("M"), "colour": plain("BLU")}, at)


def _model(
    code: str, family: str, parent: str | None, values: Values, categories: list[str], at: Mapping[str, int]
) -> Item:
    body = {"family": family, "family_variant": variant_of(family), "categories": categories, "values": values}
    return Item(kind="model", code=code, parent=parent, body=body, **at)


def _product(code: str, family: str, parent: str, values: Values, at: Mapping[str, int]) -> Item:
    body = {"enabled": True, "family": family, "categories": [], "groups": [], "values": values}
    return Item(kind="product", code=code, parent=parent, body=body, **at)
