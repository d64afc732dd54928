"""The clock is set back by an hour: nothing waits for the hour to pass again, and nothing goes out of order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.scene import Scene, SetClock
from support.stories import article, partial

from hub.flow import Engine, derive, ingest, keep, sending
from hub.journal import outbox, remotes

PLACE = "ST15"
HOUR = timedelta(hours=1)
WAITS = ("a call without an answer", "a pause", "a doubt", "a derivation")

# What the database had stamped before its clock was set back; the leases as they were when their time was over.
BEFORE = (
    "UPDATE attempt SET created_at = created_at + interval '1 hour', owner = 'elsewhere/1/1',"
    " lease_until = clock_timestamp() + interval '59 minutes 50 seconds' WHERE state <> 'settled'",
    "UPDATE remote SET confirmed_at = confirmed_at + interval '1 hour', suspect_at = suspect_at + interval '1 hour'",
    "UPDATE budget SET updated_at = updated_at + interval '1 hour'",
    "UPDATE setting SET value = (value::timestamptz + interval '1 hour')::text WHERE name = 'clock/database'",
)


@pytest.fixture(scope="module")
def articles(settled: Scene) -> dict[str, str]:
    """One that waits in each way at the moment when both clocks are set back."""
    found = {why: article(settled, why) for why in WAITS}
    settled.synchronise()
    partial(settled, PLACE, {found[why]: 80 for why in WAITS[:3]})
    with settled.engine() as engine, engine.running("ingest", "stock", "stores") as current:
        ingest.read(engine, current, "stores")
        derive.derive_due(engine, current, keep.TOGETHER)
        later = engine.clock.now() + timedelta(seconds=30)
        outbox.hold_back(engine.journal, "shop", "stock_level", [f"{found['a pause']}@{PLACE}"], later)
        remotes.suspect(engine.journal, "shop", "stock_level", keys=[f"{found['a doubt']}@{PLACE}"])
        offers = engine.target("shop").capability("stock_level")
        with engine.journal.transaction():
            outbox.alone(engine.journal, "shop")
            assert sending.open_next(engine, current, "shop", "stock_level", offers)
        settled.clock.forward(seconds=2)
        partial(settled, PLACE, {found["a derivation"]: 80})
        ingest.read(engine, current, "stores")
        for statement in BEFORE:
            engine.journal.execute(statement)
    return found


@pytest.fixture(scope="module")
def after(settled: Scene, articles: dict[str, str]) -> dict[str, int]:
    """What the shop holds after two passes of a hub whose clock is an hour behind what it was."""
    clock = SetClock(settled.clock.now() - HOUR)
    for _ in range(2):
        with hub(settled, clock) as engine:
            engine.once(["stock"])
        clock.forward(minutes=2)
    return {why: settled.shop(sku, PLACE) for why, sku in articles.items()}


def hub(settled: Scene, clock: SetClock):  # type: ignore[no-untyped-def]  # what Engine.open answers
    return Engine.open(settled.project, connections=settled.connection, clock=clock, dsn=settled.dsn)


@pytest.mark.parametrize("why", WAITS)
def test_what_waits_goes_on_within_minutes(after: dict[str, int], why: str) -> None:
    assert after[why] == 79


def test_nothing_is_left_open(settled: Scene, after: dict[str, int]) -> None:
    assert settled.query("SELECT count(*) FROM attempt WHERE state <> 'settled'") == [(0,)]
    assert settled.query("SELECT key FROM delivery WHERE object = 'stock_level' AND target = 'shop'") == []
    assert settled.query("SELECT count(*) FROM remote WHERE suspect") == [(0,)]


def test_a_newer_number_still_wins_while_the_clock_is_behind(
    settled: Scene, articles: dict[str, str], after: dict[str, int]
) -> None:
    sku = articles["a doubt"]
    settled.clock.forward(seconds=10)
    partial(settled, PLACE, {sku: 81})
    with hub(settled, SetClock(settled.clock.now() - HOUR)) as engine:
        engine.once(["stock"])
    assert settled.shop(sku, PLACE) == 80


def test_tills_that_date_a_count_by_our_clock_agree_when_it_is_right_again(
    settled: Scene, articles: dict[str, str], after: dict[str, int]
) -> None:
    """A count of an hour ago says nothing about now: Square keeps the later one, and ours is sent until it counts."""
    settled.clock.forward(minutes=2)
    settled.synchronise()
    assert {settled.till(articles[why], PLACE) for why in WAITS if why != "a doubt"} == {80}
    assert settled.query("SELECT key FROM delivery WHERE object = 'stock_level'") == []
