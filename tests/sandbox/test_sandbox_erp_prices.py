"""Articles, price lists and promotions as a real SOAP client reads them."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

import pytest
import requests
import zeep
from zeep.exceptions import Fault
from zeep.transports import Transport

from hub.sandbox.assortment import Assortment
from hub.sandbox.clock import naive_paris
from hub.sandbox.erp.description import operations
from hub.sandbox.erp.prices import LISTS, midnight_after, offers, price_entries, promotions


@pytest.fixture
def erp(sandbox):
    connection = sandbox.connections["erp"]
    with requests.Session() as session:
        session.auth = (connection["login"], connection["password"])
        address = sandbox.urls["erp"] + "/erp/StockService?wsdl"
        yield zeep.Client(address, transport=Transport(session=session)).service


@pytest.fixture
def assortment(retailer):
    return Assortment(retailer.world)


def patiently(operation, **arguments):
    """The ERP allows ten calls at once and five a second."""
    while True:
        try:
            return operation(**arguments)
        except Fault as busy:
            if busy.code != "ERP-BUSY":
                raise
            time.sleep(0.2)


def read_all(operation, element, **arguments):
    found, bookmark = [], None
    while True:
        page = patiently(operation, **arguments, bookmark=bookmark, setSize=100)
        found += page[element]
        bookmark = page.nextBookmark
        if not bookmark:
            return found


def test_the_description_offers_every_operation_of_the_schemas(erp):
    offered = set(erp._binding._operations)
    assert offered == set(operations())
    assert {"ReadStock", "ReadPrices", "ImportSalesDocuments", "ReadReturns"} <= offered


def test_every_article_has_a_style_a_unit_and_a_price_in_both_lists(erp, assortment):
    items = {item.ITMREF.strip().upper(): item for item in read_all(erp.ReadItems, "Item")}
    assert {code: item.STYCOD for code, item in items.items()} == {
        code: style.code for style in assortment.products for code in style.skus
    }
    priced = {(row.PLICOD, row.ITMREF.strip().upper()) for row in read_all(erp.ReadPrices, "Price")}
    assert priced == {(name, code) for name in LISTS for code in items}


def test_retired_styles_and_two_single_articles_are_no_longer_sold(erp, assortment):
    inactive = {item.ITMREF.strip().upper() for item in read_all(erp.ReadItems, "Item") if item.ITMSTA == "6"}
    retired = {code for style in assortment.products if not style.active for code in style.skus}
    assert len(retired) == 8
    assert retired < inactive
    assert len(inactive) in (9, 10)  # one of the two may be of a retired style


def test_one_gtin_was_typed_wrong(erp, retailer, assortment):
    wrong = [
        item.ITMREF.strip().upper()
        for item in read_all(erp.ReadItems, "Item")
        if assortment.sku(item.ITMREF.strip().upper()).ean != item.EANCOD
    ]
    assert wrong == [retailer.erp.items.wrong_gtin]


def test_the_backlog_holds_every_kind_of_scope_and_mistake(erp):
    rows = read_all(erp.ReadPrices, "Price")
    assert {row.FCY for row in rows} == {None, "FR015"}
    assert {row.CRY for row in rows} == {None, "BE"}
    assert {row.MINQTY for row in rows} == {"1.000", "3.000"}
    assert {row.CUR for row in rows} == {"EUR", "XXX"}
    assert {row.ENASTA for row in rows} == {"1", "2"}
    assert any(Decimal(row.PRI) == 0 for row in rows)
    assert any(len(row.PRI.partition(".")[2]) == 4 for row in rows)


def test_promotions_run_are_over_and_are_to_come(erp, clock):
    now = naive_paris(clock.now())
    kinds = [
        "over" if now >= one.ENDDATTIM else "running" if now >= one.STRDATTIM else "coming"
        for one in read_all(erp.ReadPromotions, "Promotion")
    ]
    assert {kind: kinds.count(kind) for kind in kinds} == {"running": 32, "over": 5, "coming": 5}


def test_three_promotions_have_their_moment_soon(retailer):
    near = {one.code: one for one in promotions(retailer.world)[-3:]}
    start = retailer.world.start
    assert near["SOON"].begins == start + timedelta(minutes=2)
    assert near["ENDING"].ends == start + timedelta(minutes=4)
    assert near["MIDNIGHT"].begins == datetime(2026, 11, 22, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "midnight"),
    [
        (datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)),  # a day of 25 hours
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)),  # a day of 23 hours
    ],
)
def test_midnight_is_the_calendars(moment, midnight):
    assert midnight_after(moment) == midnight


@pytest.mark.parametrize("name", LISTS)
def test_every_article_has_a_price_in_force_and_a_reduction_is_below_it(assortment, name):
    found = offers(assortment, name)
    assert len(found) == 492
    reduced = [offer for offer in found.values() if offer.compare_at]
    assert len(reduced) > 60
    assert all(Decimal(offer.amount) < Decimal(offer.compare_at) for offer in reduced)


def test_the_same_article_costs_the_same_unless_a_scope_or_a_mistake_says_otherwise(assortment):
    web, retail = (offers(assortment, name) for name in LISTS)
    differing = {sku for sku in web if web[sku] != retail[sku]}
    scoped = {s for one in promotions(assortment.world) if one.list or one.channel for s in one.amounts}
    twice = {
        key[1]
        for key, rows in groupby(sorted(price_entries(assortment), key=_scope), key=_scope)
        if sum(row.last_day is not None for row in rows) > 1
    }
    assert differing <= scoped | twice


def _scope(entry):
    return entry.list, entry.sku, entry.min_quantity, entry.site, entry.country


def test_the_clock_alone_changes_a_price(assortment, retailer):
    sku = next(iter(promotions(retailer.world)[-1].amounts))
    before, after = (
        offers(assortment, "WEB", retailer.world.start + span)[sku] for span in (timedelta(0), timedelta(minutes=3))
    )
    assert (before.compare_at, after.compare_at) == (None, before.amount)


def test_a_price_that_was_entered_today_is_corrected_and_not_doubled(erp, retailer, clock):
    sku = retailer.world.skus[9].code
    clock.forward(minutes=10)
    number = retailer.erp.set_price(sku, "11.00")
    assert retailer.erp.set_price(sku, "12.00") == number
    later = retailer.erp.set_price(sku, "13.00", first_day=date(2027, 1, 1))
    rows = read_all(erp.ReadPrices, "Price", changedSince=naive_paris(clock.now()))
    assert [(row.PLICRD, row.PRI, row.STRDAT) for row in rows] == [
        (number, "12.00", "20261122"),
        (later, "13.00", "20270101"),
    ]
    retailer.erp.withdraw_price(number)
    rows = read_all(erp.ReadPrices, "Price", changedSince=naive_paris(clock.now()))
    assert [row.ENASTA for row in rows] == ["2", "1"]


def test_an_article_taken_out_of_a_promotion_stays_in_it_as_withdrawn(erp, retailer, clock):
    one, two = (sku.code for sku in retailer.world.skus[:2])
    clock.forward(minutes=10)
    code = retailer.erp.promote({one: "9.90", two: "8.90"}, list="WEB", priority=3)
    retailer.erp.promote({one: "9.50"}, code=code, list="WEB")
    (promotion,) = read_all(erp.ReadPromotions, "Promotion", changedSince=naive_paris(clock.now()))
    assert (code, "WEB", 0) == (promotion.PRMCOD, promotion.PLICOD, promotion.PRIO)
    assert {item.ITMREF.strip().upper(): (item.PRI, item.ENASTA) for item in promotion.Item} == {
        one: ("9.50", "1"),
        two: ("8.90", "2"),
    }
    retailer.erp.end_promotion(code)
    (ended,) = read_all(erp.ReadPromotions, "Promotion", changedSince=naive_paris(clock.now()))
    assert ended.ENASTA == "2"


def test_a_bookmark_of_one_object_opens_no_other(erp):
    bookmark = erp.ReadItems(setSize=5).nextBookmark
    with pytest.raises(Fault) as refused:
        erp.ReadPrices(setSize=5, bookmark=bookmark)
    assert refused.value.code == "ERP-BOOKMARK"


def test_what_nobody_knows_cannot_be_changed(retailer):
    for attempt in (
        lambda: retailer.erp.edit_item("NO-SUCH", active=False),
        lambda: retailer.erp.withdraw_price("T9999999"),
        lambda: retailer.erp.end_promotion("NO-SUCH"),
    ):
        with pytest.raises(KeyError):
            attempt()
