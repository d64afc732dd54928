"""Orders over GraphQL: what an app reads of them, and fulfilments, refunds and cancellations that it makes."""

from __future__ import annotations

import uuid

import pytest

ORDER = """query order($id: ID!) { order(id: $id) {
  id name number note displayFinancialStatus displayFulfillmentStatus cancelledAt cancelReason edited fullyPaid unpaid
  discountCodes paymentGatewayNames sourceName taxesIncluded
  totalPriceSet { shopMoney { amount currencyCode } } currentTotalPriceSet { shopMoney { amount } }
  totalReceivedSet { shopMoney { amount } } totalRefundedSet { shopMoney { amount } }
  totalOutstandingSet { shopMoney { amount } } totalTaxSet { shopMoney { amount } }
  shippingAddress { firstName lastName name address1 zip city country countryCodeV2 }
  lineItems(first: 10) { nodes {
    id sku quantity currentQuantity unfulfilledQuantity refundableQuantity isGiftCard
    originalUnitPriceSet { shopMoney { amount } } totalDiscountSet { shopMoney { amount } }
    discountedTotalSet(withCodeDiscounts: true) { shopMoney { amount } }
    taxLines(first: 5) { title rate priceSet { shopMoney { amount } } } variant { sku } product { title }
  } }
  shippingLines(first: 5) { nodes { title originalPriceSet { shopMoney { amount } } } }
  fulfillmentOrders(first: 25) { nodes {
    id status requestStatus orderId orderName assignedLocation { name location { id name } }
    lineItems(first: 50) { nodes { id remainingQuantity totalQuantity sku inventoryItemId lineItem { id } } }
    fulfillments(first: 5) { nodes { id } }
  } }
  fulfillments(first: 25) {
    id name status displayStatus totalQuantity createdAt location { name } trackingInfo(first: 5) { company number url }
    fulfillmentLineItems(first: 50) { nodes {
      id quantity lineItem { id } discountedTotalSet { shopMoney { amount } }
    } }
  }
  refunds(first: 25) {
    id legacyResourceId note createdAt processedAt totalRefundedSet { shopMoney { amount currencyCode } }
    refundLineItems(first: 50) { nodes {
      id quantity restockType restocked location { id } lineItem { id } subtotalSet { shopMoney { amount } }
    } }
    orderAdjustments(first: 5) { nodes { id amountSet { shopMoney { amount } } } }
    transactions(first: 5) { nodes { id kind gateway amountSet { shopMoney { amount } } parentTransaction { id } } }
  }
  transactions(first: 25) {
    id kind status gateway formattedGateway processedAt amountSet { shopMoney { amount } } parentTransaction { id }
  }
} }"""
FULFIL = """mutation fulfil($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) {
  fulfillment { id status totalQuantity trackingInfo(first: 1) { number company } order { id } }
  userErrors { field message }
} }"""
REFUND = """mutation refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    order { id displayFinancialStatus } refund { id note totalRefundedSet { shopMoney { amount } } }
    userErrors { field message }
  }
}"""
CANCEL = """mutation cancel($id: ID!, $restock: Boolean!) {
  orderCancel(
    orderId: $id, reason: OTHER, restock: $restock, refundMethod: {originalPaymentMethodsRefund: true}, staffNote: "ERP"
  ) { job { id done } orderCancelUserErrors { code field message } }
}"""


@pytest.fixture
def shop(sandbox):
    return sandbox.retailer.shop


@pytest.fixture
def code(shop):
    """An article of which the warehouse has one, ST03 five and nobody else any."""
    code = shop.world.skus[9].code
    for place in shop.world.locations:
        shop.set_available(code, place.code, {"WH1": 1, "ST03": 5}.get(place.code, 0))
    return code


@pytest.fixture
def read(client):
    return lambda order: client.data(ORDER, id=order["admin_graphql_api_id"])["order"]


def on_hand(shop, code):
    found = {key.partition("@"): n for key, n in shop.levels("on_hand").items()}
    return {place: n for (sku, _, place), n in found.items() if sku == code and n}


def parcel(group, quantity=None, number="6A1", line=0):
    """The input for pieces of one fulfilment order."""
    lines = None if quantity is None else [{"id": group["lineItems"]["nodes"][line]["id"], "quantity": quantity}]
    entry = {"fulfillmentOrderId": group["id"]} | ({"fulfillmentOrderLineItems": lines} if lines else {})
    tracking = {"company": "Colissimo", "number": number}
    return {"lineItemsByFulfillmentOrder": [entry], "trackingInfo": tracking, "notifyCustomer": False}


def messages(payload, name="userErrors"):
    return [error["message"] for error in payload[name]]


# --- fulfilments ----------------------------------------------------------------------------------


def test_an_order_is_read_whole(shop, code, read):
    order = shop.order([(code, 3), (shop.world.skus[20].code, 1)], coupon="BIENVENUE10", note="Merci 🙏")
    shop.fulfil(order["id"], tracking="6A1")
    shop.refund(order["id"], [(code, 1)], location="ST07", shipping_cents=490)
    found = read(order)
    assert found["note"] == "Merci 🙏"
    assert (found["displayFinancialStatus"], found["displayFulfillmentStatus"]) == ("PARTIALLY_REFUNDED", "FULFILLED")
    assert found["totalPriceSet"]["shopMoney"] == {"amount": order["total_price"], "currencyCode": "EUR"}
    assert found["refunds"][0]["refundLineItems"]["nodes"][0]["restockType"] == "RETURN"
    assert found["refunds"][0]["orderAdjustments"]["nodes"][0]["amountSet"]["shopMoney"]["amount"] == "-4.90"
    assert [one["kind"] for one in found["transactions"]] == ["SALE", "REFUND"]
    assert found["shippingAddress"]["countryCodeV2"] == "FR"


def test_pieces_promised_from_two_places_are_two_fulfilment_orders(shop, code, read):
    groups = read(shop.order([(code, 3)]))["fulfillmentOrders"]["nodes"]
    assert [group["status"] for group in groups] == ["OPEN", "OPEN"]
    assert [group["lineItems"]["nodes"][0]["remainingQuantity"] for group in groups] == [1, 2]


def test_a_parcel_takes_its_pieces_out_of_the_house(client, shop, code, read):
    order = shop.order([(code, 3)])
    before = on_hand(shop, code)
    first, second = read(order)["fulfillmentOrders"]["nodes"]
    payload = client.data(FULFIL, fulfillment=parcel(second, 1))["fulfillmentCreate"]
    partly = read(order)
    client.data(FULFIL, fulfillment=parcel(first))
    client.data(FULFIL, fulfillment=parcel(second, 1, "6A2"))
    whole = read(order)
    assert payload["fulfillment"]["trackingInfo"] == [{"number": "6A1", "company": "Colissimo"}]
    assert partly["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    assert [group["status"] for group in partly["fulfillmentOrders"]["nodes"]] == ["OPEN", "IN_PROGRESS"]
    assert whole["displayFulfillmentStatus"] == "FULFILLED"
    assert {group["status"] for group in whole["fulfillmentOrders"]["nodes"]} == {"CLOSED"}
    assert on_hand(shop, code) == {place: n for place, n in {**before, "WH1": 0, "ST03": 3}.items() if n}


def test_one_parcel_does_not_leave_from_two_places(client, shop, code, read):
    order = shop.order([(code, 3)])
    groups = read(order)["fulfillmentOrders"]["nodes"]
    both = parcel(groups[0])
    both["lineItemsByFulfillmentOrder"] += parcel(groups[1])["lineItemsByFulfillmentOrder"]
    payload = client.data(FULFIL, fulfillment=both)["fulfillmentCreate"]
    assert payload["fulfillment"] is None
    assert messages(payload) == ["All fulfillment orders must be of one order and assigned to the same location."]


def test_what_is_not_waiting_cannot_be_sent(client, shop, code, read):
    order = shop.order([(code, 1)])
    [group] = read(order)["fulfillmentOrders"]["nodes"]
    too_many = client.data(FULFIL, fulfillment=parcel(group, 2))["fulfillmentCreate"]
    client.data(FULFIL, fulfillment=parcel(group, 1))
    again = client.data(FULFIL, fulfillment=parcel(group, 1))["fulfillmentCreate"]
    nowhere = {**group, "id": "gid://shopify/FulfillmentOrder/1"}
    unknown = client.data(FULFIL, fulfillment=parcel(nowhere))["fulfillmentCreate"]
    assert messages(too_many) == ["Invalid fulfillment order line item quantity requested."]
    assert messages(again) == ["Fulfillment order is not in a fulfillable state."]
    assert messages(unknown) == ["Fulfillment order does not exist."]
    assert len(read(order)["fulfillments"]) == 1


def test_a_cancelled_fulfilment_waits_again(client, shop, code, read):
    order = shop.order([(code, 1)])
    before = on_hand(shop, code)
    [entry] = shop.fulfil(order["id"])
    text = """mutation back($id: ID!) { fulfillmentCancel(id: $id) {
      fulfillment { id status } userErrors { field message }
    } }"""
    payload = client.data(text, id=entry["admin_graphql_api_id"])["fulfillmentCancel"]
    again = client.data(text, id=entry["admin_graphql_api_id"])["fulfillmentCancel"]
    assert payload["fulfillment"]["status"] == "CANCELLED"
    assert messages(again) == ["Fulfillment is cancelled already."]
    assert on_hand(shop, code) == before
    assert read(order)["displayFulfillmentStatus"] == "UNFULFILLED"


def test_a_tracking_number_can_be_added_later(client, shop, code, read):
    order = shop.order([(code, 1)])
    [entry] = shop.fulfil(order["id"])
    text = """mutation track($id: ID!, $info: FulfillmentTrackingInput!) {
      fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $info) {
        fulfillment { trackingInfo(first: 1) { number } } userErrors { field message }
      }
    }"""
    assert read(order)["fulfillments"][0]["trackingInfo"] == []
    client.data(text, id=entry["admin_graphql_api_id"], info={"number": "6A9"})
    assert read(order)["fulfillments"][0]["trackingInfo"][0]["number"] == "6A9"


# --- refunds --------------------------------------------------------------------------------------


def refund_input(found, quantity=1, restock="CANCEL", amount=None, place=None, **more):
    """The input that refunds pieces of the first line along the first payment."""
    line, payment = found["lineItems"]["nodes"][0], found["transactions"][0]
    entry = {"lineItemId": line["id"], "quantity": quantity, "restockType": restock, "locationId": place}
    money = {"orderId": found["id"], "parentId": payment["id"], "kind": "REFUND", "gateway": payment["gateway"]}
    transactions = [{**money, "amount": amount}] if amount else []
    return {"orderId": found["id"], "refundLineItems": [entry], "transactions": transactions, **more}


def test_a_refund_is_made_once_for_its_key(client, shop, code, read):
    order = shop.order([(code, 3)])
    found, key = read(order), str(uuid.uuid4())
    value = refund_input(found, amount=order["line_items"][0]["price"], note="omnihub:ERP-77")
    first, again = (client.data(REFUND, input=value, key=key)["refundCreate"] for _ in range(2))
    other = client.data(REFUND, input={**value, "note": "x"}, key=key)["refundCreate"]
    after = read(order)
    assert (first["userErrors"], first["refund"]) == ([], again["refund"])
    assert [refund["note"] for refund in after["refunds"]] == ["omnihub:ERP-77"]
    assert after["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert messages(other) == ["The same idempotency key cannot be used with different operation parameters."]


def test_a_refund_needs_a_key(client, shop, code, read):
    text = REFUND.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")
    answer = client.post(text, input=refund_input(read(shop.order([(code, 1)]))))
    assert answer["errors"][0]["message"].startswith("The @idempotent directive is required")


def test_money_moves_only_along_the_transactions_that_are_named(client, shop, code, read):
    order = shop.order([(code, 2)])
    payload = client.data(REFUND, input=refund_input(read(order)), key="k")["refundCreate"]
    after = read(order)
    assert payload["refund"]["totalRefundedSet"]["shopMoney"]["amount"] == "0.00"
    assert after["lineItems"]["nodes"][0]["currentQuantity"] == 1
    assert after["totalRefundedSet"]["shopMoney"]["amount"] == "0.00"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quantity": 4}, "Quantity cannot refund more items than were purchased"),
        ({"restock": "RETURN"}, "Quantity cannot return more items than were fulfilled"),
        ({"amount": "9999.00"}, "Refund amount cannot be more than the amount that is left to refund"),
        ({"shipping": {"amount": "5.00"}}, "Shipping amount is more than what is refundable"),
    ],
)
def test_a_refund_that_cannot_be_is_refused_and_changes_nothing(client, shop, code, read, change, message):
    order = shop.order([(code, 3)])
    before = shop.levels("on_hand")
    payload = client.data(REFUND, input=refund_input(read(order), **change), key="k")["refundCreate"]
    assert messages(payload) == [message]
    assert (payload["refund"], shop.levels("on_hand"), shop.orders.get(order["id"])) == (None, before, order)


def test_sent_pieces_are_put_back_where_they_are_received(client, shop, code, read):
    order = shop.order([(code, 1)])
    shop.fulfil(order["id"])
    place = client.data("{ locations(first: 5) { nodes { id } } }")["locations"]["nodes"][4]["id"]
    nowhere = client.data(REFUND, input=refund_input(read(order), restock="RETURN"), key="a")["refundCreate"]
    payload = client.data(REFUND, input=refund_input(read(order), restock="RETURN", place=place), key="b")
    assert messages(nowhere) == ["Location is required to restock returned items"]
    assert payload["refundCreate"]["userErrors"] == []
    assert on_hand(shop, code) == {"ST03": 5, "ST04": 1}


# --- cancellation ---------------------------------------------------------------------------------


def test_a_cancelled_order_gives_pieces_and_money_back(client, shop, code, read):
    before = on_hand(shop, code), shop.levels()
    order = shop.order([(code, 3)])
    payload = client.data(CANCEL, id=order["admin_graphql_api_id"], restock=True)["orderCancel"]
    found = read(order)
    assert payload["orderCancelUserErrors"] == []
    assert (found["cancelReason"], found["displayFinancialStatus"]) == ("OTHER", "REFUNDED")
    assert {group["status"] for group in found["fulfillmentOrders"]["nodes"]} == {"CANCELLED"}
    assert (on_hand(shop, code), shop.levels()) == before


def test_an_order_is_cancelled_once_and_not_after_it_was_sent(client, shop, code):
    sent, gone = shop.order([(code, 1)]), shop.order([(code, 1)])
    shop.fulfil(sent["id"])
    ids = [sent["admin_graphql_api_id"], gone["admin_graphql_api_id"], gone["admin_graphql_api_id"]]
    payloads = [client.data(CANCEL, id=id, restock=True)["orderCancel"] for id in [*ids, "gid://shopify/Order/1"]]
    assert [[error["code"] for error in payload["orderCancelUserErrors"]] for payload in payloads] == [
        ["INVALID"],
        [],
        ["INVALID"],
        ["NOT_FOUND"],
    ]
