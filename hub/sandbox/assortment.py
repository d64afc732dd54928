"""What the retailer truly sells: its styles with texts in three languages, and the pictures of them.

PIM, DAM, ERP, shop and tills each show their own part of this. It is drawn from the world alone, so
every system and every test that computes independently meets the same words and the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from hub.sandbox.pictures import Picture, picture
from hub.sandbox.vocabulary import BRANDS, COLOUR_TEXTS, DETAIL, GARMENTS, MODELS, Garment, Texts, describe
from hub.sandbox.world import FAMILIES, PRODUCTS, VARIANTS, Sku, World, ean

LOCALES = ("fr", "en", "de")
AXES = ("size", "colour")
RETIRED = (55, 110)  # styles that the ERP no longer sells; every channel still has them
NEW_NUMBERS = (121, 122, 123)
COMPLETE, WITHOUT_GERMAN, WITHOUT_PICTURE = "NV0121", "NV0122", "NV0123"
NEW_COLOURS = (("BLU", "bleu"), ("ECR", "écru"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A product with its variants."""

    code: str  # TS0001
    number: int  # 1
    family: str  # TS
    title: Texts
    description: Texts
    brand: str
    category: str  # women/tops
    material: Texts
    axes: tuple[str, ...] = AXES
    skus: tuple[str, ...]  # in the order in which a person chooses
    active: bool = True  # the ERP's word


class Assortment:
    """All styles: the 120 that are sold, then the new ones that only PIM, DAM and ERP know yet."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.colour_texts: Mapping[str, Texts] = COLOUR_TEXTS
        self._pictures: dict[str, list[Picture]] = {}

    @cached_property
    def products(self) -> tuple[Style, ...]:
        """By number: TS0001 ... then NV0121, NV0122, NV0123."""
        skus = (*self.world.skus, *self.new_skus)
        return tuple(_style(code, [*group]) for code, group in groupby(skus, key=lambda sku: sku.product))

    @cached_property
    def new_skus(self) -> tuple[Sku, ...]:
        """The articles of the new styles; neither shop, tills nor any stock record has them."""
        return tuple(_new_skus())

    def product(self, code: str) -> Style:
        """``KeyError`` for a code that is no style's."""
        return self._by_code[code]

    def sku(self, code: str) -> Sku:
        """An article of a sold or of a new style."""
        return self._sku_by_code[code]

    def pictures(self, style: Style) -> list[Picture]:
        """One picture of each colour, then a detail; none of the style whose photographer has not come yet."""
        if style.code not in self._pictures:
            self._pictures[style.code] = [] if style.code == WITHOUT_PICTURE else [*self._draw(style)]
        return self._pictures[style.code]

    def _draw(self, style: Style) -> Iterator[Picture]:
        colours = [*dict.fromkeys(colour_code(code) for code in style.skus)]
        for position, colour in enumerate(colours, 1):
            skus = tuple(code for code in style.skus if colour_code(code) == colour)
            yield picture(style.code, position, colour, _alt(style, self.colour_texts[colour]), skus)
        yield picture(style.code, len(colours) + 1, colours[0], _alt(style, DETAIL), ())

    @cached_property
    def _by_code(self) -> dict[str, Style]:
        return {style.code: style for style in self.products}

    @cached_property
    def _sku_by_code(self) -> dict[str, Sku]:
        return {sku.code: sku for sku in (*self.world.skus, *self.new_skus)}


def colour_code(sku: str) -> str:
    """``BLU`` of ``TS0001-M-BLU``."""
    return sku.rsplit("-", 1)[1]


def _style(code: str, skus: list[Sku]) -> Style:
    number = int(code[2:])
    family = FAMILIES[(number - 1) % len(FAMILIES)][0]
    garment = GARMENTS[family]
    return Style(
        code=code,
        number=number,
        family=family,
        title=_title(code, number, garment),
        description=describe(garment, MODELS[(number - 1) // len(FAMILIES)]),
        brand=BRANDS[number % len(BRANDS)],
        category=garment.category,
        material=garment.material,
        skus=tuple(sku.code for sku in skus),
        active=number not in RETIRED,
    )


def _title(code: str, number: int, garment: Garment) -> Texts:
    model = MODELS[(number - 1) // len(FAMILIES)]
    locales = [locale for locale in LOCALES if not (code == WITHOUT_GERMAN and locale == "de")]
    return {locale: f"{garment.name[locale]} {model}" for locale in locales}


def _alt(style: Style, words: Texts) -> Texts:
    return {locale: f"{title}, {words[locale]}" for locale, title in style.title.items()}


def _new_skus() -> list[Sku]:
    """Two sizes in two colours each; their EANs go on where the sold ones end."""
    found: list[Sku] = []
    for number in NEW_NUMBERS:
        _, name, sizes, price = FAMILIES[(number - 1) % len(FAMILIES)]
        code = f"NV{number:04d}"
        for colour, text in NEW_COLOURS:
            for size in sizes[: VARIANTS // len(NEW_COLOURS)]:
                found.append(
                    Sku(
                        code=f"{code}-{size}-{colour}",
                        product=code,
                        name=name,
                        size=size,
                        colour=text,
                        ean=ean(PRODUCTS * VARIANTS + len(found)),
                        price_cents=price + 1000,
                    )
                )
    return found
