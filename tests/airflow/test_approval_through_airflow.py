"""The whole way of a question through Airflow: the task parks, a signed-in person answers, the task carries it out."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.errors import TryLater
from hub.flow import Engine, deciding
from hub.flow.outcome import Outcome
from hub.flow.packing import pack
from hub.journal import held
from hub.model import Batch, Checkpoint, Origin, Record

pytestmark = pytest.mark.filterwarnings("ignore")

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "home"))
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "hub.yaml", tmp_path)
    monkeypatch.setenv("HUB_PROJECT", str(tmp_path))
    for system in ("ERP", "STORES", "SHOP", "TILLS", "PIM", "DAM"):
        nobody = {"host": "127.0.0.1", "port": 9, "schema": "http", "login": "u", "password": "p"}
        monkeypatch.setenv(f"HUB_CONN_{system}", json.dumps(nobody))
    monkeypatch.setenv("HUB_DATABASE_URL", database)
    with Engine.open(tmp_path, dsn=database) as found:
        yield found


@pytest.fixture
def airflow(airflow_database: None) -> Iterator[Any]:
    """Airflow's API, signed in."""
    from airflow.api_fastapi.app import create_app
    from starlette.testclient import TestClient

    passwords = Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    passwords.write_text(json.dumps({"admin": "a-password", "gateway": "another"}))
    with TestClient(create_app(apps="core")) as client:
        sign_in = client.post("/auth/token", json={"username": "admin", "password": "a-password"})
        client.headers["Authorization"] = f"Bearer {sign_in.json()['access_token']}"
        yield client


def hold(engine: Engine) -> int:
    """A reading of one price, which could not become one: applying it puts it into quarantine."""
    record = Record(object="prices", key="L1", data={"PLICRD": "L1"}, origin=Origin(source="erp#ReadPrices"))
    payload = engine.vault.keep(engine.journal, "held", pack(Batch(records=[record], checkpoint=Checkpoint(value={}))))
    number = held.begin(
        engine.journal, flow="price", system="erp", route="prices", object="price", state="gathering", run="r1", at=NOW
    )
    held.add_page(engine.journal, number, payload, "erp#ReadPrices", 1)
    held.stop(engine.journal, number, object="price", measured={}, plan="1 line", reason="too far", at=NOW)
    return number


def answer(airflow: Any, option: str, reasons: list[str], seen: list[dict[str, Any]]) -> None:
    """What a person does who finds the question under Required Actions, as often as it is there."""
    of = "/api/v2/dags/approve_price/dagRuns"
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found = airflow.get(f"{of}/~/hitlDetails").json().get("hitl_details", [])
        for one in found:
            task = one["task_instance"]
            if task["state"] == "awaiting_input" and not one["response_received"]:
                seen.append(one)
                why = reasons.pop(0)
                path = f"{of}/{task['dag_run_id']}/taskInstances/{task['task_id']}/-1/hitlDetails"
                airflow.patch(path, json={"chosen_options": [option], "params_input": {"why": why}}).raise_for_status()
        if not reasons:
            return
        time.sleep(0.5)


def test_a_question_is_asked_answered_and_carried_out(engine: Engine, airflow: Any) -> None:
    from hub.airflow.dags import approval_dags

    number = hold(engine)
    seen: list[dict[str, Any]] = []
    person = threading.Thread(target=answer, args=(airflow, "Approve", ["", "the buyer confirmed"], seen))
    person.start()
    run: Any = approval_dags()["approve_price"].test()
    person.join()
    assert str(run.state) == "success"
    assert [one["subject"] for one in seen] == ["price from erp: erp#ReadPrices is held"] * 2, "asked for its reason"
    row = held.show(engine.journal, number) or {}
    assert (row["state"], row["decided_by"], row["why"]) == ("approved", "admin in Airflow", "the buyer confirmed")
    assert engine.journal.execute("SELECT count(*) FROM quarantine").fetchone() == (1,)


@pytest.fixture
def states_of_the_server(airflow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``DAG.test`` writes what the task said of its state over what the API server made of it; here that one counts.

    A task that parks with an answer at hand is resumed by the server in the same transaction.
    """
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    written = TaskInstance.set_state

    def set_state(task: Any, state: Any) -> Any:
        with create_session() as session:
            there = session.scalar(select(TaskInstance.state).where(TaskInstance.id == task.id))
        return False if (state, there) == ("awaiting_input", "scheduled") else written(task, state)

    monkeypatch.setattr(TaskInstance, "set_state", set_state)


@pytest.mark.timeout(100)
@pytest.mark.usefixtures("states_of_the_server")
def test_an_answer_is_carried_out_by_the_next_try_where_a_reading_was_in_its_way(
    engine: Engine, airflow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.airflow.dags import approval_dags

    number = hold(engine)
    refused: list[float] = []

    def once(*arguments: Any, **named: Any) -> Outcome:
        if not refused:
            refused.append(time.monotonic())
            raise TryLater("another process has been at ingest/erp/prices for 60 s", 30.0)
        return approve(*arguments, **named)

    approve = deciding.approve
    monkeypatch.setattr(deciding, "approve", once)
    dag = approval_dags()["approve_price"]
    dag.task_dict["ask_about_price"].retry_delay = timedelta(seconds=1)
    seen: list[dict[str, Any]] = []
    person = threading.Thread(target=answer, args=(airflow, "Approve", ["the buyer confirmed"], seen), daemon=True)
    person.start()
    run: Any = dag.test()
    person.join()
    assert (str(run.state), len(refused), len(seen)) == ("success", 1, 1), "asked once, answered once"
    row = held.show(engine.journal, number) or {}
    assert (row["state"], row["decided_by"], row["why"]) == ("approved", "admin in Airflow", "the buyer confirmed")
