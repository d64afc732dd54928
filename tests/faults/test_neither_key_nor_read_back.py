"""A target that can neither be asked again nor read back: its records wait for a person, and everything says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from support.letterbox import PLACE, Partner, partner_of
from support.scene import Scene
from support.stories import article, partial
from typer.testing import CliRunner

from hub.cli import app
from hub.errors import ConfigError
from hub.flow import Outcome, by_person
from hub.flow.trace import trace


@pytest.fixture(scope="module")
def partner(settled: Scene) -> Iterator[Partner]:
    with partner_of(settled) as found:
        yield found


def told(settled: Scene, sku: str, pieces: int, **by: float) -> Outcome:
    """The store counts; then a pass."""
    settled.clock.forward(**(by or {"minutes": 1}))
    partial(settled, PLACE, {sku: pieces})
    return settled.synchronise()


def hub(settled: Scene, monkeypatch: pytest.MonkeyPatch, *command: str) -> tuple[int, Any]:
    """A command's exit code and what it says to programs."""
    monkeypatch.setenv("HUB_DATABASE_URL", settled.dsn)
    monkeypatch.chdir(settled.project)
    answer = CliRunner().invoke(app, [*command, "--json"], catch_exceptions=False)
    return answer.exit_code, json.loads(answer.stdout.splitlines()[-1])


def letters(partner: Partner, sku: str) -> list[int]:
    """What the partner was told of ``sku``, in order."""
    return [letter[f"{sku}@{PLACE}"] for letter in partner.letters if f"{sku}@{PLACE}" in letter]


def doubtful(settled: Scene, partner: Partner, story: str, pieces: int) -> tuple[str, Outcome]:
    """An article whose count was put into the letterbox and never answered."""
    sku = article(settled, story, PLACE)
    partner.letters.clear()
    partner.dead = 1
    return sku, told(settled, sku, pieces)


def decided(settled: Scene, sku: str, *, carried_out: bool) -> Outcome:
    with settled.engine() as engine:
        (number,) = engine.journal.execute(
            "SELECT attempt FROM delivery WHERE key = %s AND state = 'doubtful'", (f"{sku}@{PLACE}",)
        ).fetchone() or (0,)
        return by_person.settle(engine, number, carried_out=carried_out, who="Ada", why="seen in their stock list")


def test_an_unanswered_call_waits_for_a_person_and_is_never_sent_again_meanwhile(
    settled: Scene, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    sku, outcome = doubtful(settled, partner, "unanswered", 41)
    assert (outcome.held, outcome.exit_code) == (True, 3)
    again = told(settled, sku, 42)
    assert (letters(partner, sku), again.exit_code) == ([41], 3)

    code, said = hub(settled, monkeypatch, "attempt", "list")
    (attempt,) = said["attempts"]
    assert (code, attempt["target"], attempt["waits_for_person"]) == (3, "partner", True)
    assert f"{sku}@{PLACE}" in attempt["keys"]
    assert "it keeps no key of a call and cannot be read back" in attempt["answer"]
    with settled.engine() as engine:
        (target,) = [t for t in trace(engine, "stock_level", f"{sku}@{PLACE}")["targets"] if t["target"] == "partner"]
    assert target["remote"] != {"quantity": 41}

    number = str(attempt["id"])
    code, _ = hub(
        settled, monkeypatch, "attempt", "settle", number, "--carried-out", "--as", "Ada", "--why", "I saw it"
    )
    assert (code, settled.synchronise().exit_code) == (0, 0)
    assert letters(partner, sku) == [41, 42]
    answers = settled.query(
        "SELECT answer FROM audit WHERE key = %s AND system = 'partner' AND step = 'confirmed' ORDER BY id",
        f"{sku}@{PLACE}",
    )
    assert ("carried out, says Ada: I saw it",) in answers


def test_what_a_person_says_was_not_carried_out_is_sent_again_once(settled: Scene, partner: Partner) -> None:
    sku, _ = doubtful(settled, partner, "not done", 43)
    decided(settled, sku, carried_out=False)
    assert settled.synchronise().exit_code == 0
    assert letters(partner, sku) == [43, 43]
    settled.synchronise()
    assert letters(partner, sku) == [43, 43]


def test_the_others_go_on_while_one_waits_for_a_person(settled: Scene, partner: Partner) -> None:
    sku, _ = doubtful(settled, partner, "stuck", 44)
    other = article(settled, "goes on", PLACE)
    told(settled, other, 45)
    assert letters(partner, other) == [45]
    decided(settled, sku, carried_out=True)
    assert settled.synchronise().exit_code == 0


def test_a_decision_needs_a_reason_and_an_attempt_that_waits_for_it(settled: Scene, partner: Partner) -> None:
    nobody = "no attempt 999999 waits for a person; see: hub attempt list"
    with settled.engine() as engine, pytest.raises(ConfigError, match=nobody):
        by_person.settle(engine, 999_999, carried_out=True, who="Ada", why="seen")
    sku, _ = doubtful(settled, partner, "why", 46)
    with settled.engine() as engine:
        (number,) = engine.journal.execute("SELECT max(id) FROM attempt").fetchone() or (0,)
        with pytest.raises(ConfigError, match="--why says what was seen"):
            by_person.settle(engine, number, carried_out=True, who="Ada", why=" ")
        with pytest.raises(ConfigError, match="does not wait for X@ST01"):
            by_person.settle(engine, number, carried_out=True, who="Ada", why="seen", keys=["X@ST01"])
    decided(settled, sku, carried_out=True)


@pytest.fixture
def by_job(settled: Scene, partner: Partner) -> Iterator[Partner]:
    """The partner accepts and answers two minutes later."""
    partner.job, partner.ready = "job-1", str(settled.clock.now() + timedelta(minutes=3))
    partner.knows, partner.asked = False, []
    yield partner
    partner.job = None


def test_what_the_target_accepted_is_asked_for_in_its_time_and_never_sent_again(
    settled: Scene, by_job: Partner
) -> None:
    sku = article(settled, "job", PLACE)
    outcome = told(settled, sku, 51)
    assert (outcome.exit_code, by_job.asked) == (1, [])
    settled.synchronise(seconds=30)
    assert by_job.asked == []  # its time has not come
    settled.synchronise(seconds=120)
    assert by_job.asked == ["/jobs/job-1"]  # and it does not know yet
    by_job.knows = True
    after = settled.synchronise(seconds=60)
    assert (after.pending, letters(by_job, sku)) == (0, [51])
    (held,) = settled.query("SELECT value FROM remote WHERE target = 'partner' AND key = %s", f"{sku}@{PLACE}")
    assert held[0]["quantity"] == 51


def test_of_what_a_job_answers_each_settles_its_own_and_a_newer_number_waits(settled: Scene, by_job: Partner) -> None:
    good, bad = article(settled, "good", PLACE), article(settled, "bad", PLACE)
    settled.clock.forward(minutes=1)
    partial(settled, PLACE, {good: 52, bad: 53})
    settled.synchronise()
    told(settled, good, 54)
    assert letters(by_job, good) == [52]
    by_job.knows, by_job.refuses, by_job.job = True, {f"{bad}@{PLACE}"}, None
    settled.synchronise(seconds=240)
    assert (letters(by_job, good), letters(by_job, bad)) == ([52, 54], [53])
    refused = settled.query("SELECT reason FROM quarantine WHERE key = %s AND state = 'open'", f"{bad}@{PLACE}")
    assert refused == [("the partner does not sell this article",)]
