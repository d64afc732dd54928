"""What a physical count means at the tills: it holds as of its own time, and no sale after it is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.sandbox.tills.counts import PhysicalCount
from hub.sandbox.tills.tables import PARTS, micros

MINUTE = timedelta(minutes=1)


class Shelf:
    """One article in one store: sell it, count it, look."""

    def __init__(self, retailer, store, code):
        self.tills, self.clock, self.store, self.code = retailer.tills, retailer.clock, store, code
        self.pair = (self.tills.catalog.location_ids()[store], self.tills.catalog.variation(code).id)

    def sell(self, pieces, at=None, uploaded_at=None, till=1):
        self.tills.sell(self.store, [(self.code, pieces)], at, till, uploaded_at)

    def count(self, pieces, at=None, ignore_unchanged=False):
        moment = micros(at or self.clock.now())
        taken = PhysicalCount(pair=self.pair, quantity=pieces * PARTS, occurred_at=moment)
        with self.tills.state.transaction():
            return self.tills.inventory.take(taken, ignore_unchanged=ignore_unchanged)

    @property
    def number(self):
        return self.tills.counts()[f"{self.code}@{self.store}"]


@pytest.fixture
def shelf(retailer):
    shelf = Shelf(retailer, "ST02", retailer.world.skus[5].code)
    shelf.count(10)
    return shelf


def test_a_sale_lowers_the_count_at_once(shelf, clock):
    clock.forward(minutes=1)
    shelf.sell(3)
    assert shelf.number == 7


def test_a_count_of_the_past_keeps_the_sales_made_since(shelf, clock):
    asof = clock.now() + MINUTE
    clock.forward(minutes=5)
    shelf.sell(2)
    shelf.count(8, at=asof)
    assert shelf.number == 6


def test_a_count_of_the_present_replaces_the_sales_before_it(shelf, clock):
    clock.forward(minutes=5)
    shelf.sell(2)
    shelf.count(8, at=clock.now() + MINUTE / 60)
    assert shelf.number == 8


def test_a_sale_at_the_very_moment_of_the_count_is_in_it(shelf, clock):
    clock.forward(minutes=5)
    shelf.sell(2)
    shelf.count(8)
    assert shelf.number == 8


def test_a_sale_before_the_count_that_is_uploaded_later_changes_nothing(shelf, clock):
    sold_at = clock.now() + MINUTE
    clock.forward(minutes=10)
    shelf.count(5)
    clock.forward(minutes=10)
    shelf.sell(1, at=sold_at, uploaded_at=clock.now())
    assert shelf.number == 5


def test_a_sale_after_the_count_that_is_uploaded_later_is_deducted(shelf, clock):
    clock.forward(minutes=10)
    sold_at = clock.now() + MINUTE
    shelf.count(5)
    clock.forward(minutes=10)
    shelf.sell(1, at=sold_at, uploaded_at=clock.now())
    assert shelf.number == 4


def test_counts_out_of_order_end_with_the_one_taken_last(shelf, clock):
    early, late = clock.now() + MINUTE, clock.now() + 3 * MINUTE
    clock.forward(minutes=2)
    shelf.sell(1)
    clock.forward(minutes=8)
    shelf.count(20, at=late)
    shelf.count(30, at=early)
    assert shelf.number == 20


def test_of_two_counts_of_one_moment_the_later_call_holds(shelf, clock):
    moment = clock.now() + MINUTE
    clock.forward(minutes=8)
    shelf.count(20, at=moment)
    shelf.count(30, at=moment)
    assert shelf.number == 30


def test_a_repeated_number_is_ignored_only_when_asked_so(shelf, clock):
    clock.forward(minutes=1)
    shelf.sell(3)
    clock.forward(minutes=1)
    assert not shelf.count(10, ignore_unchanged=True)
    assert shelf.number == 7  # Square compares with the last count, not with what is left of it
    assert shelf.count(10)
    assert shelf.number == 10


def test_a_fast_clock_does_not_sell_in_the_future(retailer, clock):
    shelf = Shelf(retailer, "ST08", retailer.world.skus[5].code)
    shelf.count(10)
    clock.forward(minutes=1)
    shelf.sell(2, till=1)
    clock.forward(minutes=1)
    shelf.count(8)
    assert shelf.number == 8


def test_an_article_scanned_twice_is_sold_twice(retailer, clock):
    shelf = Shelf(retailer, "ST02", retailer.world.skus[5].code)
    shelf.count(10)
    clock.forward(minutes=1)
    order = retailer.tills.sell("ST02", [(shelf.code, 1), (shelf.code, 2)])
    assert [line["quantity"] for line in order["line_items"]] == ["1", "2"]
    assert shelf.number == 7


def test_the_counts_may_fall_below_zero(shelf, clock):
    clock.forward(minutes=1)
    shelf.sell(12)
    assert shelf.number == -2
