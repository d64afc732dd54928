"""The connector soap_erp against the sandbox's ERP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from contract.suite import SourceContract, build, context_of
from support.loopback import Heard, Say, serving

from hub.errors import ConfigError, StopRun
from hub.model import Checkpoint, Record, Refused

PARIS = ZoneInfo("Europe/Paris")
OPTIONS = {"wsdl": "/erp/StockService?wsdl", "page_size": 100}
ENVELOPE = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'


class TestStock(SourceContract):
    folder, system, object, options = "soap_erp", "erp", "stock", OPTIONS

    def test_every_row_is_read_once_with_its_raw_fields(self, connector: Any):
        batches = self.read(connector)
        records = [record for batch in batches for record in batch.records]
        assert [len(batch.records) for batch in batches] == [100, 100, 100, 100, 100, 22]
        assert {record.data["ROWNUM"] for record in records} == set(range(1, 523))
        first = records[0]
        assert isinstance(first, Record)
        assert first.key == f"{first.data['ITMREF'].strip()}|{first.data['STOFCY'].strip()}"
        assert first.data["QTYSTU"].endswith(".000")
        assert first.source_version == first.data["UPDDATTIM"]

    def test_padding_and_case_of_the_codes_are_left_to_the_mapping(self, connector: Any):
        codes = [record.data["ITMREF"] for batch in self.read(connector) for record in batch.records]
        assert any(code != code.strip() for code in codes)
        assert any(code != code.upper() for code in codes)

    def test_the_place_of_a_row_is_its_page_and_position(self, connector: Any, sandbox: Any):
        second = self.read(connector)[1]
        origin = second.records[4].origin
        assert origin.source.startswith(sandbox.urls["erp"] + "/erp/StockService#ReadStock/")
        assert origin.line == 5

    def test_the_last_page_vouches_for_the_moment_of_the_first(self, connector: Any, clock: Any):
        pages = connector.read("stock", None)
        next(pages)
        clock.forward(minutes=5)
        last = list(pages)[-1]
        assert last.scope.as_of == datetime(2026, 11, 22, 11, 0, tzinfo=PARIS)
        assert last.checkpoint.value == {"changed_since": "20261122110000", "bookmark": None}

    def test_the_next_read_brings_what_changed_and_reaches_back(self, connector: Any, retailer: Any, clock: Any):
        done = self.read(connector)[-1].checkpoint
        sku = retailer.world.skus[3].code
        retailer.erp.set(sku, "WH1", 77, at=clock.now() - timedelta(minutes=1))
        clock.forward(minutes=10)
        (batch,) = self.read(connector, done)
        assert [record.data["QTYSTU"] for record in batch.records] == ["77.000"]
        assert self.read(connector, batch.checkpoint)[0].records == []

    def test_a_bookmark_that_the_erp_forgot_starts_the_same_read_again(self, connector: Any):
        first = self.read(connector)[0].checkpoint
        broken = Checkpoint(value={**first.value, "bookmark": "bm90IG91cnM="})
        assert sum(len(batch.records) for batch in self.read(connector, broken)) == 522

    def test_the_sites_are_read_whole(self, connector: Any, clock: Any):
        (batch,) = connector.read("sites", None)
        assert [record.key for record in batch.records][:2] == ["FR001", "FR011"]
        assert len(batch.records) == 21
        assert (batch.scope.as_of, batch.raw is not None) == (clock.now(), True)


def test_a_hasty_reader_waits_and_loses_nothing(sandbox: Any):
    """More calls at once than the ERP allows, outside any budget: it says BUSY, and is asked again."""
    connector = build("soap_erp", context_of(sandbox, "erp"), wsdl="/erp/StockService?wsdl", page_size=40)
    assert sum(len(batch.records) for batch in connector.read("stock", None)) == 522
    assert sandbox.retailer.ledger.statuses("erp")[500] >= 1


def test_a_page_size_that_the_erp_refuses_is_refused_before():
    from pydantic import ValidationError

    from hub.connector import connector_class

    with pytest.raises(ValidationError):
        connector_class("soap_erp").config.model_validate({"wsdl": "/x", "page_size": 101})


@pytest.mark.parametrize("path", ["/erp/Nothing?wsdl", "http://elsewhere.example/StockService?wsdl"])
def test_a_description_that_is_elsewhere_or_nowhere_is_a_matter_of_configuration(sandbox: Any, path: str):
    connector = build("soap_erp", context_of(sandbox, "erp"), wsdl=path)
    assert not connector.check().ok
    with pytest.raises(ConfigError):
        list(connector.read("stock", None))


def row(**fields: str) -> str:
    values = {
        "ITMREF": "TS1", "STOFCY": "FR001", "QTYSTU": "1.000", "QTYBLK": "0.000", "EANCOD": "",
        "UPDDATTIM": "20261122110000", "ROWNUM": "1", **fields,
    }  # fmt: skip
    return "<Row>" + "".join(f"<{name}>{value}</{name}>" for name, value in values.items()) + "</Row>"


def page(content: str) -> bytes:
    body = f'<ReadStockResponse xmlns="urn:maison-omni:erp:stock">{content}</ReadStockResponse>'
    return ENVELOPE.format(body).encode()


def answering(wsdl: bytes, *answers: bytes) -> Any:
    left = list(answers)

    def script(heard: Heard) -> Say:
        return Say(body=wsdl if heard.method == "GET" else left.pop(0) if len(left) > 1 else left[0])

    return serving(script, id="erp")


@pytest.fixture
def wsdl(sandbox: Any) -> bytes:
    from hub.sandbox.erp.soap import wsdl as described

    return described("http://erp.internal/erp/StockService")


def connected(server: Any, clock: Any) -> Any:
    from contract.suite import Context

    return build("soap_erp", Context(system="erp", connection=server.connection, clock=clock), **OPTIONS)


def test_a_row_without_a_code_is_refused_alone(wsdl: bytes, clock: Any):
    rows = row(ITMREF="  ") + row(ITMREF="TS2")
    with answering(wsdl, page(rows + "<asOf>20261122110000</asOf>")) as server:
        (batch,) = connected(server, clock).read("stock", None)
    refused, kept = batch.records
    assert isinstance(refused, Refused)
    assert (refused.path, refused.origin.line, kept.key) == ("ITMREF", 1, "TS2|FR001")


def test_a_bookmark_that_leads_back_stops_the_reading(wsdl: bytes, clock: Any):
    circle = page(row() + "<nextBookmark>again</nextBookmark><asOf>20261122110000</asOf>")
    with answering(wsdl, circle) as server, pytest.raises(StopRun, match="leads back"):
        list(connected(server, clock).read("stock", None))


def test_a_date_that_does_not_exist_is_named(wsdl: bytes, clock: Any):
    with answering(wsdl, page("<asOf>20260230110000</asOf>")) as server, pytest.raises(StopRun, match="20260230110000"):
        list(connected(server, clock).read("stock", None))


def test_a_read_reaches_back_by_the_hour_that_the_clock_repeats(wsdl: bytes, clock: Any):
    """02:30 on 25 October 2026 was twice; naive times cannot say which, so both are asked for."""
    checkpoint = Checkpoint(value={"changed_since": "20261025023000", "bookmark": None})
    with answering(wsdl, page("<asOf>20261025040000</asOf>")) as server:
        list(connected(server, clock).read("stock", checkpoint))
        (asked,) = [request.body for request in server.heard if request.method == "POST"]
    assert b"<ns0:changedSince>20261025012800</ns0:changedSince>" in asked
