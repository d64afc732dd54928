"""The outbox: one delivery per key waits, one is out, and the newest value wins without being sent in between."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from hub.journal import attempts, desired, named, outbox, remotes
from hub.journal.database import Connection
from hub.journal.desired import Desired

OBJECT = "stock_level"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


class Target:
    """One target's outbox; each test has a target of its own."""

    def __init__(self, journal: Connection, name: str, binds: tuple[str, ...] = ()) -> None:
        self.journal, self.name, self.binds = journal, name, binds

    def should_hold(self, pieces: int, key: str = "A@1", *, urgent: bool = False) -> tuple[int, int]:
        """Derive and compare: (enqueued, coalesced)."""
        sku, place = key.split("@")
        value = Desired(
            target=self.name, object=OBJECT, key=key, subject=sku, parts={"sku": sku, "location": place},
            value={"quantity": pieces}, as_of=NOW, why={},
        )  # fmt: skip
        with self.journal.transaction():
            desired.upsert(self.journal, [value], "run")
        return self.compare([sku], urgent=urgent)

    def compare(self, subjects: list[str], *, urgent: bool = False) -> tuple[int, int]:
        return outbox.rediff(self.journal, self.name, OBJECT, self.binds, subjects=subjects, urgent=urgent, run="run")

    def holds(self, pieces: int, key: str = "A@1", read_at: datetime | None = None) -> None:
        with self.journal.transaction():
            remotes.confirm(self.journal, self.name, OBJECT, {key: ({"quantity": pieces}, 0)}, read_at)

    def answers(self, pieces: int, attempt: int, key: str = "A@1") -> None:
        """The receipt of what is out: it was carried out."""
        with self.journal.transaction():
            sent_at = attempts.settle(self.journal, attempt, attempts.FIRST, "1 done")
            outbox.settle(self.journal, self.ids("out"), "delivered", "run")
            remotes.confirm(self.journal, self.name, OBJECT, {key: ({"quantity": pieces}, 1)}, sent_at=sent_at)

    def waiting(self, now: datetime = NOW) -> list[dict[str, Any]]:
        with self.journal.transaction():
            return outbox.claim(self.journal, self.name, OBJECT, now, 10)

    def take(self) -> int:
        """Put everything that waits out; the attempt's number."""
        rows = self.waiting()
        number = attempts.open_attempt(
            self.journal, self.name, OBJECT, [{"id": row["id"]} for row in rows],
            key=secrets.token_urlsafe(9), owner="me", lease=timedelta(seconds=60), run="run",
        )  # fmt: skip
        outbox.put_out(self.journal, [row["id"] for row in rows], number)
        return number

    def open(self) -> list[tuple[str, int]]:
        """State and pieces of everything that is not settled."""
        rows = self.journal.execute(
            "SELECT state, (value ->> 'quantity')::int FROM delivery WHERE target = %s ORDER BY id", (self.name,)
        )
        return rows.fetchall()

    def settled(self) -> list[tuple[str, int]]:
        rows = self.journal.execute(
            "SELECT state, (value ->> 'quantity')::int FROM delivery_log WHERE target = %s ORDER BY settled_at",
            (self.name,),
        )
        return rows.fetchall()

    def ids(self, state: str) -> list[int]:
        rows = self.journal.execute("SELECT id FROM delivery WHERE target = %s AND state = %s", (self.name, state))
        return [row[0] for row in rows]


@pytest.fixture
def target(journal: Connection, request: pytest.FixtureRequest) -> Target:
    return Target(journal, request.node.name)


def test_what_the_target_holds_already_is_not_sent(target: Target) -> None:
    target.holds(5)
    assert target.should_hold(5) == (0, 0)
    assert target.open() == []


def test_a_newer_value_takes_the_place_of_the_one_that_waits(target: Target) -> None:
    target.holds(5)
    assert target.should_hold(6) == (1, 0)
    assert target.should_hold(7) == (1, 1)
    assert (target.open(), target.settled()) == ([("pending", 7)], [("coalesced", 6)])


def test_comparing_again_adds_nothing(target: Target) -> None:
    target.should_hold(6)
    assert target.compare(["A"]) == (0, 0)
    assert target.open() == [("pending", 6)]


def test_a_value_that_returns_to_what_is_there_is_not_sent_at_all(target: Target) -> None:
    target.holds(5)
    target.should_hold(6)
    assert target.should_hold(5) == (0, 1)
    assert (target.open(), target.settled()) == ([], [("coalesced", 6)])


def test_the_database_itself_refuses_a_second_waiting_delivery_of_a_key(target: Target) -> None:
    target.should_hold(6)
    with pytest.raises(psycopg.errors.UniqueViolation):
        target.journal.execute(
            """INSERT INTO delivery (target, object, key, subject, aggregate, parts, generation, value, as_of, run)
               SELECT target, object, key, subject, aggregate, parts, generation, value, as_of, run
               FROM delivery WHERE target = %s""",
            (target.name,),
        )


def test_a_newer_value_waits_behind_the_one_that_is_out(target: Target) -> None:
    target.should_hold(6)
    target.take()
    assert target.should_hold(7) == (1, 0)
    assert target.open() == [("out", 6), ("pending", 7)]
    assert target.waiting() == []  # not before the other is answered
    outbox.settle(target.journal, target.ids("out"), "delivered", "run")
    assert [row["value"] for row in target.waiting()] == [{"quantity": 7}]


def test_what_was_never_read_at_the_target_waits_where_that_is_asked_for(target: Target) -> None:
    target.should_hold(6)
    assert len(target.waiting()) == 1
    with target.journal.transaction():
        assert outbox.claim(target.journal, target.name, OBJECT, NOW, 10, unread=False) == []
    target.holds(5)
    with target.journal.transaction():
        assert len(outbox.claim(target.journal, target.name, OBJECT, NOW, 10, unread=False)) == 1


def test_what_is_out_counts_as_what_will_be_there(target: Target) -> None:
    target.holds(5)
    target.should_hold(6)
    target.take()
    assert target.should_hold(5) == (1, 0)  # back to what was there before: that must be sent again
    assert target.open() == [("out", 6), ("pending", 5)]


def test_one_that_comes_back_gives_way_to_a_newer_one(target: Target) -> None:
    target.should_hold(6)
    target.take()
    target.should_hold(7)
    assert outbox.put_back(target.journal, target.ids("out"), None, "run") == 1
    assert (target.open(), target.settled()) == ([("pending", 7)], [("coalesced", 6)])


def test_one_that_comes_back_alone_waits_until_its_time(target: Target) -> None:
    target.should_hold(6)
    target.take()
    assert outbox.put_back(target.journal, target.ids("out"), NOW + timedelta(seconds=30), "run") == 0
    assert target.waiting() == []
    assert not outbox.sendable(target.journal, target.name, NOW)
    assert [row["key"] for row in target.waiting(NOW + timedelta(seconds=31))] == ["A@1"]


def test_a_value_that_was_refused_is_not_sent_again_until_it_changes(target: Target) -> None:
    target.should_hold(6)
    target.take()
    outbox.mark_refused(target.journal, target.name, OBJECT, [("A@1", 1)])
    outbox.settle(target.journal, target.ids("out"), "refused", "run", "no such article")
    assert target.compare(["A"]) == (0, 0)
    assert target.should_hold(7) == (1, 0)


def test_what_had_no_answer_goes_out_again_at_once_and_when_that_happens_again_in_a_minute(target: Target) -> None:
    minute = timedelta(seconds=60)
    target.should_hold(6)
    for expected in (1, 0):
        target.take()
        assert outbox.put_behind(target.journal, target.ids("out"), NOW, minute, "run") == 0
        assert len(target.waiting()) == expected
    assert len(target.waiting(NOW + minute)) == 1
    assert target.should_hold(7) == (1, 1)
    assert len(target.waiting()) == 1, "a newer value has nothing against it"


def test_one_at_which_its_target_fails_each_time_is_soon_alone_with_it(target: Target) -> None:
    """Ten go out in one call, which fails as long as the fifth is in it."""
    for number in range(10):
        target.should_hold(6, f"A{number}@1")
    calls: list[list[str]] = []
    now = NOW
    while len(target.ids("pending")) > 1:
        while rows := target.waiting(now):
            calls.append([row["key"] for row in rows])
            out = [row["id"] for row in rows]
            outbox.put_out(target.journal, out, 1)
            if "A4@1" in calls[-1]:
                outbox.put_behind(target.journal, out, now, timedelta(seconds=60), "run")
            else:
                outbox.settle(target.journal, out, "delivered", "run")
        now += timedelta(seconds=60)
        assert now < NOW + timedelta(minutes=5)
    ten = [f"A{number}@1" for number in range(10)]
    assert calls == [ten, *(ten[n : n + 2] for n in range(0, 10, 2)), ["A4@1"], ["A5@1"]]
    assert target.should_hold(7, "A4@1") == (1, 1)
    assert target.should_hold(7, "A9@1") == (1, 0)
    assert len(target.waiting()) == 2, "a newer value has nothing against it"


def test_what_is_in_doubt_is_read_before_it_is_written(target: Target) -> None:
    target.holds(5)
    target.should_hold(6)
    remotes.suspect(target.journal, target.name, OBJECT, keys=["A@1"])
    assert target.waiting() == []
    asked = remotes.to_read_back(target.journal, target.name, OBJECT, 10)
    assert [(one.key, one.parts) for one in asked] == [("A@1", {"sku": "A", "location": "1"})]
    target.holds(4)
    assert [row["key"] for row in target.waiting()] == ["A@1"]
    assert remotes.to_read_back(target.journal, target.name, OBJECT, 10) == []


def test_a_receipt_that_came_after_a_reading_began_knows_better(target: Target) -> None:
    began = remotes.database_time(target.journal)
    target.holds(9)
    target.holds(5, read_at=began)
    assert remotes.values(target.journal, target.name, OBJECT, ["A@1"]) == {"A@1": {"quantity": 9}}


def test_a_reading_that_a_receipt_overtook_neither_counts_nor_ends_a_doubt(target: Target) -> None:
    """One process reads what is in doubt while another one's call is under way, and is told what it replaces."""
    target.holds(5)
    target.should_hold(6)
    number = target.take()
    remotes.suspect(target.journal, target.name, OBJECT, keys=["A@1"])
    began = remotes.database_time(target.journal)
    target.answers(6, number)
    target.holds(5, read_at=began)
    assert remotes.believed(target.journal, target.name, OBJECT, ["A@1"]) == {"A@1": {"quantity": 6}}
    assert [one.key for one in remotes.to_read_back(target.journal, target.name, OBJECT, 10)] == ["A@1"]
    assert target.should_hold(5) == (1, 0), "what it holds is 6, and has to become 5 again"


def test_a_doubt_that_arises_while_a_call_is_under_way_is_not_answered_by_its_receipt(target: Target) -> None:
    target.holds(5)
    target.should_hold(6)
    number = target.take()
    remotes.suspect(target.journal, target.name, OBJECT, keys=["A@1"])
    target.answers(6, number)
    assert [one.key for one in remotes.to_read_back(target.journal, target.name, OBJECT, 10)] == ["A@1"]


def test_a_value_lives_in_the_remote_object_that_the_vendor_names(target: Target) -> None:
    target.should_hold(1, "A@1")
    target.should_hold(1, "A@2")
    outbox.rediff(target.journal, target.name, OBJECT, (), "sku", subjects=None, urgent=False, run="run")
    target.journal.execute("DELETE FROM delivery WHERE target = %s", (target.name,))
    outbox.rediff(target.journal, target.name, OBJECT, (), "sku", subjects=None, urgent=False, run="run")
    first = target.waiting()[0]
    outbox.put_out(target.journal, [first["id"]], target_attempt(target, first))
    assert target.waiting() == [], "A@2 lives in the same object as A@1, which is under way"


def target_attempt(target: Target, row: dict[str, Any]) -> int:
    return attempts.open_attempt(
        target.journal, target.name, OBJECT, [{"id": row["id"]}],
        key=f"{target.name}-{row['id']}", owner="me", lease=timedelta(seconds=60), run="run",
    )  # fmt: skip


def test_a_field_that_may_stay_as_somebody_set_it_is_neither_compared_nor_sent(target: Target) -> None:
    target.holds(5)
    remotes.leave(target.journal, target.name, OBJECT, "A@1", {"quantity": {"ours": 6, "theirs": 5}})
    assert target.should_hold(6) == (0, 0)
    remotes.leave(target.journal, target.name, OBJECT, "A@1", {})
    assert target.compare(["A"]) == (1, 0)


def test_urgent_ones_go_first_and_the_others_in_their_order(target: Target) -> None:
    for sku in "CAB":
        target.should_hold(1, f"{sku}@1", urgent=sku == "B")
    assert [row["key"] for row in target.waiting()] == ["B@1", "C@1", "A@1"]


def test_a_key_without_its_binding_waits_outside(journal: Connection) -> None:
    target = Target(journal, "unbound", ("sku",))
    assert target.should_hold(6) == (0, 0)
    named.learn(journal, OBJECT, [{"sku": "A", "location": "1"}])
    absent = {"sku": named.unbound(journal, "unbound", "sku")}
    assert absent == {"sku": ["A"]}
    for subject in ("sku", None):
        assert desired.waiting(journal, "unbound", OBJECT, absent, subject) == 1
    journal.execute("INSERT INTO binding (system, object, key, external_id) VALUES ('unbound', 'sku', 'A', '17')")
    assert target.compare(["A"]) == (1, 0)
    absent = {"sku": named.unbound(journal, "unbound", "sku")}
    assert (absent, desired.waiting(journal, "unbound", OBJECT, absent)) == ({"sku": []}, 0)


def test_two_processes_never_claim_the_same_delivery(target: Target, journal_dsn: str) -> None:
    from hub.journal import connect

    for sku in "AB":
        target.should_hold(1, f"{sku}@1")
    with connect(journal_dsn) as other, other.transaction(), target.journal.transaction():
        mine = outbox.claim(target.journal, target.name, OBJECT, NOW, 1)
        theirs = outbox.claim(other, target.name, OBJECT, NOW, 10)
    assert [row["key"] for row in mine] == ["A@1"]
    assert [row["key"] for row in theirs] == ["B@1"]
