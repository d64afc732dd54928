"""A sales order as the ERP writes it says the same as ours, whatever is in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap_erp import wire
from hub.errors import Reject

PARIS = "Europe/Paris"
AMOUNTS = st.integers(0, 10**9).map(lambda cents: f"{cents // 100}.{cents % 100:02d}")
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda word: word.strip() == word and "\ufffe" not in word and "\uffff" not in word
)
CODES = st.from_regex(r"[A-Z0-9][A-Z0-9._/-]{0,20}", fullmatch=True)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.isoformat(timespec="seconds")
)


def record(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


LINES = record(
    {"line": WORDS, "sku": CODES, "quantity": st.integers(0, 10**6), "unit_price": AMOUNTS, "total": AMOUNTS},
    {"discount": AMOUNTS, "tax": AMOUNTS, "location": CODES},
)
RETURN_LINES = record({"sku": CODES, "quantity": st.integers(1, 99)}, {
    "line": WORDS, "restock": st.booleans(), "location": CODES,
})  # fmt: skip
RETURNS = record(
    {"id": WORDS, "amount": AMOUNTS, "lines": st.lists(RETURN_LINES, max_size=3)},
    {"kind": st.sampled_from(sorted(wire.KINDS))},
)
ORDERS = record(
    {
        "channel": st.sampled_from(["shop", "tills"]),
        "kind": st.sampled_from(["order", "ticket"]),
        "placed_at": MOMENTS,
        "currency": st.just("EUR"),
        "lines": st.lists(LINES, max_size=4),
        "total": AMOUNTS,
        "state": st.sampled_from(["open", "cancelled"]),
        "returns": st.lists(RETURNS, max_size=3, unique_by=lambda one: one["id"]),
    },
    {
        "discounts": st.lists(record({"amount": AMOUNTS}, {"code": WORDS, "title": WORDS}), max_size=2),
        "gift_cards": st.lists(record({"amount": AMOUNTS}, {"id": WORDS}), max_size=2),
        "payments": st.lists(record({"id": WORDS, "amount": AMOUNTS}, {"method": WORDS, "at": MOMENTS}), max_size=2),
        "shipping": AMOUNTS,
        "tax": AMOUNTS,
    },
)


def held(order: dict[str, Any]) -> dict[str, Any]:
    """What the ERP answers that took ``order``."""
    returns = [{"RETNUM": f"RT{n}", **wire.return_of(one, "")} for n, one in enumerate(order["returns"])]
    status = wire.CANCELLED if order["state"] == "cancelled" else "1"
    return {"Document": wire.document("SHOP-1", order, PARIS), "ORDSTA": status, "Return": returns}


@given(order=ORDERS)
def test_what_was_sent_is_read_back_as_it_was_wanted(order: dict[str, Any]) -> None:
    assert wire.value_of(held(order), order, PARIS) == order


@given(order=ORDERS)
def test_what_is_read_without_knowing_what_was_wanted_says_the_same(order: dict[str, Any]) -> None:
    """But for the hour that a clock repeats, in which a naive time cannot say which it was."""
    read = wire.value_of(held(order), {}, PARIS)
    again = {**order, **read}
    assert wire.same(wire.contents(again, PARIS), wire.contents(order, PARIS))
    assert [wire.return_of(one, "") for one in read.get("returns", [])] == [
        wire.return_of(one, "") for one in order["returns"]
    ]


@given(order=ORDERS, other=AMOUNTS)
def test_another_total_is_a_difference_and_nothing_else_is(order: dict[str, Any], other: str) -> None:
    read = wire.value_of(held({**order, "total": other}), order, PARIS)
    assert read == {**order, "total": other}


@pytest.mark.parametrize(
    ("written", "otherwise"),
    [
        ({"total": "10"}, {"total": "10.00"}),
        ({"placed_at": "2026-11-22T10:00:00+00:00"}, {"placed_at": "2026-11-22T11:00:00.900+01:00"}),
        ({"placed_at": "2026-10-25T00:30:00+00:00"}, {"placed_at": "2026-10-25T01:30:00+00:00"}),  # 02:30 twice
        ({"discounts": []}, {}),
    ],
)
def test_two_spellings_of_one_thing_are_no_difference(written: dict[str, Any], otherwise: dict[str, Any]) -> None:
    base = {"total": "1.00", "state": "open", "returns": []}
    kept = held({**base, **otherwise})
    assert wire.value_of(kept, {**base, **written}, PARIS) == {**base, **written}


def test_an_hour_later_is_another_time() -> None:
    moment = datetime(2026, 11, 22, 10, tzinfo=UTC)
    order = {"placed_at": moment.isoformat(), "total": "1.00", "state": "open", "returns": []}
    later = {**order, "placed_at": (moment + timedelta(hours=1)).isoformat()}
    assert wire.value_of(held(order), later, PARIS)["placed_at"] == "2026-11-22T11:00:00+01:00"


def test_a_tenth_of_a_cent_has_no_place_in_the_books() -> None:
    with pytest.raises(Reject) as refused:
        wire.amount("1.005", "lines[0].tax")
    assert refused.value.path == "lines[0].tax"


@given(text=st.text(max_size=30))
def test_whatever_a_customer_writes_can_be_sent(text: str) -> None:
    from lxml import etree

    element = etree.Element("NOTE")
    element.text = wire.clean(text)
    assert etree.fromstring(etree.tostring(element)).tag == "NOTE"
