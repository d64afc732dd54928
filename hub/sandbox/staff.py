"""What the retailer's own people do all day, in every system that is theirs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from hub.sandbox.assortment import LOCALES, Style
from hub.sandbox.pictures import INK, draw
from hub.sandbox.retailer import Retailer
from hub.sandbox.world import WAREHOUSE, Sku

LISTS = ("WEB", "RETAIL")
PROMOTION_LASTS = timedelta(minutes=3)  # short enough to end while somebody looks
REDUCED = 0.8  # of the ordinary price
# What a product manager adds to a description when the season moves on.
SAID = {
    "fr": ("Nouvelle saison.", "Coupe revue cette année.", "Le favori de la maison."),
    "en": ("New season.", "With a new cut this year.", "The favourite of the house."),
    "de": ("Neue Saison.", "In diesem Jahr neu geschnitten.", "Der Liebling des Hauses."),
}


class Staff:
    """``step`` follows a customer: most of the time nobody does anything, now and then several do."""

    def __init__(self, retailer: Retailer, draw: random.Random, happened: Counter[str]) -> None:
        self._retailer = retailer
        self._draw = draw
        self._happened = happened
        self._does: tuple[tuple[float, str, Callable[[], None]], ...] = (
            (0.04, "store files", self._count),
            (0.10, "bookings in the ERP", self._book),
            (0.03, "prices changed", self._reprice),
            (0.02, "promotions begun", self._promote),
            (0.02, "texts edited in the PIM", self._write),
            (0.01, "pictures replaced", self._photograph),
            (0.01, "prices typed at a till", self._type_at_till),
            (0.01, "titles typed in the shop", self._type_in_shop),
        )

    def step(self) -> None:
        for share, name, act in self._does:
            if self._draw.random() < share:
                act()
                self._happened[name] += 1

    def _count(self) -> None:
        """A store counts some shelves and sends a partial file."""
        self._retailer.stores.drop(self._draw.choice(self._retailer.world.stores).code, complete=False)

    def _book(self) -> None:
        """A goods receipt at the warehouse, or now and then a write-off."""
        self._retailer.erp.bump(self._sku().code, WAREHOUSE, self._draw.choice((24, 12, 6, -1)))

    def _reprice(self) -> None:
        """A new ordinary price, in every list: the article costs the same everywhere."""
        sku = self._sku()
        amount = _euros(sku.price_cents + 100 * self._draw.choice((-2, -1, 1, 2)))
        for price_list in LISTS:
            self._retailer.erp.set_price(sku.code, amount, list=price_list)

    def _promote(self) -> None:
        """A style is reduced for some minutes, everywhere."""
        style = self._style()
        sold = [self._retailer.assortment.sku(code) for code in style.skus]
        amounts = {sku.code: _euros(round(sku.price_cents * REDUCED)) for sku in sold}
        self._retailer.erp.promote(amounts, ends=self._retailer.clock.now() + PROMOTION_LASTS)

    def _write(self) -> None:
        style, locale = self._style(), self._draw.choice(LOCALES)
        text = f"{style.description[locale]} {self._draw.choice(SAID[locale])}"
        self._retailer.pim.edit(style.code, "description", locale, text)

    def _photograph(self) -> None:
        """A better picture takes the place of a style's first one."""
        first = self._retailer.assortment.pictures(self._style())[0]
        take = f"{first.asset} {self._draw.randrange(1_000_000)}"
        self._retailer.dam.replace(first.asset, draw(take, INK[first.colour]))

    def _type_at_till(self) -> None:
        """A store manager types a price of their own, which is not theirs to decide."""
        sku = self._sku()
        self._retailer.tills.reprice(sku.code, sku.price_cents - 100)

    def _type_in_shop(self) -> None:
        """A merchandiser thinks of a better title, which is the PIM's to decide."""
        style = self._style()
        self._retailer.shop.merchandiser_edits(style.code, title=f"{style.title['fr']} !")

    def _sku(self) -> Sku:
        return self._draw.choice(self._retailer.world.skus)

    def _style(self) -> Style:
        """One of those that are sold already."""
        sold = {sku.product for sku in self._retailer.world.skus}
        return self._draw.choice([s for s in self._retailer.assortment.products if s.code in sold and s.active])


def _euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
