"""Price lists and promotions as the ERP keeps them, and what its users do to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from hub.sandbox.assortment import Assortment
from hub.sandbox.clock import PARIS, Clock, naive_paris
from hub.sandbox.erp.prices import Entry, Promotion, price_entries, promotions
from hub.sandbox.state import State

ACTIVE, WITHDRAWN = 1, 2
TABLES = (
    """CREATE TABLE IF NOT EXISTS erp_price (
    rownum INTEGER PRIMARY KEY AUTOINCREMENT, list TEXT NOT NULL, sku TEXT NOT NULL, amount TEXT NOT NULL,
    currency TEXT NOT NULL, min_quantity INTEGER NOT NULL, site TEXT NOT NULL, country TEXT NOT NULL,
    first_day TEXT NOT NULL, last_day TEXT NOT NULL, status INTEGER NOT NULL, updated TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS erp_price_by_time ON erp_price (updated)",
    """CREATE TABLE IF NOT EXISTS erp_promotion (
    rownum INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL UNIQUE, list TEXT NOT NULL, channel TEXT NOT NULL,
    priority INTEGER NOT NULL, begins TEXT NOT NULL, ends TEXT NOT NULL, status INTEGER NOT NULL,
    items TEXT NOT NULL, updated TEXT NOT NULL)""",
)
PRICE = (
    "INSERT INTO erp_price (list, sku, amount, currency, min_quantity, site, country, first_day, last_day, status,"
    " updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
PROMOTION = (
    "INSERT INTO erp_promotion (code, list, channel, priority, begins, ends, status, items, updated)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class PriceLists:
    """Entries are never deleted: what no longer counts is withdrawn."""

    def __init__(self, state: State, assortment: Assortment, clock: Clock) -> None:
        self.state = state
        self.assortment = assortment
        self.clock = clock
        state.declare(*TABLES)

    def populate(self) -> None:
        self.state.insert(PRICE, self._entries())
        start = self.assortment.world.start
        begun = [(p, naive_paris(min(p.begins, start) - timedelta(days=2))) for p in promotions(self.assortment.world)]
        self.state.insert(PROMOTION, (_promotion_row(promotion, updated) for promotion, updated in begun))

    def _entries(self) -> Iterator[tuple[object, ...]]:
        draw = self.assortment.world.random("erp prices")
        for entry in price_entries(self.assortment):
            updated = self.assortment.world.start - timedelta(minutes=10) - draw.random() * timedelta(days=30)
            yield _entry_row(entry, naive_paris(updated))

    # --- what the ERP's users do ------------------------------------------------------------------

    def set_price(
        self,
        sku: str,
        amount: str,
        *,
        list: str = "WEB",
        first_day: date | None = None,
        last_day: date | None = None,
        site: str = "",
        country: str = "",
        min_quantity: int = 1,
        currency: str = "EUR",
    ) -> str:
        """Enter a price that counts from ``first_day`` (today); one of the same scope and day is overwritten.

        Answers the number of the entry.
        """
        entry = Entry(
            list=list,
            sku=sku,
            amount=amount,
            currency=currency,
            min_quantity=min_quantity,
            site=site,
            country=country,
            first_day=first_day or self.clock.now().astimezone(PARIS).date(),
            last_day=last_day,
        )
        with self.state.transaction() as connection:
            if same := self._same(entry):
                connection.execute(
                    "UPDATE erp_price SET amount = ?, currency = ?, last_day = ?, status = ?, updated = ?"
                    " WHERE rownum = ?",
                    (amount, currency, _day(last_day), ACTIVE, self._now(), same),
                )
                return number(same)
            return number(connection.execute(PRICE, _entry_row(entry, self._now())).lastrowid or 0)

    def withdraw_price(self, entry: str) -> None:
        """Take the entry of this number back."""
        done = self.state.execute(
            "UPDATE erp_price SET status = ?, updated = ? WHERE rownum = ?", (WITHDRAWN, self._now(), int(entry[1:]))
        )
        if done.rowcount == 0:
            raise KeyError(f"the ERP has no price entry {entry}")

    def promote(
        self,
        amounts: Mapping[str, str],
        *,
        code: str | None = None,
        begins: datetime | None = None,
        ends: datetime | None = None,
        list: str = "",
        channel: str = "",
        priority: int = 0,
    ) -> str:
        """Sell articles (code: amount) for less, from now and for two weeks unless said otherwise; answers its code.

        A code that is known is replaced whole; articles that are no longer in it are marked withdrawn.
        """
        now = self.clock.now()
        with self.state.transaction():
            promotion = Promotion(
                code=code or f"PROMO{self._count() + 1:03d}",
                list=list,
                channel=channel,
                begins=begins or now,
                ends=ends or now + timedelta(days=14),
                amounts=dict(amounts),
                priority=priority,
            )
            self._keep(promotion)
        return promotion.code

    def end_promotion(self, code: str) -> None:
        """Take a promotion back, as if it had never been."""
        done = self.state.execute(
            "UPDATE erp_promotion SET status = ?, updated = ? WHERE code = ?", (WITHDRAWN, self._now(), code)
        )
        if done.rowcount == 0:
            raise KeyError(f"the ERP has no promotion {code}")

    # --- what is asked over SOAP ------------------------------------------------------------------

    def prices(self, changed_since: str, after: int, limit: int) -> list[Any]:
        """Entries changed at or after ``changed_since`` ("" for all), behind row ``after``."""
        return self.state.rows(
            "SELECT p.*, i.itmref FROM erp_price p JOIN erp_item i ON i.sku = p.sku"
            " WHERE p.rownum > ? AND p.updated >= ? ORDER BY p.rownum LIMIT ?",
            (after, changed_since, limit),
        )

    def promotions(self, changed_since: str, after: int, limit: int) -> list[Any]:
        """Promotions changed at or after ``changed_since`` ("" for all), behind row ``after``."""
        return self.state.rows(
            "SELECT * FROM erp_promotion WHERE rownum > ? AND updated >= ? ORDER BY rownum LIMIT ?",
            (after, changed_since, limit),
        )

    # --- small things -----------------------------------------------------------------------------

    def _same(self, entry: Entry) -> int | None:
        row = self.state.row(
            "SELECT max(rownum) AS rownum FROM erp_price WHERE list = ? AND sku = ? AND min_quantity = ? AND site = ?"
            " AND country = ? AND first_day = ?",
            (entry.list, entry.sku, entry.min_quantity, entry.site, entry.country, _day(entry.first_day)),
        )
        return row["rownum"] if row else None

    def _keep(self, promotion: Promotion) -> None:
        row = self.state.row("SELECT items FROM erp_promotion WHERE code = ?", (promotion.code,))
        code, *rest = _promotion_row(promotion, self._now())
        if row is None:
            self.state.execute(PROMOTION, (code, *rest))
            return
        gone = {sku: [amount, WITHDRAWN] for sku, (amount, _) in json.loads(row["items"]).items()}
        rest[-2] = json.dumps({**gone, **json.loads(str(rest[-2]))})
        self.state.execute(
            "UPDATE erp_promotion SET list = ?, channel = ?, priority = ?, begins = ?, ends = ?, status = ?, items = ?,"
            " updated = ? WHERE code = ?",
            (*rest, code),
        )

    def _count(self) -> int:
        row = self.state.row("SELECT count(*) AS n FROM erp_promotion")
        return int(row["n"]) if row else 0

    def _now(self) -> str:
        return naive_paris(self.clock.now())


def number(rownum: int) -> str:
    """``T0000123``: the number under which people know an entry."""
    return f"T{rownum:07d}"


def _entry_row(entry: Entry, updated: str) -> tuple[object, ...]:
    return (
        entry.list,
        entry.sku,
        entry.amount,
        entry.currency,
        entry.min_quantity,
        entry.site,
        entry.country,
        _day(entry.first_day),
        _day(entry.last_day),
        ACTIVE if entry.active else WITHDRAWN,
        updated,
    )


def _promotion_row(promotion: Promotion, updated: str) -> tuple[object, ...]:
    items = json.dumps({sku: [amount, ACTIVE] for sku, amount in promotion.amounts.items()})
    times = (naive_paris(promotion.begins), naive_paris(promotion.ends))
    status = ACTIVE if promotion.active else WITHDRAWN
    return (promotion.code, promotion.list, promotion.channel, promotion.priority, *times, status, items, updated)


def _day(day: date | None) -> str:
    return "" if day is None else f"{day:%Y%m%d}"
