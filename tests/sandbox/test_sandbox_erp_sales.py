"""What people at the ERP do with orders, and what that does to its stock."""

from __future__ import annotations

import json
import threading
import time

import pytest
import requests
import zeep
from zeep.transports import Transport

from hub.sandbox.erp.checks import Refusal
from hub.sandbox.erp.sales import ACCEPTED, BOOKED, CANCELLED, ENTERED, PREPARING, SHIPPED
from hub.sandbox.serve import running


@pytest.fixture
def sku(retailer):
    return retailer.world.skus[0].code


@pytest.fixture
def sell(retailer, sku):
    """Enters an order of some pieces of one article."""

    def enter(reference="SHOP-1001", pieces=3, kind="ORDER", **more):
        amount = f"{pieces * 20}.00"
        line = {"LINREF": "11", "ITMREF": sku, "QTY": f"{pieces}.000", "PRI": "20.00", "AMT": amount}
        document = {"CUSORDREF": reference, "SALTYP": kind, "SALCHN": "shop", "ORDDATTIM": "20261122110000"}
        document |= {"CUR": "EUR", "Address": [{"CRY": "FR"}], "Line": [line], "TOTAMT": amount, **more}
        return retailer.erp.sales.enter(document)

    return enter


@pytest.fixture
def level(retailer, sku):
    return lambda: retailer.erp.level(sku, "WH1")


def status(retailer, reference="SHOP-1001"):
    return retailer.erp.sales.sale(reference).status


def test_accepted_pieces_leave_the_free_stock_at_once_and_shipment_changes_nothing(retailer, sell, level):
    before = level()
    sell()
    assert level() == before
    retailer.erp.accept("SHOP-1001")
    assert level() == before - 3
    retailer.erp.ship("SHOP-1001")
    assert (level(), status(retailer)) == (before - 3, SHIPPED)


def test_a_row_that_an_order_took_from_is_told_as_changed(retailer, sell, sku, clock):
    clock.forward(minutes=5)
    sell()
    retailer.erp.accept("SHOP-1001")
    (row,) = retailer.erp.rows("20261122110500", 0, 10)
    assert (row.itmref.strip().upper(), row.site) == (sku, "FR001")


def test_an_order_given_up_gives_its_pieces_back(retailer, sell, level):
    before = level()
    sell()
    retailer.erp.accept("SHOP-1001")
    retailer.erp.cancel("SHOP-1001", "fraud")
    assert (level(), status(retailer)) == (before, CANCELLED)


def test_it_ships_in_parts(retailer, sell):
    sell()
    retailer.erp.accept("SHOP-1001")
    retailer.erp.ship("SHOP-1001", {"11": 1})
    assert status(retailer) == PREPARING
    retailer.erp.ship("SHOP-1001")
    assert status(retailer) == SHIPPED
    parcels = [json.loads(row["lines"]) for row in retailer.erp.sales.shipments("", 0, 10)]
    assert [line["QTY"] for lines in parcels for line in lines] == ["1.000", "2.000"]
    with pytest.raises(Refusal, match="nothing to ship"):
        retailer.erp.ship("SHOP-1001")


def test_a_line_cancelled_before_it_left_frees_its_pieces(retailer, sell, level, sku):
    before = level()
    sell()
    retailer.erp.accept("SHOP-1001")
    line = {"LINREF": "11", "ITMREF": sku, "QTY": "2.000"}
    retailer.erp.sales.take_back("SHOP-1001", [line], "40.00", external="SHOP-R1", kind="C")
    assert level() == before - 1


def test_pieces_cancelled_before_anybody_looked_are_never_taken(retailer, sell, level, sku):
    before = level()
    sell()
    line = {"LINREF": "11", "ITMREF": sku, "QTY": "2.000"}
    retailer.erp.sales.take_back("SHOP-1001", [line], "40.00", external="SHOP-R1", kind="C")
    retailer.erp.accept("SHOP-1001")
    assert level() == before - 1


def test_a_return_is_restocked_where_it_was_received_and_only_if_it_can_be_sold(retailer, sell, level, sku):
    before = level()
    sell()
    retailer.erp.receive_return("SHOP-1001", {"11": 1})
    retailer.erp.receive_return("SHOP-1001", {"11": 1}, restock=False)
    retailer.erp.receive_return("SHOP-1001", {"11": 1}, site="ST05")
    assert level() == before + 1
    assert [row["amount"] for row in retailer.erp.sales.returns_of("SHOP-1001")] == ["20.00"] * 3


def test_more_pieces_after_acceptance_are_taken_as_well(retailer, sell, level):
    before = level()
    sell()
    retailer.erp.accept("SHOP-1001")
    content = retailer.erp.sales.sale("SHOP-1001").content
    line = {**content["Line"][0], "QTY": "5.000", "AMT": "100.00"}
    retailer.erp.sales.revise({**content, "Line": [line], "TOTAMT": "100.00"})
    assert level() == before - 5


def test_a_gift_card_is_sold_and_no_pieces_are_taken_for_it(retailer, sell):
    card = {"LINREF": "12", "ITMREF": "GIFT-0025", "QTY": "1.000", "PRI": "25.00", "AMT": "25.00"}
    sell(Line=[card], TOTAMT="25.00")
    retailer.erp.accept("SHOP-1001")
    assert retailer.erp.sales.acceptances("SHOP-1001") == []


def test_a_ticket_is_booked_and_takes_nothing_from_the_depot(retailer, sell, level):
    before = level()
    sell("TILLS-ST05-20261122-1-0005-03-81", kind="TICKET")
    assert (level(), status(retailer, "TILLS-ST05-20261122-1-0005-03-81")) == (before, BOOKED)


def test_the_office_accepts_after_three_seconds_and_ships_after_ten(retailer, sell, clock):
    sell()
    seen = []
    for _ in range(12):
        retailer.erp.back_office_step(threading.Event())
        seen.append(status(retailer))
        clock.forward(seconds=1)
    assert seen == [ENTERED] * 3 + [ACCEPTED] * 7 + [SHIPPED] * 2


def test_while_the_retailer_lives_the_office_works_by_itself(retailer, sell, clock):
    sell()
    clock.forward(seconds=4)
    with running(retailer, live=True, rate=0.001):
        for _ in range(100):
            if status(retailer) != ENTERED:
                break
            time.sleep(0.05)
    assert status(retailer) == ACCEPTED


def test_a_refusal_changes_nothing(retailer, sell):
    with pytest.raises(Refusal, match="ERP-TOT"):
        sell(TOTAMT="1.00")
    assert retailer.erp.sales.find("SHOP-1001") is None
    with pytest.raises(Refusal, match="there is no document SHOP-1001"):
        retailer.erp.accept("SHOP-1001")


def test_an_import_stands_in_the_ledger_as_a_write_with_what_was_refused(sandbox, retailer):
    connection = sandbox.connections["erp"]
    with requests.Session() as session:
        session.auth = (connection["login"], connection["password"])
        address = sandbox.urls["erp"] + "/erp/StockService?wsdl"
        service = zeep.Client(address, transport=Transport(session=session)).service
        cancellation = {"CUSORDREF": "SHOP-9"}
        (result,) = service.CancelSalesDocuments(Cancellation=[cancellation])
    assert (result.CUSORDREF, result.Refusal.CODE) == ("SHOP-9", "ERP-REF")
    (call,) = retailer.ledger.writes("erp")
    assert (call.operation, call.detail) == ("CancelSalesDocuments", {"Cancellation": [cancellation]})
