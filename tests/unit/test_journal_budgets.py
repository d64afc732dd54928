"""One bucket per vendor account: who comes too early makes a debt and waits in line."""

from __future__ import annotations

import pytest

from hub.journal import connect
from hub.journal.budgets import AccountBudget, Unlimited, left, margin
from hub.journal.database import Connection


def empty(journal: Connection, account: str, tokens: float = 0.0) -> None:
    journal.execute(
        "UPDATE budget SET tokens = %s, updated_at = clock_timestamp() WHERE account = %s", (tokens, account)
    )


def test_a_vendor_that_wants_no_call_for_a_while_gets_none(journal: Connection) -> None:
    budget = AccountBudget(journal, "rest", 1000, 50)
    budget.rest(300)
    budget.observe(900)
    assert 299 < budget.take() < 301
    budget.take(-1)
    budget.rest(10)
    assert budget.take() > 299, "what was asked for first is longer"


def test_a_system_without_a_budget_may_want_that_too() -> None:
    budget = Unlimited()
    assert budget.take() == 0
    budget.rest(300)
    assert 299 < budget.take() <= 300


def test_a_full_bucket_lets_a_burst_go_at_once_less_the_margin(journal: Connection) -> None:
    budget = AccountBudget(journal, "burst", 40, 0.001)
    waits = [budget.take() for _ in range(40)]
    assert waits[:39] == [0.0] * 39
    assert waits[39] > 100
    assert margin(40) == 1.0
    assert margin(2000) == 20.0
    assert margin(1) == 0.5


def test_each_that_comes_too_early_waits_behind_the_one_before(journal: Connection, journal_dsn: str) -> None:
    with connect(journal_dsn) as second:
        one, other = (AccountBudget(connection, "line", 40, 2) for connection in (journal, second))
        empty(journal, "line")
        waits = [one.take(), other.take(), one.take(4)]
    assert waits == pytest.approx([0.5, 1.0, 3.0], abs=0.3)
    assert waits == sorted(waits)


def test_what_was_not_used_is_given_back(journal: Connection) -> None:
    budget = AccountBudget(journal, "back", 1000, 0.001)
    budget.take(500)
    budget.take(-400)
    assert left(journal, "back") == pytest.approx(1000 - margin(1000) - 100, abs=1)


def test_giving_back_never_fills_it_above_its_size(journal: Connection) -> None:
    budget = AccountBudget(journal, "full", 10, 1000)
    budget.take(-500)
    assert left(journal, "full") == 9.0


def test_the_vendor_s_word_lowers_it_and_never_raises_it(journal: Connection) -> None:
    budget = AccountBudget(journal, "word", 1000, 0.001)
    budget.observe(300)
    assert left(journal, "word") == pytest.approx(300, abs=1)
    budget.observe(900)
    assert left(journal, "word") == pytest.approx(300, abs=1)
    budget.observe(250)  # the calls that are under way: passed over
    assert left(journal, "word") == pytest.approx(300, abs=1)


def test_a_new_rate_in_hub_yaml_counts_from_now_on_and_keeps_the_debt(journal: Connection) -> None:
    AccountBudget(journal, "rate", 40, 2)
    empty(journal, "rate", -10)
    budget = AccountBudget(journal, "rate", 40, 20)
    assert budget.take(0) == pytest.approx(0.5, abs=0.3)


def test_an_account_without_a_budget_has_none_left_to_show(journal: Connection) -> None:
    assert left(journal, "nobody") is None
