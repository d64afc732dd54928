"""A circuit that is open, seen from Airflow: one task tells it, and the comparison afterwards is rung for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.flow import Engine
from hub.flow.breakers import CircuitOpen
from hub.journal import breakers
from hub.journal.breakers import Pace

ROOT = Path(__file__).resolve().parents[2]
DOWN = "shop cannot be reached (GET /orders.json)"


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


def silent(engine: Engine, system: str = "shop") -> CircuitOpen:
    """The circuit of ``system`` opens; what a call then meets."""
    pace = Pace(after=1, first=5, longest=300)
    breakers.failed(engine.journal, system, DOWN, engine.clock.now(), pace, probing=False, jitter=1.0)
    with pytest.raises(CircuitOpen) as told:
        engine.breakers.admit(system)
    return told.value


def context() -> Any:
    from airflow.sdk.execution_time.context import OutletEventAccessors

    return {"outlet_events": OutletEventAccessors()}


def rung(operator: Any, seen: dict[str, Any]) -> list[str]:
    return [event.dest_asset_key.uri for event in seen["outlet_events"][operator.bell].asset_alias_events]


def compare(flow: str = "stock", system: str = "shop") -> Any:
    from hub.airflow.operators import Reconcile

    return Reconcile(task_id=f"compare_{system}", flow=flow, system=system)


def test_one_task_tells_an_open_circuit_whatever_the_sentence_says_of_the_next_probe(
    engine: Engine, clock: Clock
) -> None:
    from hub.airflow import trouble

    assert trouble.told_by(engine, "shop", "stock_from_shop", DOWN) is None  # before it opened
    first = silent(engine)
    assert trouble.told_by(engine, "shop", "deliver_shop", str(first)) == "stock_from_shop"
    clock.moment += timedelta(seconds=30)
    assert trouble.told_by(engine, "shop", "order_from_shop", DOWN) == "stock_from_shop"  # the probe failed
    assert trouble.told_by(engine, "shop", "stock_from_shop", "shop has not answered since ...") is None


def test_the_others_show_as_skipped_with_since_when_why_and_the_next_probe(engine: Engine) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    from hub.airflow import trouble
    from hub.airflow.operators import Deliver

    trouble.told_by(engine, "shop", "stock_from_shop", DOWN)
    error = silent(engine)
    task = Deliver(task_id="deliver_shop", system="shop")
    said = (
        r"has not answered since 2026-11-22 11:00:00 CET .*asks again at 2026-11-22 11:00:05 CET; stock_from_shop says"
    )
    with pytest.raises(AirflowSkipException, match=said):
        task.leave_to_another(engine, "deliver_shop", error)


def test_the_task_that_tells_it_is_tried_again(engine: Engine) -> None:
    from airflow.sdk import RetryAction

    from hub.airflow.policy import POLICY

    decision = POLICY.evaluate(silent(engine), 1, 4)
    assert decision.action is RetryAction.DEFAULT


def test_whoever_runs_next_rings_for_the_comparison_once_and_again_where_nobody_came(
    engine: Engine, clock: Clock
) -> None:
    from hub.airflow.operators import Ingest

    task, seen = Ingest(task_id="read_dam", flow="product", system="dam"), context()
    silent(engine)
    task.ring_for_recovered(seen, engine)
    assert rung(task, seen) == []
    engine.breakers.close("shop", "it answers again")
    for passed, rings in ((0, 1), (1, 1), (6, 2)):
        clock.moment += timedelta(minutes=passed)
        task.ring_for_recovered(seen, engine)
        assert rung(task, seen) == ["hub://recovered/shop"] * rings


def test_a_bell_has_only_the_target_compared_that_was_silent(engine: Engine) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    silent(engine)
    engine.breakers.close("shop", "it answers again")
    other = compare(system="tills")
    other.rung = True
    with pytest.raises(AirflowSkipException, match="tills was not silent lately"):
        other.verb(engine)


def test_a_comparison_that_has_ended_is_no_longer_due(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing should be there yet, so nobody is asked."""
    from hub.flow import recovery

    monkeypatch.setenv("HUB_CONN_SHOP", "http://:secret@127.0.0.1:9")
    silent(engine)
    engine.breakers.close("shop", "it answers again")
    assert recovery.waiting(engine) == [(flow, "shop") for flow in ("order", "price", "product", "stock")]
    recovery.compare(engine, "stock", "shop")
    assert recovery.waiting(engine) == [(flow, "shop") for flow in ("order", "price", "product")]
