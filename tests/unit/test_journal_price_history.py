"""What a channel asked, and since when: kept for 400 days, so that a reduction can be proved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hub.journal import price_history
from hub.journal.database import Connection

DAY = datetime(2026, 11, 22, tzinfo=UTC)


def asked(journal: Connection, target: str, *prices: tuple[int, str]) -> None:
    """``target`` confirmed each amount so many days ago."""
    for days, amount in prices:
        price_history.note(journal, target, {"A": (amount, "EUR")}, DAY - timedelta(days=days))


def known(journal: Connection, target: str) -> list[tuple[int, Decimal]]:
    found = price_history.of(journal, target, ["A"]).get("A", [])
    return [((DAY - since).days, amount) for since, amount in found]


def test_a_price_that_is_confirmed_again_begins_only_once(journal: Connection) -> None:
    asked(journal, "once", (20, "29.90"), (10, "29.9"), (5, "19.90"), (1, "29.90"))
    assert known(journal, "once") == [(20, Decimal("29.90")), (5, Decimal("19.90")), (1, Decimal("29.90"))]


def test_each_channel_has_a_history_of_its_own(journal: Connection) -> None:
    asked(journal, "mine", (3, "10.00"))
    asked(journal, "theirs", (2, "11.00"))
    assert known(journal, "mine") == [(3, Decimal("10.00"))]


def test_a_price_that_still_stood_400_days_ago_is_kept_and_what_ended_before_goes(journal: Connection) -> None:
    asked(journal, "old", (900, "1.00"), (800, "2.00"), (401, "3.00"), (30, "4.00"))
    price_history.forget(journal, DAY - price_history.KEPT)
    assert known(journal, "old") == [(401, Decimal("3.00")), (30, Decimal("4.00"))]
