"""Stories from the shop floor, told to the whole hub: what the customer sees is what RETAIL.md says.

The scenarios share one retailer; each has articles and a store of its own.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.scene import Scene


def articles(settled: Scene, story: str, count: int = 1) -> list[str]:
    """Articles that lie in plenty at the warehouse, chosen by the story's name."""
    numbers = sorted(
        settled.retailer.world.skus, key=lambda sku: settled.retailer.world.random(story, sku.code).random()
    )
    return [sku.code for sku in numbers[:count]]


def test_night_5_sale_1_unrecorded_receipt_night_5_again_shows_5(settled: Scene) -> None:
    (sku,) = articles(settled, "night")
    settled.night_file("ST11", {sku: 5})
    settled.synchronise()
    assert (settled.shop(sku, "ST11"), settled.till(sku, "ST11")) == (4, 5)  # one is kept back as safety stock

    settled.retailer.tills.sell("ST11", [(sku, 1)], at=settled.clock.forward(minutes=5))
    settled.synchronise()
    assert (settled.shop(sku, "ST11"), settled.till(sku, "ST11")) == (3, 4)

    settled.clock.forward(hours=1)
    settled.night_file("ST11", {sku: 5})  # somebody put one back on the shelf and told nobody
    settled.synchronise()
    assert (settled.shop(sku, "ST11"), settled.till(sku, "ST11")) == (4, 5)


def test_a_till_s_own_sale_is_read_back_and_not_written_again(settled: Scene) -> None:
    (sku,) = articles(settled, "echo")
    settled.night_file("ST12", {sku: 9})
    settled.synchronise()
    settled.retailer.tills.sell("ST12", [(sku, 2)], at=settled.clock.forward(minutes=1))
    last = settled.retailer.ledger.last_id
    settled.synchronise()
    assert settled.till(sku, "ST12") == 7
    written = [c for c in settled.retailer.ledger.writes(since_id=last) if c.system == "tills"]
    assert written == []


def test_a_till_that_was_offline_is_applied_although_the_night_file_is_newer_than_its_sales(settled: Scene) -> None:
    (sku,) = articles(settled, "offline")
    sold = settled.clock.forward(minutes=1)
    before = settled.retailer.floor.tickets("ST13", sold)
    settled.clock.forward(hours=1)
    settled.night_file("ST13", {sku: 8}, tickets=before)
    settled.synchronise()
    assert settled.shop(sku, "ST13") == 7
    settled.retailer.tills.sell("ST13", [(sku, 1)], at=sold, uploaded_at=settled.clock.forward(hours=2))
    settled.synchronise()
    assert (settled.shop(sku, "ST13"), settled.till(sku, "ST13")) == (6, 7)


@pytest.mark.parametrize(("policy", "left"), [("apply", 7), ("ignore", 8), ("hold", 8)])
def test_a_late_movement_that_no_ticket_places_follows_the_flow(settled: Scene, policy: str, left: int) -> None:
    (sku,) = articles(settled, f"late {policy}")
    sold = settled.clock.forward(minutes=1)
    settled.clock.forward(hours=1)
    settled.night_file("ST14", {sku: 8}, tickets={})  # a store that does not say its last tickets
    settled.retailer.tills.sell("ST14", [(sku, 1)], at=sold, uploaded_at=settled.clock.forward(hours=2))
    settled.rewrite("late_events: apply", f"late_events: {policy}")
    try:
        settled.synchronise()
        assert settled.till(sku, "ST14") == left
    finally:
        settled.rewrite(f"late_events: {policy}", "late_events: apply")


def test_negative_stock_sells_nothing_and_the_tills_are_told_0(settled: Scene) -> None:
    (sku,) = articles(settled, "negative")
    settled.night_file("ST15", {sku: 4})
    settled.synchronise()
    assert (settled.shop(sku, "ST15"), settled.till(sku, "ST15")) == (3, 4)
    settled.night_file("ST15", {sku: -3})
    settled.synchronise()
    assert (settled.shop(sku, "ST15"), settled.till(sku, "ST15")) == (0, 0)


def test_a_second_claimant_is_kept_and_never_merged(settled: Scene) -> None:
    claimed = settled.query(
        "SELECT key FROM source_state WHERE system = 'erp' AND object = 'stock_level' AND key LIKE '%%@ST01' LIMIT 1"
    )[0][0]
    sku = claimed.split("@")[0]
    settled.night_file("ST01", {sku: 6})
    settled.synchronise()
    settled.retailer.erp.set(sku, "ST01", 999, at=settled.clock.forward(minutes=1))
    settled.synchronise()
    assert (settled.shop(sku, "ST01"), settled.till(sku, "ST01")) == (5, 6)
    words = settled.query("SELECT system, data ->> 'on_hand' FROM source_state WHERE key = %s ORDER BY system", claimed)
    assert words == [("erp", "999"), ("stores", "6")]


def test_an_edit_of_the_safety_stock_reaches_the_shop_with_the_next_pass(settled: Scene) -> None:
    (sku,) = articles(settled, "safety")
    settled.night_file("ST16", {sku: 10})
    settled.synchronise()
    assert settled.shop(sku, "ST16") == 9
    settled.rewrite("default: 1, WH1: 0", "default: 1, WH1: 0, ST16: 4")
    try:
        settled.synchronise()
        assert settled.shop(sku, "ST16") == 6
    finally:
        settled.rewrite("default: 1, WH1: 0, ST16: 4", "default: 1, WH1: 0")
        settled.synchronise()
    assert settled.shop(sku, "ST16") == 9


def test_an_order_reserves_when_it_is_read_and_a_cancellation_releases(settled: Scene) -> None:
    (sku,) = articles(settled, "reserve")
    settled.retailer.erp.set(sku, "WH1", 20, blocked=0, at=settled.clock.forward(minutes=1))
    settled.synchronise(seconds=90)
    before = settled.shop(sku, "WH1")
    order = settled.retailer.shop.order([(sku, 3)], at=settled.clock.forward(minutes=1))
    settled.synchronise()
    assert settled.shop(sku, "WH1") == before - 3
    # The ERP does not know the order yet: counting its pieces again must not bring them back.
    settled.retailer.erp.set(sku, "WH1", 21, at=settled.clock.forward(minutes=1))
    settled.synchronise(seconds=90)
    assert settled.shop(sku, "WH1") == before - 2
    settled.clock.forward(minutes=1)
    settled.retailer.shop.cancel(order["id"])
    settled.synchronise()
    assert settled.shop(sku, "WH1") == before + 1


def test_a_sale_in_the_shop_between_two_writes_is_not_overwritten(settled: Scene) -> None:
    """The customer buys after the shop was last read: compare-and-set fails, the order is read, the rest is sent."""
    (sku,) = articles(settled, "conflict")
    settled.retailer.erp.set(sku, "WH1", 30, blocked=0, at=settled.clock.forward(minutes=1))
    settled.synchronise(seconds=90)
    before = settled.shop(sku, "WH1")
    settled.retailer.erp.set(sku, "WH1", 35, at=settled.clock.forward(minutes=1))
    settled.clock.forward(minutes=2)
    with settled.engine() as engine:
        for system in ("erp",):  # everything but the shop's own news is read and derived
            from hub.flow import derive, ingest, keep

            with engine.running("ingest", "stock", system, ["shop", "tills"]) as current:
                ingest.read(engine, current, system)
                derive.derive_due(engine, current, keep.TOGETHER)
                engine.ended(current, "read")
        settled.retailer.shop.order([(sku, 2)], at=settled.clock.forward(seconds=10))
        settled.clock.forward(seconds=10)
        outcome = engine.deliver("shop")
    assert outcome.pending == 0
    assert settled.shop(sku, "WH1") == before + 5 - 2
    steps = [
        row[0]
        for row in settled.query("SELECT step FROM audit WHERE key = %s AND system = 'shop' ORDER BY id", f"{sku}@WH1")
    ]
    assert "conflict" in steps[-4:]
    assert steps[-1] == "confirmed"


def test_the_same_file_twice_changes_nothing(settled: Scene) -> None:
    (sku,) = articles(settled, "twice")
    name = settled.night_file("ST17", {sku: 12})
    content = (settled.retailer.stores.out / name).read_bytes()
    settled.synchronise()
    settled.retailer.stores.put(name, content)
    outcome = settled.synchronise()
    assert outcome.counts["changed"] == 0
    assert outcome.counts["unchanged"] >= 480
    assert settled.retailer.stores.waiting() == []


def test_an_older_file_that_arrives_late_changes_nothing(settled: Scene) -> None:
    (sku,) = articles(settled, "old")
    old = settled.clock.forward(minutes=5)
    settled.clock.forward(hours=1)
    settled.night_file("ST18", {sku: 12})
    settled.synchronise()
    levels = {**settled.retailer.floor.levels("ST18", old), sku: 1}
    settled.retailer.stores.drop("ST18", as_of=old, levels=levels, dirty=False)
    outcome = settled.synchronise()
    assert outcome.counts["superseded"] >= 480
    assert settled.shop(sku, "ST18") == 11


def test_a_partial_file_speaks_for_its_own_lines_and_the_next_night_takes_them_back(settled: Scene) -> None:
    one, other = articles(settled, "partial", 2)
    settled.night_file("ST19", {one: 5, other: 5})
    settled.synchronise()
    settled.retailer.stores.drop(
        "ST19", as_of=settled.clock.forward(hours=1), complete=False, levels={one: 2}, dirty=False
    )
    settled.synchronise()
    assert (settled.shop(one, "ST19"), settled.shop(other, "ST19")) == (1, 4)
    settled.clock.forward(hours=1)
    settled.night_file("ST19", {one: 5, other: 5})  # the very lines of the night before
    settled.synchronise()
    assert (settled.shop(one, "ST19"), settled.shop(other, "ST19")) == (4, 4)


def test_an_article_missing_from_a_complete_file_is_never_silently_0(settled: Scene) -> None:
    (sku,) = articles(settled, "missing")
    settled.night_file("ST10", {sku: 7})
    settled.synchronise()
    now = settled.clock.forward(hours=1)
    levels = {code: n for code, n in settled.retailer.floor.levels("ST10", now).items() if code != sku}
    settled.retailer.stores.drop("ST10", as_of=now, levels=levels, dirty=False)
    outcome = settled.synchronise()
    assert settled.shop(sku, "ST10") == 6
    assert outcome.counts["held"] == 1
    assert settled.query("SELECT answer FROM audit WHERE step = 'missing' AND key = %s", f"{sku}@ST10")


def test_a_cut_night_file_is_held_and_a_newer_one_supersedes_it(settled: Scene) -> None:
    (sku,) = articles(settled, "cut")
    settled.night_file("ST09", {sku: 7})
    settled.synchronise()
    now = settled.clock.forward(hours=1)
    few = dict(list(settled.retailer.floor.levels("ST09", now).items())[:200])
    settled.retailer.stores.drop("ST09", as_of=now, levels={**few, sku: 1}, dirty=False)
    outcome = settled.synchronise()
    assert (outcome.held, outcome.exit_code) == (True, 3)
    assert settled.shop(sku, "ST09") == 6
    reason = settled.query("SELECT reason FROM snapshot WHERE state = 'held'")[0][0]
    assert "fewer than" in reason
    settled.clock.forward(hours=1)
    settled.night_file("ST09", {sku: 4})
    outcome = settled.synchronise()
    assert (outcome.held, settled.shop(sku, "ST09")) == (False, 3)


@pytest.mark.parametrize(("policy", "left"), [("keep", 6), ("zero", 0)])
def test_a_refused_line_follows_the_flow_and_a_valid_one_lifts_it(settled: Scene, policy: str, left: int) -> None:
    (sku,) = articles(settled, f"refused {policy}")
    settled.rewrite("quarantined: keep", f"quarantined: {policy}")
    try:
        settled.night_file("ST06", {sku: 7})
        settled.synchronise()
        settled.night_file("ST06", {sku: "1,5"})
        settled.synchronise()
        assert settled.shop(sku, "ST06") == left
        assert settled.query("SELECT state FROM quarantine WHERE key = %s", f"{sku}@ST06") == [("open",)]
        settled.night_file("ST06", {sku: 9})
        settled.synchronise()
        assert settled.shop(sku, "ST06") == 8
        assert settled.query("SELECT state FROM quarantine WHERE key = %s", f"{sku}@ST06") == [("superseded",)]
    finally:
        settled.rewrite(f"quarantined: {policy}", "quarantined: keep")


def test_a_refused_line_keeps_its_sales_since_the_file_that_last_spoke_for_it(settled: Scene) -> None:
    """The newer file does not vouch for a line that it could not say: what was sold since comes on top."""
    (sku,) = articles(settled, "refused sale")
    settled.night_file("ST05", {sku: 7})
    settled.synchronise()
    settled.retailer.tills.sell("ST05", [(sku, 1)], at=settled.clock.forward(minutes=5))
    settled.clock.forward(hours=1)
    settled.night_file("ST05", {sku: "1,5"})
    settled.synchronise()
    assert (settled.shop(sku, "ST05"), settled.till(sku, "ST05")) == (5, 6)


def test_a_store_that_falls_silent_leaves_the_sum_and_comes_back(settled: Scene) -> None:
    """Last in this file: the clock moves by days."""
    (sku,) = articles(settled, "stale")
    settled.night_file("ST08", {sku: 6})
    settled.synchronise()
    settled.clock.forward(hours=30)
    settled.night_file("ST07", {sku: 6})
    settled.synchronise()
    assert (settled.shop(sku, "ST08"), settled.shop(sku, "ST07")) == (5, 5)
    settled.clock.moment += timedelta(hours=7)
    settled.synchronise()
    assert (settled.shop(sku, "ST08"), settled.shop(sku, "ST07")) == (0, 5)
    settled.night_file("ST08", {sku: 6})
    settled.synchronise()
    assert settled.shop(sku, "ST08") == 5
