"""A promise of the shop while pieces leave, stay after all, or are added: free never too early, missing never twice.

The stories are told side by side: ``yield`` is a pass of every flow, and each has an article of its own.
"""

from __future__ import annotations

from typing import Any

import pytest
from support.bought import Bought
from support.pushes import about, push
from support.scene import Scene
from support.told import Stories, Told, Troubles

story = Stories()


@pytest.fixture(scope="module")
def told(whole: Scene) -> Troubles:
    return story.tell(whole)


def sent_by_the_shop(bought: Bought, pieces: int) -> dict[str, Any]:
    """The shop's own people put ``pieces`` of the article into a parcel: the fulfilment as the shop shows it."""
    (parcel,) = bought.retailer.shop.fulfil(bought.id, lines=[(bought.sku, pieces)])
    return parcel


@story
def test_what_the_shop_sends_by_itself_is_not_sold_again_before_the_erp_has_taken_it_on(whole: Scene) -> Told:
    bought = Bought(whole, "sent early")
    yield None
    bought.order(4)
    yield None
    sent_by_the_shop(bought, 4)
    yield None
    bought.retailer.erp.set(bought.sku, "WH1", 30, blocked=0, at=whole.clock.now())  # a row that knows nothing of it
    yield None
    assert bought.sold_from_warehouse == 26
    bought.retailer.erp.accept(bought.key)
    yield None
    yield None
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (26, 26)


@story
def test_an_order_that_came_and_went_between_two_readings_is_missing_once(whole: Scene) -> Told:
    bought = Bought(whole, "came and went")
    yield None
    bought.order(3)
    sent_by_the_shop(bought, 3)
    yield None
    assert bought.sold_from_warehouse == 27
    bought.retailer.erp.accept(bought.key)
    yield None
    yield None
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (27, 27)


@story
def test_pieces_added_after_the_erp_took_the_order_on_are_missing_once(whole: Scene) -> Told:
    bought = Bought(whole, "one more")
    yield None
    bought.order(3)
    yield None
    bought.retailer.erp.accept(bought.key)
    yield None
    bought.retailer.shop.edit(bought.id, bought.sku, 5)
    yield None
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (25, 25)
    yield None
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (25, 25)


@story
def test_pieces_taken_out_and_added_again_are_promised_before_the_erp_knows_of_them(whole: Scene) -> Told:
    bought = Bought(whole, "out and in")
    yield None
    bought.order(5)
    yield None
    bought.retailer.erp.accept(bought.key)
    yield None
    bought.retailer.shop.edit(bought.id, bought.sku, 2)
    yield None
    yield None
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (28, 28)
    bought.retailer.shop.edit(bought.id, bought.sku, 4)
    whole.everything(flows=["stock"])
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (26, 28)
    yield None
    yield None
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (26, 26)


@story
def test_a_parcel_that_stays_after_all_is_promised_again(whole: Scene) -> Told:
    bought = Bought(whole, "stays")
    yield None
    bought.order(2)
    parcel = sent_by_the_shop(bought, 2)
    yield None
    bought.retailer.shop.take_back(bought.id, parcel["id"])
    yield None
    bought.retailer.erp.set(bought.sku, "WH1", 30, blocked=0, at=whole.clock.now())
    yield None
    assert bought.sold_from_warehouse == 28


@story
def test_what_the_shop_tells_backwards_and_twice_comes_to_the_same(whole: Scene) -> Told:
    bought = Bought(whole, "backwards")
    yield None
    bought.order(5)
    messages = [about(whole, bought.document)["orders/create"]]

    def heard() -> None:
        messages.append(about(whole, bought.document)["orders/updated"])
        whole.clock.forward(seconds=1)

    bought.retailer.shop.edit(bought.id, bought.sku, 3)
    heard()
    parcel = sent_by_the_shop(bought, 2)
    heard()
    bought.retailer.shop.take_back(bought.id, parcel["id"])
    heard()
    sent_by_the_shop(bought, 1)
    heard()
    for n, message in enumerate([*reversed(messages), *messages]):
        assert push(whole, message, x_shopify_webhook_id=f"backwards {n}")
    yield None
    assert bought.sold_from_warehouse == 27
    assert bought.reserved() == ["release", "release", "reserve", "shipped", "shipped", "taken_back"]
    bought.retailer.erp.accept(bought.key)
    yield None
    yield None
    assert (bought.sold_from_warehouse, bought.in_warehouse) == (27, 27)
