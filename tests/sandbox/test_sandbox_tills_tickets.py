"""What happens at a counter: parts of a payment, discounts, goods that come back, tickets that are taken back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tills import described_order, square_client

from hub.sandbox.tills.articles import Variation
from hub.sandbox.tills.returns import part_of
from hub.sandbox.tills.tickets import Discount, Payment, included


@pytest.fixture
def tills(retailer):
    return retailer.tills


@pytest.fixture
def sku(retailer):
    return retailer.world.skus[7].code


def lying(retailer, store, sku):
    """Pieces in the till's own count, and on the shelf."""
    return (
        retailer.tills.counts()[f"{sku}@{store}"],
        retailer.floor.levels(store, retailer.clock.now() + timedelta(days=1))[sku],
    )


def cents(order):
    return order["total_money"]["amount"]


# --- payments -------------------------------------------------------------------------------------


def test_a_ticket_stays_open_until_it_is_paid_in_full(retailer, tills, sku, clock):
    count, shelf = lying(retailer, "ST03", sku)
    total = tills.catalog.variation(sku).price_cents * 2
    order = tills.sell("ST03", [(sku, 2)], payments=[("CASH", 1000)])
    assert (order["state"], order["net_amount_due_money"]["amount"]) == ("OPEN", total - 1000)
    assert "closed_at" not in order
    assert lying(retailer, "ST03", sku) == (count, shelf - 2)
    clock.forward(minutes=2)
    paid = tills.pay(order["id"], Payment(method="SQUARE_GIFT_CARD", cents=total - 1000, card="4711"))
    assert (paid["state"], paid["version"], paid["closed_at"][:16]) == ("COMPLETED", 2, "2026-11-22T10:02")
    assert [tender["amount_money"]["amount"] for tender in paid["tenders"]] == [1000, total - 1000]
    assert lying(retailer, "ST03", sku) == (count - 2, shelf - 2)
    described_order(order)
    described_order(paid)


def test_nobody_pays_more_than_is_owed(tills, sku):
    with pytest.raises(ValueError, match="cents too much"):
        tills.sell("ST03", [(sku, 1)], payments=[("CASH", 1_000_000)])


def test_an_order_that_is_paid_takes_no_more_money(tills, sku):
    order = tills.sell("ST03", [(sku, 1)])
    with pytest.raises(ValueError, match="no order that is OPEN"):
        tills.pay(order["id"], ("CASH", 1))


def test_a_discount_is_shared_to_the_cent(tills, retailer):
    lines = [(sku.code, 1) for sku in retailer.world.skus[:3]]
    gross = sum(tills.catalog.variation(sku).price_cents for sku, _ in lines)
    order = tills.sell("ST03", lines, discount=Discount(name="Bienvenue", cents=1001, code="WELCOME"))
    off = [line["total_discount_money"]["amount"] for line in order["line_items"]]
    assert (sum(off), cents(order), order["total_discount_money"]["amount"]) == (1001, gross - 1001, 1001)
    assert order["total_tax_money"]["amount"] == sum(ln["total_tax_money"]["amount"] for ln in order["line_items"])
    described_order(order)


def test_the_backlog_was_paid_in_several_ways_and_adds_up(tills):
    rows = tills.state.rows("SELECT document FROM till_order")
    orders = [json.loads(row["document"]) for row in rows]
    kinds = {tender["type"] for order in orders for tender in order["tenders"]}
    assert kinds == {"CARD", "CASH", "SQUARE_GIFT_CARD"}
    for order in orders:
        paid = sum(tender["amount_money"]["amount"] for tender in order["tenders"])
        lines = sum(cents(line) for line in order["line_items"])
        assert paid == cents(order) == lines
    described_order(orders[0])


@given(st.integers(min_value=0, max_value=10**9))
def test_the_tax_inside_a_price_is_that_of_the_net_amount(gross):
    """Within half a cent of 20 % on what is left."""
    tax = included(gross)
    assert abs(tax * 120 - gross * 20) <= 60


# --- goods that come back -------------------------------------------------------------------------


def test_goods_come_back_to_another_store_and_lie_there(retailer, tills, sku):
    sold = tills.sell("ST03", [(sku, 3)])
    there, here = lying(retailer, "ST03", sku), lying(retailer, "ST09", sku)
    back = tills.give_back("ST09", sold, [(sku, 2)])
    assert lying(retailer, "ST03", sku) == there
    assert lying(retailer, "ST09", sku) == (here[0] + 2, here[1] + 2)
    (one,) = back["returns"]
    (line,) = one["return_line_items"]
    assert (one["source_order_id"], line["source_line_item_uid"]) == (sold["id"], sold["line_items"][0]["uid"])
    assert back["refunds"][0]["amount_money"] == one["return_amounts"]["total_money"]
    assert back["refunds"][0]["tender_id"] == sold["tenders"][0]["id"]
    assert "line_items" not in back
    described_order(back)


def test_damaged_goods_are_refunded_and_not_sold_again(retailer, tills, sku):
    sold = tills.sell("ST03", [(sku, 1)])
    before = lying(retailer, "ST03", sku)
    back = tills.give_back("ST03", sold, restock=False)
    assert lying(retailer, "ST03", sku) == before
    assert (back["metadata"]["restock"], back["refunds"][0]["amount_money"]["amount"]) == ("false", cents(sold))


def test_no_more_comes_back_than_was_sold(tills, sku):
    sold = tills.sell("ST03", [(sku, 2)])
    tills.give_back("ST04", sold["id"], [(sku, 1)])
    with pytest.raises(ValueError, match="1 are left"):
        tills.give_back("ST04", sold["id"], [(sku, 2)])


def test_an_online_order_comes_back_by_its_number(tills, sku):
    back = tills.give_back("ST03", "SHOP-1001", [(sku, 1)], cents={sku: 1790})
    assert "source_order_id" not in back["returns"][0]
    assert back["metadata"]["original_order"] == "SHOP-1001"
    assert back["refunds"][0]["amount_money"]["amount"] == 1790
    described_order(back)


@given(sold=st.integers(1, 50), total=st.integers(0, 10**6), cuts=st.lists(st.integers(1, 50), min_size=1, max_size=5))
def test_the_parts_of_a_line_are_the_line_to_the_cent(sold, total, cuts):
    article = Variation(
        id="V", item_id="I", code="A", item_name="", name="", sku="A", upc="", price_cents=1, store_cents={},
        updated_at=0,
    )  # fmt: skip
    line = {"uid": "u", "quantity": str(sold), "total_money": {"amount": total}}
    before, paid_back = 0, 0
    for pieces in [*cuts, sold]:
        pieces = min(pieces, sold - before)
        if pieces:
            paid_back += part_of(line, article, pieces, before).cents
            before += pieces
    assert (before, paid_back) == (sold, total)


# --- tickets that are taken back ------------------------------------------------------------------


def test_a_ticket_that_is_not_paid_is_cancelled_and_the_goods_stay(retailer, tills, sku):
    before = lying(retailer, "ST03", sku)
    order = tills.sell("ST03", [(sku, 2)], payments=[])
    gone = tills.void(order["id"])
    assert (gone["state"], gone["metadata"]["sequence"]) == ("CANCELED", order["metadata"]["sequence"])
    assert lying(retailer, "ST03", sku) == before
    described_order(gone)


def test_a_paid_ticket_is_taken_back_by_one_of_its_own(retailer, tills, sku):
    before = lying(retailer, "ST03", sku)
    order = tills.sell("ST03", [(sku, 2)])
    back = tills.void(order["id"])
    assert lying(retailer, "ST03", sku) == before
    assert (back["metadata"]["void"], back["refunds"][0]["amount_money"]["amount"]) == ("true", cents(order))
    assert int(back["metadata"]["sequence"]) == int(order["metadata"]["sequence"]) + 1


def test_every_step_rings(tills, sku):
    order = tills.sell("ST03", [(sku, 1)], payments=[("CASH", 100)])
    tills.void(order["id"])
    told = [json.loads(message.body)["data"]["object"]["order_updated"] for message in tills.notices.webhooks.due()]
    assert [(one["state"], one["version"]) for one in told] == [("OPEN", 1), ("CANCELED", 2)]


def test_squares_client_reads_returns_and_the_orders_behind_them(sandbox, sku):
    tills = sandbox.retailer.tills
    sold = tills.sell("ST03", [(sku, 1)])
    back = tills.give_back("ST05", sold)
    with square_client(sandbox) as client:
        found = client.orders.batch_get(order_ids=[back["id"], "NOBODY", sold["id"]]).orders
    assert [order.id for order in found] == [back["id"], sold["id"]]
    assert found[0].returns[0].source_order_id == sold["id"]
