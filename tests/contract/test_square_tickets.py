"""What happened at a till, as it leaves the connector and the mappings: tickets, returns, voids and stock."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from contract.suite import Context, build, context_of
from support.loopback import Heard, Say, serving

from hub.mapping import load_folder
from hub.model import Checkpoint, Record, Refused
from hub.sandbox.tills.tickets import Discount, Payment
from hub.schemas import Schemas

ROOT = Path(__file__).parents[2]
MAPPINGS = {mapping.name: mapping for mapping in load_folder(ROOT / "mappings" / "square")}


class Read:
    """Everything that was sold and brought back, in canonical words."""

    def __init__(
        self, sandbox: Any, since: Checkpoint | None = None, seen: frozenset[tuple[str, Any]] = frozenset()
    ) -> None:
        self.tills = sandbox.retailer.tills
        self.keys = {
            "location": {id: code for code, id in self.tills.catalog.location_ids().items()},
            "sku": {one.id: one.code for one in self.tills.catalog.variations()},
        }
        connector = build("square", context_of(sandbox, "tills"))
        batches = list(connector.read("orders", since))
        self.checkpoint = batches[-1].checkpoint
        read = [record for batch in batches for record in batch.records]
        self.seen = frozenset((record.key, record.source_version) for record in read)
        self.records = [record for record in read if (record.key, record.source_version) not in seen]
        self.schemas = Schemas(ROOT / "canonical_schemas")

    def __call__(self, name: str) -> list[dict[str, Any]]:
        """The canonical records of one mapping, each as its schema wants it."""
        found = []
        for record in self.records:
            for made in MAPPINGS[f"square.{name}"].map(record, lambda o, id: self.keys[o].get(id)):
                assert isinstance(made, Record), made
                assert self.schemas.validate(made.object, made.data) is None
                found.append(dict(made.data))
        return found


@pytest.fixture
def skus(retailer: Any) -> list[str]:
    return [sku.code for sku in retailer.world.skus]


@pytest.fixture
def news(sandbox: Any, clock: Any) -> Any:
    """What happened since the test began."""
    before = Read(sandbox)
    clock.forward(minutes=10)
    return lambda: Read(sandbox, before.checkpoint, before.seen)


def key(order: dict[str, Any], store: str) -> str:
    """The ticket's key, from what the till printed."""
    meta = order["metadata"]
    day = meta["business_day"].replace("-", "")
    return f"TILLS-{store}-{day}-{meta['workstation']}-{meta['operator']}-{meta['sequence']}"


def test_every_ticket_of_the_morning_has_a_key_and_adds_up(sandbox: Any):
    from hub.retail.checks import CHECKS

    orders = Read(sandbox)("order")
    assert len(orders) == len({order["order"] for order in orders}) >= 300
    assert {(o["state"], o["payment_state"], o["fulfilment_state"]) for o in orders} == {
        ("closed", "paid", "fulfilled")
    }
    assert [found for order in orders if (found := CHECKS["order"](order))] == []
    assert {p["method"] for order in orders for p in order["payments"]} == {"card", "cash", "gift_card"}


def test_a_ticket_in_two_parts_is_known_at_once_and_paid_later(sandbox: Any, news: Any, skus: list[str], clock: Any):
    tills = sandbox.retailer.tills
    order = tills.sell("ST05", [(skus[0], 1)], till=1, payments=[("CASH", 500)])
    first = news()
    (half,) = [one for one in first("order") if one["order"] == key(order, "ST05")]
    assert (half["state"], half["payment_state"], first("stock_movement")) == ("open", "partially_paid", [])
    clock.forward(minutes=1)
    due = order["net_amount_due_money"]["amount"]
    tills.pay(order["id"], Payment(method="SQUARE_GIFT_CARD", cents=due, card="4711"))
    then = news()
    (whole,) = [one for one in then("order") if one["order"] == key(order, "ST05")]
    assert (whole["state"], whole["payment_state"]) == ("closed", "paid")
    assert whole["gift_cards"] == [{"id": "4711", "amount": f"{due / 100:.2f}"}]
    (movement,) = then("stock_movement")
    assert (movement["delta"], movement["ticket"]["sequence"]) == (-1, whole["ticket"]["sequence"])
    assert movement["recorded_at"] == movement["occurred_at"]


def test_a_coupon_is_named_and_its_amount_is_on_the_lines(sandbox: Any, news: Any, skus: list[str]):
    off = Discount(name="Bienvenue", cents=500, code="WELCOME")
    sandbox.retailer.tills.sell("ST05", [(skus[0], 1), (skus[4], 2)], discount=off)
    (order,) = news()("order")
    assert order["discounts"] == [{"code": "WELCOME", "amount": "5.00", "title": "Bienvenue"}]
    assert sum(Decimal(line["discount"]) for line in order["lines"]) == 5


def test_goods_come_back_to_another_store_under_the_ticket_that_sold_them(
    sandbox: Any, news: Any, skus: list[str], clock: Any
):
    tills = sandbox.retailer.tills
    sold = tills.sell("ST05", [(skus[0], 3)])
    clock.forward(minutes=5)
    back = tills.give_back("ST07", sold, [(skus[0], 2)])
    found = news()
    (one,) = found("order_return")
    assert (one["id"], one["order"], one["kind"]) == (f"TILLS-R{back['id']}", key(sold, "ST05"), "return")
    assert one["lines"] == [
        {"line": sold["line_items"][0]["uid"], "sku": skus[0], "quantity": 2, "amount": one["amount"],
         "restock": True, "location": "ST07"}
    ]  # fmt: skip
    (movement,) = found("stock_return")
    assert (movement["location"], movement["delta"], movement["kind"]) == ("ST07", 2, "return")
    assert len(found("order")) == 1


def test_the_order_that_sold_the_goods_is_asked_for_also_when_it_was_read_long_ago(
    sandbox: Any, skus: list[str], clock: Any
):
    tills = sandbox.retailer.tills
    sold = tills.sell("ST05", [(skus[0], 1)])
    before = Read(sandbox).checkpoint
    clock.forward(hours=3)
    tills.give_back("ST07", sold)
    (one,) = Read(sandbox, before)("order_return")  # the sale itself is behind the checkpoint
    assert one["order"] == key(sold, "ST05")


def test_an_online_order_comes_back_to_a_store(sandbox: Any, news: Any, skus: list[str]):
    sandbox.retailer.tills.give_back("ST07", "shop-1001", [(skus[0], 1)], cents={skus[0]: 1790}, restock=False)
    found = news()
    (one,) = found("order_return")
    assert (one["order"], one["amount"], one["lines"][0]["restock"]) == ("SHOP-1001", "17.90", False)
    assert (found("order"), found("stock_return")) == ([], [])


def test_a_ticket_taken_back_before_payment_is_cancelled_and_after_it_returned(
    sandbox: Any, news: Any, skus: list[str]
):
    tills = sandbox.retailer.tills
    unpaid = tills.sell("ST05", [(skus[0], 1)], payments=[])
    tills.void(unpaid["id"])
    paid = tills.sell("ST06", [(skus[1], 2)])
    tills.void(paid["id"])
    found = news()
    states = {one["order"]: (one["state"], one["payment_state"]) for one in found("order")}
    assert states == {key(unpaid, "ST05"): ("cancelled", "voided"), key(paid, "ST06"): ("closed", "paid")}
    (back,) = found("order_return")
    assert (back["order"], back["kind"]) == (key(paid, "ST06"), "void")
    moved = [(one["location"], one["delta"]) for one in found("stock_movement") + found("stock_return")]
    assert moved == [("ST06", -2), ("ST06", 2)]


def test_a_return_of_goods_that_nobody_knows_the_origin_of_waits_for_a_person(sandbox: Any, news: Any, skus: list[str]):
    sandbox.retailer.tills.give_back("ST07", None, [(skus[0], 1)])
    found = news()
    (record,) = found.records
    (refused,) = MAPPINGS["square.order_return"].map(record, lambda o, id: found.keys[o].get(id))
    assert isinstance(refused, Refused)
    assert (refused.path, refused.reason) == ("returns[0]", "nothing is there, which order needs")
    assert found("stock_return")[0]["delta"] == 1


def test_an_order_that_square_no_longer_has_leaves_the_return_as_it_is():
    order = {
        "id": "r", "updated_at": "2026-11-22T09:00:00Z", "closed_at": "2026-11-22T09:00:00Z",
        "returns": [{"uid": "1", "source_order_id": "GONE"}],
    }  # fmt: skip

    def script(heard: Heard) -> Say:
        if heard.method == "GET":
            return Say(body={"locations": [{"id": "L", "name": "Paris"}]})
        return Say(body={"orders": [order] if heard.path.endswith("search") else []})

    with serving(script, id="tills", password="EAAA-0815") as server:
        clock = type("Now", (), {"now": staticmethod(lambda: datetime(2026, 11, 22, 10, tzinfo=UTC))})()
        connector = build("square", Context(system="tills", connection=server.connection, clock=clock))
        (batch,) = connector.read("orders", None)
    (record,) = batch.records
    assert isinstance(record, Record)
    assert record.data["returns"] == order["returns"]
    assert [heard.path for heard in server.heard] == ["/v2/locations", "/v2/orders/search", "/v2/orders/batch-retrieve"]
