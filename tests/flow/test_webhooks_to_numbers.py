"""What shop and tills push, signed by themselves: told twice, in the wrong order, forged, too late or in no shape.

The shop's list of orders stays empty here, as if it lagged behind, so that a message alone must do it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from support.loopback import Heard, Say
from support.proxy import proxy
from support.pushes import drained, push
from support.scene import Scene
from support.stories import article, connection, payload

from hub.errors import Reject


@pytest.fixture(scope="module")
def floor(settled: Scene) -> Iterator[Scene]:
    """The settled scene, whose shop lists no order from now on."""

    def no_orders(heard: Heard, ask: Callable[[], Say]) -> Say:
        return Say(200, {"orders": []}) if heard.path.endswith("/orders.json") else ask()

    drained(settled)
    with proxy(settled.served.ports["shop"], no_orders) as between, connection(settled, "shop", port=between.port):
        yield settled


def kept(scene: Scene) -> tuple[Any, ...]:
    """How much of what was pushed lies anywhere in the journal."""
    (found,) = scene.query(
        "SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM vault), (SELECT count(*) FROM event)"
    )
    return found


def counted(scene: Scene, sku: str, pieces: int) -> None:
    """The ERP counts ``sku`` in the warehouse: the number that all orders are taken from."""
    scene.retailer.erp.set(sku, "WH1", pieces, blocked=0, at=scene.clock.forward(minutes=1))
    scene.synchronise(seconds=30)


def test_an_order_that_is_told_twice_reserves_once(floor: Scene) -> None:
    sku = article(floor, "twice")
    counted(floor, sku, 30)
    floor.retailer.shop.order([(sku, 3)], at=floor.clock.forward(minutes=1))
    (message,) = drained(floor)
    assert [push(floor, message), push(floor, message)] == [True, False]
    outcome = floor.synchronise()
    assert floor.shop(sku, "WH1") == 27
    counted(floor, sku, 40)  # without the message, the shop would be told 40
    assert (floor.shop(sku, "WH1"), outcome.counts["quarantined"]) == (37, 0)
    assert not push(floor, message)  # and once more after it was taken
    counted(floor, sku, 41)
    assert floor.shop(sku, "WH1") == 38


def test_a_cancellation_that_comes_before_its_order_leaves_nothing_reserved(floor: Scene) -> None:
    sku = article(floor, "order")
    counted(floor, sku, 30)
    order = floor.retailer.shop.order([(sku, 4)], at=floor.clock.forward(minutes=1))
    floor.clock.forward(minutes=1)
    floor.retailer.shop.cancel(order["id"])
    created, cancelled = drained(floor)
    assert push(floor, cancelled)
    floor.synchronise()
    assert floor.shop(sku, "WH1") == 30
    assert push(floor, created)
    outcome = floor.synchronise()
    counted(floor, sku, 50)
    assert (floor.shop(sku, "WH1"), outcome.counts["unchanged"] >= 1) == (50, True)
    steps = floor.query(
        "SELECT data ->> 'kind' FROM event WHERE data ->> 'order' = %s", f"SHOP-{order['order_number']}"
    )
    assert sorted(steps) == [("release",), ("reserve",)]


FORGED: Mapping[str, tuple[dict[str, Any], str]] = {
    "another body": ({"x_shopify_hmac_sha256": "A" * 44}, "the signature does not fit the body"),
    "no signature": ({"x_shopify_hmac_sha256": None}, "the signature does not fit the body"),
    "no name": ({"x_shopify_webhook_id": None}, "is missing"),
    "no time": ({"x_shopify_triggered_at": None}, "is missing or no time"),
    "too old": ({"x_shopify_triggered_at": "2026-11-22T05:00:00Z"}, "s old, allowed are 4:30:00"),
    "from tomorrow": ({"x_shopify_triggered_at": "2026-11-23T20:00:00Z"}, "s old, allowed are 4:30:00"),
}


@pytest.mark.parametrize("case", FORGED)
def test_what_the_shop_did_not_say_now_is_refused_and_stored_nowhere(floor: Scene, case: str) -> None:
    changes, says = FORGED[case]
    sku = article(floor, case)
    floor.retailer.shop.order([(sku, 1)], at=floor.clock.forward(seconds=1))
    (message,) = drained(floor)
    before = kept(floor)
    with pytest.raises(Reject) as told:
        push(floor, message, **changes)
    assert says in str(told.value)
    assert kept(floor) == before
    assert push(floor, message)  # the real one, which the shop sends again


def test_a_signed_message_in_no_shape_is_put_aside_and_those_behind_it_count(floor: Scene) -> None:
    sku = article(floor, "shape")
    counted(floor, sku, 30)
    for _ in range(3):
        floor.retailer.shop.order([(sku, 1)], at=floor.clock.forward(seconds=1))
    first, second, third = drained(floor)
    without_id = {name: value for name, value in json.loads(second.body).items() if name != "id"}
    assert push(floor, first, body=b"<order/>")
    assert push(floor, second, body=json.dumps(without_id).encode())
    assert push(floor, third)
    outcome = floor.synchronise()
    assert outcome.counts["quarantined"] == 2
    rows = floor.query("SELECT path, reason, origin FROM quarantine WHERE object = 'pushed' ORDER BY id")
    assert [path for path, _, _ in rows] == ["body", "updated_at"]
    assert all(reason and origin["source"] == "shop pushed /hooks/shop" for _, reason, origin in rows)
    assert [payload(floor, origin["raw"])[:8] for _, _, origin in rows] == [
        b"<order/>",
        json.dumps(without_id)[:8].encode(),
    ]
    held = floor.query("SELECT count(*) FROM event WHERE subject = %s AND object = 'reservation'", sku)
    assert held == [(1,)]


def test_the_tills_ring_and_what_they_sold_leaves_the_shop(floor: Scene) -> None:
    sku = article(floor, "bell", "ST05")
    before, tills = floor.shop(sku, "ST05"), floor.till(sku, "ST05")
    floor.retailer.tills.sell("ST05", [(sku, 2)], at=floor.clock.forward(minutes=1))
    (message,) = drained(floor)
    nothing = kept(floor)
    with pytest.raises(Reject, match="the signature does not fit"):
        push(floor, message, x_square_hmacsha256_signature="A" * 44)
    event = {**json.loads(message.body), "created_at": (floor.clock.now() - timedelta(days=3)).isoformat()}
    with pytest.raises(Reject, match="s old, allowed are"):
        push(floor, message, body=json.dumps(event).encode())
    assert kept(floor) == nothing
    assert [push(floor, message), push(floor, message)] == [True, False]
    last = floor.retailer.ledger.last_id
    floor.synchronise()
    assert (floor.shop(sku, "ST05"), floor.till(sku, "ST05")) == (before - 2, tills - 2)
    assert floor.retailer.ledger.writes("tills", since_id=last) == []
    assert floor.query("SELECT count(*) FROM inbox WHERE system = 'tills' AND state <> 'done'") == [(0,)]
