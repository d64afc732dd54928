"""Rare orders of events, each of which once ended in a wrong number or in a delivery that nobody sends any more."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pytest
from support.scene import Scene
from support.stories import article

from hub.errors import TryLater, Unknown
from hub.flow import sending
from hub.journal import attempts
from hub.model import Delivery


def night(settled: Scene, store: str, lines: dict[str, Sequence[int]], *, later: bool = True) -> str:
    """A complete file of the whole floor in which each of ``lines`` stands once for each of its numbers."""
    from hub.sandbox.stores.stockfile import StockFile

    now = settled.clock.forward(hours=1) if later else settled.clock.now()
    rest = {k: n for k, n in settled.retailer.floor.levels(store, now).items() if k not in lines}
    number = f"{int(store[2:]):04}"

    def text(levels: dict[str, int]) -> list[str]:
        file = StockFile(store=number, as_of=now, complete=True, tickets={}, levels=levels, unavailable={}, dirty=False)
        return file.text(settled.retailer.world).split("\r\n")

    head = text(rest)
    body = head[2:-2] + [text({sku: n})[2] for sku, numbers in lines.items() for n in numbers]
    raw = "\r\n".join([*head[:2], *body, f"T;{len(body)}", ""])
    name: str = settled.retailer.stores.drop(store, as_of=now, complete=True, raw=raw.encode("cp1252"))
    return name


@pytest.mark.parametrize("then", [[5], [7, 5]])
def test_of_a_line_that_stood_twice_the_last_one_of_the_newest_file_counts(settled: Scene, then: list[int]) -> None:
    sku = article(settled, f"twice {then}", "ST02")
    night(settled, "ST02", {sku: [5, 7]})
    settled.synchronise()
    assert settled.till(sku, "ST02") == 7
    night(settled, "ST02", {sku: then})
    settled.synchronise()
    assert settled.till(sku, "ST02") == 5


def test_a_corrected_file_with_the_same_as_of_is_what_the_next_one_is_compared_with(settled: Scene) -> None:
    sku = article(settled, "same as-of", "ST03")
    night(settled, "ST03", {sku: [5]})
    settled.synchronise(seconds=0)
    night(settled, "ST03", {sku: [7]}, later=False)
    settled.synchronise(seconds=0)
    assert settled.till(sku, "ST03") == 7
    night(settled, "ST03", {sku: [5]})
    settled.synchronise()
    assert settled.till(sku, "ST03") == 5


def test_a_partial_file_of_the_very_second_of_the_complete_one_gives_way_to_the_next_night(settled: Scene) -> None:
    sku = article(settled, "same second", "ST04")
    night(settled, "ST04", {sku: [5]})
    settled.synchronise(seconds=0)
    settled.retailer.stores.drop(
        "ST04", as_of=settled.clock.now(), complete=False, levels={sku: 2}, unavailable={}, dirty=False
    )
    settled.synchronise(seconds=0)
    assert settled.till(sku, "ST04") == 2
    night(settled, "ST04", {sku: [5]})
    settled.synchronise()
    assert settled.till(sku, "ST04") == 5


def test_articles_that_a_file_lacks_count_for_the_guard_where_missing_means_0(settled: Scene) -> None:
    settled.rewrite("missing: hold", "missing: zero")
    settled.rewrite("to_zero: 20%", "to_zero: 5%")
    try:
        settled.night_file("ST07", {})
        settled.synchronise()
        now = settled.clock.forward(hours=1)
        levels = settled.retailer.floor.levels("ST07", now)
        gone = [sku for sku, n in levels.items() if n > 0][:70]
        kept = {sku: n for sku, n in levels.items() if sku not in gone}
        settled.retailer.stores.drop("ST07", as_of=now, levels=kept, dirty=False)
        assert settled.synchronise().held
        assert settled.till(gone[0], "ST07") > 0
    finally:
        settled.rewrite("missing: zero", "missing: hold")
        settled.rewrite("to_zero: 5%", "to_zero: 20%")
        settled.clock.forward(hours=1)
        settled.night_file("ST07", {})
        assert not settled.synchronise().held


def test_a_store_that_leaves_the_channel_sells_nothing_more(settled: Scene) -> None:
    sku = article(settled, "leaves", "ST20")
    settled.retailer.stores.drop(
        "ST20", as_of=settled.clock.forward(minutes=2), complete=False, levels={sku: 9}, unavailable={}, dirty=False
    )
    settled.synchronise()
    assert settled.shop(sku, "ST20") == 8
    settled.rewrite('sells_from: [WH1, "ST*"]', 'sells_from: [WH1, "ST0*", "ST1*"]')
    try:
        settled.synchronise()
        assert (settled.shop(sku, "ST20"), settled.till(sku, "ST20")) == (0, 9)
    finally:
        settled.rewrite('sells_from: [WH1, "ST0*", "ST1*"]', 'sells_from: [WH1, "ST*"]')
        settled.synchronise()
    assert settled.shop(sku, "ST20") == 8


@pytest.mark.parametrize("error", [Unknown("no answer"), TryLater("busy", 0.0)])
def test_whoever_lost_its_lease_leaves_alone_what_another_process_made_of_it(
    settled: Scene, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A process stands still in the middle of a call; another takes over and gives back."""
    sku = article(settled, f"lease {error}", "ST20")
    settled.retailer.stores.drop(
        "ST20", as_of=settled.clock.forward(minutes=2), complete=False, levels={sku: 5}, unavailable={}, dirty=False
    )
    with settled.engine() as engine, settled.engine() as other:
        from hub.flow import derive, ingest, keep

        with engine.running("once", "stock", None) as current:
            ingest.read(engine, current, "stores")
            derive.derive_due(engine, current, keep.TOGETHER)
            target, name = "shop", "stock_level"

            def stands_still(object: str, deliveries: Sequence[Delivery], key: str) -> list[object]:
                other.journal.execute("UPDATE attempt SET lease_until = clock_timestamp() WHERE state <> 'settled'")
                with other.running("deliver", "stock", target) as second:
                    left = attempts.take_over(other.journal, target, "another", sending.LEASE)
                    assert left is not None
                    sending.give_back(other, second, target, left, "taken over")
                    other.ended(second, "given back")
                raise error

            shop = engine.target(target)
            with monkeypatch.context() as patched:
                patched.setattr(shop, "write", stands_still)
                with suppress(TryLater):
                    sending.send_next(engine, current, target, name, shop.capability(name))
            engine.ended(current, "stood still")
    settled.synchronise()
    assert settled.shop(sku, "ST20") == 4
    assert settled.query("SELECT key, state FROM delivery WHERE object = 'stock_level'") == []
