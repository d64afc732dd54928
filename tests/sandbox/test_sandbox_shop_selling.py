"""What becomes of an order in the shop: its money to the cent, its pieces, and who is told."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest


@pytest.fixture
def shop(retailer):
    return retailer.shop


@pytest.fixture
def codes(retailer):
    """Three articles that the warehouse has enough of and nobody else has any of."""
    codes = [retailer.world.skus[n].code for n in (9, 20, 31)]
    for code in codes:
        for place in retailer.world.locations:
            retailer.shop.set_available(code, place.code, 50 if place.code == "WH1" else 0)
    return codes


def told(retailer):
    """(topic, body) of every webhook that waits, in order; they are taken out."""
    messages = retailer.webhooks.due(limit=1000)
    for message in messages:
        retailer.webhooks.sent(message)
    return [(message.headers["X-Shopify-Topic"], json.loads(message.body)) for message in messages]


def topics(retailer):
    return [topic for topic, _ in told(retailer)]


def held(shop, code, name="available"):
    found = {key.partition("@"): n for key, n in shop.levels(name).items()}
    return {place: n for (sku, _, place), n in found.items() if sku == code and n}


def amount(*texts):
    return sum(map(Decimal, texts), Decimal())


# --- money ----------------------------------------------------------------------------------------


def adds_up(order):
    """Fails unless every amount of a new order is the sum of its parts."""
    lines = order["line_items"]
    gross = sum(Decimal(line["price"]) * line["quantity"] for line in lines)
    off = amount(*(share["amount"] for line in lines for share in line["discount_allocations"]))
    shipping = amount(*(line["price"] for line in order["shipping_lines"]))
    parts = [*lines, *order["shipping_lines"]]
    assert amount(order["total_line_items_price"]) == gross
    assert amount(order["total_discounts"]) == off
    assert amount(order["subtotal_price"]) == gross - off
    assert amount(order["total_price"]) == gross - off + shipping
    assert amount(order["total_tax"]) == amount(*(tax["price"] for part in parts for tax in part["tax_lines"]))
    assert amount(*(tax["price"] for tax in order["tax_lines"])) == amount(order["total_tax"])


@pytest.mark.parametrize("coupon", [None, "BIENVENUE10", "NOEL20", "MERCI5"])
def test_every_amount_of_an_order_is_the_sum_of_its_parts(shop, codes, coupon):
    order = shop.order([(codes[0], 3), (codes[1], 1), (codes[2], 7)], coupon=coupon)
    adds_up(order)
    assert [one["code"] for one in order["discount_codes"]] == ([coupon] if coupon else [])
    assert (amount(order["total_discounts"]) > 0) == (coupon is not None)


def test_the_orders_of_the_backlog_add_up_and_some_carry_codes_and_gift_cards(shop):
    orders = shop.orders.documents()
    for order in orders:
        adds_up(order)
    assert {order["financial_status"] for order in orders} == {"paid", "authorized", "refunded"}
    assert any(order["discount_codes"] for order in orders)
    assert any(order["payment_gateway_names"] == ["gift_card", "shopify_payments"] for order in orders)


def test_a_split_payment_makes_up_the_total(shop, codes):
    order = shop.order([(codes[0], 2)], payments=(("gift_card", 1000), ("shopify_payments", None)))
    payments = shop.orders.transactions(order["id"])
    assert [(one["gateway"], one["kind"], one["status"]) for one in payments] == [
        ("gift_card", "sale", "success"),
        ("shopify_payments", "sale", "success"),
    ]
    assert amount(*(one["amount"] for one in payments)) == amount(order["total_price"])
    assert order["financial_status"] == "paid"


def test_a_coupon_that_nobody_gave_out_is_refused(shop, codes):
    before = shop.levels()
    with pytest.raises(KeyError):
        shop.order([(codes[0], 1)], coupon="GRATUIT")
    assert shop.levels() == before


def test_bad_input_is_written_over_the_finished_document(shop, codes):
    order = shop.order([(codes[0], 1)], changes={"currency": "USD", "total_price": "1.00"})
    assert (order["currency"], order["total_price"]) == ("USD", "1.00")
    assert shop.orders.get(order["id"]) == order


# --- payment --------------------------------------------------------------------------------------


def test_a_pending_order_is_paid_in_two_parts(shop, codes, retailer):
    order = shop.order([(codes[0], 1)], payment="pending")
    half = shop.pay(order["id"], cents=500)
    whole = shop.pay(order["id"])
    assert (order["financial_status"], half["financial_status"], whole["financial_status"]) == (
        "pending",
        "partially_paid",
        "paid",
    )
    assert whole["total_outstanding"] == "0.00"
    assert topics(retailer) == ["orders/create", "orders/updated", "orders/paid", "orders/updated"]


def test_an_authorization_is_captured_against_its_parent(shop, codes):
    order = shop.order([(codes[0], 1)], payment="authorized")
    paid = shop.pay(order["id"])
    held, taken = shop.orders.transactions(order["id"])
    assert (order["financial_status"], paid["financial_status"]) == ("authorized", "paid")
    assert (held["kind"], taken["kind"], taken["parent_id"]) == ("authorization", "capture", held["id"])


def test_a_cancelled_authorization_is_let_go(shop, codes):
    order = shop.order([(codes[0], 1)], payment="authorized")
    cancelled = shop.cancel(order["id"])
    assert cancelled["financial_status"] == "voided"
    assert [one["kind"] for one in shop.orders.transactions(order["id"])] == ["authorization", "void"]


# --- fulfilment -----------------------------------------------------------------------------------


def test_pieces_that_are_sent_leave_the_house(shop, codes, retailer):
    order = shop.order([(codes[0], 3)])
    on_hand, available = held(shop, codes[0], "on_hand")["WH1"], held(shop, codes[0])["WH1"]
    [parcel] = shop.fulfil(order["id"], tracking="6A123", carrier="Colissimo")
    after = shop.orders.get(order["id"])
    assert held(shop, codes[0], "on_hand")["WH1"] == on_hand - 3
    assert held(shop, codes[0])["WH1"] == available
    assert (after["fulfillment_status"], after["line_items"][0]["fulfillable_quantity"]) == ("fulfilled", 0)
    assert (parcel["tracking_number"], parcel["line_items"][0]["quantity"]) == ("6A123", 3)
    assert topics(retailer) == ["orders/create", "orders/fulfilled", "orders/updated"]


def test_pieces_from_two_places_go_in_two_parcels(shop, codes):
    shop.set_available(codes[0], "WH1", 1)
    shop.set_available(codes[0], "ST03", 5)
    order = shop.order([(codes[0], 3)])
    parcels = shop.fulfil(order["id"])
    assert [parcel["line_items"][0]["quantity"] for parcel in parcels] == [1, 2]
    assert len({parcel["location_id"] for parcel in parcels}) == 2


# --- refunds --------------------------------------------------------------------------------------


def test_an_unsent_piece_that_is_refunded_is_available_again(shop, codes, retailer):
    order = shop.order([(codes[0], 3), (codes[1], 1)])
    available, told_before = held(shop, codes[0])["WH1"], told(retailer)
    refund = shop.refund(order["id"], [(codes[0], 1)], note="omnihub:R1")
    after = shop.orders.get(order["id"])
    line = after["line_items"][0]
    assert len(told_before) == 1
    assert held(shop, codes[0])["WH1"] == available + 1
    assert refund["refund_line_items"][0]["restock_type"] == "cancel"
    assert (line["quantity"], line["current_quantity"], line["fulfillable_quantity"]) == (3, 2, 2)
    assert refund["transactions"][0]["amount"] == line["price"]
    assert after["financial_status"] == "partially_refunded"
    assert amount(after["current_total_price"]) == amount(order["total_price"]) - amount(line["price"])
    assert [(topic, body["note"]) for topic, body in told(retailer)] == [
        ("refunds/create", "omnihub:R1"),
        ("orders/updated", None),
    ]


def test_a_piece_may_come_back_at_another_place_than_it_left_from(shop, codes):
    order = shop.order([(codes[0], 2)])
    shop.fulfil(order["id"])
    refund = shop.refund(order["id"], [(codes[0], 1)], location="ST07")
    place = shop.state.row("SELECT id FROM shop_location WHERE code = 'ST07'")["id"]
    assert held(shop, codes[0]) == {"WH1": 48, "ST07": 1}
    assert [(one["restock_type"], one["location_id"]) for one in refund["refund_line_items"]] == [("return", place)]


def test_a_damaged_piece_is_refunded_and_put_nowhere(shop, codes):
    order = shop.order([(codes[0], 1)])
    shop.fulfil(order["id"])
    before = shop.levels("on_hand")
    refund = shop.refund(order["id"], [(codes[0], 1)])
    assert shop.levels("on_hand") == before
    assert (refund["refund_line_items"][0]["restock_type"], refund["restock"]) == ("no_restock", False)


def test_parts_of_a_discounted_line_are_refunded_to_the_cent(shop, codes):
    order = shop.order([(codes[0], 3)], coupon="BIENVENUE10")
    refunds = [shop.refund(order["id"], [(codes[0], 1)]) for _ in range(3)]
    whole = amount(*(refund["refund_line_items"][0]["subtotal"] for refund in refunds))
    assert whole == amount(order["subtotal_price"])
    assert shop.orders.get(order["id"])["current_total_price"] == "4.90"  # the shipping


def test_shipping_is_refunded_as_an_adjustment(shop, codes):
    order = shop.order([(codes[0], 1)])
    refund = shop.refund(order["id"], [(codes[0], 1)], shipping_cents=490)
    after = shop.orders.get(order["id"])
    assert refund["order_adjustments"][0]["amount"] == "-4.90"
    assert (after["financial_status"], after["current_total_price"], after["total_outstanding"]) == (
        "refunded",
        "0.00",
        "0.00",
    )


def test_money_goes_back_to_the_card_before_the_gift_card(shop, codes):
    order = shop.order([(codes[0], 1)], payments=(("gift_card", 1000), ("shopify_payments", None)))
    card = amount(order["total_price"]) - 10
    refund = shop.refund(order["id"], cents=int(card * 100) + 300)
    assert [(one["gateway"], Decimal(one["amount"])) for one in refund["transactions"]] == [
        ("shopify_payments", card),
        ("gift_card", Decimal(3)),
    ]


# --- cancellation and edits -----------------------------------------------------------------------


def test_a_cancelled_order_is_refunded_whole_and_says_so_once(shop, codes, retailer):
    order = shop.order([(codes[0], 2)], coupon="MERCI5")
    after = shop.cancel(order["id"])
    [refund] = after["refunds"]
    assert after["financial_status"] == "refunded"
    assert after["current_total_price"] == "0.00"
    assert amount(*(one["amount"] for one in refund["transactions"])) == amount(order["total_price"])
    assert refund["refund_line_items"][0]["restock_type"] == "cancel"
    assert topics(retailer) == ["orders/create", "orders/cancelled"]


def test_fewer_pieces_are_a_refund_without_money(shop, codes, retailer):
    order = shop.order([(codes[0], 3)])
    available = held(shop, codes[0])["WH1"]
    told(retailer)
    after = shop.edit(order["id"], codes[0], 1)
    (edited, change), (updated, document) = told(retailer)
    line = after["line_items"][0]
    assert (line["quantity"], line["current_quantity"]) == (3, 1)
    assert [refund["transactions"] for refund in after["refunds"]] == [[]]
    assert held(shop, codes[0])["WH1"] == available + 2
    assert (edited, updated, document["id"]) == ("orders/edited", "orders/updated", order["id"])
    assert change["order_edit"]["line_items"]["removals"] == [{"id": line["id"], "delta": 2}]


def test_more_pieces_are_promised_and_still_to_be_paid(shop, codes):
    order = shop.order([(codes[0], 1)])
    after = shop.edit(order["id"], codes[0], 3)
    line = after["line_items"][0]
    assert (line["quantity"], line["fulfillable_quantity"]) == (3, 3)
    assert held(shop, codes[0])["WH1"] == 47
    assert (after["financial_status"], Decimal(after["total_outstanding"])) == (
        "partially_paid",
        2 * Decimal(line["price"]),
    )
    assert Decimal(after["total_price"]) == Decimal(order["total_price"]) + 2 * Decimal(line["price"])
    assert after["total_price"] == after["current_total_price"]
    assert after["total_tax"] == after["current_total_tax"]


def test_what_nobody_ordered_cannot_be_refunded_or_edited(shop, codes):
    order = shop.order([(codes[0], 1)])
    with pytest.raises(KeyError):
        shop.refund(order["id"], [(codes[1], 1)])
    with pytest.raises(KeyError):
        shop.edit(order["id"], codes[1], 1)
    with pytest.raises(KeyError):
        shop.refund(order["id"], [(codes[0], 1)], location="ST99")


def test_a_merchandisers_edit_is_told(shop, retailer):
    after = shop.merchandiser_edits("TS0001", title="Soldes !")
    [(topic, body)] = told(retailer)
    assert (topic, body["title"], after["title"]) == ("products/update", "Soldes !", "Soldes !")
    with pytest.raises(KeyError):
        shop.merchandiser_edits("XX9999", title="Soldes !")


def test_a_merchandiser_changes_prices_pictures_and_translations(shop, retailer, codes):
    product = codes[0].partition("-")[0]
    before = shop.product_document(shop.catalog.product_of(product))
    priced = shop.merchandiser_prices(codes[0], 990, 1990)
    bare = shop.merchandiser_removes_picture(product, 1)
    shop.merchandiser_translates(product, "de", "title", "Ausverkauf")
    variant = next(v for v in priced["variants"] if v["sku"].strip().upper() == codes[0])
    assert (variant["price"], variant["compare_at_price"]) == ("9.90", "19.90")
    assert [image["id"] for image in bare["images"]] == [image["id"] for image in before["images"]][1:]
    assert shop.texts.of(before["admin_graphql_api_id"], "de")[-1]["value"] == "Ausverkauf"
    assert topics(retailer) == ["products/update", "products/update"]
    with pytest.raises(ValueError, match="not a valid locale"):
        shop.merchandiser_translates(product, "es", "title", "Rebajas")
