"""The flows without Airflow: one process that reads by the clock and by the bell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.scene import Scene, scene

from hub.local.runner import Runner


@pytest.fixture
def shop_floor(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with scene(tmp_path, database, monkeypatch, real_time=True) as playing:
        yield playing


def test_the_first_steps_bring_shop_and_tills_up_to_date(shop_floor: Scene) -> None:
    with shop_floor.engine() as engine:
        runner = Runner(engine)
        for _ in range(3):
            runner.hear(f"hub://arrived/{system}" for system in ("shop", "tills"))  # bound in the first step
            runner.step()
    assert shop_floor.query("SELECT count(*) FROM delivery") == [(0,)]
    (delivered,) = shop_floor.query("SELECT count(*) FROM delivery_log WHERE state = 'delivered'")[0]
    assert delivered > 10_000


def test_only_what_is_due_or_rung_is_read(shop_floor: Scene) -> None:
    with shop_floor.engine() as engine:
        runner = Runner(engine)
        runner.sources = dict.fromkeys(runner.sources, float("inf"))
        runner.targets = dict.fromkeys(runner.targets, float("inf"))
        runner.hear(["hub://arrived/erp", "hub://arrived/nobody"])
        runner.step()
        runner.step()
    assert set(shop_floor.query("SELECT flow, system FROM run WHERE kind = 'ingest'")) == {
        (flow, "erp") for flow in ("product", "price", "stock", "order")
    }


def test_a_source_that_fails_does_not_stop_the_others(shop_floor: Scene, caplog: pytest.LogCaptureFixture) -> None:
    shop_floor.connections["erp"]["password"] = "wrong"
    with shop_floor.engine() as engine:
        runner = Runner(engine)
        runner.step()
    states = dict(shop_floor.query("SELECT system, state FROM run WHERE kind = 'ingest'"))
    assert states["erp"] == "failed"
    assert states["stores"] == "done"
    assert any("stock from erp" in record.message for record in caplog.records if record.levelname == "WARNING")
