"""The desk behind the counter: who comes when too many wait is sent away, and the pace is each client's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from support.scene import ROOT

from hub.flow import Engine
from hub.gateway.api.desk import Desk
from hub.gateway.api.pace import Pace
from hub.gateway.api.problems import Problem
from hub.gateway.engines import Engines
from hub.journal import clients, connect, migrate
from hub.journal.clients import Client


@pytest.fixture
def engines(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engines:
    monkeypatch.setenv("HUB_HOME", str(tmp_path))
    migrate(database)
    return Engines(partial(Engine.open, ROOT, dsn=database), ROOT / "hub.yaml")


def test_who_comes_when_too_many_wait_is_sent_away_at_once(engines: Engines, database: str) -> None:
    with connect(database) as journal:
        key = clients.add(journal, "till", ("read",), None, 1000)
    desk = Desk(engines, lambda system: None, threads=1, queue=1)
    at_it, go_on = threading.Event(), threading.Event()

    def slow(engine: Engine, client: Client) -> str:
        at_it.set()
        assert go_on.wait(20)
        return client.name

    async def three() -> list[str]:
        first = asyncio.create_task(desk.ask(key, "read", slow))
        while not at_it.is_set():
            await asyncio.sleep(0.01)
        second = asyncio.create_task(desk.ask(key, "read", slow))
        await asyncio.sleep(0.05)
        with pytest.raises(Problem, match="too many requests wait already") as refused:
            await desk.ask(key, "read", slow)
        assert (refused.value.kind, refused.value.retry_after) == ("not-now", 1)
        go_on.set()
        return [await first, await second]

    try:
        assert asyncio.run(three()) == ["till", "till"]
    finally:
        engines.close()


def test_a_mistake_of_ours_is_told_to_nobody_and_stands_in_the_log(
    engines: Engines, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(database) as journal:
        key = clients.add(journal, "till", ("read",), None, 1000)
    desk = Desk(engines, lambda system: None)

    def fails(engine: Engine, client: Client) -> None:
        raise KeyError("a secret of the house")

    try:
        with pytest.raises(Problem) as told:
            asyncio.run(desk.ask(key, "read", fails))
    finally:
        engines.close()
    assert (told.value.kind, told.value.detail) == ("not-now", "this could not be answered now")
    assert "a secret of the house" in caplog.text


def stopped(at: list[float]) -> Callable[[], float]:
    return lambda: at[0]


def test_a_client_may_ask_two_seconds_worth_at_once_and_then_at_its_pace() -> None:
    now = [100.0]
    pace = Pace(stopped(now))
    assert [pace.wait(1, 5) for _ in range(10)] == [0.0] * 10
    assert pace.wait(1, 5) == pytest.approx(0.2)
    now[0] += 0.2
    assert [pace.wait(1, 5) > 0 for _ in range(2)] == [False, True]
    now[0] += 3600
    assert sum(pace.wait(1, 5) == 0 for _ in range(50)) == 10


def test_one_client_s_haste_is_no_other_s() -> None:
    pace = Pace(stopped([0.0]))
    assert pace.wait(1, 0.1) == 0
    assert pace.wait(1, 0.1) == pytest.approx(10)
    assert pace.wait(2, 0.1) == 0
