"""The database's clock is set back: what it stamped before is earlier than what it stamps now."""

from __future__ import annotations

import time

from hub.journal import remotes
from hub.journal.budgets import AccountBudget
from hub.journal.database import Connection

OBJECT = "stock_level"
HOUR = "interval '1 hour'"


def holds(journal: Connection, target: str, pieces: int) -> None:
    """The target is read, and holds ``pieces``."""
    began = remotes.database_time(journal)
    with journal.transaction():
        remotes.confirm(journal, target, OBJECT, {"A@1": ({"quantity": pieces}, 0)}, read_at=began)


def known(journal: Connection, target: str) -> tuple[int, bool]:
    (row,) = journal.execute("SELECT value, suspect FROM remote WHERE target = %s", (target,)).fetchall()
    return row[0]["quantity"], row[1]


def test_a_doubt_from_before_is_answered_by_a_reading_after(journal: Connection) -> None:
    holds(journal, "doubt", 5)
    remotes.suspect(journal, "doubt", OBJECT, keys=["A@1"])
    journal.execute(f"UPDATE remote SET suspect_at = suspect_at + {HOUR}, confirmed_at = confirmed_at + {HOUR}")
    holds(journal, "doubt", 6)
    assert known(journal, "doubt") == (6, False)


def test_what_was_confirmed_before_gives_way_to_a_reading_after(journal: Connection) -> None:
    holds(journal, "confirmed", 5)
    journal.execute(f"UPDATE remote SET confirmed_at = confirmed_at + {HOUR} WHERE target = 'confirmed'")
    holds(journal, "confirmed", 6)
    assert known(journal, "confirmed") == (6, False)


def test_a_doubt_after_is_not_answered_by_what_was_sent_before(journal: Connection) -> None:
    holds(journal, "sent", 5)
    sent = remotes.database_time(journal).replace(year=2100)
    remotes.suspect(journal, "sent", OBJECT, keys=["A@1"])
    with journal.transaction():
        remotes.confirm(journal, "sent", OBJECT, {"A@1": ({"quantity": 6}, 1)}, sent_at=sent)
    assert known(journal, "sent") == (6, True)


def test_a_budget_makes_no_debt_of_the_hour(journal: Connection) -> None:
    budget = AccountBudget(journal, "account", 40, 2)
    assert budget.take() == 0
    journal.execute(f"UPDATE budget SET updated_at = updated_at + {HOUR}")
    assert budget.take() == 0
    time.sleep(0.01)
    assert budget.take() == 0
