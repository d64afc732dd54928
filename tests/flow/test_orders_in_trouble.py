"""Orders that something is wrong with: said in a sentence with its place, nothing lost, and the others go on.

The stories are told side by side: ``yield`` is a pass of every flow, and each has an order of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.bought import Bought
from support.loopback import Heard, Say
from support.proxy import proxy
from support.pushes import about, push
from support.scene import Scene
from support.stories import connection
from support.told import Stories, Told, Troubles

story = Stories()


@pytest.fixture(scope="module")
def told(whole: Scene) -> Troubles:
    return story.tell(whole)


ADDRESS = {
    "first_name": "Zoé", "last_name": "🦄", "name": "Zoé 🦄", "address1": "1 rue de l'Église", "zip": "75001",
    "city": "Paris", "country": "France", "country_code": "FR",
}  # fmt: skip


# --- said in a sentence -----------------------------------------------------------------------------


@story
def test_an_article_that_no_system_knows_keeps_its_order_waiting_and_no_other(whole: Scene) -> Told:
    bought, other = Bought(whole, "unknown article"), Bought(whole, "beside unknown")
    yield None
    bought.order(1, more=[("TOTE-OLD", 1)])  # the shop has it, the retailer does not
    other.order(1)
    yield None
    assert (bought.sale, bought.waits()) == (None, ["no system knows the article TOTE-OLD"])
    assert other.sale is not None


@story
def test_a_total_that_does_not_add_up_is_named_and_the_order_comes_as_soon_as_it_does(whole: Scene) -> Told:
    bought = Bought(whole, "wrong total")
    yield None
    bought.order(1, changes={"total_price": "1.00"})
    yield None
    ((path, reason),) = bought.refused()
    assert (path, bought.sale) == ("total", None)
    assert reason.startswith("1.00 does not add up: lines and shipping come to ")
    orders, right = whole.retailer.shop.orders, {"total_price": bought.document["current_total_price"]}
    orders.keep({**bought.document, **right}, orders.transactions(bought.id), whole.clock.now())
    yield None
    assert (bought.refused(), bought.imports()) == ([], 1)


@story
def test_an_address_without_a_country_is_refused_by_the_erp_in_words(whole: Scene) -> Told:
    bought = Bought(whole, "no country")
    nowhere = {**ADDRESS, "country": None, "country_code": None}
    yield None
    bought.order(1, changes={"shipping_address": nowhere, "billing_address": nowhere})
    yield None
    ((path, reason),) = bought.refused()
    assert "country" in f"{path} {reason}"
    assert bought.sale is None
    assert bought.sold_from_warehouse == 29  # the customer's piece is kept meanwhile


@story
def test_an_order_that_the_erp_refuses_holds_back_its_own_refund_and_nothing_else(whole: Scene) -> Told:
    bought, other = Bought(whole, "refused first"), Bought(whole, "beside refused")
    nowhere = {**ADDRESS, "country": None, "country_code": None}
    yield None
    bought.order(2, changes={"shipping_address": nowhere, "billing_address": nowhere})
    yield None
    whole.retailer.shop.refund(bought.id, [(bought.sku, 1)])
    other.order(1)
    yield None
    assert other.sale is not None
    assert (bought.sale, bought.returns) == (None, [])
    assert len(bought.refused()) == 1  # the shop told the order again, which does not answer the ERP
    orders, right = whole.retailer.shop.orders, {"shipping_address": ADDRESS, "billing_address": ADDRESS}
    orders.keep({**bought.document, **right}, orders.transactions(bought.id), whole.clock.now())
    yield None
    assert bought.sale is not None
    assert (len(bought.returns), bought.refused()) == (1, [])


@story
def test_a_currency_that_is_none_is_named(whole: Scene) -> Told:
    bought = Bought(whole, "currency")
    yield None
    bought.order(1, changes={"currency": "XXX"})
    yield None
    ((path, reason),) = bought.refused()
    assert (path, bought.sale) == ("currency", None)
    assert "XXX" in reason


@story
def test_a_name_with_a_unicorn_in_it_reaches_the_erp_as_it_was_typed(whole: Scene) -> Told:
    bought = Bought(whole, "unicorn")
    yield None
    bought.order(1, changes={"shipping_address": ADDRESS, "note": "Joyeux anniversaire 🎂"})
    yield None
    assert bought.sale.content["Address"][0]["BPANAM"] == "Zoé 🦄"
    assert bought.sale.content["NOTE"] == "Joyeux anniversaire 🎂"


@story
def test_an_order_of_three_megabytes_is_an_order(whole: Scene) -> Told:
    """Pushed and read: an app of the shop's has written a diary into it."""
    bought, other = Bought(whole, "large"), Bought(whole, "beside large")
    diary = [{"name": f"page {n}", "value": "très cher journal " * 1000} for n in range(170)]
    yield None
    bought.order(1, changes={"note_attributes": diary})
    other.order(1)
    message = about(whole, bought.document)["orders/create"]
    assert len(message.body) > 3_000_000
    assert push(whole, message)
    yield None
    assert (bought.imports(), other.imports(), bought.refused()) == (1, 1, [])


# --- who waits for money ----------------------------------------------------------------------------


@story
def test_an_order_that_nobody_has_paid_waits_with_its_pieces_kept_and_says_so(whole: Scene) -> Told:
    bought = Bought(whole, "unpaid")
    yield None
    bought.order(2, payment="pending")
    yield None
    assert (bought.sale, bought.waits(), bought.sold_from_warehouse) == (None, ["waits for payment"], 28)
    whole.retailer.shop.pay(bought.id)
    yield None
    assert (bought.imports(), bought.waits(), bought.sold_from_warehouse) == (1, [], 28)


# --- at the tills -----------------------------------------------------------------------------------


def key_of(ticket: dict[str, Any], store: str) -> str:
    meta = ticket["metadata"]
    day = meta["business_day"].replace("-", "")
    return f"TILLS-{store}-{day}-{meta['workstation']}-{meta['operator']}-{meta['sequence']}".upper()


@story
def test_what_is_paid_in_two_parts_leaves_the_store_and_the_books_once_with_the_second(whole: Scene) -> Told:
    bought, find = Bought(whole, "two parts", "ST06"), whole.retailer.erp.sales.find
    yield None
    before = whole.shop(bought.sku, "ST06")
    ticket = whole.retailer.tills.sell("ST06", [(bought.sku, 1)], payments=[("CASH", 300)])
    yield None
    assert (find(key_of(ticket, "ST06")), whole.shop(bought.sku, "ST06")) == (None, before)
    whole.retailer.tills.pay(ticket["id"], ("CARD", ticket["total_money"]["amount"] - 300))
    yield None
    sale = find(key_of(ticket, "ST06"))
    assert next(payment["AMT"] for payment in sale.content["Payment"]) == "3.00"
    yield None
    assert whole.shop(bought.sku, "ST06") == before - 1


@story
def test_what_is_voided_after_it_was_paid_lies_in_the_store_again(whole: Scene) -> Told:
    bought = Bought(whole, "post-void", "ST06")
    yield None
    shop, till = whole.shop(bought.sku, "ST06"), whole.till(bought.sku, "ST06")
    ticket = whole.retailer.tills.sell("ST06", [(bought.sku, 2)])
    yield None
    assert (whole.shop(bought.sku, "ST06"), whole.till(bought.sku, "ST06")) == (shop - 2, till - 2)
    back = whole.retailer.tills.void(ticket["id"])
    yield None
    yield None
    assert (whole.shop(bought.sku, "ST06"), whole.till(bought.sku, "ST06")) == (shop, till)
    (row,) = whole.retailer.erp.sales.returns_of(key_of(ticket, "ST06"))
    assert (row["external"], row["kind"]) == (f"TILLS-R{back['id']}", "V")


@story
def test_what_is_voided_before_it_was_paid_was_never_sold(whole: Scene) -> Told:
    bought = Bought(whole, "void", "ST06")
    yield None
    shop, till = whole.shop(bought.sku, "ST06"), whole.till(bought.sku, "ST06")
    ticket = whole.retailer.tills.sell("ST06", [(bought.sku, 2)], payments=[])
    yield None
    whole.retailer.tills.void(ticket["id"])
    yield None
    assert whole.retailer.erp.sales.find(key_of(ticket, "ST06")) is None
    assert (whole.shop(bought.sku, "ST06"), whole.till(bought.sku, "ST06")) == (shop, till)


# --- answers that never come ------------------------------------------------------------------------


@contextmanager
def deaf(whole: Scene, system: str, operation: str, times: int) -> Iterator[list[int]]:
    """``system`` carries ``operation`` out and its first ``times`` answers are lost; yields how many were."""
    lost: list[int] = []

    def spoil(heard: Heard, ask: Callable[[], Say]) -> Say:
        said = ask()
        if operation.encode() in heard.body and len(lost) < times:
            lost.append(said.status)
            return Say(hang_up=True)
        return said

    with proxy(whole.served.ports[system], spoil) as between, connection(whole, system, port=between.port):
        yield lost


def documents(whole: Scene, *keys: str) -> list[int]:
    """How many documents the ERP's book has under each key."""
    rows = whole.retailer.state.rows("SELECT reference FROM erp_sale")
    return [[row["reference"] for row in rows].count(key) for key in keys]


@pytest.mark.parametrize("times", [1, 10_000])
def test_documents_whose_answer_is_lost_are_found_again_and_not_entered_twice(
    whole: Scene, told: Troubles, times: int
) -> None:
    one, other = Bought(whole, f"lost {times}"), Bought(whole, f"lost as well {times}")
    whole.everything()
    one.order(1)
    other.order(2)
    with deaf(whole, "erp", "ImportSalesDocuments", times) as lost:
        whole.everything()
    assert lost[0] == 200
    whole.everything(90)
    assert documents(whole, one.key, other.key) == [1, 1]
    assert [(b.sale.status, b.refused(), b.waits()) for b in (one, other)] == [(1, [], [])] * 2
    last = whole.retailer.ledger.last_id
    whole.everything(90)
    assert [c.operation for c in whole.retailer.ledger.writes("erp", since_id=last)] == []


def test_a_return_whose_answer_is_lost_is_entered_once(whole: Scene, told: Troubles) -> None:
    bought = Bought(whole, "lost return")
    whole.everything()
    bought.order(2)
    whole.everything()
    whole.retailer.erp.accept(bought.key)
    whole.retailer.erp.ship(bought.key)
    whole.everything()
    refund = whole.retailer.shop.refund(bought.id, [(bought.sku, 1)], "ST06")
    with deaf(whole, "erp", "ImportReturns", 1) as lost:
        whole.everything()
    assert lost == [200]
    whole.everything(90)
    assert bought.returns == [f"SHOP-R{refund['id']}"]
    assert bought.refused() == []


@pytest.mark.parametrize("times", [1, 10_000])
def test_parcel_and_refund_whose_answers_are_lost_are_told_to_the_shop_once(
    whole: Scene, told: Troubles, times: int
) -> None:
    bought = Bought(whole, f"told just once {times}")
    whole.everything()
    bought.order(2)
    whole.everything()
    whole.retailer.erp.accept(bought.key)
    whole.retailer.erp.ship(bought.key, tracking=f"ONCE{times}")
    with deaf(whole, "shop", "fulfillmentCreate", times) as lost:
        whole.everything()
    assert lost[0] == 200
    whole.everything(90)
    assert [parcel["tracking_number"] for parcel in bought.document["fulfillments"]] == [f"ONCE{times}"]
    whole.retailer.erp.receive_return(bought.key, {bought.line: 1})
    with deaf(whole, "shop", "refundCreate", times) as lost:
        whole.everything()
    assert lost[0] == 200
    whole.everything(90)
    (refund,) = bought.document["refunds"]
    assert [t["amount"] for t in refund["transactions"]] == [bought.document["line_items"][0]["price"]]
    assert (bought.returns, bought.refused()) == ([None], [])
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (29, 29)
