"""The ERP's article master: GTIN, tax, unit, weight and status, and names of its own that nobody else uses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from hub.sandbox.assortment import Assortment, colour_code
from hub.sandbox.clock import Clock, naive_paris
from hub.sandbox.state import State

ITMREF_WIDTH = 20
ACTIVE, INACTIVE = 1, 6
ACCOUNTS = "GIFT-"  # codes that begin so stand for money
INACTIVE_SKUS = 2  # single articles that are no longer sold, beside whole styles
TABLE = """CREATE TABLE IF NOT EXISTS erp_item (
    rownum INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, itmref TEXT NOT NULL, style TEXT NOT NULL,
    name TEXT NOT NULL, ean TEXT NOT NULL, tax TEXT NOT NULL, unit TEXT NOT NULL, grams INTEGER NOT NULL,
    status INTEGER NOT NULL, updated TEXT NOT NULL)"""


class Items:
    """One row for each article, also for those that nobody has received yet."""

    def __init__(self, state: State, assortment: Assortment, clock: Clock) -> None:
        self.state = state
        self.assortment = assortment
        self.clock = clock
        state.declare(TABLE)

    @property
    def wrong_gtin(self) -> str:
        """The article whose EAN somebody typed with a wrong check digit."""
        return self.assortment.world.skus[-1].code

    def populate(self) -> None:
        self.state.insert("INSERT INTO erp_item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._backlog())

    def _backlog(self) -> Iterator[tuple[object, ...]]:
        world = self.assortment.world
        draw = world.random("erp items")
        inactive = {sku.code for sku in draw.sample(world.skus, INACTIVE_SKUS)}
        sold = [(style, code) for style in self.assortment.products for code in style.skus]
        for rownum, (style, code) in enumerate(sold, 1):
            sku = self.assortment.sku(code)
            ean = sku.ean if code != self.wrong_gtin else mistyped(sku.ean)
            status = ACTIVE if style.active and code not in inactive else INACTIVE
            updated = world.start - timedelta(hours=1) - draw.random() * timedelta(days=60)
            name = f"{sku.name.upper()} {sku.size}/{colour_code(code)}"
            row = (code, typed(code, draw.random()), style.code, name, ean, "N", "UN", draw.randint(12, 140) * 10)
            yield (rownum, *row, status, naive_paris(updated))

    # --- what the ERP's users do ------------------------------------------------------------------

    def edit(self, sku: str, *, ean: str | None = None, active: bool | None = None, grams: int | None = None) -> None:
        """Correct an article; what is not given stays."""
        status = None if active is None else ACTIVE if active else INACTIVE
        done = self.state.execute(
            "UPDATE erp_item SET ean = coalesce(?, ean), status = coalesce(?, status), grams = coalesce(?, grams),"
            " updated = ? WHERE sku = ?",
            (ean, status, grams, naive_paris(self.clock.now()), sku),
        )
        if done.rowcount == 0:
            raise KeyError(f"the ERP knows no article {sku}")

    def known(self, code: str) -> str | None:
        """Our code of an article however it is typed; None where the ERP has none.

        Gift cards are accounts and not articles: they can be sold, and no list of articles tells them.
        """
        if code.strip().upper().startswith(ACCOUNTS):
            return code.strip().upper()
        row = self.state.row("SELECT sku FROM erp_item WHERE sku = ?", (code.strip().upper(),))
        return row["sku"] if row else None

    def typed_of(self, code: str) -> str:
        """The code as it stands in the master, or as given where the master has none."""
        row = self.state.row("SELECT itmref FROM erp_item WHERE sku = ?", (code.strip().upper(),))
        return row["itmref"] if row else code

    def rows(self, changed_since: str, after: int, limit: int) -> list[Any]:
        """Rows changed at or after the naive time ``changed_since`` ("" for all), behind row ``after``."""
        return self.state.rows(
            "SELECT * FROM erp_item WHERE rownum > ? AND updated >= ? ORDER BY rownum LIMIT ?",
            (after, changed_since, limit),
        )


def mistyped(ean: str) -> str:
    """``ean`` with another check digit than the right one."""
    return ean[:-1] + str((int(ean[-1]) + 2) % 10)


def typed(code: str, style: float) -> str:
    """A code as somebody once keyed it in: mostly padded to the field's width, now and then in another case."""
    if style < 0.10:
        return code.lower()
    if style < 0.18:
        return "  " + code.title()
    return code.ljust(ITMREF_WIDTH)
