"""RETAIL.md's rules of orders, fulfilments and returns, as sentences and as properties."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.retail.checks import CHECKS, TRANSITIONS
from hub.retail.orders import MACHINES, awaits_payment, illegal_transition, order_total, transitions
from hub.retail.sales import Course, Lines, Told, Unplaced, first_told, is_empty, progress, sales_order

STATES = {"state": "open", "payment_state": "paid", "fulfilment_state": "unfulfilled", "return_state": "none"}


def line(id: str, sku: str, quantity: int, unit: str, discount: str = "0.00", **more: Any) -> dict[str, Any]:
    total = quantity * Decimal(unit) - Decimal(discount)
    return {
        "line": id,
        "sku": sku,
        "quantity": quantity,
        "unit_price": unit,
        "discount": discount,
        "total": str(total),
        **more,
    }


def order(**more: Any) -> dict[str, Any]:
    """Two shirts and a coat, five euros off the coat, shipped for 4.90."""
    return {
        "order": "SHOP-1001", "channel": "shop", "kind": "order", "placed_at": "2026-11-22T10:00:00+01:00",
        "currency": "EUR", "tax_included": True, "shipping": "4.90", "total": "134.70",
        "lines": [line("1", "TS0001-M-BLU", 2, "19.90", tax="6.63"), line("2", "CO0001-L-RED", 1, "95.00", "5.00")],
        "payments": [{"id": "p1", "method": "card", "amount": "134.70", "state": "captured"}],
        **STATES, **more,
    }  # fmt: skip


def came_back(id: str, *lines: dict[str, Any], amount: str = "19.90", **more: Any) -> dict[str, Any]:
    return {
        "id": id, "order": "SHOP-1001", "occurred_at": "2026-11-23T10:00:00+01:00", "currency": "EUR",
        "amount": amount, "kind": "return", "lines": list(lines), **more,
    }  # fmt: skip


def shipped(id: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"order": "SHOP-1001", "fulfilment": id, "state": "shipped", "lines": list(lines), **more}


def erp(data: dict[str, Any]) -> Told:
    return Told(system="erp", data=data)


# --- bad input --------------------------------------------------------------------------------------


def test_an_order_whose_total_adds_up_to_the_cent_is_accepted() -> None:
    assert CHECKS["order"](order()) is None


def test_a_total_that_is_a_cent_off_is_refused_with_both_sums() -> None:
    assert CHECKS["order"](order(total="134.71")) == (
        "total", "134.71 does not add up: lines and shipping come to 134.70",
    )  # fmt: skip


def test_a_line_that_does_not_add_up_is_named() -> None:
    wrong = [line("1", "TS0001-M-BLU", 2, "19.90") | {"total": "19.90"}]
    assert CHECKS["order"](order(lines=wrong)) == (
        "lines[0].total", "19.90 does not add up: 2 x 19.90 - 0.00 = 39.80",
    )  # fmt: skip


def test_tax_comes_on_top_where_prices_do_not_contain_it() -> None:
    net = order(tax_included=False, tax="25.00", total="159.70")
    assert CHECKS["order"](net) is None
    assert CHECKS["order"](net | {"total": "134.70"}) == (
        "total", "134.70 does not add up: lines and shipping, plus tax, come to 159.70",
    )  # fmt: skip


def test_a_gift_card_pays_and_does_not_make_an_order_cheaper() -> None:
    assert CHECKS["order"](order(gift_cards=[{"id": "4711", "amount": "50.00"}])) is None


def test_a_line_that_stands_twice_is_refused() -> None:
    twice = [line("1", "A", 1, "1.00"), line("1", "B", 1, "1.00")]
    assert CHECKS["order"](order(lines=twice)) == ("lines[1].line", "the line 1 stands twice")


def test_half_a_cent_and_a_currency_that_is_none_are_refused() -> None:
    assert CHECKS["order"](order(shipping="4.905")) == ("shipping", "4.905 has more decimals than EUR, which has 2")
    assert CHECKS["order"](order(currency="XXX")) == ("currency", "XXX is no currency of ISO 4217")
    bad = came_back("R1", {"sku": "A", "quantity": 1, "amount": "1.005"})
    assert CHECKS["order_return"](bad) == ("lines[0].amount", "1.005 has more decimals than EUR, which has 2")


def test_a_price_is_refused_for_its_decimals_its_currency_or_an_end_before_its_start() -> None:
    price = {"amount": "19.90", "currency": "EUR", "valid_from": "2026-11-22T00:00:00+01:00", "valid_until": None}
    assert CHECKS["price"](price) is None
    assert CHECKS["price"]({**price, "amount": "19.905"}) == (
        "amount",
        "19.905 has more decimals than EUR, which has 2",
    )
    assert CHECKS["price"]({**price, "currency": "XXX"}) == ("currency", "XXX is no currency of ISO 4217")
    found = CHECKS["price"]({**price, "valid_until": "2026-11-21T23:00:00Z"})
    assert found is not None
    assert found[0] == "valid_until"
    assert "would never count" in found[1]


def test_a_product_is_not_the_one_above_itself() -> None:
    assert CHECKS["product"]({"product": "P", "parent": "P"}) == ("parent", "P is the product above itself")
    assert CHECKS["product"]({"product": "P", "parent": "Q"}) is None


# --- the four machines ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("machine", "before", "after"),
    [
        ("state", "cancelled", "open"),
        ("payment_state", "refunded", "pending"),
        ("payment_state", "paid", "authorized"),
        ("payment_state", "voided", "paid"),
        ("return_state", "returned", "none"),
    ],
)
def test_an_illegal_step_is_refused_with_both_states(machine: str, before: str, after: str) -> None:
    found = TRANSITIONS["order"](order(**{machine: before}), order(**{machine: after}))
    assert found == (machine, f'an order that is "{before}" never becomes "{after}"')


def test_an_order_seen_twice_may_have_taken_several_steps_between() -> None:
    assert illegal_transition(order(payment_state="pending"), order(payment_state="refunded")) is None
    assert illegal_transition(order(), order(state="cancelled", payment_state="refunded")) is None


def test_each_machine_moves_by_itself() -> None:
    moved = transitions(order(), order(fulfilment_state="partial", return_state="partial"))
    assert [(t.machine, t.before, t.after) for t in moved] == [
        ("fulfilment_state", "unfulfilled", "partial"), ("return_state", "none", "partial"),
    ]  # fmt: skip


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_the_machines_know_the_states_of_the_schema_and_no_others(machine: str) -> None:
    import json
    from pathlib import Path

    schema = json.loads((Path(__file__).parents[2] / "canonical_schemas" / "order.v1.json").read_text(encoding="utf-8"))
    assert set(MACHINES[machine]) == set(schema["properties"][machine]["enum"])
    assert set().union(*MACHINES[machine].values()) <= set(MACHINES[machine])


states = st.fixed_dictionaries({name: st.sampled_from(sorted(machine)) for name, machine in MACHINES.items()})


@given(states, states, states)
def test_what_two_legal_moves_reach_is_reached_legally(a: Any, b: Any, c: Any) -> None:
    if illegal_transition(a, b) is None and illegal_transition(b, c) is None:
        assert illegal_transition(a, c) is None


@given(states, states)
def test_what_is_over_stays_over(before: Any, after: Any) -> None:
    ended = before["state"] == "cancelled" or before["payment_state"] == "voided"
    if ended and illegal_transition(before, after) is None:
        assert before["state"] != "cancelled" or after["state"] == "cancelled"
        assert before["payment_state"] != "voided" or after["payment_state"] == "voided"


# --- when a sale goes to the ERP --------------------------------------------------------------------


def test_an_order_goes_on_when_the_money_is_promised_and_a_ticket_when_it_is_there() -> None:
    assert awaits_payment(order(payment_state="authorized")) is None
    assert awaits_payment(order(payment_state="authorized", kind="ticket")) == "waits for payment"
    assert awaits_payment(order(kind="ticket")) is None
    assert awaits_payment(order(payment_state="pending")) == "waits for payment"


def test_a_split_payment_goes_on_when_it_is_complete() -> None:
    half = [{"id": "p1", "amount": "100.00", "state": "captured"}, {"id": "p2", "amount": "34.70", "state": "pending"}]
    found = awaits_payment(order(kind="ticket", payment_state="partially_paid", payments=half))
    assert found == "waits for payment: paid are 100.00 of 134.70 EUR"


# --- what the ERP should hold -----------------------------------------------------------------------


def test_the_erp_receives_every_line_and_cent() -> None:
    assert sales_order(order(), Course()) == {
        "channel": "shop", "kind": "order", "placed_at": "2026-11-22T09:00:00+00:00", "currency": "EUR",
        "lines": [
            {"line": "1", "sku": "TS0001-M-BLU", "quantity": 2, "unit_price": "19.90", "discount": "0.00",
             "tax": "6.63", "total": "39.80"},
            {"line": "2", "sku": "CO0001-L-RED", "quantity": 1, "unit_price": "95.00", "discount": "5.00",
             "tax": "0.00", "total": "90.00"},
        ],
        "shipping": "4.90", "discounts": [], "gift_cards": [], "tax": "0.00", "total": "134.70",
        "payments": [{"id": "p1", "amount": "134.70", "method": "card"}], "state": "open", "returns": [],
    }  # fmt: skip


def test_nothing_personal_is_in_what_is_compared() -> None:
    value = sales_order(order(customer={"name": "Zoé"}, ship_to={"country": "FR"}, personal="ref"), Course())
    assert not {"customer", "ship_to", "personal"} & value.keys()


def test_a_line_that_an_edit_took_out_is_not_sold() -> None:
    edited = order(lines=[line("1", "A", 0, "19.90"), line("2", "B", 1, "95.00")])
    assert [sold["line"] for sold in sales_order(edited, Course())["lines"]] == ["2"]


def test_what_failed_to_pay_is_no_payment() -> None:
    payments = [{"id": n, "amount": "1.00", "state": n} for n in ("failed", "voided", "pending", "captured")]
    assert [p["id"] for p in sales_order(order(payments=payments), Course())["payments"]] == ["captured"]


def test_a_promise_that_is_kept_is_no_news_for_the_books() -> None:
    promised = sales_order(
        order(payments=[{"id": "auth", "amount": "134.70", "state": "authorized"}], payment_state="authorized"),
        Course(),
    )  # fmt: skip
    assert sales_order(order(), Course(), promised)["payments"] == [{"id": "auth", "amount": "134.70"}]


def test_more_money_is_news_for_the_books() -> None:
    before = sales_order(order(payments=[{"id": "p0", "amount": "100.00", "state": "captured"}]), Course())
    assert [p["id"] for p in sales_order(order(), Course(), before)["payments"]] == ["p1"]


def test_a_cancellation_by_either_side_is_one() -> None:
    by_erp = Course(statuses=[erp({"state": "cancelled"})])
    assert sales_order(order(state="cancelled"), Course())["state"] == "cancelled"
    assert sales_order(order(), by_erp)["state"] == "cancelled"
    assert progress(order(), by_erp, "shop").value["cancelled"] is True
    assert progress(order(), Course(statuses=[erp({"state": "shipped"})]), "shop").value["cancelled"] is False


def test_a_return_is_told_to_the_erp_and_to_the_channel_unless_it_is_the_channel_s_own() -> None:
    at_till = Told(system="tills", data=came_back("TILLS-R1", {"sku": "TS0001-M-BLU", "quantity": 1, "restock": True,
                                                                "location": "ST05"}))  # fmt: skip
    course = Course(returns=[at_till])
    assert sales_order(order(), course)["returns"] == [
        {"id": "TILLS-R1", "kind": "return", "amount": "19.90",
         "lines": [{"sku": "TS0001-M-BLU", "quantity": 1, "restock": True, "location": "ST05"}]}
    ]  # fmt: skip
    assert progress(order(), course, "shop").value["refunds"] == [
        {"id": "TILLS-R1", "amount": "19.90", "currency": "EUR",
         "lines": [{"line": "1", "quantity": 1, "restock": True, "location": "ST05"}]}
    ]  # fmt: skip
    assert progress(order(), course, "tills").value["refunds"] == []


def test_the_copy_that_we_made_elsewhere_is_the_same_return() -> None:
    original, copy = came_back("ERP-7", {"sku": "TS0001-M-BLU", "quantity": 1}), came_back("ERP-7")
    told = first_told([erp(original), Told(system="shop", data=copy)])
    assert told == [erp(original)]
    course = Course(returns=told)
    assert [r["id"] for r in progress(order(), course, "shop").value["refunds"]] == ["ERP-7"]
    assert [r["id"] for r in sales_order(order(), course)["returns"]] == ["ERP-7"]


def test_a_refund_is_not_a_restock() -> None:
    kept = came_back("ERP-8", {"line": "1", "sku": "TS0001-M-BLU", "quantity": 1, "restock": False, "location": "WH1"})
    refund = progress(order(), Course(returns=[erp(kept)]), "shop").value["refunds"][0]
    assert refund["lines"] == [{"line": "1", "quantity": 1, "restock": False, "location": None}]


# --- what the channel should hold -------------------------------------------------------------------


def test_a_channel_is_told_nothing_while_nothing_happened() -> None:
    assert is_empty(progress(order(), Course(), "shop").value, order())
    cancelled = order(state="cancelled")
    assert is_empty(progress(cancelled, Course(), "shop").value, cancelled)
    assert not is_empty(progress(order(), Course(statuses=[erp({"state": "cancelled"})]), "shop").value, order())


def test_one_order_ships_from_two_places() -> None:
    course = Course(
        fulfilments=[
            erp(shipped("SH2", {"sku": "TS0001-M-BLU", "quantity": 1}, location="ST05")),
            erp(
                shipped("SH1", {"line": "2", "sku": "CO0001-L-RED", "quantity": 1}, tracking="6A1", carrier="Colissimo")
            ),
        ]
    )
    assert progress(order(), course, "shop").value["fulfilments"] == [
        {"id": "SH1", "carrier": "Colissimo", "tracking": "6A1", "lines": [{"line": "2", "quantity": 1}]},
        {"id": "SH2", "carrier": None, "tracking": None, "lines": [{"line": "1", "quantity": 1}]},
    ]


def test_the_channel_s_own_shipment_and_one_called_back_are_not_told_it() -> None:
    own = Told(system="shop", data=shipped("F1", {"sku": "TS0001-M-BLU", "quantity": 1}))
    back = erp({**shipped("SH1", {"sku": "TS0001-M-BLU", "quantity": 1}), "state": "cancelled"})
    assert progress(order(), Course(fulfilments=[own, back]), "shop").value["fulfilments"] == []


def test_a_shipment_of_what_was_not_ordered_is_said_and_the_others_are_told() -> None:
    wrong = erp(shipped("SH1", {"sku": "TS0001-M-BLU", "quantity": 3}))
    right = erp(shipped("SH2", {"sku": "TS0001-M-BLU", "quantity": 2}))
    answer = progress(order(), Course(fulfilments=[wrong, right]), "shop")
    assert [f["id"] for f in answer.value["fulfilments"]] == ["SH2"]
    assert answer.waits == ("the shipment SH1 cannot be told: the order has 1 of TS0001-M-BLU less than that",)


def test_money_that_a_till_paid_out_is_noted_and_does_not_go_back_twice() -> None:
    paid_out = came_back("TILLS-R1", {"sku": "TS0001-M-BLU", "quantity": 1}, settled=True)
    by_post = came_back("ERP-RT1", {"sku": "TS0001-M-BLU", "quantity": 1})
    told = [Told(system="tills", data=paid_out), erp(by_post)]
    refunds = progress(order(), Course(returns=told), "shop").value["refunds"]
    assert [(r["id"], r.get("settled")) for r in refunds] == [("ERP-RT1", None), ("TILLS-R1", True)]


def test_money_alone_may_go_back() -> None:
    refund = progress(order(), Course(returns=[erp(came_back("ERP-9", amount="4.90", kind="refund"))]), "shop")
    assert refund.value["refunds"] == [{"id": "ERP-9", "amount": "4.90", "currency": "EUR", "lines": []}]


# --- as properties ----------------------------------------------------------------------------------

skus = st.sampled_from(["A", "B", "C"])
cents = st.integers(0, 9999).map(lambda n: f"{n // 100}.{n % 100:02d}")
order_lines = st.lists(st.tuples(skus, st.integers(0, 5), cents, cents), max_size=6).map(
    lambda found: [line(str(n), sku, q, unit, off) for n, (sku, q, unit, off) in enumerate(found, start=1)]
)
pieces = st.lists(st.builds(lambda sku, q: {"sku": sku, "quantity": q}, skus, st.integers(1, 4)), max_size=4)


@given(order_lines, cents, st.booleans(), cents)
def test_an_order_is_accepted_with_exactly_one_total(
    lines: list[dict[str, Any]], shipping: str, tax_included: bool, tax: str
) -> None:
    made = order(lines=lines, shipping=shipping, tax_included=tax_included, tax=tax)
    total = order_total(made)
    in_cents = sum(round(Decimal(found["total"]) * 100) for found in lines) + round(Decimal(shipping) * 100)
    assert total * 100 == in_cents + (0 if tax_included else round(Decimal(tax) * 100))
    assert CHECKS["order"](made | {"total": str(total)}) is None
    assert CHECKS["order"](made | {"total": str(total + Decimal("0.01"))}) is not None


@given(order_lines, st.lists(pieces, max_size=5))
def test_no_piece_of_an_order_is_given_out_twice(
    lines: list[dict[str, Any]], taken: list[list[dict[str, Any]]]
) -> None:
    book, given_out, wanted = Lines(order(lines=lines)), Counter[str](), Counter[str]()
    for part in taken:
        try:
            found = book.take(part)
        except Unplaced:
            continue
        given_out.update({id: 0 for id, _, _ in found})
        for id, quantity, _ in found:
            given_out[id] += quantity
        for piece in part:
            wanted[piece["sku"]] += piece["quantity"]
    ordered = {found["line"]: (found["sku"], found["quantity"]) for found in lines}
    assert all(given_out[id] <= ordered[id][1] for id in given_out)
    by_sku = Counter[str]()
    for id, quantity in given_out.items():
        by_sku[ordered[id][0]] += quantity
    assert +by_sku == +wanted


@given(order_lines, st.lists(st.tuples(st.sampled_from(["erp", "shop", "tills"]), pieces), max_size=5), st.randoms())
def test_the_order_in_which_returns_are_learned_changes_nothing(
    lines: list[dict[str, Any]], told: list[tuple[str, list[dict[str, Any]]]], random: object
) -> None:
    returns = [Told(system=system, data=came_back(f"R{n}", *part)) for n, (system, part) in enumerate(told)]
    shuffled = list(returns)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    made = order(lines=lines)
    assert sales_order(made, Course(returns=shuffled)) == sales_order(made, Course(returns=returns))
    assert progress(made, Course(returns=shuffled), "shop") == progress(made, Course(returns=returns), "shop")


@given(order_lines)
def test_what_the_erp_is_told_still_adds_up(lines: list[dict[str, Any]]) -> None:
    made = order(lines=lines)
    made["total"] = str(order_total(made))
    value = sales_order(made, Course())
    total = sum((Decimal(sold["total"]) for sold in value["lines"]), Decimal(value["shipping"]))
    assert total == Decimal(value["total"])
