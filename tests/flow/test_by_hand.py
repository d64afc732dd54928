"""Passes by hand, and what the hub does for itself once a day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.scene import Scene

from hub.errors import ConfigError


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
