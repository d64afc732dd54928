"""Attempts: committed before the call, leased to whoever makes it, taken over when that process is gone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from hub.flow import owner
from hub.journal import attempts, connect
from hub.journal.database import Connection

LEASE = timedelta(seconds=60)
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
GONE = timedelta(seconds=-1)  # a lease that has run out


def begun(journal: Connection, target: str, key: str, lease: timedelta = LEASE, by: str = "first") -> int:
    members = [{"id": 1, "key": "A@1", "value": {"quantity": 3}}]
    return attempts.open_attempt(
        journal, target, "stock_level", members, key=key, owner=by, lease=lease, run="run"
    )  # fmt: skip


def taken(journal: Connection, target: str, by: str = "second") -> dict[str, Any] | None:
    return attempts.take_over(journal, target, "stock_level", by, LEASE, NOW)


def test_nobody_takes_over_what_is_under_a_lease(journal: Connection) -> None:
    number = begun(journal, "leased", "leased-1")
    assert taken(journal, "leased") is None
    assert attempts.leased(journal, "leased") == [(number, "first")]


def test_what_a_dead_process_left_is_taken_over_as_it_was_sent_and_once(journal: Connection) -> None:
    number = begun(journal, "dead", "dead-1", GONE)
    found = taken(journal, "dead")
    assert found is not None
    assert (found["id"], found["idempotency_key"], found["sends"]) == (number, "dead-1", 2)
    assert found["members"] == [{"id": 1, "key": "A@1", "value": {"quantity": 3}}]
    assert found["age"] < timedelta(minutes=5)
    assert taken(journal, "dead", "third") is None
    assert attempts.leased(journal, "dead") == [(number, "second")]


def test_the_oldest_is_taken_over_first_and_each_by_one_process(journal: Connection, journal_dsn: str) -> None:
    numbers = [begun(journal, "several", f"several-{n}", GONE) for n in range(2)]
    with connect(journal_dsn) as other, other.transaction(), journal.transaction():
        mine, theirs = taken(journal, "several"), taken(other, "several", "third")
    assert [found and found["id"] for found in (mine, theirs)] == numbers


def test_only_its_own_lease_is_ended_for_a_process_that_is_gone(journal: Connection) -> None:
    number = begun(journal, "ended", "ended-1")
    attempts.end_lease(journal, number, "somebody else")
    assert taken(journal, "ended") is None
    attempts.end_lease(journal, number, "first")
    assert taken(journal, "ended") is not None


def test_an_unknown_answer_is_taken_up_at_once_and_settled_by_one(journal: Connection) -> None:
    number = begun(journal, "unknown", "unknown-1")
    assert attempts.mark_unknown(journal, number, 1, "no answer came")
    found = taken(journal, "unknown")
    assert found is not None
    assert (found["state"], found["holder"], found["sends"]) == ("unknown", "first", 2)
    assert attempts.settle(journal, number, 2, "1 done")
    assert not attempts.settle(journal, number, 2, "1 done, said the one that was slow")
    assert not attempts.mark_unknown(journal, number, 2, "too late")
    assert state_of(journal, number) == ("settled", "1 done")


def state_of(journal: Connection, number: int) -> tuple[str, str]:
    (row,) = journal.execute("SELECT state, answer FROM attempt WHERE id = %s", (number,)).fetchall()
    return row[0], row[1]


def test_who_lost_the_lease_settles_nothing_however_it_ended(journal: Connection) -> None:
    number = begun(journal, "late", "late-1", GONE)
    assert taken(journal, "late")
    assert attempts.settle(journal, number, 1, "1 done") is None
    assert attempts.mark_unknown(journal, number, 1, "no answer") is None
    assert not attempts.renew(journal, number, 1, LEASE)
    assert attempts.renew(journal, number, 2, LEASE)
    assert state_of(journal, number)[0] == "out"


def test_an_attempt_for_another_object_is_left_to_who_knows_that_object(journal: Connection) -> None:
    begun(journal, "other", "other-1", GONE)
    assert attempts.take_over(journal, "other", "price", "second", LEASE, NOW) is None
    assert taken(journal, "other")


def test_what_waits_for_a_person_is_taken_over_by_nobody_and_settled_by_a_late_answer(journal: Connection) -> None:
    number = begun(journal, "person", "person-1", GONE)
    assert taken(journal, "person")
    assert attempts.leave_to_person(journal, number, 2, "nobody knows")
    assert taken(journal, "person") is None
    (waits,) = attempts.open_ones(journal, targets=["person"], for_person=True)
    assert (waits["id"], waits["answer"], waits["until"], waits["waits_for_person"]) == (
        number, "nobody knows", None, True,
    )  # fmt: skip
    assert attempts.settle(journal, number, 1, "nothing was carried out") is None
    assert attempts.settle(journal, number, 1, "1 done", after_person=True)


def test_what_its_target_answers_later_is_asked_for_in_its_time_with_its_handle(journal: Connection) -> None:
    number = begun(journal, "later", "later-1")
    assert attempts.leave_to_target(journal, number, 1, {1: "job-7"}, NOW + LEASE, "1 accepted")
    assert attempts.take_over(journal, "later", "stock_level", "second", LEASE, NOW) is None
    found = attempts.take_over(journal, "later", "stock_level", "second", LEASE, NOW + LEASE)
    assert found is not None
    assert (found["holder"], found["members"][0]["handle"]) == (attempts.TARGET, "job-7")


def test_a_key_is_used_for_one_attempt_only(journal: Connection) -> None:
    begun(journal, "key", "the-key")
    with pytest.raises(psycopg.errors.UniqueViolation):
        begun(journal, "key", "the-key")


def test_a_process_is_told_apart_from_a_later_one_with_its_number() -> None:
    place, pid, started = owner.me().split("/")
    assert not owner.is_gone(owner.me())
    assert owner.is_gone(f"{place}/{pid}/{int(started) - 1}")
    assert not owner.is_gone(f"another-host/{pid}/1")  # of which nothing can be known from here


def test_a_process_that_has_its_number_in_a_container_is_not_gone_because_nobody_here_has_it() -> None:
    """Two containers on the host's own network, say: they bear its name, and each counts its processes from 1."""
    alone = ["unshare", "--fork", "--pid", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("nobody may number processes anew here")
    program = "from hub.flow import owner; print(owner.me(), flush=True); input()"
    with subprocess.Popen(
        [*alone, sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        there = process.stdout.readline().strip()
        assert there.split("/")[1] == "1"
        assert (owner.is_gone(there), owner.runs(there)) == (False, False)
        process.communicate("\n")
