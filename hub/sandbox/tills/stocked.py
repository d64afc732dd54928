"""How the tills' catalog looked when the hub arrived: mostly right, as a live retailer's is.

Some items still bear last season's name, some prices are not those of the lists, and store managers
have left marks of their own that are nobody else's to touch.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hub.sandbox.assortment import Assortment, Style
from hub.sandbox.tills.catalog import ITEM, VARIATION
from hub.sandbox.tills.tables import money, square_id, whole_millis
from hub.sandbox.world import Location, Sku, World

OLD_NAMES, OLD_PRICES = 10, 25
MARKED = 12  # items that a manager gave a colour on the till's screen


def locations(world: World) -> Iterator[tuple[object, ...]]:
    """Rows of ``till_location``."""
    opened = whole_millis(world.start - timedelta(days=700))
    for n, place in enumerate(world.stores):
        id = square_id(13, world.seed, "location", place.code, prefix="L")
        yield id, place.code, _name(n, place), place.name.split()[0], opened


def objects(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """(the retailer's code, ``CatalogObject``) of every item and variation that was there."""
    assortment, prices = Assortment(world), prices_held(world)
    sold = {sku.product for sku in world.skus}
    styles = [style for style in assortment.products if style.code in sold]
    draw = world.random("till catalog")
    renamed = {style.code for style in draw.sample(styles, OLD_NAMES)}
    marked = {style.code for style in draw.sample(styles, MARKED)}
    for style in styles:
        yield style.code, _item(world, style, renamed, marked)
        for ordinal, code in enumerate(style.skus):
            yield code, _variation(world, assortment.sku(code), ordinal, prices[code])


def prices_held(world: World) -> dict[str, int]:
    """Cents by SKU: the list's of the start, but for some that nobody has brought up to date."""
    from hub.sandbox.erp.prices import offers

    right = {code: int(Decimal(offer.amount) * 100) for code, offer in offers(Assortment(world), "RETAIL").items()}
    draw = world.random("till prices")
    wrong = draw.sample([sku.code for sku in world.skus], OLD_PRICES)
    return {**right, **{code: right[code] + draw.choice((-500, -200, 300, 500)) for code in wrong}}


def _item(world: World, style: Style, renamed: set[str], marked: set[str]) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": style.title["fr"].rsplit(" ", 1)[0] if style.code in renamed else style.title["fr"],
        "description_html": style.description["fr"],
        "is_taxable": True,
        "product_type": "REGULAR",
        "is_archived": False,
    }
    if style.code in marked:
        data |= {"label_color": "9da2a6", "abbreviation": style.title["fr"][:2]}
    return {"type": ITEM, "id": square_id(24, world.seed, "item", style.code), "item_data": data}


def _variation(world: World, sku: Sku, ordinal: int, cents: int) -> dict[str, Any]:
    data = {
        "item_id": square_id(24, world.seed, "item", sku.product),
        "name": f"{sku.size} {sku.colour}",
        "sku": sku.code,
        "upc": _upc(sku),
        "ordinal": ordinal,
        "pricing_type": "FIXED_PRICING",
        "price_money": money(cents),
        "track_inventory": True,
        "sellable": True,
        "stockable": True,
    }
    id = square_id(24, world.seed, "variation", sku.code)
    return {"type": VARIATION, "id": id, "item_variation_data": data}


def _name(n: int, place: Location) -> str:
    """Names differ from the ERP's in case and space here and there."""
    return place.name.lower() if n % 6 == 2 else f" {place.name}" if n % 6 == 4 else place.name


def _upc(sku: Sku) -> str:
    """What was scanned at the counter: an EAN-13 that starts with 0 is a UPC-A and scans with 12 digits."""
    return sku.ean.removeprefix("0")
