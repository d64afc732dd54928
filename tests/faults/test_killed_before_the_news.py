"""A process dies when it knows that the shop has sold something, and before it knows what."""

from __future__ import annotations

import signal

import pytest
from support.scene import Scene, worker
from support.stories import article

from hub import points
from hub.flow import derive, ingest, keep


def test_the_sale_is_read_before_anything_is_sent_although_nobody_remembers_why(
    settled: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    sku = article(settled, "killed before the news")
    settled.retailer.erp.set(sku, "WH1", 30, blocked=0, at=settled.clock.forward(minutes=1))
    settled.synchronise(seconds=90)
    before = settled.shop(sku, "WH1")
    settled.retailer.erp.set(sku, "WH1", 35, at=settled.clock.forward(minutes=1))
    settled.clock.forward(minutes=2)
    with settled.engine() as engine, engine.running("ingest", "stock", "erp", ["shop", "tills"]) as current:
        ingest.read(engine, current, "erp")
        derive.derive_due(engine, current, keep.TOGETHER)
    settled.retailer.shop.order([(sku, 2)], at=settled.clock.forward(seconds=10))
    settled.clock.forward(seconds=10)

    monkeypatch.setenv(points.VARIABLE, "read-back committed:1")
    killed = worker(settled, "shop")
    _, said = killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL, said
    monkeypatch.delenv(points.VARIABLE)
    assert settled.shop(sku, "WH1") == before - 2

    last = settled.retailer.ledger.last_id
    with settled.engine() as engine:
        assert engine.deliver("shop").pending == 0
    assert settled.shop(sku, "WH1") == before + 5 - 2
    written = [
        quantity["quantity"]
        for call in settled.retailer.ledger.writes("shop", since_id=last)
        for quantity in call.detail["variables"]["input"]["quantities"]
    ]
    assert written == [before + 5 - 2]
