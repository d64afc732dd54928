"""What each target should hold beside what is under way to it, also while very much is."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.journal import agreement, desired, outbox
from hub.journal.database import Connection
from hub.journal.desired import Desired

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def should_hold(journal: Connection, target: str, keys: list[str], quantity: int) -> None:
    """Derived, and waiting to be sent."""
    wanted = [
        Desired(
            target=target, object="stock_level", key=key, subject=key, parts={}, value={"quantity": quantity},
            as_of=NOW, why={},
        )
        for key in keys
    ]  # fmt: skip
    with journal.transaction():
        desired.upsert(journal, wanted, "run")
    outbox.rediff(journal, target, "stock_level", (), subjects=None, urgent=False, run="run")


def test_of_two_deliveries_of_a_key_the_one_that_is_out_is_told(journal: Connection) -> None:
    should_hold(journal, "told", ["A", "B", "C"], 1)
    journal.execute("UPDATE delivery SET state = 'doubtful' WHERE target = 'told' AND key = 'A'")
    should_hold(journal, "told", ["A"], 2)
    journal.execute("DELETE FROM delivery WHERE target = 'told' AND key = 'C'")
    rows = agreement.rows(journal, "told", "stock_level", "availability", NOW)
    assert [(row["key"], row["delivery"]) for row in rows] == [("A", "doubtful"), ("B", "pending"), ("C", None)]
    assert [row["key"] for row in agreement.rows(journal, "told", "stock_level", "availability", NOW, ["B"])] == ["B"]


def test_thousands_that_wait_are_looked_through_once_and_not_for_each_key(journal: Connection) -> None:
    should_hold(journal, "outage", [f"K{number:04}" for number in range(3000)], 1)
    arguments = {
        "target": "outage", "object": "stock_level", "derived": "availability", "now": NOW, "keys": None, "after": "",
        "limit": 50_000,
    }  # fmt: skip
    ((found,),) = journal.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + agreement.ROWS, arguments).fetchall()
    plan = found[0]["Plan"]
    assert plan["Actual Rows"] == 3000
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 30_000
