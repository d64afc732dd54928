"""No two processes wait for each other in the journal: all take what they need of a target in the same order."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from support.scene import Scene
from support.stories import article, partial

from hub.flow import derive, ingest, keep
from hub.journal import connect, outbox, staging

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def test_a_refusal_is_settled_while_what_was_refused_is_derived_anew(
    settled: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both write beside what the shop should hold and both need its outbox."""
    sku = article(settled, "refused")
    key = f"{sku}@ST15"
    failed: list[psycopg.Error] = []

    def refuse() -> None:
        try:
            with connect(settled.dsn) as other, other.transaction():
                outbox.alone(other, "shop")
                outbox.mark_refused(other, "shop", "stock_level", [(key, 1)])
        except psycopg.Error as error:
            failed.append(error)

    settler = threading.Thread(target=refuse)

    def come(point: str) -> None:
        if point == "derived" and settler.ident is None:
            settler.start()
            until = time.monotonic() + 20
            with connect(settled.dsn) as looking:
                while looking.execute(WAITING).fetchone() == (0,):
                    assert time.monotonic() < until
                    time.sleep(0.02)

    monkeypatch.setattr(derive, "reached", come)
    settled.clock.forward(minutes=1)
    partial(settled, "ST15", {sku: 57})
    with settled.engine() as engine, engine.running("ingest", "stock", "stores") as current:
        ingest.read(engine, current, "stores")
        derive.derive_due(engine, current, keep.TOGETHER)
    settler.join()
    assert failed == []
    ((refused,),) = settled.query("SELECT refused FROM desired WHERE target = 'shop' AND key = %s", key)
    assert refused == 1


def test_nobody_waits_for_who_tells_the_planner(settled: Scene) -> None:
    with connect(settled.dsn) as one, connect(settled.dsn) as other, one.transaction(), other.transaction():
        staging.many_changed(one, "delivery", 1_000_000)
        other.execute("SET LOCAL lock_timeout = '3s'")
        staging.many_changed(other, "delivery", 1_000_000)
