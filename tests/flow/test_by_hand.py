"""Passes by hand, and what the hub does for itself once a day."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from support.loopback import Heard, Say
from support.proxy import proxy
from support.scene import Scene
from support.stories import connection

from hub.errors import ConfigError
from hub.flow.once import rewind


def test_a_pass_can_read_one_source_again_from_a_moment(settled: Scene) -> None:
    settled.clock.forward(minutes=10)
    with settled.engine() as engine:
        nothing = engine.pass_of("stock", system="erp").counts["read"]
        again = engine.pass_of("stock", system="erp", since="2000-01-01T00:00:00+01:00")
        orders = engine.pass_of("stock", system="shop", since=str(settled.clock.now() - timedelta(days=2)))
        tickets = engine.pass_of("stock", system="tills", since=str(settled.clock.now() - timedelta(days=2)))
    assert nothing < 520
    assert again.counts["read"] >= 520
    # One row was written twice in the same second: read again, the first is believed until the second comes.
    assert (again.counts["changed"], again.counts["delivered"]) == (2, 0)
    assert orders.counts["unchanged"] > 40
    assert tickets.counts["unchanged"] > 1000
    assert (orders.counts["changed"], tickets.counts["changed"]) == (0, 0)


def test_a_moment_to_read_again_from_outlasts_a_reading_that_is_under_way(settled: Scene) -> None:
    """Which would else put its own position in the moment's place, and nothing would be read again."""
    asked, answered = threading.Event(), threading.Event()

    def slowly(heard: Heard, ask: Callable[[], Say]) -> Say:
        said = ask()
        if b"ReadStock" in heard.body:
            asked.set()
            assert answered.wait(60)
        return said

    def read() -> None:
        with settled.engine() as engine:
            engine.ingest("stock", "erp")

    def go_back() -> None:
        with settled.engine() as engine:
            rewind(engine, "stock", "erp", "2001-02-03T04:05:06+01:00")

    with (
        proxy(settled.served.ports["erp"], slowly) as between,
        connection(settled, "erp", port=between.port),
        ThreadPoolExecutor() as pool,
    ):
        reading = pool.submit(read)
        assert asked.wait(60)
        going_back = pool.submit(go_back)
        wait([going_back], timeout=2)  # who does not wait for the reading is done by then
        answered.set()
        reading.result()
        going_back.result()
    ((position,),) = settled.query("SELECT value FROM checkpoint WHERE system = 'erp' AND object = 'stock'")
    assert position["changed_since"] == "20010203040506"


def test_a_moment_that_is_none_and_a_source_that_cannot_go_back_are_said_plainly(settled: Scene) -> None:
    with settled.engine() as engine:
        with pytest.raises(ConfigError, match="--since is a moment as in"):
            engine.pass_of("stock", since="yesterday")
        with pytest.raises(ConfigError, match="put its files into the folder again"):
            engine.pass_of("stock", system="stores", since="2026-11-20T06:00:00")


def test_raw_payloads_go_when_their_time_is_over_but_not_the_one_a_series_rests_on(settled: Scene) -> None:
    with settled.engine() as engine:
        engine.journal.execute("UPDATE vault SET created_at = created_at - interval '91 days'")
    settled.clock.forward(days=1, hours=1)
    settled.night_file("ST02", {})
    settled.synchronise()
    files = {row[0] for row in settled.query("SELECT ref FROM vault WHERE kind = 'file'")}
    resting = {row[0] for row in settled.query("SELECT n.raw FROM series s JOIN snapshot n ON n.id = s.snapshot")}
    assert resting
    assert resting <= files
    assert len(files) < 24
    assert {p.name.removesuffix(".gz") for p in (settled.project.parent / "home" / "vault" / "file").rglob("*.gz")} <= {
        ref.split("/")[1] for ref in files
    }
    assert settled.query(
        "SELECT count(*) FROM quarantine q WHERE NOT EXISTS (SELECT 1 FROM vault v WHERE v.ref = q.raw)"
    ) == [(0,)]
