"""The ERP as a real SOAP client sees it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
import zeep
from zeep.exceptions import Fault
from zeep.transports import Transport

from hub.sandbox.clock import naive_paris

ENVELOPE = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'
STOCK = 'xmlns="urn:maison-omni:erp:stock"'


@pytest.fixture
def address(sandbox):
    return sandbox.urls["erp"] + "/erp/StockService"


@pytest.fixture
def session(sandbox):
    connection = sandbox.connections["erp"]
    with requests.Session() as session:
        session.auth = (connection["login"], connection["password"])
        yield session


@pytest.fixture
def erp(address, session):
    return zeep.Client(f"{address}?wsdl", transport=Transport(session=session)).service


def read_all(erp, **arguments):
    rows, bookmark = [], None
    while True:
        page = erp.ReadStock(**arguments, bookmark=bookmark, setSize=100)
        rows += page.Row
        bookmark = page.nextBookmark
        if not bookmark:
            return rows


def test_it_lists_the_depot_and_twenty_shops(erp, retailer):
    sites = erp.ReadSites()
    assert [site.FCY for site in sites] == ["FR001", *(f"FR{n:03d}" for n in range(11, 31))]
    assert [site.FCYTYP for site in sites] == ["D"] + ["M"] * 20
    assert [site.FCYNAM for site in sites] == [place.name for place in retailer.world.locations]
    assert [(site.GEOLAT, site.GEOLNG) for site in sites] == [place.position for place in retailer.world.locations]


def test_pages_hold_every_row_once_and_one_as_of(erp, clock):
    rows = read_all(erp)
    assert [row.ROWNUM for row in rows] == list(range(1, 523))
    first = erp.ReadStock(setSize=100)
    clock.forward(minutes=3)
    second = erp.ReadStock(setSize=100, bookmark=first.nextBookmark)
    assert first.asOf == second.asOf == "20261122110000"


def test_the_rows_are_as_dirty_as_an_old_erp_keeps_them(erp):
    rows = read_all(erp)
    codes = [row.ITMREF for row in rows]
    keys = [(row.ITMREF.strip().upper(), row.STOFCY) for row in rows]
    assert any(code != code.strip() for code in codes)
    assert any(code != code.upper() for code in codes)
    assert any(row.EANCOD.startswith("0") for row in rows)
    assert len(keys) - len(set(keys)) == 2
    assert sum(row.STOFCY in ("FR011", "FR012") for row in rows) == 40


def test_of_a_row_written_twice_the_latest_word_is_the_truth(erp, retailer):
    latest: dict[tuple[str, str], tuple[str, int, int]] = {}
    for row in read_all(erp):
        key = (row.ITMREF.strip().upper(), row.STOFCY)
        latest[key] = max(
            latest.get(key, ("", 0, 0)), (row.UPDDATTIM, row.ROWNUM, int(row.QTYSTU.removesuffix(".000")))
        )
    assert all(quantity == retailer.erp.level(*key) for key, (_, _, quantity) in latest.items())


def test_changed_since_answers_what_changed_at_or_after_it(erp, retailer, clock):
    clock.forward(minutes=10)
    sku = retailer.world.skus[3].code
    retailer.erp.set(sku, "WH1", 77)
    (row,) = read_all(erp, changedSince=naive_paris(clock.now()))
    assert (row.ITMREF.strip().upper(), row.QTYSTU, row.UPDDATTIM) == (sku, "77.000", "20261122111000")
    assert read_all(erp, changedSince=naive_paris(clock.now() + timedelta(seconds=1))) == []


def test_a_bump_is_booked_on_top(retailer):
    sku = retailer.world.skus[0].code
    before = retailer.erp.level(sku, "WH1")
    assert retailer.erp.bump(sku, "WH1", 12) == before + 12
    assert retailer.erp.level(sku, "FR001") == before + 12


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"setSize": 0}, "ERP-SETSIZE"),
        ({"setSize": 101}, "ERP-SETSIZE"),
        ({"setSize": 10, "bookmark": "bm90IG91cnM="}, "ERP-BOOKMARK"),
        ({"setSize": 10, "bookmark": "é"}, "ERP-BOOKMARK"),
        ({"setSize": 10, "changedSince": "20260230000000"}, "ERP-DATE"),
    ],
)
def test_what_it_does_not_allow_is_a_fault_with_its_own_code(erp, arguments, code):
    with pytest.raises(Fault) as refused:
        erp.ReadStock(**arguments)
    assert refused.value.code == code


def test_the_eleventh_call_at_once_is_refused_and_written_down(erp, retailer):
    with pytest.raises(Fault) as refused:
        [erp.ReadStock(setSize=1) for _ in range(14)]
    assert refused.value.code == "ERP-BUSY"
    assert retailer.ledger.statuses("erp")[500] == 1


def test_a_wrong_password_is_401_for_the_wsdl_and_for_calls(address):
    with requests.Session() as stranger:
        stranger.auth = ("omnihub", "wrong")
        assert stranger.get(f"{address}?wsdl").status_code == 401
        assert stranger.post(address, data=b"<a/>").status_code == 401
        assert requests.get(f"{address}?wsdl", timeout=5).status_code == 401


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("<broken", "not XML"),
        ("<a/>", "not a SOAP 1.1 envelope"),
        (ENVELOPE.format(""), "0 elements"),
        (ENVELOPE.format(f"<Unknown {STOCK}/>"), "does not follow the WSDL"),
        (ENVELOPE.format(f"<ReadStock {STOCK}><setSize>ten</setSize></ReadStock>"), "does not follow the WSDL"),
        (ENVELOPE.format(f"<ReadSitesResponse {STOCK}/>"), "not an operation"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>', "document type declaration"),
    ],
)
def test_a_request_that_the_wsdl_does_not_know_is_a_fault(address, session, body, sentence):
    answer = session.post(address, data=body.encode())
    assert answer.status_code == 500
    assert sentence in answer.text
    assert "<faultcode>" in answer.text


def test_a_body_without_end_is_refused(address, session):
    assert session.post(address, data=b" " * 1_100_000).status_code == 413


def test_every_call_is_in_the_ledger(erp, retailer):
    erp.ReadStock(setSize=5)
    wsdl, call = retailer.ledger.calls("erp")
    assert (wsdl.method, wsdl.operation, wsdl.status) == ("GET", "wsdl", 200)
    assert (call.method, call.operation, call.status, call.write) == ("POST", "ReadStock", 200, False)
    assert call.detail == {"setSize": "5"}
