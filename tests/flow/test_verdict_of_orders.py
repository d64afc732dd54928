"""The verdict of a certification follows an order through the shop's office: nothing of that is a case."""

from __future__ import annotations

import pytest
from support.bought import Bought
from support.scene import Scene

from hub.certify.verdict import verdict

pytestmark = pytest.mark.timeout(600)


def test_what_the_office_does_with_orders_is_no_case(whole: Scene) -> None:
    names = ("less", "without a line", "less and cancelled", "kept back", "sent early")
    less, without, cancelled, kept, early = (Bought(whole, f"in the office: {name}") for name in names)
    whole.everything()
    for bought in (less, without, cancelled, kept, early):
        bought.order(3, more=[(whole.retailer.world.skus[5].code, 1)])
    whole.everything()
    shop = whole.retailer.shop
    less.retailer.erp.accept(less.key)
    shop.edit(less.id, less.sku, 1)
    shop.edit(without.id, without.sku, 0)
    shop.edit(cancelled.id, cancelled.sku, 2)
    whole.everything()
    whole.clock.forward(minutes=2)  # what is taken out just before a cancellation is taken for a part of it
    shop.cancel(cancelled.id)
    (parcel,) = shop.fulfil(kept.id, lines=[(kept.sku, 2)])
    shop.take_back(kept.id, parcel["id"])
    shop.fulfil(early.id, lines=[(early.sku, 3)])
    for _ in range(2):
        whole.everything()
    found = verdict(whole)
    assert found.cases == []
    assert found.compared["sales"] > 40
    assert [line["QTY"] for line in less.sale.lines] == ["1.000", "1.000"]
    assert [line["ITMREF"] for line in without.sale.lines] == [whole.retailer.world.skus[5].code]
