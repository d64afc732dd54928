"""The retailer's own people: whatever they do leaves the systems as a person would have left them."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from hub.sandbox.clock import naive_paris
from hub.sandbox.live import Shoppers
from hub.sandbox.staff import Staff


@pytest.fixture
def staff(retailer):
    return Staff(retailer, retailer.world.random("staff"), Counter())


def test_a_new_price_stands_in_every_list(retailer, staff):
    before = len(retailer.erp.lists.prices("", 0, 100_000))
    staff._reprice()
    added = retailer.erp.lists.prices("", 0, 100_000)[before:]
    assert {row["list"] for row in added} == {"WEB", "RETAIL"}
    assert len({(row["sku"], row["amount"]) for row in added}) == 1


def test_a_promotion_is_below_the_ordinary_price_and_ends_while_one_looks(retailer, staff):
    before = {row["code"] for row in retailer.erp.lists.promotions("", 0, 1000)}
    staff._promote()
    (row,) = [row for row in retailer.erp.lists.promotions("", 0, 1000) if row["code"] not in before]
    reduced = {sku: amount for sku, (amount, _) in json.loads(row["items"]).items()}
    assert len(reduced) == 4
    for sku, amount in reduced.items():
        assert Decimal(amount) * 100 < retailer.assortment.sku(sku).price_cents
    assert naive_paris(retailer.clock.now()) < row["ends"] <= naive_paris(retailer.clock.now() + timedelta(minutes=5))


def test_an_edited_text_begins_as_the_product_is_described(retailer, staff):
    since = retailer.state.row("SELECT max(updated) AS at FROM pim_item")["at"]
    retailer.clock.forward(minutes=1)
    staff._write()
    (row,) = retailer.state.rows("SELECT code FROM pim_item WHERE updated > ?", (since,))
    assert retailer.assortment.product(row["code"])


def test_a_replaced_picture_has_other_bytes(retailer, staff):
    before = {style.code: retailer.dam.hashes(style.code) for style in retailer.assortment.products}
    staff._photograph()
    changed = [code for code, hashes in before.items() if retailer.dam.hashes(code) != hashes]
    assert len(changed) == 1


def send_an_order(retailer):
    """The newest paid order of which nothing has left yet leaves."""
    for row in retailer.state.rows("SELECT document FROM shop_order ORDER BY id DESC"):
        order = json.loads(row["document"])
        if (order["financial_status"], order["fulfillment_status"], order["cancelled_at"]) == ("paid", None, None):
            retailer.shop.fulfil(order["id"])
            return


def test_a_title_typed_in_the_shop_is_told_to_its_listeners(retailer, staff):
    before = retailer.webhooks.pending("shop")
    staff._type_in_shop()
    assert retailer.webhooks.pending("shop") == before + 1


def test_in_a_long_day_everything_happens_and_nothing_is_left_half_paid(retailer):
    crowd = Shoppers(retailer)
    for step in range(800):
        retailer.clock.forward(seconds=5)
        crowd.step(threading.Event())
        if step % 10 == 0:
            send_an_order(retailer)
    assert set(crowd.happened) >= {
        "sales at a till",
        "sales paid in parts",
        "returns in a store",
        "tickets voided",
        "orders in the shop",
        "orders paid later",
        "orders cancelled",
        "orders edited",
        "pieces taken out of orders",
        "parcels kept back",
        "refunds in the shop",
        "online orders returned in a store",
        "store files",
        "bookings in the ERP",
        "prices changed",
    }
    crowd._store.pay_the_rest()
    assert retailer.state.row("SELECT count(*) AS n FROM till_order WHERE state = 'OPEN'")["n"] == 0
