"""A reservation at the counter, told to the whole hub: the shop must not sell what somebody is waiting for."""

from __future__ import annotations

from datetime import timedelta

from support.scene import Scene

from hub.flow.counter import holds
from hub.flow.counter.holds import Hold, Wanted
from hub.flow.housekeeping import NAME, keep_house
from hub.flow.trace import trace
from hub.journal import clients, settings
from hub.journal.clients import Client


def client(settled: Scene, name: str) -> Client:
    with settled.engine() as engine:
        found = clients.of_key(engine.journal, clients.add(engine.journal, name, clients.BY_DEFAULT, None, 50))
    assert found is not None
    return found


def keep(settled: Scene, who: Client, sku: str, quantity: int, minutes: int) -> Hold:
    lasts = timedelta(minutes=minutes)
    with settled.engine() as engine:
        wanted = Wanted(sku=sku, quantity=quantity, location="WH1", channel="shop", lasts=lasts)
        return holds.hold(engine, who, f"{who.name}-{sku}", wanted)[0]


def plenty(settled: Scene, story: str) -> str:
    """An article of which the shop sells at least 9 from the warehouse."""
    levels = settled.retailer.shop.levels()
    found = [sku.code for sku in settled.retailer.world.skus if levels.get(f"{sku.code}@WH1", 0) > 8]
    return min(found, key=lambda code: settled.retailer.world.random(story, code).random())


def test_what_is_kept_at_the_counter_leaves_the_shop_and_comes_back_when_it_expires(settled: Scene) -> None:
    sku = plenty(settled, "expires")
    before = settled.shop(sku, "WH1")
    keep(settled, client(settled, "till-01"), sku, 3, minutes=15)
    settled.synchronise()
    assert settled.shop(sku, "WH1") == before - 3
    settled.clock.forward(minutes=15)
    settled.synchronise()
    assert settled.shop(sku, "WH1") == before


def test_what_is_released_at_the_counter_comes_back_to_the_shop_at_once(settled: Scene) -> None:
    sku, till = plenty(settled, "released"), client(settled, "till-02")
    before = settled.shop(sku, "WH1")
    made = keep(settled, till, sku, 2, minutes=60)
    settled.synchronise()
    with settled.engine() as engine:
        holds.release(engine, till, made.id)
    settled.synchronise()
    assert settled.shop(sku, "WH1") == before


def test_the_trace_of_the_article_tells_who_kept_it(settled: Scene) -> None:
    sku = plenty(settled, "traced")
    keep(settled, client(settled, "till-03"), sku, 1, minutes=60)
    with settled.engine() as engine:
        told = trace(engine, "stock_level", f"{sku}@WH1")
    assert [e["data"]["quantity"] for e in told["events"] if e["system"] == "gateway:till-03"] == [1]
    steps = [s for s in told["timeline"] if s["system"] == "gateway:till-03"]
    assert [(s["step"], s["origin"]) for s in steps] == [("applied", {"source": "POST /v1/reservations"})]


def test_reservations_that_have_ended_long_ago_are_not_loaded_again(settled: Scene) -> None:
    sku = plenty(settled, "closed")
    keep(settled, client(settled, "till-04"), sku, 1, minutes=60)
    with settled.engine() as engine:
        engine.journal.execute(
            "UPDATE event SET event_time = event_time - interval '3 days' WHERE system = 'gateway:till-04'"
        )
        settings.replace(engine.journal, NAME, "2026-01-01T00:00:00+00:00")
        keep_house(engine)
    assert settled.query("SELECT contained FROM event WHERE system = 'gateway:till-04'") == [(True,)]
    assert settled.query("SELECT count(*) FROM event WHERE system = 'gateway:till-01' AND contained") == [(0,)]
