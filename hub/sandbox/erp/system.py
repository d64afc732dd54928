"""The ERP's own books, with the dirt of a system that is 15 years old: here its stock, beside it the rest."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hub.sandbox.assortment import Assortment
from hub.sandbox.baskets import Baskets
from hub.sandbox.clock import Clock, naive_paris
from hub.sandbox.erp.items import Items, typed
from hub.sandbox.erp.office import Office
from hub.sandbox.erp.pricelists import PriceLists
from hub.sandbox.erp.sales import Sales
from hub.sandbox.ledger import Ledger
from hub.sandbox.limits import Bucket
from hub.sandbox.state import State
from hub.sandbox.world import WAREHOUSE, Location, Sku, World

if TYPE_CHECKING:
    from starlette.applications import Starlette

LOGIN = "omnihub"
CALLS_BURST, CALLS_PER_SECOND = 10, 5
CLAIMED_STORES = ("ST01", "ST02")  # a half-finished project of years ago: the ERP still claims their stock
CLAIMED_ROWS = 20  # of each
TABLE = """CREATE TABLE IF NOT EXISTS erp_stock (
    rownum INTEGER PRIMARY KEY, sku TEXT NOT NULL, site TEXT NOT NULL, itmref TEXT NOT NULL,
    on_hand INTEGER NOT NULL, blocked INTEGER NOT NULL, ean TEXT NOT NULL, updated TEXT NOT NULL)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRow:
    """One row as ReadStock answers it."""

    rownum: int
    itmref: str  # padded, in whatever case it was typed
    site: str
    on_hand: int
    blocked: int
    ean: str
    updated: str  # naive Paris time, yyyymmddHHMMSS


class Erp:
    """What happens inside the ERP; ``app()`` shows it over SOAP."""

    def __init__(self, state: State, world: World, ledger: Ledger, clock: Clock) -> None:
        self.state = state
        self.world = world
        self.ledger = ledger
        self.clock = clock
        self.bucket = Bucket(CALLS_BURST, CALLS_PER_SECOND * state.haste)
        state.declare(
            TABLE,
            "CREATE INDEX IF NOT EXISTS erp_stock_by_key ON erp_stock (sku, site)",
            "CREATE INDEX IF NOT EXISTS erp_stock_by_time ON erp_stock (updated)",
        )
        self.items = Items(state, Assortment(world), clock)
        self.lists = PriceLists(state, self.items.assortment, clock)
        self.sales = Sales(state, world, self.items, clock)
        self.office = Office(self.sales)
        # What people do at its screens, under the names by which tests and shoppers know it.
        self.set_price, self.withdraw_price = self.lists.set_price, self.lists.withdraw_price
        self.promote, self.end_promotion = self.lists.promote, self.lists.end_promotion
        self.edit_item = self.items.edit
        self.accept, self.prepare, self.ship = self.office.accept, self.office.prepare, self.office.ship
        self.cancel, self.receive_return = self.office.cancel, self.office.receive_return
        self.back_office_step = self.office.step

    @property
    def password(self) -> str:
        return self.state.secret("erp_password", lambda: secrets.token_urlsafe(18))

    def app(self) -> Starlette:
        """The SOAP service as an ASGI application."""
        from hub.sandbox.erp.app import application

        return application(self)

    def populate(self, baskets: Baskets) -> None:
        """The books at the start: 480 rows of the warehouse, 40 that claim stores, 2 written twice; no order yet."""
        self.items.populate()
        self.lists.populate()
        self.state.insert("INSERT INTO erp_stock VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._backlog())

    def _backlog(self) -> Iterator[tuple[object, ...]]:
        draw = self.world.random("erp")
        places = [(sku, self.world.location(WAREHOUSE), 0) for sku in self.world.skus]
        for store in CLAIMED_STORES:
            claimed = draw.sample(self.world.skus, CLAIMED_ROWS)
            places += [(sku, self.world.location(store), draw.randint(3, 30)) for sku in claimed]
        rows = [self._row(sku, place, wrong, draw.random(), draw.random()) for sku, place, wrong in places]
        older, same = rows[draw.randrange(100)], rows[draw.randrange(100, 200)]
        last_year = naive_paris(self.world.start - timedelta(days=400))
        rows += [
            (*older[:3], older[3] + 17, *older[4:6], last_year),  # written later, but it is last year's truth
            (*same[:3], same[3] + 5, *same[4:]),  # the same second: the later row counts
        ]
        return ((number, *row) for number, row in enumerate(rows, 1))

    def _row(
        self, sku: Sku, place: Location, wrong: int, style: float, age: float
    ) -> tuple[str, str, str, int, int, str, str]:
        key = (sku.code, place.code)
        updated = self.world.start - timedelta(minutes=5) - age * timedelta(days=20)
        blocked = 0 if wrong else self.world.unavailable.get(key, 0)
        itmref = typed(sku.code, style)
        return sku.code, place.site, itmref, self.world.on_hand[key] + wrong, blocked, sku.ean, naive_paris(updated)

    # --- what the ERP's users do ------------------------------------------------------------------

    def set(self, sku: str, site: str, on_hand: int, *, blocked: int | None = None, at: datetime | None = None) -> None:
        """Book a new level; ``site`` is the ERP's code or ours. Of a row written twice the one that counts changes."""
        updated = naive_paris(at or self.clock.now())
        with self.state.transaction() as connection:
            done = connection.execute(
                "UPDATE erp_stock SET on_hand = ?, blocked = coalesce(?, blocked), updated = ? WHERE rownum ="
                " (SELECT rownum FROM erp_stock WHERE sku = ? AND site = ? ORDER BY updated DESC, rownum DESC LIMIT 1)",
                (on_hand, blocked, updated, sku, self._site(site)),
            )
            if done.rowcount == 0:
                raise KeyError(f"the ERP keeps no stock of {sku} at {site}")

    def bump(self, sku: str, site: str, pieces: int, *, at: datetime | None = None) -> int:
        """Book signed ``pieces``, a goods receipt or a write-off; answers the new level."""
        with self.state.transaction():
            level = self.level(sku, site) + pieces
            self.set(sku, site, level, at=at)
        return level

    def level(self, sku: str, site: str) -> int:
        """What the ERP has on its books now."""
        row = self.state.row(
            "SELECT on_hand FROM erp_stock WHERE sku = ? AND site = ? ORDER BY updated DESC, rownum DESC LIMIT 1",
            (sku, self._site(site)),
        )
        if row is None:
            raise KeyError(f"the ERP keeps no stock of {sku} at {site}")
        return int(row["on_hand"])

    def _site(self, code: str) -> str:
        return code if code.startswith("FR") else self.world.location(code).site

    # --- what is asked over SOAP ------------------------------------------------------------------

    def rows(self, changed_since: str, after: int, limit: int) -> list[StockRow]:
        """Rows changed at or after the naive time ``changed_since`` ("" for all), behind row ``after``."""
        rows = self.state.rows(
            "SELECT rownum, itmref, site, on_hand, blocked, ean, updated FROM erp_stock"
            " WHERE rownum > ? AND updated >= ? ORDER BY rownum LIMIT ?",
            (after, changed_since, limit),
        )
        return [StockRow(**dict(row)) for row in rows]
