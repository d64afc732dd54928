"""What became of an order elsewhere, told to the shop: shipments, refunds, the end of it; and what the shop tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contract.suite import Context, build, context_of, recorded
from support.vendor_specs import ShopifyAdmin

from hub.errors import Unknown
from hub.mapping import load_folder
from hub.model import Binding, Delivery, Done, Record, Reference, Refused, Rejected
from hub.retail.orders import objection_to_order
from hub.schemas import Schemas
from hub.transport.retry import instant

ROOT = Path(__file__).parents[2]
NOTHING = {"cancelled": False, "fulfilments": [], "refunds": []}


@pytest.fixture
def context(sandbox: Any) -> Context:
    return context_of(sandbox, "shop")


@pytest.fixture
def connector(context: Context) -> Any:
    return build("shopify", context)


@pytest.fixture
def order(retailer: Any) -> dict[str, Any]:
    """Two of one article, one of another, paid."""
    first, second = retailer.world.skus[0].code, retailer.world.skus[8].code
    found: dict[str, Any] = retailer.shop.order([(first, 2), (second, 1)])
    return found


@pytest.fixture
def places(connector: Any, retailer: Any) -> Mapping[str, Binding]:
    asked = [Reference(key=place.code, by={"name": place.name}) for place in retailer.world.locations]
    return {one.key: remote.binding for one, remote in connector.find("location", asked).items()}


def lines(order: Any, *quantities: int) -> list[dict[str, Any]]:
    return [
        {"line": str(line["id"]), "quantity": n} for line, n in zip(order["line_items"], quantities, strict=False) if n
    ]


def shipment(order: Any, *quantities: int, **changes: Any) -> dict[str, Any]:
    made = {"id": "SHP-1", "carrier": "Colissimo", "tracking": "6A123", "lines": lines(order, *quantities)}
    return {**made, **changes}


def refund(order: Any, amount: str, *quantities: int, **line: Any) -> dict[str, Any]:
    where = {"restock": False, "location": None, **line}
    return {
        "id": "ERP-77",
        "amount": amount,
        "currency": "EUR",
        "lines": [{**one, **where} for one in lines(order, *quantities)],
    }


@pytest.fixture
def send(connector: Any, order: Any, clock: Any, places: Any) -> Any:
    def deliver(**value: Any) -> Any:
        one = Delivery(
            key="SHOP-1041",
            value={"order": "SHOP-1041", "external_id": str(order["id"]), **NOTHING, **value},
            known={"location": places},
            as_of=clock.now(),
            generation=1,
        )
        (receipt,) = connector.write("order", [one], "k1")
        return receipt

    return deliver


def held(connector: Any, order: Any, **wanted: Any) -> Any:
    one = Reference(key="SHOP-1041", by={"external_id": str(order["id"])}, value={**NOTHING, **wanted})
    return connector.find("order", [one])[one].value


def now(retailer: Any, order: Any) -> Any:
    return retailer.shop.orders.get(order["id"])


# --- shipments ------------------------------------------------------------------------------------


def test_an_order_that_nothing_happened_to_holds_nothing_of_ours(connector: Any, order: Any):
    assert held(connector, order) == NOTHING


def test_a_shipment_reaches_the_shop_with_its_number(connector: Any, send: Any, order: Any, retailer: Any):
    wanted = [shipment(order, 1, 1)]
    receipt = send(fulfilments=wanted)
    assert receipt.remote.value == {**NOTHING, "fulfilments": wanted}
    assert held(connector, order, fulfilments=wanted)["fulfilments"] == wanted
    document = now(retailer, order)
    assert document["fulfillment_status"] == "partial"
    assert {f["tracking_number"] for f in document["fulfillments"]} == {"6A123"}


def test_the_same_shipment_is_not_made_twice(send: Any, order: Any, sandbox: Any):
    first = shipment(order, 1, 0)
    send(fulfilments=[first])
    second = shipment(order, 1, 1, id="SHP-2", tracking="6A124")
    receipt = send(fulfilments=[first, second])
    assert receipt.remote.value["fulfilments"] == [first, second]
    made = [c for c in sandbox.retailer.ledger.writes("shop") if c.operation == "fulfillmentCreate"]
    assert 2 <= len(made) <= 3  # one more where the pieces of the second lie in two places


def test_a_shipment_without_a_number_is_known_by_its_own_and_gets_one_later(connector: Any, send: Any, order: Any):
    bare = shipment(order, 2, 1, tracking=None, carrier=None)
    assert send(fulfilments=[bare]).remote.value["fulfilments"] == [bare]
    tracked = shipment(order, 2, 1)
    assert held(connector, order, fulfilments=[tracked])["fulfilments"][0]["tracking"] is None
    assert send(fulfilments=[tracked]).remote.value["fulfilments"] == [tracked]


def test_more_than_is_left_to_ship_is_refused_with_the_line(send: Any, order: Any, retailer: Any):
    receipt = send(fulfilments=[shipment(order, 3, 0)])
    assert (type(receipt), receipt.path) == (Rejected, "fulfilments[0].lines[0].quantity")
    assert now(retailer, order)["fulfillments"] == []


# --- refunds --------------------------------------------------------------------------------------


def test_a_refund_pays_back_and_restocks_where_the_goods_were_received(
    connector: Any, send: Any, order: Any, retailer: Any
):
    sku = retailer.world.skus[0].code
    send(fulfilments=[shipment(order, 2, 1)])
    before = retailer.shop.levels("on_hand")[f"{sku}@ST05"]
    wanted = [refund(order, order["line_items"][0]["price"], 1, restock=True, location="ST05")]
    receipt = send(fulfilments=[shipment(order, 2, 1)], refunds=wanted)
    assert receipt.remote.value["refunds"] == wanted
    assert retailer.shop.levels("on_hand")[f"{sku}@ST05"] == before + 1
    assert now(retailer, order)["financial_status"] == "partially_refunded"
    assert now(retailer, order)["refunds"][0]["note"] == "omnihub:ERP-77"


def test_money_goes_back_once_although_the_answer_is_lost(connector: Any, send: Any, order: Any, retailer: Any):
    wanted = [refund(order, "5.00")]
    original, lost = connector.admin.http.once, []

    def once(call: Any) -> Any:
        answer = original(call)
        if call.body and b"refundCreate" in call.body and not lost:
            lost.append(call)
            raise Unknown("the answer got lost")
        return answer

    connector.admin.http.once = once
    with instant():
        assert isinstance(send(refunds=wanted), Done)
    assert lost
    send(refunds=wanted)
    (made,) = now(retailer, order)["refunds"]
    assert [t["amount"] for t in made["transactions"]] == ["5.00"]


def test_money_that_a_till_paid_out_is_noted_and_not_paid_again(send: Any, order: Any, retailer: Any):
    send(fulfilments=[shipment(order, 2, 1)])
    wanted = {**refund(order, "19.90", 1, restock=True, location="ST05"), "settled": True}
    receipt = send(fulfilments=[shipment(order, 2, 1)], refunds=[wanted])
    assert receipt.remote.value["refunds"] == [wanted]
    assert now(retailer, order)["refunds"][0]["transactions"] == []


def test_more_than_was_paid_is_refused(send: Any, order: Any, retailer: Any):
    receipt = send(refunds=[refund(order, "9999.00")])
    assert (type(receipt), receipt.path) == (Rejected, "refunds[0].amount")
    assert now(retailer, order)["refunds"] == []


def test_a_place_that_the_shop_does_not_know_is_refused(send: Any, order: Any):
    receipt = send(refunds=[refund(order, "5.00", 1, restock=True, location="MARS")])
    assert (type(receipt), receipt.path) == (Rejected, "refunds[0].lines[0].location")


def test_money_goes_back_the_way_it_came(retailer: Any, connector: Any, clock: Any):
    ways = (("gift_card", 500), ("shopify_payments", None))
    order = retailer.shop.order([(retailer.world.skus[0].code, 2)], payments=ways)
    wanted = {"refunds": [refund(order, "7.00")]}
    one = Delivery(
        key="X", value={"external_id": str(order["id"]), **NOTHING, **wanted}, as_of=clock.now(), generation=1
    )
    (receipt,) = connector.write("order", [one], "k")
    assert receipt.remote.value["refunds"] == wanted["refunds"]
    (made,) = now(retailer, order)["refunds"]
    assert [(t["gateway"], t["amount"]) for t in made["transactions"]] == [
        ("gift_card", "5.00"),
        ("shopify_payments", "2.00"),
    ]


# --- the end of an order --------------------------------------------------------------------------


def test_a_cancellation_elsewhere_cancels_pays_back_and_restocks(send: Any, order: Any, retailer: Any):
    assert send(cancelled=True).remote.value == {**NOTHING, "cancelled": True}
    document = now(retailer, order)
    assert document["cancelled_at"]
    assert document["financial_status"] == "refunded"
    assert isinstance(send(cancelled=True), Done)


def test_a_cancellation_in_the_shop_is_the_shops_own_news(connector: Any, order: Any, retailer: Any):
    retailer.shop.cancel(order["id"])
    assert held(connector, order) == NOTHING
    assert held(connector, order, cancelled=True)["cancelled"] is True


def test_an_order_that_the_shop_does_not_have(connector: Any, clock: Any):
    one = Delivery(key="X", value={"external_id": "1", **NOTHING}, as_of=clock.now(), generation=1)
    (receipt,) = connector.write("order", [one], "k")
    assert (type(receipt), receipt.path) == (Rejected, "external_id")
    assert connector.find("order", [Reference(key="X", by={"external_id": "1"})]) == {}


def test_many_orders_are_read_at_once(connector: Any, retailer: Any):
    ids = [row["id"] for row in retailer.shop.state.rows("SELECT id FROM shop_order LIMIT 25")]
    found = connector.find("order", [Reference(key=str(id), by={"external_id": str(id)}) for id in ids])
    assert len(found) == 25
    assert {remote.binding.external_id for remote in found.values()} == {f"gid://shopify/Order/{id}" for id in ids}


def test_every_call_and_answer_is_as_shopify_describes_it(sandbox: Any, context: Context, order: Any, clock: Any):
    admin = ShopifyAdmin()
    value = {
        **NOTHING,
        "external_id": str(order["id"]),
        "fulfilments": [shipment(order, 1, 1)],
        "refunds": [refund(order, "5.00", 1)],
    }
    with recorded("shopify", context) as (connector, exchanges):
        one = Delivery(key="X", value=value, as_of=clock.now(), generation=1)
        tracked = {**value, "fulfilments": [shipment(order, 1, 1, carrier="Chronopost")]}
        other = replace(one, value={**value, "external_id": str(order["id"] - 32768), "fulfilments": [], "refunds": []})
        for sent in (one, replace(one, value=tracked), replace(other, value={**other.value, "cancelled": True})):
            assert [type(r) for r in connector.write("order", [sent], "k")] == [Done]
    assert len(exchanges) > 8
    for exchange in exchanges:
        admin.check_answer(exchange.sent["query"], exchange.got["data"], exchange.sent["variables"])


# --- what the shop tells, mapped and checked ------------------------------------------------------


@pytest.fixture
def told(connector: Any, retailer: Any, places: Mapping[str, Binding]) -> Any:
    """The canonical records of all the shop's orders, by object; what is bound is bound as the hub does it."""
    schemas = Schemas(ROOT / "canonical_schemas")
    asked = [Reference(key=s.code, by={"sku": s.code, "gtin": s.ean}) for s in retailer.world.skus]
    skus = connector.find("sku", asked)
    known = {
        "sku.variant": {remote.binding.extra["variant"]: one.key for one, remote in skus.items()},
        "location": {binding.external_id: code for code, binding in places.items()},
    }

    def read() -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        records = [r for batch in connector.read("orders", None) for r in batch.records]
        for mapping in load_folder(ROOT / "mappings" / "shopify"):
            for raw in records:
                for made in mapping.map(raw, bound):
                    assert isinstance(made, Record), made
                    assert schemas.validate(mapping.target, made.data) is None
                    found.setdefault(mapping.target, []).append(made)
        return found

    def bound(object: str, id: str) -> str | None:
        return known[object].get(id)

    return read


def test_every_order_of_the_backlog_adds_up_to_the_cent(told: Any):
    orders = told()["order"]
    assert len(orders) >= 40
    assert [objection_to_order(one.data) for one in orders] == [None] * len(orders)
    assert {one.data["state"] for one in orders} >= {"open", "cancelled"}


def test_an_order_through_its_whole_life(told: Any, retailer: Any, clock: Any, order: Any):
    first, second = retailer.world.skus[0].code, retailer.world.skus[8].code
    clock.forward(minutes=5)
    retailer.shop.edit(order["id"], first, 1)
    clock.forward(minutes=5)
    retailer.shop.fulfil(order["id"], "6A1", "Colissimo")
    clock.forward(minutes=5)
    retailer.shop.refund(order["id"], [(second, 1)], "ST05")
    found = told()
    number = f"SHOP-{order['order_number']}"
    (document,) = [one.data for one in found["order"] if one.data["order"] == number]
    assert objection_to_order(document) is None
    assert [line["quantity"] for line in document["lines"]] == [1, 1]
    assert (document["fulfilment_state"], document["return_state"]) == ("fulfilled", "partial")
    assert document["payment_state"] == "partially_refunded"
    (back,) = [one.data for one in found["order_return"] if one.data["order"] == number]
    assert (back["kind"], back["lines"][0]["location"]) == ("return", "ST05")
    steps = [one.data for one in found["reservation"] if one.data["order"] == number]
    assert sorted({step["kind"] for step in steps}) == ["release", "reserve", "shipped"]
    assert sum(step["quantity"] for step in steps if step["kind"] == "shipped") == 2
    (moved,) = [one.data for one in found["stock_movement"] if one.data["sku"] == second]
    assert (moved["delta"], moved["location"], moved["kind"]) == (1, "ST05", "return")


def test_a_parcel_that_is_taken_back_left_and_stayed_after_all(told: Any, retailer: Any, order: Any):
    number = f"SHOP-{order['order_number']}"
    (parcel,) = retailer.shop.fulfil(order["id"], lines=[(retailer.world.skus[0].code, 1)])
    retailer.shop.take_back(order["id"], parcel["id"])
    steps = [one.data for one in told()["reservation"] if one.data["order"] == number]
    moved = [(step["kind"], step["quantity"], step["line"]) for step in steps if step["kind"] != "reserve"]
    line = str(parcel["line_items"][0]["id"])
    assert sorted(moved) == [("shipped", 1, line), ("taken_back", 1, line)]


def test_a_cancelled_order_tells_its_end_once(told: Any, retailer: Any, order: Any):
    retailer.shop.cancel(order["id"])
    found = told()
    number = f"SHOP-{order['order_number']}"
    (document,) = [one.data for one in found["order"] if one.data["order"] == number]
    assert (document["state"], document["payment_state"]) == ("cancelled", "refunded")
    assert objection_to_order(document) is None
    assert [one for one in found.get("order_return", []) if one.data["order"] == number] == []
    kinds = [one.data["kind"] for one in found["reservation"] if one.data["order"] == number]
    assert sorted(kinds) == ["release", "release", "reserve", "reserve"]


def test_an_order_without_a_country_is_refused_with_its_place(connector: Any, retailer: Any, clock: Any):
    changes = {"shipping_address": {"name": "Léa", "country_code": None}}
    order = retailer.shop.order([(retailer.world.skus[0].code, 1)], changes=changes)
    (raw,) = [r for b in connector.read("orders", None) for r in b.records if r.key == str(order["id"])]
    (mapping,) = [m for m in load_folder(ROOT / "mappings" / "shopify") if m.target == "order"]
    (refused,) = mapping.map(raw)
    assert isinstance(refused, Refused)
    assert refused.path == "shipping_address.country_code"
