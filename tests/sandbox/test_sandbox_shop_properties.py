"""Whatever happens to an order of the shop, in whatever order: pieces and money are never lost or made."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

QUANTITY = st.integers(1, 4)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("refund"), st.integers(0, 2), QUANTITY, st.sampled_from([None, "WH1", "ST07"])),
        st.tuples(st.just("edit"), st.integers(0, 2), st.integers(0, 5)),
        st.tuples(st.just("fulfil")),
        st.tuples(st.just("pay"), st.integers(1, 3000)),
        st.tuples(st.just("cancel")),
    ),
    max_size=6,
)
TERMS = st.fixed_dictionaries(
    {
        "coupon": st.sampled_from([None, "BIENVENUE10", "MERCI5"]),
        "payment": st.sampled_from(["paid", "authorized", "pending"]),
        "payments": st.sampled_from([(("shopify_payments", None),), (("gift_card", 300), ("shopify_payments", None))]),
    }
)


@pytest.fixture
def shop(retailer):
    return retailer.shop


def carry_out(shop, order, codes, act):
    """One act, as far as a person could do it now."""
    document = shop.orders.get(order)
    if document["cancelled_at"]:
        return
    match act:
        case ("refund", n, quantity, place) if n < len(codes):
            line = document["line_items"][n]
            sent = line["current_quantity"] - line["fulfillable_quantity"]
            most = max(line["fulfillable_quantity"], sent)
            whole = line["fulfillable_quantity"] or sent  # a person refunds what waits or what was sent, not both
            if most and whole:
                shop.refund(order, [(codes[n], min(quantity, whole))], place)
        case ("edit", n, quantity) if n < len(codes):
            line = document["line_items"][n]
            shop.edit(order, codes[n], max(quantity, line["current_quantity"] - line["fulfillable_quantity"]))
        case ("fulfil",):
            shop.fulfil(order)
        case ("pay", cents) if Decimal(document["total_outstanding"]) > 0:
            shop.pay(order, min(cents, int(Decimal(document["total_outstanding"]) * 100)))
        case ("cancel",) if not document["fulfillments"]:
            shop.cancel(order)


def check(shop, order, held_before, wanted):
    """What must hold after any acts; ``held_before`` is on hand of every article before the order."""
    document, payments = shop.orders.get(order), shop.orders.transactions(order)
    promises = shop.promises.of(order)
    for line in document["line_items"]:
        waiting = sum(one.remaining for one in promises if one.line_id == line["id"])
        assert line["fulfillable_quantity"] == waiting
        assert 0 <= waiting <= line["current_quantity"] <= line["quantity"]
    given_back = sum(Decimal(one["amount"]) for one in payments if one["kind"] == "refund")
    received = sum(
        Decimal(o["amount"]) for o in payments if o["kind"] in ("sale", "capture") and o["status"] == "success"
    )
    in_refunds = sum(Decimal(t["amount"]) for refund in document["refunds"] for t in refund["transactions"])
    assert 0 <= given_back == in_refunds <= received
    assert Decimal(document["current_total_price"]) >= 0
    assert Decimal(document["total_outstanding"]) == Decimal(document["current_total_price"]) - received + given_back
    sent = dict.fromkeys(wanted, 0)
    by_line = {line["id"]: code for line, code in zip(document["line_items"], wanted, strict=True)}
    for one in promises:
        sent[by_line[one.line_id]] += one.fulfilled
    back = dict.fromkeys(wanted, 0)
    for refund in document["refunds"]:
        for entry in refund["refund_line_items"]:
            back[by_line[entry["line_item_id"]]] += entry["quantity"] if entry["restock_type"] == "return" else 0
    on_hand = shop.levels("on_hand")
    for code in wanted:
        now = sum(n for key, n in on_hand.items() if key.startswith(f"{code}@"))
        assert now == held_before[code] - sent[code] + back[code]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(QUANTITY, min_size=1, max_size=3), terms=TERMS, acts=ACTS)
def test_no_piece_and_no_cent_is_lost_or_made(shop, pieces, terms, acts):
    codes = [sku.code for sku in shop.world.skus[40 : 40 + len(pieces)]]
    on_hand = shop.levels("on_hand")
    before = {code: sum(n for key, n in on_hand.items() if key.startswith(f"{code}@")) for code in codes}
    committed = sum(shop.levels("committed").values())
    order = shop.order([*zip(codes, pieces, strict=True)], **terms)["id"]
    for act in acts:
        carry_out(shop, order, codes, act)
        check(shop, order, before, codes)
    waiting = sum(promise.remaining for promise in shop.promises.of(order))
    assert sum(shop.levels("committed").values()) == committed + waiting
