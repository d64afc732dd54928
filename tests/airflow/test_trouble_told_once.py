"""A system that is down shows as one red task, however many flows it is part of; the others say who tells it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub.errors import StopRun, TryLater
from hub.flow import Engine

ROOT = Path(__file__).resolve().parents[2]
DOWN = "erp cannot be reached (connection refused)"


class Clock:
    moment = datetime(2026, 11, 22, 10, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(tmp_path: Path, database: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "home"))
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "hub.yaml", tmp_path)
    with Engine.open(tmp_path, dsn=database, clock=clock) as found:
        yield found


def told_by(engine: Engine, dag: str, sentence: str = DOWN) -> str | None:
    from hub.airflow import trouble

    return trouble.told_by(engine, "erp", dag, sentence)


def test_the_first_tells_it_and_goes_on_telling_it_and_the_others_name_it(engine: Engine) -> None:
    assert told_by(engine, "price_from_erp") is None
    assert told_by(engine, "stock_from_erp") == "price_from_erp"
    assert told_by(engine, "price_from_erp") is None
    assert told_by(engine, "deliver_erp") == "price_from_erp"


def test_another_trouble_of_the_same_system_is_told_by_itself(engine: Engine) -> None:
    told_by(engine, "price_from_erp")
    assert told_by(engine, "stock_from_erp", "the WSDL of erp has no operation ReadStock") is None


def test_once_the_system_has_answered_its_next_trouble_is_new(engine: Engine) -> None:
    from hub.airflow import trouble

    told_by(engine, "price_from_erp")
    trouble.over(engine, "erp")
    assert told_by(engine, "stock_from_erp") is None


def test_who_falls_silent_is_relieved(engine: Engine, clock: Clock) -> None:
    told_by(engine, "price_from_erp")
    clock.moment += timedelta(minutes=11)
    assert told_by(engine, "stock_from_erp") is None
    assert told_by(engine, "price_from_erp") == "stock_from_erp"


def test_a_task_that_leaves_it_to_another_is_skipped_with_the_sentence_and_the_name(engine: Engine) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    from hub.airflow.operators import Ingest

    told_by(engine, "price_from_erp")
    task = Ingest(task_id="read_erp", flow="stock", system="erp")
    with pytest.raises(AirflowSkipException, match="price_from_erp says so too and tries again"):
        task.leave_to_another(engine, "stock_from_erp", TryLater(DOWN))
    task.leave_to_another(engine, "stock_from_erp", StopRun("something else"))
    task.leave_to_another(engine, "stock_from_erp", KeyError("a surprise is never left to another"))


def test_what_a_task_answers_is_the_end_of_the_trouble(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    from hub.airflow import operators
    from hub.flow import Outcome

    told_by(engine, "price_from_erp")
    answered: Any = SimpleNamespace(
        ingest=lambda flow, system: Outcome(run="r", counts={}, sentence=""), journal=engine.journal
    )
    operators.Ingest(task_id="read_erp", flow="stock", system="erp").verb(answered)
    assert told_by(engine, "order_from_erp") is None
