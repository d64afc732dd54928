"""The audit trail and the settled deliveries: append-only, and a partition for each day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from hub.journal import audit
from hub.journal.database import Connection, ensure_partitions


def told(journal: Connection, key: str, *steps: str) -> None:
    entries = [audit.Entry(step=step, system="erp", object="stock_level", key=key, after={"n": 1}) for step in steps]
    with journal.transaction():
        audit.write(journal, "a-run", "stock", entries)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET answer = 'never said' WHERE key = 'kept'", "DELETE FROM audit", "TRUNCATE audit"]
)
def test_what_was_written_down_can_neither_be_changed_nor_removed(journal: Connection, statement: str) -> None:
    told(journal, "kept", "applied")
    before = audit.timeline(journal, ["kept"])
    with pytest.raises(psycopg.errors.RaiseException, match="the audit trail is append-only"):
        journal.execute(statement)
    assert audit.timeline(journal, ["kept"]) == before


def test_nor_in_a_partition_of_its_own(journal: Connection) -> None:
    told(journal, "day", "applied")
    today = f"audit_{datetime.now(UTC):%Y%m%d}"
    with pytest.raises(psycopg.errors.RaiseException, match="the audit trail is append-only"):
        journal.execute(f"DELETE FROM {today} WHERE key = 'day'")


def test_steps_stand_in_the_order_in_which_they_were_written(journal: Connection) -> None:
    told(journal, "order", "applied", "derived", "confirmed")
    told(journal, "order", "applied")
    assert [row["step"] for row in audit.timeline(journal, ["order"])] == ["applied", "derived", "confirmed", "applied"]


def test_a_batch_that_fails_leaves_no_step_behind(journal: Connection) -> None:
    with journal.transaction(force_rollback=True):
        told(journal, "failed", "applied")
    assert audit.timeline(journal, ["failed"]) == []


def test_today_has_its_partition_and_so_have_the_next_days(journal: Connection) -> None:
    ensure_partitions(journal, days=4)
    ensure_partitions(journal, days=4)  # again: nothing to do
    told(journal, "today", "applied")
    today = datetime.now(UTC).date()
    for table in ("audit", "delivery_log"):
        for ahead in range(4):
            name = f"{table}_{today + timedelta(days=ahead):%Y%m%d}"
            (found,) = journal.execute("SELECT to_regclass(%s)", (name,)).fetchall()
            assert found[0] == name
    places = journal.execute("SELECT DISTINCT tableoid::regclass::text FROM audit WHERE key = 'today'").fetchall()
    assert places == [(f"audit_{today:%Y%m%d}",)]


def test_a_row_of_a_day_without_a_partition_is_kept_all_the_same(journal: Connection) -> None:
    journal.execute(
        """INSERT INTO audit (at, run, step, system, object, key)
           VALUES ('2031-01-01T00:00:00Z', 'r', 'applied', 'erp', 'stock_level', 'future')"""
    )
    (row,) = audit.timeline(journal, ["future"])
    assert row["step"] == "applied"
