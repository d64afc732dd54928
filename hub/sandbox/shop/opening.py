"""The shop on the day the hub arrives: typed in by people over the years, and mostly right."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hub.sandbox.assortment import Assortment, Style
from hub.sandbox.pictures import Picture
from hub.sandbox.shop import catalog
from hub.sandbox.shop.catalog import DEFAULT_TITLE, NO_OPTION, VENDOR, Catalog
from hub.sandbox.shop.tables import gid, stored
from hub.sandbox.shop.texts import digest
from hub.sandbox.world import Location, Sku, World, check_digit

WITHOUT_SKU = 5  # variants whose SKU was never filled in; their barcode is right
UNTIDY = 12  # variants whose SKU is in lower case or has spaces around it
UNKNOWN = (("GIFT-0025", "Carte cadeau 25"), ("GIFT-0050", "Carte cadeau 50"), ("TOTE-OLD", "Sac en toile 2019"))
WRONG_PRICES = 40  # variants that still cost what they did last season
# How many products differ from what PIM and DAM say, and in what.
SLIPS = {"title": 5, "english": 4, "german": 3, "description": 3, "picture": 3, "alt": 2}
OPTIONS = {  # axis: the option's name in the shop's languages
    "size": {"fr": "Taille", "en": "Size", "de": "Größe"},
    "colour": {"fr": "Couleur", "en": "Colour", "de": "Farbe"},
}
STRANGE_FILE = "photo-vitrine.png"  # a picture that a merchandiser took: no other system knows it


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A product as somebody typed it in."""

    style: Style
    title: Mapping[str, str]
    description: Mapping[str, str]
    pictures: tuple[tuple[str, Picture], ...]  # file name, picture
    alts: Mapping[int, str] = field(default_factory=dict)  # wrong ones by position


class Opening:
    """Fills the empty tables."""

    def __init__(self, shelf: Catalog) -> None:
        self.state = shelf.state
        self.world: World = shelf.world
        self.assortment = Assortment(self.world)
        self.created = stored(self.world.start - timedelta(days=400))
        self._ids = dict.fromkeys(("option", "value", "file", "variant", "product"), 0)
        self._translations: list[tuple[str, ...]] = []

    def populate(self) -> None:
        """Articles in the world's order, then those that no other system knows."""
        self.state.insert("INSERT INTO shop_location VALUES (?, ?, ?, ?, ?, ?)", self._locations())
        columns = self._columns()
        for typed in self._typed():
            self._product(typed, columns)
        for n, (code, title) in enumerate(UNKNOWN):
            self._lone_product(n, code, title)
        self.state.insert("INSERT INTO shop_translation VALUES (?, ?, ?, ?, ?, ?)", self._translations)

    # --- what was typed ---------------------------------------------------------------------------

    def _typed(self) -> Iterator[Typed]:
        """Styles as they were typed in: each of the first ``sum(SLIPS)`` drawn ones with one slip."""
        sold = {sku.code for sku in self.world.skus}
        styles = [style for style in self.assortment.products if style.skus[0] in sold]
        drawn = self.world.random("shop texts").sample(range(len(styles)), sum(SLIPS.values()))
        kinds = [kind for kind, n in SLIPS.items() for _ in range(n)]
        slips = dict(zip(drawn, kinds, strict=True))
        for n, style in enumerate(styles):
            yield _slipped(_as_it_is(style, self.assortment.pictures(style)), slips.get(n))

    def _columns(self) -> dict[str, tuple[str, int]]:
        """SKU on file and price in cents by article."""
        draw = self.world.random("shop catalog")
        odd = draw.sample(range(len(self.world.skus)), WITHOUT_SKU + UNTIDY)
        without, untidy = set(odd[:WITHOUT_SKU]), set(odd[WITHOUT_SKU:])
        wrong = set(self.world.random("shop prices").sample(range(len(self.world.skus)), WRONG_PRICES))
        return {
            sku.code: (_on_file(sku.code, n, without, untidy), sku.price_cents - 200 * (n in wrong))
            for n, sku in enumerate(self.world.skus)
        }

    # --- rows -------------------------------------------------------------------------------------

    def _product(self, typed: Typed, columns: Mapping[str, tuple[str, int]]) -> None:
        style = typed.style
        id = self._row(style.brand, style.category, typed.title["fr"], typed.description["fr"])
        resource = gid("Product", id)
        self._translate(resource, "title", typed.title)
        self._translate(resource, "body_html", typed.description)
        skus = [self.world.sku(code) for code in style.skus]
        self._options(id, skus)
        for position, sku in enumerate(skus, 1):
            on_file, cents = columns[sku.code]
            self._variant(id, position, (sku.code, on_file, sku.ean, [sku.size, sku.colour], cents))
        for position, (name, picture) in enumerate(typed.pictures, 1):
            self._file(id, position, name, picture, typed.alts.get(position))

    def _lone_product(self, n: int, code: str, title: str) -> None:
        id = self._row(VENDOR, "", title, "")
        option = self._option(id, NO_OPTION, 1)
        self._value(option, DEFAULT_TITLE, 1)
        twelve = f"200000000{n:03d}"
        self._variant(id, 1, (code, code, twelve + check_digit(twelve), [DEFAULT_TITLE], 2500))

    def _row(self, vendor: str, type: str, title: str, html: str) -> int:
        id = self._next("product", catalog.FIRST_PRODUCT)
        self.state.execute(
            "INSERT INTO shop_product VALUES (?, ?, ?, 'ACTIVE', ?, ?, ?, '', ?, ?, ?)",
            (id, title, f"produit-{self._ids['product']}", html, vendor, type, *[self.created] * 3),
        )
        return id

    def _options(self, product: int, skus: list[Sku]) -> None:
        colours = {text["fr"]: text for text in self.assortment.colour_texts.values()}
        for position, (axis, names) in enumerate(OPTIONS.items(), 1):
            option = self._option(product, names["fr"], position)
            self._translate(gid("ProductOption", option), "name", names)
            for n, value in enumerate(dict.fromkeys(getattr(sku, axis) for sku in skus), 1):
                id = self._value(option, value, n)
                self._translate(gid("ProductOptionValue", id), "name", colours.get(value, {"fr": value}))

    def _option(self, product: int, name: str, position: int) -> int:
        id = self._next("option", catalog.FIRST_OPTION)
        self.state.execute("INSERT INTO shop_option VALUES (?, ?, ?, ?)", (id, product, name, position))
        return id

    def _value(self, option: int, name: str, position: int) -> int:
        id = self._next("value", catalog.FIRST_VALUE)
        self.state.execute("INSERT INTO shop_option_value VALUES (?, ?, ?, ?)", (id, option, name, position))
        return id

    def _variant(self, product: int, position: int, columns: tuple[str, str, str, list[str], int]) -> None:
        code, sku, barcode, options, cents = columns
        number = self._next("variant", 0)
        ids = catalog.FIRST_VARIANT + number, product, catalog.FIRST_ITEM + number
        self.state.execute(
            "INSERT INTO shop_variant VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, 1, 'CONTINUE', 1, 0, ?, ?, ?)",
            (*ids, code, sku, barcode, json.dumps(options), cents, position, self.created, self.created),
        )

    def _file(self, product: int, position: int, name: str, picture: Picture, wrong_alt: str | None) -> None:
        id = self._next("file", catalog.FIRST_FILE)
        alt = wrong_alt if wrong_alt is not None else picture.alt["fr"]
        self.state.execute(
            "INSERT INTO shop_file VALUES (?, ?, ?, 'image/png', ?, ?, ?, 'READY', NULL, ?, ?)",
            (id, name, alt, picture.png, picture.width, picture.height, self.created, self.created),
        )
        self.state.execute("INSERT INTO shop_product_file VALUES (?, ?, ?)", (product, id, position))
        if wrong_alt is None:
            self._translate(gid("MediaImage", id), "alt", picture.alt)

    def _translate(self, resource: str, key: str, texts: Mapping[str, str]) -> None:
        for locale in ("en", "de"):
            if texts.get(locale):
                row = (resource, locale, key, texts[locale], digest(texts["fr"]), self.created)
                self._translations.append(row)

    def _next(self, name: str, first: int) -> int:
        n = self._ids[name]
        self._ids[name] = n + 1
        return first + n * catalog.STEP

    def _locations(self) -> Iterator[tuple[Any, ...]]:
        for n, place in enumerate(self.world.locations):
            ids = catalog.FIRST_LOCATION + n * catalog.STEP, catalog.FIRST_LEVEL + n * catalog.STEP
            yield ids[0], place.code, ids[1], _name(n, place), _city(place), self.created


def _as_it_is(style: Style, pictures: list[Picture]) -> Typed:
    """File names as the retailer's agency gave them: the beginning of the content's hash."""
    named = tuple((f"{picture.sha256[:16]}.png", picture) for picture in pictures)
    return Typed(style=style, title=style.title, description=style.description, pictures=named)


def _slipped(typed: Typed, slip: str | None) -> Typed:
    """The same with one thing that PIM or DAM say otherwise."""
    title, description = typed.title, typed.description
    match slip:
        case "title":
            return replace(typed, title={**title, "fr": title["fr"].upper()})
        case "english":
            return replace(typed, title={**title, "en": title["fr"]})
        case "german":
            return replace(typed, title={locale: title[locale] for locale in ("fr", "en")})
        case "description":
            return replace(typed, description={**description, "fr": f"<p>{title['fr']}</p>"})
        case "picture":
            return replace(
                typed, pictures=(*typed.pictures[:-1], (f"{typed.style.code}-{STRANGE_FILE}", _strange(typed)))
            )
        case "alt":
            return replace(typed, alts={1: ""})
    return typed


def _strange(typed: Typed) -> Picture:
    from hub.sandbox.pictures import INK, draw

    last = typed.pictures[-1][1]
    return replace(last, png=draw(f"{typed.style.code} {STRANGE_FILE}", INK["GRI"]))


def _on_file(code: str, n: int, without: set[int], untidy: set[int]) -> str:
    if n in without:
        return ""
    if n in untidy:
        return code.lower() if n % 2 else f" {code} "
    return code


def _name(n: int, place: Location) -> str:
    """Names differ from the ERP's in case and space here and there."""
    return place.name.upper() if n % 7 == 3 else f"{place.name} " if n % 7 == 5 else place.name


def _city(place: Location) -> str:
    return place.name.split()[-1 if not place.is_store else 0]
