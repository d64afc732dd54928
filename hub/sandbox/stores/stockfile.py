"""One stock file as a store's back office writes it: cp1252, semicolons, CRLF, and the habits of its keyboard.

    H;STOCK;C;0001;20261121223000;1:20261121:345,2:20261121:120     type, store, as-of, last ticket per till
    MAGASIN;ARTICLE;EAN;LIBELLE;QTE;INDISPO;PVP
    0001;  ts0001-m-blu ;0376012345678;T-shirt été M bleu;5,000;0,000;19,90
    T;480                                                            article lines

Times are local without an offset. What a line looks like depends on store and article only, so
equal stock makes an equal line night after night.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.sandbox.assortment import Assortment
from hub.sandbox.clock import naive_paris
from hub.sandbox.floor import TicketNumber
from hub.sandbox.world import Sku, World

ENCODING = "cp1252"
NEWLINE = "\r\n"
COLUMNS = "MAGASIN;ARTICLE;EAN;LIBELLE;QTE;INDISPO;PVP"


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFile:
    """What goes into a file; a quantity given as text is written as it stands (``1,5``)."""

    store: str  # code in files: 0001
    as_of: datetime
    complete: bool
    tickets: Mapping[int, TicketNumber]
    levels: Mapping[str, int | str]
    unavailable: Mapping[str, int]
    dirty: bool = True

    @property
    def name(self) -> str:
        """``STOCK_0001_20261121223000_C.csv``."""
        return f"STOCK_{self.store}_{naive_paris(self.as_of)}_{self.kind}.csv"

    @property
    def kind(self) -> str:
        return "C" if self.complete else "P"

    def text(self, world: World) -> str:
        lines = list(self._lines(world))
        return NEWLINE.join([self._header(), COLUMNS, *lines, f"T;{len(lines)}", ""])

    def content(self, world: World) -> bytes:
        return self.text(world).encode(ENCODING)

    def _header(self) -> str:
        last = (f"{till}:{t.business_day.replace('-', '')}:{t.sequence}" for till, t in sorted(self.tickets.items()))
        return f"H;STOCK;{self.kind};{self.store};{naive_paris(self.as_of)};{','.join(last)}"

    def _lines(self, world: World) -> Iterator[str]:
        """In a dirty complete file some articles stand twice, first with a number that is out of date."""
        again = _written_twice(world, self.store) if self.dirty and self.complete else frozenset()
        known = Assortment(world)
        for code, quantity in self.levels.items():
            if code in again and isinstance(quantity, int):
                yield self._line(known, code, quantity + 3)
            else:
                yield self._line(known, code, quantity)
        for code in sorted(again & self.levels.keys()):
            yield self._line(known, code, self.levels[code])

    def _line(self, known: Assortment, code: str, quantity: int | str) -> str:
        """An article of a new style is written as soon as the store has some."""
        sku = known.sku(code)
        article = _typed(known.world, self.store, sku) if self.dirty else sku.code
        fields = (
            self.store,
            article,
            sku.ean,
            sku.label,
            _decimal(quantity),
            _decimal(self.unavailable.get(code, 0)),
            f"{sku.price_cents // 100},{sku.price_cents % 100:02d}",
        )
        return ";".join(fields)


def _decimal(quantity: int | str) -> str:
    return quantity if isinstance(quantity, str) else f"{quantity},000"


def _written_twice(world: World, store: str) -> frozenset[str]:
    """Two or three articles in the files of every third store."""
    draw = world.random("twice", store)
    if draw.random() > 0.35:
        return frozenset()
    return frozenset(sku.code for sku in draw.sample(world.skus, draw.randint(2, 3)))


def _typed(world: World, store: str, sku: Sku) -> str:
    """The code as this store keyed it in once: one in five is padded, in lower case, or both."""
    digit = int(sku.ean[-4:]) * 7919 + sum(store.encode()) * 104729 + world.seed
    match digit % 20:
        case 0:
            return f"  {sku.code.lower()} "
        case 1:
            return sku.code.lower()
        case 2:
            return f"{sku.code}   "
        case 3:
            return sku.code.title()
        case _:
            return sku.code
