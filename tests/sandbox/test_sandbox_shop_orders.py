"""What an order does to the shop's stock, and that everything survives several processes and a reopening."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from hub.sandbox.retailer import Retailer


@pytest.fixture
def shop(retailer):
    return retailer.shop


@pytest.fixture
def code(retailer):
    """An article with nothing available but where a test puts it."""
    code = retailer.world.skus[9].code
    for place in retailer.world.locations:
        retailer.shop.set_available(code, place.code, 0)
    return code


def held(shop, code, name="available"):
    """The quantity ``name`` of an article by location, zeros left out."""
    found = {key.partition("@"): n for key, n in shop.levels(name).items()}
    return {place: n for (sku, _, place), n in found.items() if sku == code and n}


def test_an_order_is_served_by_the_warehouse_while_it_has_some(shop, code):
    committed = held(shop, code, "committed")
    shop.set_available(code, "WH1", 5)
    shop.set_available(code, "ST01", 5)
    shop.order([(code, 3)])
    assert held(shop, code) == {"WH1": 2, "ST01": 5}
    assert held(shop, code, "committed") == {**committed, "WH1": committed.get("WH1", 0) + 3}


def test_then_by_one_store_after_the_other(shop, code):
    for place, n in {"WH1": 1, "ST01": 2, "ST03": 5}.items():
        shop.set_available(code, place, n)
    shop.order([(code, 5)])
    assert held(shop, code) == {"ST03": 3}


def test_what_nobody_has_is_oversold_at_the_warehouse(shop, code):
    shop.set_available(code, "ST01", 1)
    shop.order([(code, 3)])
    assert held(shop, code) == {"WH1": -2}


def test_on_hand_does_not_move_with_an_order(shop, code):
    shop.set_available(code, "WH1", 5)
    before = shop.levels("on_hand")
    order = shop.order([(code, 3)])
    assert shop.levels("on_hand") == before
    shop.cancel(order["id"])
    assert shop.levels("on_hand") == before


def test_a_cancelled_order_gives_everything_back_once(shop, code):
    shop.set_available(code, "WH1", 2)
    shop.set_available(code, "ST01", 2)
    available, committed = shop.levels(), shop.levels("committed")
    order = shop.order([(code, 4)])
    assert shop.levels() != available
    for _ in range(2):
        shop.cancel(order["id"])
    assert (shop.levels(), shop.levels("committed")) == (available, committed)


def test_an_order_of_something_unknown_changes_nothing(shop, retailer):
    before = shop.levels()
    with pytest.raises(KeyError):
        shop.order([(retailer.world.skus[0].code, 1), ("NOTHING", 1)])
    with pytest.raises(KeyError):
        shop.cancel(1)
    with pytest.raises(KeyError):
        shop.set_available(retailer.world.skus[0].code, "ST99", 1)
    assert shop.levels() == before
    assert retailer.webhooks.pending() == 0


def test_the_backlog_is_of_the_last_ten_hours_and_committed(shop, retailer):
    rows = shop.orders.page("created_at")
    documents = [json.loads(row["document"]) for row in rows]
    open_pieces = sum(line["quantity"] for d in documents if not d["cancelled_at"] for line in d["line_items"])
    assert len(documents) == 40
    assert sum(d["cancelled_at"] is not None for d in documents) == 5
    assert all("2026-11-22T00:58" <= document["created_at"] < "2026-11-22T10:59" for document in documents)
    assert sum(shop.levels("committed").values()) == open_pieces


def test_a_reopened_shop_is_as_it_was_left(retailer, clock):
    order = retailer.shop.order([(retailer.world.skus[0].code, 2)])
    levels, counts, token = retailer.shop.levels(), retailer.tills.counts(), retailer.shop.token
    retailer.close()
    again = Retailer(retailer.home, clock=clock)
    try:
        assert (again.shop.levels(), again.tills.counts(), again.shop.token) == (levels, counts, token)
        assert again.shop.orders.get(order["id"]) == order
        assert again.shop.order([(again.world.skus[0].code, 1)])["order_number"] == order["order_number"] + 1
    finally:
        again.close()


CUSTOMER = """
    import sys
    from pathlib import Path
    from hub.sandbox.retailer import Retailer

    retailer = Retailer(Path(sys.argv[1]))
    for _ in range(25):
        retailer.shop.order([(sys.argv[2], 1)])
        retailer.tills.sell("ST01", [(sys.argv[2], 1)])
    retailer.close()
"""


def test_customers_of_several_processes_do_not_lose_a_piece(retailer, code):
    retailer.shop.set_available(code, "WH1", 500)
    counted = retailer.tills.counts()[f"{code}@ST01"]
    command = [sys.executable, "-c", textwrap.dedent(CUSTOMER), str(retailer.home), code]
    customers = [subprocess.Popen(command) for _ in range(3)]
    assert [customer.wait(60) for customer in customers] == [0, 0, 0]
    numbers = [row["id"] for row in retailer.shop.orders.page("id")]
    assert len(set(numbers)) == 40 + 75
    assert retailer.shop.levels()[f"{code}@WH1"] == 500 - 75
    assert retailer.tills.counts()[f"{code}@ST01"] == counted - 75
    assert retailer.webhooks.pending() == 150
