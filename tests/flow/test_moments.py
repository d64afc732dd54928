"""What the clock alone changes is delivered when its moment comes, although no message says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.scene import Scene, scene

from hub.gateway.moments import Moments
from hub.journal import held, recompute


@pytest.fixture
def now(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A retailer in the real time: the gateway looks at no other clock."""
    with scene(tmp_path, database, monkeypatch, real_time=True) as playing:
        yield playing


def test_a_moment_that_came_calls_those_who_deliver_it_and_one_that_is_far_calls_nobody(now: Scene) -> None:
    called: list[str] = []
    with now.engine() as engine:
        later = engine.clock.now() + timedelta(days=1)
        recompute.mark(engine.journal, "availability", {"FAR": False}, later)
        moments = Moments(now.engine, called.append)
        moments.start()
        time.sleep(2.5)
        assert called == []
        recompute.mark(engine.journal, "availability", {"NEAR": False}, engine.clock.now())
        until = time.monotonic() + 10
        while not called and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(2.5)
        moments.close()
    assert called == ["shop", "tills"], "each once, although it stays due"


def test_a_batch_that_waits_for_a_person_calls_for_whoever_asks_one_until_somebody_does(now: Scene) -> None:
    asked: list[str] = []
    with now.engine() as engine:
        moments = Moments(now.engine, list[str]().append, asked.append)
        moments.start()
        moment = engine.clock.now()
        number = held.begin(
            engine.journal, flow="price", system="erp", route="prices", object="price", state="gathering", run="r",
            at=moment,
        )  # fmt: skip
        time.sleep(1.5)
        assert asked == [], "a reading that is still gathered is nobody's question"
        held.stop(engine.journal, number, object="price", measured={}, plan="", reason="", at=moment)
        until = time.monotonic() + 10
        while not asked and time.monotonic() < until:
            time.sleep(0.1)
        assert held.ask(engine.journal, "price", "a run of Airflow", moment, moment - timedelta(minutes=10))
        assert engine.unasked() == []
        moments.close()
    assert asked == ["price"]
