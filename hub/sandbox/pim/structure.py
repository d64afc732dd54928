"""How the PIM is set up: channels, locales, categories, attributes with their options, families with their variants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.sandbox.assortment import AXES
from hub.sandbox.vocabulary import BRANDS, COLOUR_TEXTS
from hub.sandbox.world import FAMILIES

CHANNEL = "ecommerce"
LOCALES = {"fr": "fr_FR", "en": "en_GB", "de": "de_DE"}
TWO_LEVELS = "shoes"  # its models are split by size first
FAMILY_OF = {"BA": TWO_LEVELS, "EC": "scarves"}  # by the retailer's family; the others are clothing
NAMES = {"clothing": "Vêtements", TWO_LEVELS: "Chaussures", "scarves": "Écharpes"}
CATEGORIES = {  # code: (parent, French label)
    "master": (None, "Catalogue"),
    "women": ("master", "Femme"),
    "men": ("master", "Homme"),
    "accessories": ("master", "Accessoires"),
    "women_tops": ("women", "Hauts"),
    "women_dresses": ("women", "Robes"),
    "women_knitwear": ("women", "Mailles"),
    "men_jeans": ("men", "Jeans"),
    "men_shirts": ("men", "Chemises"),
    "men_coats": ("men", "Manteaux"),
    "accessories_shoes": ("accessories", "Chaussures"),
    "accessories_scarves": ("accessories", "Écharpes"),
    "back_to_school_2026": ("master", "Rentrée 2026"),
}
TYPES = {  # attribute: type, by locale, by channel
    "sku": ("pim_catalog_identifier", False, False),
    "name": ("pim_catalog_text", True, False),
    "description": ("pim_catalog_textarea", True, True),
    "material": ("pim_catalog_text", True, False),
    "brand": ("pim_catalog_simpleselect", False, False),
    "size": ("pim_catalog_simpleselect", False, False),
    "colour": ("pim_catalog_simpleselect", False, False),
    "variant_position": ("pim_catalog_number", False, False),
}
SELECTS = tuple(code for code, (type, *_) in TYPES.items() if type == "pim_catalog_simpleselect")

Thing = tuple[str, str, str, Mapping[str, Any]]  # kind, owner, code, body


def structure() -> Iterator[Thing]:
    """Everything but products and product models."""
    yield from _places()
    for code, (parent, label) in CATEGORIES.items():
        yield "category", "", code, {"code": code, "parent": parent, "labels": {"fr_FR": label}}
    for code, (type, localizable, scopable) in TYPES.items():
        yield "attribute", "", code, _attribute(code, type, localizable, scopable)
    yield from _options()
    for code, name in NAMES.items():
        yield "family", "", code, _family(code, name)
        yield "family_variant", code, variant_of(code), _variant(code)


def variant_of(family: str) -> str:
    """The one family variant of a family."""
    return f"{family}_by_size_and_colour"


def brand_code(brand: str) -> str:
    """``maison_omni``."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in brand.lower())


def category_code(path: str) -> str:
    """``women_tops`` of ``women/tops``."""
    return path.replace("/", "_")


def _places() -> Iterator[Thing]:
    for locale in (*LOCALES.values(), "es_ES"):
        yield "locale", "", locale, {"code": locale, "enabled": locale != "es_ES"}
    for code, locales in ((CHANNEL, sorted(LOCALES.values())), ("print", ["fr_FR"])):
        body = {
            "code": code,
            "currencies": ["EUR"],
            "locales": locales,
            "category_tree": "master",
            "conversion_units": {},
            "labels": {"fr_FR": {CHANNEL: "Boutique en ligne", "print": "Catalogue papier"}[code]},
        }
        yield "channel", "", code, body


def _attribute(code: str, type: str, localizable: bool, scopable: bool) -> dict[str, Any]:
    return {
        "code": code,
        "type": type,
        "group": "marketing" if localizable else "technical",
        "unique": code == "sku",
        "useable_as_grid_filter": True,
        "localizable": localizable,
        "scopable": scopable,
        "labels": {},
        "available_locales": [],
        "sort_order": 0,
        "wysiwyg_enabled": True if code == "description" else None,
    }


def _options() -> Iterator[Thing]:
    sizes = [size for _, _, sizes, _ in FAMILIES for size in sizes]
    for n, size in enumerate(dict.fromkeys(sizes)):
        yield _option("size", size, n, dict.fromkeys(LOCALES.values(), size))
    for n, (colour, texts) in enumerate(COLOUR_TEXTS.items()):
        yield _option("colour", colour, n, {LOCALES[locale]: text for locale, text in texts.items()})
    for n, brand in enumerate(BRANDS):
        yield _option("brand", brand_code(brand), n, {"fr_FR": brand})


def _option(attribute: str, code: str, order: int, labels: Mapping[str, str]) -> Thing:
    body = {"code": code, "attribute": attribute, "sort_order": order, "labels": dict(labels)}
    return "option", attribute, code, body


def _family(code: str, name: str) -> dict[str, Any]:
    return {
        "code": code,
        "attributes": sorted(TYPES),
        "attribute_as_label": "name",
        "attribute_as_image": None,
        "attribute_requirements": {CHANNEL: ["name", "sku"], "print": ["sku"]},
        "labels": {"fr_FR": name},
    }


def _variant(family: str) -> dict[str, Any]:
    size, colour = AXES
    one = [{"level": 1, "axes": [size, colour], "attributes": [colour, size, "sku", "variant_position"]}]
    two = [
        {"level": 1, "axes": [size], "attributes": [size]},
        {"level": 2, "axes": [colour], "attributes": [colour, "sku", "variant_position"]},
    ]
    sets = two if family == TWO_LEVELS else one
    return {"code": variant_of(family), "labels": {"fr_FR": "Par taille et couleur"}, "variant_attribute_sets": sets}
