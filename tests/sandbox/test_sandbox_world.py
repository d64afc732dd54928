"""The world behind the sandbox, and the shop floor that changes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.sandbox.baskets import Line
from hub.sandbox.clock import PARIS, last_night
from hub.sandbox.floor import Floor, TicketNumber
from hub.sandbox.state import State
from hub.sandbox.world import World, check_digit

START = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return World(7, START)


@pytest.fixture
def floor(tmp_path, world):
    state = State(tmp_path)
    yield Floor(state, world)
    state.close()


def test_there_are_480_articles_of_120_products_in_21_places(world):
    assert len({sku.code for sku in world.skus}) == 480
    assert len({sku.product for sku in world.skus}) == 120
    assert [place.code for place in world.locations] == ["WH1", *(f"ST{n:02d}" for n in range(1, 21))]
    assert len(world.on_hand) == 480 * 21


def test_every_ean_is_valid_and_some_start_with_zero(world):
    eans = {sku.ean for sku in world.skus}
    assert len(eans) == 480
    assert all(len(ean) == 13 and check_digit(ean[:12]) == ean[12] for ean in eans)
    assert sum(ean.startswith("0") for ean in eans) == 60


def test_some_stock_is_negative_and_some_is_zero(world):
    assert min(world.on_hand.values()) < 0
    assert 0 in world.on_hand.values()


def test_the_same_seed_makes_the_same_world_and_another_seed_another(world):
    assert World(7, START).on_hand == world.on_hand
    assert World(7, START).night_sequence == world.night_sequence
    assert World(8, START).on_hand != world.on_hand


@pytest.mark.parametrize(
    ("now", "night"),
    [
        ("2026-11-22T11:00", "2026-11-21T22:30"),
        ("2026-11-22T23:00", "2026-11-21T22:30"),  # half an hour ago is too fresh to have a morning after it
        ("2026-11-22T23:45", "2026-11-22T22:30"),
        ("2026-10-25T11:00", "2026-10-24T22:30"),  # clocks went back in between
    ],
)
def test_the_night_is_the_latest_half_past_ten_with_an_hour_behind_it(now, night):
    local = datetime.fromisoformat(now).replace(tzinfo=PARIS)
    assert last_night(local) == datetime.fromisoformat(night).replace(tzinfo=PARIS)


def test_a_ticket_lowers_the_floor_from_the_moment_it_is_known(floor, world):
    sku = world.skus[0].code
    before = floor.levels("ST01", world.night)[sku]
    late = START - timedelta(minutes=10)
    floor.sell("ST01", 1, floor.next_ticket("ST01", 1, world.night_day), [Line(sku=sku, quantity=2)], late)
    assert floor.levels("ST01", late - timedelta(seconds=1))[sku] == before
    assert floor.levels("ST01", late)[sku] == before - 2
    assert floor.levels("ST02", late)[sku] == world.on_hand[sku, "ST02"]


def test_ticket_numbers_go_on_after_the_night_file_and_restart_every_day(floor, world):
    last = world.night_sequence["ST01", 1]
    assert floor.next_ticket("ST01", 1, world.night_day).sequence == last + 1
    assert floor.next_ticket("ST01", 1, "2026-11-22").sequence == 1
    floor.sell("ST01", 1, TicketNumber(business_day="2026-11-22", sequence=1), [], START)
    assert floor.next_ticket("ST01", 1, "2026-11-22").sequence == 2


def test_levels_and_last_tickets_are_of_the_same_moment(floor, world):
    sku = world.skus[0].code
    moments = [START - timedelta(minutes=30), START]
    for moment in moments:
        floor.sell("ST01", 1, floor.next_ticket("ST01", 1, "2026-11-22"), [Line(sku=sku, quantity=1)], moment)
    for number, moment in enumerate(moments, 1):
        assert floor.tickets("ST01", moment)[1] == TicketNumber(business_day="2026-11-22", sequence=number)
        assert floor.levels("ST01", moment)[sku] == world.on_hand[sku, "ST01"] - number
    assert floor.tickets("ST01", START)[2].business_day == world.night_day


def test_pieces_that_no_ticket_explains_move_the_floor_and_no_ticket(floor, world):
    sku = world.skus[0].code
    floor.change("ST01", {sku: 1}, START)
    assert floor.levels("ST01", START)[sku] == world.on_hand[sku, "ST01"] + 1
    assert floor.tickets("ST01", START)[1].sequence == world.night_sequence["ST01", 1]
