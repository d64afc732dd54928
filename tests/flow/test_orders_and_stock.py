"""What an order does to the stock, over all systems: its pieces are promised once, leave once and come back once.

The stories are told side by side: ``yield`` is a pass of every flow, and each has an article of its own.
"""

from __future__ import annotations

import pytest
from support.bought import Bought
from support.pushes import about, push
from support.scene import Scene
from support.told import Stories, Told, Troubles

story = Stories()


@pytest.fixture(scope="module")
def told(whole: Scene) -> Troubles:
    return story.tell(whole)


# --- from the shop to the ERP -----------------------------------------------------------------------


@story
def test_an_order_told_three_times_and_read_as_well_is_one_document_and_one_reservation(whole: Scene) -> Told:
    bought = Bought(whole, "three times")
    yield None
    bought.order(3)
    message = about(whole, bought.document)["orders/create"]
    assert [push(whole, message), push(whole, message)] == [True, False]
    assert push(whole, message, x_shopify_webhook_id="another-subscription")
    yield None
    assert push(whole, message, x_shopify_webhook_id="a-third-one")
    yield None
    assert (bought.imports(), bought.reserved(), bought.sold_from_warehouse) == (1, ["reserve"], 27)


@story
def test_paid_may_be_heard_before_created(whole: Scene) -> Told:
    bought = Bought(whole, "paid first")
    yield None
    bought.order(2, payment="pending")
    created = about(whole, bought.document)["orders/create"]
    whole.clock.forward(seconds=1)
    bought.retailer.shop.pay(bought.id)
    paid = about(whole, bought.document)["orders/paid"]
    assert push(whole, paid)
    yield None
    assert (bought.imports(), bought.sale.content["TOTAMT"]) == (1, bought.document["total_price"])
    assert push(whole, created)
    yield None
    assert (bought.imports(), bought.sale.status, bought.sold_from_warehouse) == (1, 1, 28)
    ((state,),) = whole.query(
        "SELECT data ->> 'payment_state' FROM source_state WHERE object = 'order' AND key = %s", bought.key
    )
    assert state == "paid"


@story
def test_pieces_of_an_order_are_missing_once_from_the_click_to_the_parcel(whole: Scene) -> Told:
    """The shop takes them, then the ERP accepts, then they leave: at no moment are they sold again or missing twice."""
    bought = Bought(whole, "once")
    yield None
    assert bought.sold_from_warehouse == 30
    bought.order(4)
    assert bought.sold_from_warehouse == 26
    yield None
    assert bought.sold_from_warehouse == 26
    bought.retailer.erp.accept(bought.key)
    assert bought.in_warehouse == 26  # the ERP's number has gone down and the shop's promise is still there
    whole.everything(flows=["stock"])  # what the ERP counts may be read before what it says of the order
    assert bought.sold_from_warehouse == 26
    yield None
    assert bought.sold_from_warehouse == 26
    bought.retailer.erp.bump(bought.sku, "WH1", 1)  # a piece comes in meanwhile
    yield None
    assert bought.sold_from_warehouse == 27
    bought.retailer.erp.ship(bought.key, tracking="6A0815", carrier="Colissimo")
    whole.everything(flows=["order"])  # and now the other way round
    assert bought.sold_from_warehouse == 27
    yield None
    (parcel,) = bought.document["fulfillments"]
    assert (parcel["tracking_number"], parcel["tracking_company"]) == ("6A0815", "Colissimo")
    yield None
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (27, 27)
    assert bought.reserved()[-1] == "shipped"
    assert whole.retailer.shop.levels("committed")[f"{bought.sku}@WH1"] == 0


# --- given up ---------------------------------------------------------------------------------------


@story
def test_what_a_customer_gives_up_is_free_again_in_the_shop_and_in_the_erp(whole: Scene) -> Told:
    bought = Bought(whole, "given up")
    yield None
    bought.order(5)
    yield None
    bought.retailer.erp.accept(bought.key)
    yield None
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (25, 25)
    bought.retailer.shop.cancel(bought.id)
    yield None
    assert (bought.sale.status, bought.in_warehouse) == (9, 30)
    yield None
    assert bought.sold_from_warehouse == 30
    assert bought.returns == []  # the refund that belongs to a cancellation is no return of its own


@story
def test_what_the_erp_gives_up_is_cancelled_in_the_shop_and_can_be_sold_again(whole: Scene) -> Told:
    bought = Bought(whole, "sold out")
    yield None
    bought.order(5)
    yield None
    bought.retailer.erp.accept(bought.key)
    yield None
    bought.retailer.erp.cancel(bought.key, "damaged")
    yield None
    assert bought.document["cancelled_at"] is not None
    assert bought.document["financial_status"] == "refunded"
    yield None
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (30, 30)
    assert (bought.imports(), bought.returns) == (1, [])


@story
def test_an_edit_that_takes_pieces_out_frees_them_everywhere(whole: Scene) -> Told:
    bought = Bought(whole, "edited")
    yield None
    bought.order(5)
    yield None
    bought.retailer.erp.accept(bought.key)
    yield None
    bought.retailer.shop.edit(bought.id, bought.sku, 2)
    yield None
    assert [line["QTY"] for line in bought.sale.lines] == ["2.000"]
    yield None
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (28, 28)
    assert bought.returns == []


# --- brought back -----------------------------------------------------------------------------------


@story
def test_a_refund_in_the_shop_puts_the_piece_where_it_was_received(whole: Scene) -> Told:
    bought = Bought(whole, "refunded")
    yield None
    bought.order(2)
    yield None
    bought.retailer.erp.accept(bought.key)
    bought.retailer.erp.ship(bought.key)
    yield None
    shop, till = whole.shop(bought.sku, "ST06"), whole.till(bought.sku, "ST06")
    refund = bought.retailer.shop.refund(bought.id, [(bought.sku, 1)], "ST06")
    yield None
    yield None
    assert (whole.shop(bought.sku, "ST06"), whole.till(bought.sku, "ST06")) == (shop + 1, till + 1)
    assert bought.returns == [f"SHOP-R{refund['id']}"]
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (28, 28)


@story
def test_a_refund_in_the_shop_of_what_came_back_to_the_warehouse_counts_the_piece_once(whole: Scene) -> Told:
    """The shop says that it lies there, and so does the ERP as soon as it was told."""
    bought = Bought(whole, "back in the warehouse")
    yield None
    bought.order(2)
    yield None
    bought.retailer.erp.accept(bought.key)
    bought.retailer.erp.ship(bought.key)
    yield None
    refund = bought.retailer.shop.refund(bought.id, [(bought.sku, 1)], "WH1")
    whole.everything(flows=["stock"])
    assert bought.sold_from_warehouse <= 29  # it is the ERP's word that counts there, and it has not heard of it
    yield None
    yield None
    assert bought.returns == [f"SHOP-R{refund['id']}"]
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (29, 29)


@story
def test_a_piece_that_is_refunded_before_it_left_is_free_again(whole: Scene) -> Told:
    bought = Bought(whole, "never left")
    yield None
    bought.order(3)
    yield None
    bought.retailer.erp.accept(bought.key)
    yield None
    refund = bought.retailer.shop.refund(bought.id, [(bought.sku, 1)])
    yield None
    yield None
    assert bought.returns == [f"SHOP-R{refund['id']}"]
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (28, 28)
    bought.retailer.erp.ship(bought.key)
    yield None
    assert [line["quantity"] for line in bought.document["fulfillments"][0]["line_items"]] == [2]
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (28, 28)


@story
def test_a_parcel_that_comes_back_is_paid_back_once_and_nobody_hears_of_it_twice(whole: Scene) -> Told:
    bought = Bought(whole, "parcel back")
    yield None
    bought.order(2)
    yield None
    bought.retailer.erp.accept(bought.key)
    bought.retailer.erp.ship(bought.key)
    yield None
    bought.retailer.erp.receive_return(bought.key, {bought.line: 1})
    yield None
    assert len(bought.document["refunds"]) == 1
    yield None
    assert (len(bought.document["refunds"]), bought.returns) == (1, [None])
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (29, 29)
    moved = whole.query(
        "SELECT count(*) FROM event WHERE (object, system) = ('stock_movement', 'shop') AND subject = %s", bought.sku
    )
    assert moved == [(0,)]  # our own copy of the return is no second piece


@story
def test_an_online_order_brought_back_to_a_store_lies_there(whole: Scene) -> Told:
    bought = Bought(whole, "to the store")
    yield None
    bought.order(1)
    yield None
    bought.retailer.erp.accept(bought.key)
    bought.retailer.erp.ship(bought.key)
    yield None
    shop, till = whole.shop(bought.sku, "ST07"), whole.till(bought.sku, "ST07")
    cents = round(float(bought.document["line_items"][0]["price"]) * 100)
    back = bought.retailer.tills.give_back("ST07", bought.key, [(bought.sku, 1)], cents={bought.sku: cents})
    yield None
    yield None
    assert bought.returns == [f"TILLS-R{back['id']}"]
    (noted,) = bought.document["refunds"]
    assert noted["note"].startswith(f"omnihub:TILLS-R{back['id']}")
    assert noted["transactions"] == []  # the till has paid
    assert (whole.shop(bought.sku, "ST07"), whole.till(bought.sku, "ST07")) == (shop + 1, till + 1)
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (29, 29)
