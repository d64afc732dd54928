"""The retailer Maison Omni as it truly is, drawn from a seed: articles, places, tills, people, pieces.

Every system of the sandbox shows its own dirty picture of this. Nothing here changes and nothing is
stored: the same seed and start make the same world; what is sold afterwards is the floor's affair.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from hub.sandbox.clock import business_day, last_night

WAREHOUSE = "WH1"
OFFLINE_TILL = ("ST05", 2)  # had no network last night: its last tickets came in this morning
SKEWED_TILL = ("ST08", 1)  # its clock is SKEW_MINUTES fast; its sequence is right
SKEW_MINUTES = 47
OFFLINE_TICKETS = 4

CITIES = (
    "Paris Rivoli", "Paris Marais", "Lyon République", "Marseille Vieux-Port", "Lille Grand-Place",
    "Bordeaux Sainte-Catherine", "Nantes Crébillon", "Toulouse Capitole", "Strasbourg Kléber", "Nice Masséna",
    "Rennes Le Bastard", "Montpellier Comédie", "Grenoble Victor-Hugo", "Dijon Liberté", "Reims Vesle",
    "Rouen Gros-Horloge", "Tours Nationale", "Angers Ralliement", "Metz Serpenoise", "Nancy Saint-Jean",
)  # fmt: skip
# Latitude and longitude of the depot and of each city's store.
DEPOT_POSITION = ("47.9025", "1.9090")
POSITIONS = (
    ("48.8556", "2.3522"), ("48.8590", "2.3622"), ("45.7640", "4.8357"), ("43.2951", "5.3740"), ("50.6366", "3.0635"),
    ("44.8390", "-0.5736"), ("47.2130", "-1.5610"), ("43.6045", "1.4440"), ("48.5846", "7.7455"), ("43.6970", "7.2700"),
    ("48.1090", "-1.6790"), ("43.6086", "3.8797"), ("45.1885", "5.7245"), ("47.3220", "5.0415"), ("49.2560", "4.0310"),
    ("49.4415", "1.0900"), ("47.3910", "0.6880"), ("47.4712", "-0.5510"), ("49.1180", "6.1750"), ("48.6910", "6.1830"),
)  # fmt: skip
# code, French label, sizes, price in cents from
FAMILIES = (
    ("TS", "T-shirt été", ("S", "M", "L", "XL"), 1990),
    ("JN", "Jean brut", ("36", "38", "40", "42"), 5990),
    ("CH", "Chemise à rayures", ("S", "M", "L", "XL"), 4990),
    ("RB", "Robe légère", ("36", "38", "40", "42"), 6990),
    ("PU", "Pull côtelé", ("S", "M", "L", "XL"), 5490),
    ("MA", "Manteau déperlant", ("S", "M", "L", "XL"), 14990),
    ("BA", "Basket toilée", ("38", "40", "42", "44"), 7990),
    ("EC", "Écharpe maïs", ("U",), 2990),
)
COLOURS = (
    ("BLU", "bleu"), ("NOI", "noir"), ("BLA", "blanc"), ("ROU", "rouge"), ("VER", "vert"), ("ECR", "écru"),
    ("GRI", "gris"), ("CAM", "camel"),
)  # fmt: skip
PRODUCTS, VARIANTS = 120, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sku:
    """One sellable article."""

    code: str  # canonical: TS0001-M-BLU
    product: str  # TS0001
    name: str  # T-shirt été
    size: str
    colour: str  # bleu
    ean: str  # 13 digits with a valid check digit; every eighth starts with 0
    price_cents: int  # EUR, tax included

    @property
    def label(self) -> str:
        """``T-shirt été M bleu``."""
        return f"{self.name} {self.size} {self.colour}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """The warehouse or a store."""

    code: str  # WH1, ST01
    site: str  # the ERP's code: FR001, FR011
    file: str  # the code in store files: 0001; "" for the warehouse
    name: str  # the same in ERP, shop and tills
    position: tuple[str, str]  # latitude and longitude in degrees
    tills: tuple[int, ...] = ()
    operators: tuple[str, ...] = ()

    @property
    def is_store(self) -> bool:
        return bool(self.file)


class World:
    """The retailer at ``night``, the as-of of last night's store files before ``start``."""

    def __init__(self, seed: int, start: datetime) -> None:
        self.seed = seed
        self.start = start
        self.night = last_night(start)
        self.night_day = business_day(self.night)  # business day of the tickets before the night file
        self.locations = _locations(self.random("locations"))
        self.stores = tuple(place for place in self.locations if place.is_store)
        self.skus = _skus(self.random("skus"))
        self._location = {place.code: place for place in self.locations}
        self._sku = {sku.code: sku for sku in self.skus}

    def random(self, *purpose: object) -> random.Random:
        """A generator of its own for each purpose, so that one module's draws never move another's."""
        return random.Random(f"{self.seed}:" + ":".join(map(str, purpose)))  # noqa: S311 - repeatable, not secret

    def location(self, code: str) -> Location:
        return self._location[code]

    def sku(self, code: str) -> Sku:
        return self._sku[code]

    @cached_property
    def on_hand(self) -> dict[tuple[str, str], int]:
        """Pieces by (SKU, location) at ``night``; some are negative (booked late), many are 0."""
        draw = self.random("on_hand")
        return {
            (sku.code, place.code): _store_pieces(draw) if place.is_store else draw.randint(20, 400)
            for place in self.locations
            for sku in self.skus
        }

    @cached_property
    def unavailable(self) -> dict[tuple[str, str], int]:
        """Damaged or blocked pieces by (SKU, location), where there are any; never more than on hand."""
        draw = self.random("unavailable")
        return {
            key: draw.randint(1, min(3, pieces))
            for key, pieces in self.on_hand.items()
            if pieces > 0 and draw.random() < 0.03
        }

    @cached_property
    def outdated(self) -> dict[tuple[str, str], int]:
        """What shop and tills still believed when the hub arrived: wrong for about 4 keys in 10, never negative."""
        draw = self.random("outdated")
        return {
            key: max(0, pieces + (draw.randint(-4, 6) if draw.random() < 0.45 else 0))
            for key, pieces in self.on_hand.items()
        }

    @cached_property
    def night_sequence(self) -> dict[tuple[str, int], int]:
        """The last ticket of business day ``night_day`` in the night file, by (store, till).

        The offline till's is the last one that had reached the back office.
        """
        draw = self.random("night_sequence")
        return {(place.code, till): draw.randint(80, 400) for place in self.stores for till in place.tills}


def check_digit(twelve: str) -> str:
    """GS1's check digit of an EAN-13."""
    total = sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(twelve))
    return str(-total % 10)


def _locations(draw: random.Random) -> tuple[Location, ...]:
    warehouse = Location(code=WAREHOUSE, site="FR001", file="", name="Entrepôt Orléans", position=DEPOT_POSITION)
    return (warehouse, *(_store(number, name, draw) for number, name in enumerate(CITIES, 1)))


def _store(number: int, name: str, draw: random.Random) -> Location:
    file = f"{number:04d}"
    return Location(
        code=f"ST{number:02d}",
        site=f"FR{number + 10:03d}",
        file=file,
        name=name,
        position=POSITIONS[number - 1],
        tills=tuple(range(1, draw.randint(2, 3) + 1)),
        operators=tuple(f"{file}-{person:02d}" for person in range(1, draw.randint(4, 8))),
    )


def _skus(draw: random.Random) -> tuple[Sku, ...]:
    """Four variants a product, sizes first: four sizes of one colour, or as many colours as it takes."""
    skus: list[Sku] = []
    for number in range(1, PRODUCTS + 1):
        code, name, sizes, price = FAMILIES[(number - 1) % len(FAMILIES)]
        cents = price + 500 * draw.randint(0, 6)
        width = min(len(sizes), draw.choice((2, 4)))
        colours = draw.sample(COLOURS, VARIANTS // width)
        for colour_code, colour in colours:
            for size in sizes[:width]:
                skus.append(
                    Sku(
                        code=f"{code}{number:04d}-{size}-{colour_code}",
                        product=f"{code}{number:04d}",
                        name=name,
                        size=size,
                        colour=colour,
                        ean=ean(len(skus)),
                        price_cents=cents,
                    )
                )
    return tuple(skus)


def ean(index: int) -> str:
    """The EAN-13 of the retailer's article number ``index``."""
    prefix = "0376012" if index % 8 == 0 else "3760123"
    twelve = f"{prefix}{10007 + index * 173:05d}"
    return twelve + check_digit(twelve)


def _store_pieces(draw: random.Random) -> int:
    chance = draw.random()
    if chance < 0.10:
        return 0
    if chance < 0.115:
        return -draw.randint(1, 2)
    return draw.randint(1, 25)
