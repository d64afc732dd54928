"""A held batch becomes a question to a person in Airflow; the answer is carried out in that person's name, once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub.errors import TryLater
from hub.flow import Engine, locks
from hub.flow.packing import pack
from hub.journal import held
from hub.model import Batch, Checkpoint, Origin, Record

pytestmark = pytest.mark.filterwarnings("ignore")

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
REASON = "A@R1 goes from 19.90 to 199.00, 900% more (guard price_change: 60%)"


@pytest.fixture
def engine(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A hub of which no system answers: what is held is applied without asking any."""
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "home"))
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "hub.yaml", tmp_path)
    monkeypatch.setenv("HUB_PROJECT", str(tmp_path))
    for system in ("ERP", "STORES", "SHOP", "TILLS", "PIM", "DAM"):
        monkeypatch.setenv(
            f"HUB_CONN_{system}", '{"host": "127.0.0.1", "port": 9, "schema": "http", "login": "u", "password": "p"}'
        )
    monkeypatch.setenv("HUB_DATABASE_URL", database)
    with Engine.open(tmp_path, dsn=database) as found:
        yield found


def hold(engine: Engine, source: str = "https://erp/#ReadPrices") -> int:
    """A reading of one price, which could not become one: applying it puts it into quarantine."""
    record = Record(object="prices", key="L1", data={"PLICRD": "L1"}, origin=Origin(source=source))
    payload = engine.vault.keep(engine.journal, "held", pack(Batch(records=[record], checkpoint=Checkpoint(value={}))))
    number = held.begin(
        engine.journal, flow="price", system="erp", route="prices", object="price", state="gathering", run="r1", at=NOW
    )
    held.add_page(engine.journal, number, payload, source, 1)
    held.stop(engine.journal, number, object="price", measured={}, plan="1 line", reason=REASON, at=NOW)
    return number


def task() -> Any:
    from hub.airflow.approval import Approve

    return Approve(task_id="ask_about_price", flow="price")


def context(run: str = "asset_triggered__1") -> Any:
    from airflow.sdk.execution_time.context import OutletEventAccessors

    return {
        "run_id": run, "ti": SimpleNamespace(dag_id="approve_price"), "outlet_events": OutletEventAccessors(),
        "task_instance": SimpleNamespace(id="0197"), "task": SimpleNamespace(),
    }  # fmt: skip


def answer(option: str, why: str = "the buyer confirmed") -> dict[str, Any]:
    return {
        "chosen_options": [option], "params_input": {"why": why}, "responded_at": NOW,
        "responded_by_user": {"id": "7", "name": "anna"}, "timedout": False,
    }  # fmt: skip


LOOKED = {"error": "the time has passed", "error_type": "timeout"}


def asked(monkeypatch: pytest.MonkeyPatch, run: str = "asset_triggered__1") -> dict[str, Any]:
    """What a run asks; Airflow's side of the wire is written down here instead of being sent."""
    from airflow.providers.standard.operators import hitl
    from airflow.sdk.exceptions import TaskAwaitingInput

    sent: dict[str, Any] = {}
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **detail: sent.update(detail))
    with pytest.raises(TaskAwaitingInput) as waits:
        task().execute(context(run))
    assert (waits.value.method_name, waits.value.timeout) == ("execute_complete", timedelta(minutes=1))
    return sent


def test_the_question_says_what_would_happen_and_why_it_is_asked(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = hold(engine)
    sent = asked(monkeypatch)
    assert sent["options"] == ["Approve", "Reject"]
    assert sent["subject"] == "price from erp: https://erp/#ReadPrices is held"
    assert "**What it would do:** 1 line" in sent["body"]
    assert "19.90 to 199.00, 900% more" in sent["body"]
    assert f"number {number} of `hub held list`" in sent["body"]
    assert sent["defaults"] is None, "nobody's silence decides"


def test_a_name_that_came_from_outside_is_text_and_no_link(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(engine, source="[free](http://evil) `x`")
    assert r"\[free\]\(http://evil\) \`x\`" in asked(monkeypatch)["body"]


def test_two_runs_ask_about_two_batches_and_a_third_about_none(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    first, second = hold(engine), hold(engine)
    assert f"number {first} of" in asked(monkeypatch, "run 1")["body"]
    assert f"number {second} of" in asked(monkeypatch, "run 2")["body"]
    assert asked(monkeypatch, "run 1") == {}, "cleared and run again, it waits on with its own question"
    with pytest.raises(AirflowSkipException, match="nothing of price waits"):
        task().execute(context("run 3"))
    assert engine.unasked() == []


def test_a_run_that_has_fallen_silent_is_replaced(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(engine)
    assert engine.unasked() == ["price"]
    asked(monkeypatch)
    assert engine.unasked() == []
    engine.journal.execute("UPDATE held SET asked_at = asked_at - interval '11 minutes'")
    assert engine.unasked() == ["price"]
    asked(monkeypatch, "run 2")


def test_an_approval_is_carried_out_in_the_name_of_airflows_user(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = hold(engine)
    asked(monkeypatch)
    found = task().execute_complete(context(), answer("Approve"))
    assert (found["decided"], found["read"], found["quarantined"]) == ("approved", 1, 1)
    row = held.show(engine.journal, number) or {}
    assert (row["state"], row["decided_by"], row["why"]) == ("approved", "anna in Airflow", "the buyer confirmed")


def test_a_task_that_was_killed_while_it_applied_a_batch_finishes_it_when_it_runs_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.flow import pages

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    number = hold(engine)
    asked(monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(pages, "apply", killed)
        with pytest.raises(KeyboardInterrupt):
            task().execute_complete(context(), answer("Approve"))
    assert engine.journal.execute("SELECT count(*) FROM quarantine").fetchone() == (0,)
    found = task().execute(context())
    assert (found["number"], found["decided"], found["quarantined"]) == (number, "approved", 1)
    row = held.show(engine.journal, number) or {}
    assert (row["decided_by"], row["why"]) == ("anna in Airflow", "the buyer confirmed")


@pytest.mark.parametrize("given", [{"why": None}, {"why": ""}, {"why": " \n"}, {}])
@pytest.mark.parametrize("option", ["Approve", "Reject"])
def test_an_answer_without_a_reason_decides_nothing_and_is_asked_for_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, option: str, given: dict[str, Any]
) -> None:
    from airflow.sdk.exceptions import TaskAwaitingInput

    number = hold(engine)
    sent = asked(monkeypatch)
    assert "Both want a reason" in sent["body"]
    assert sent["params"]["why"]["schema"]["type"] == "string"
    sent.clear()
    with pytest.raises(TaskAwaitingInput):
        task().execute_complete(context(), {**answer(option), "params_input": given})
    assert sent["options"] == ["Approve", "Reject"], "the answer that was given is taken off the question"
    assert (held.show(engine.journal, number) or {})["state"] == "held"
    assert task().execute_complete(context(), answer("Reject"))["decided"] == "rejected"
    assert engine.journal.execute("SELECT count(*) FROM quarantine").fetchone() == (0,)


def test_the_minutes_look_waits_on_while_it_is_held_and_ends_when_it_was_decided_elsewhere(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowSkipException, TaskAwaitingInput

    from hub.flow import deciding

    number = hold(engine)
    asked(monkeypatch)
    with pytest.raises(TaskAwaitingInput):
        task().execute_complete(context(), LOOKED)
    deciding.reject(engine, number, who="bertrand", why="cut")
    with pytest.raises(AirflowSkipException, match=f"number {number} was rejected by bertrand"):
        task().execute_complete(context(), LOOKED)
    with pytest.raises(AirflowSkipException, match="nothing was done"):
        task().execute_complete(context(), answer("Approve"))


def test_the_gateway_rings_for_flows_of_which_nobody_is_asked() -> None:
    from hub.airflow import names
    from hub.gateway.bell import held as rung

    assert rung("price") == names.held("price")


def test_an_answer_given_while_its_source_is_read_is_not_taken_off_the_question_by_the_next_try(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "exclusive", partial(locks.exclusive, wait=0.2))  # patience of a minute, shortened
    number = hold(engine)
    asked(monkeypatch)
    with locks.exclusive(engine.journal, "ingest/erp/prices"), pytest.raises(TryLater):
        task().execute_complete(context(), answer("Approve"))
    assert asked(monkeypatch) == {}, "putting it once more would take the answer off it"
    said = task().execute_complete(context(), answer("Approve"))  # Airflow has it still
    assert (said["number"], said["decided"]) == (number, "approved")


def test_a_run_that_takes_the_question_over_puts_it_anew(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    number = hold(engine)
    asked(monkeypatch)
    engine.journal.execute("UPDATE held SET asked_at = asked_at - interval '11 minutes'")
    assert f"number {number} of" in asked(monkeypatch, "run 2")["body"]


def test_a_task_whose_earlier_try_decided_ends_well(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    number = hold(engine)
    asked(monkeypatch)
    task().execute_complete(context(), answer("Approve"))
    assert task().execute(context()) == {"number": number, "decided": "approved"}
