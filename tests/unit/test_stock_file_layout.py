"""Stock files: what their structure must be, and where exactly it is broken."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.sftp_files.layout import Broken, open_file
from connectors.sftp_files.options import Options
from hub.model import Extent, Lines, Record, Refused, Ticket

NAME = "STOCK_0001_20261121223000_C.csv"
OPTIONS = Options(folder="/out", archive="/archive")
HEADER = "H;STOCK;C;0001;20261121223000;1:20261121:345,2:20261121:120"
COLUMNS = "MAGASIN;ARTICLE;EAN;LIBELLE;QTE;INDISPO;PVP"
LINES = (
    "0001;  ts0001-m-blu ;0376012345678;T-shirt été M bleu;5,000;0,000;19,90",
    "0001;TS0002-S-NOI;3760123456789;Écharpe…;-2,000;1,000;9,90",
)


def stock_file(*, header: str = HEADER, columns: str = COLUMNS, lines=LINES, trailer: str | None = None) -> bytes:
    last = f"T;{len(lines)}" if trailer is None else trailer
    return "\r\n".join([header, columns, *lines, last, ""]).encode("cp1252")


def opened(raw: bytes, **options: object):
    return open_file(OPTIONS.model_copy(update=options), NAME, raw)


def test_the_header_says_what_the_file_covers():
    scope = opened(stock_file()).scope
    assert (scope.extent, scope.series, scope.rows) == (Extent.COMPLETE, "0001", 2)
    assert scope.as_of == datetime(2026, 11, 21, 22, 30, tzinfo=ZoneInfo("Europe/Paris"))
    assert scope.tickets == {
        "1": Ticket(business_day="2026-11-21", sequence=345),
        "2": Ticket(business_day="2026-11-21", sequence=120),
    }


def test_a_partial_file_without_tickets_is_one_too():
    scope = opened(stock_file(header="H;STOCK;P;0001;20261121223000;")).scope
    assert (scope.extent, scope.tickets) == (Extent.PARTIAL, {})


def test_a_trailer_marks_the_end_and_a_file_without_one_keeps_its_last_line():
    with_one = opened(stock_file())
    assert (with_one.scope.ended, with_one.scope.rows, len(with_one.lines)) == (True, 2, 2)
    without = opened(stock_file(trailer="").removesuffix(b"\r\n"), trailer=())
    assert (without.scope.ended, without.scope.rows, len(without.lines)) == (False, None, 2)


def test_equal_content_with_a_newer_as_of_is_another_file():
    first = opened(stock_file()).scope.identity
    assert opened(stock_file()).scope.identity == first
    assert opened(stock_file(header=HEADER.replace("2230", "2330"))).scope.identity != first


def test_a_line_becomes_a_record_with_its_place_and_its_raw_fields():
    lines = opened(stock_file()).lines
    record = lines[0]
    assert isinstance(lines, Lines)
    assert isinstance(record, Record)
    assert record.key == "0001|TS0001-M-BLU"
    assert record.data == {
        "AS_OF": "20261121223000",
        "MAGASIN": "0001",
        "ARTICLE": "  ts0001-m-blu ",
        "EAN": "0376012345678",
        "LIBELLE": "T-shirt été M bleu",
        "QTE": "5,000",
        "INDISPO": "0,000",
        "PVP": "19,90",
    }
    assert (record.origin.source, record.origin.line) == (NAME, 3)
    assert record.source_version == "2026-11-21T21:30:00+00:00"


def test_an_ellipsis_in_a_label_is_no_line_break():
    assert [line.data["LIBELLE"] for line in opened(stock_file()).lines][1] == "Écharpe…"


def test_columns_may_stand_in_another_order():
    raw = stock_file(columns="ARTICLE;MAGASIN;EAN;LIBELLE;QTE;INDISPO;PVP", lines=("A;0001;1;x;1;0;1",))
    assert opened(raw).lines.keys() == ["0001|A"]


def test_volatile_columns_do_not_count_as_a_change():
    night, morning = (
        opened(stock_file(lines=(line,)), volatile=("LIBELLE",)).lines.texts()
        for line in (LINES[0], LINES[0].replace("T-shirt", "Tee-shirt"))
    )
    assert list(night) == list(morning)


@pytest.mark.parametrize(
    ("raw", "line", "field", "reason"),
    [
        (b"", 1, "", "the file is empty"),
        (b"\r\n \r\n", 1, "", "the file is empty"),
        (stock_file()[:20], 1, "", "cut in the middle of line 1"),
        (stock_file()[:80], 2, "", "cut in the middle of line 2"),
        (stock_file()[:-30], 4, "", "cut in the middle of line 4"),
        (stock_file(trailer="")[:-2], 4, "", "trailer is missing: the file ends after line 4"),
        (stock_file(trailer="T;480"), 5, "rows", "says 480 lines, there are 2"),
        (stock_file(trailer="T;many"), 5, "rows", "'many' is not a number"),
        (stock_file(trailer="T"), 5, "", "the trailer has 1 fields instead of 2"),
        (stock_file().replace(b";", b","), 1, "", "separated by ',' instead of ';'"),
        (stock_file(columns=COLUMNS.replace(";", "\t")), 2, "", "separated by '\\t' instead of ';'"),
        (stock_file(columns=COLUMNS + ";COULEUR"), 2, "COULEUR", "'COULEUR' is unknown"),
        (stock_file(columns=COLUMNS.replace("PVP", "QTE")), 2, "QTE", "'QTE' is twice"),
        (stock_file(columns=COLUMNS.replace(";PVP", "")), 2, "PVP", "'PVP' is missing"),
        (stock_file().split(b"\r\n", 1)[1], 1, "", "the header is missing: line 1 begins with 'MAGASIN'"),
        (stock_file(header=HEADER.replace("STOCK", "PRICE")), 1, "field 2", "says 'PRICE' instead of 'STOCK'"),
        (stock_file(header=HEADER.replace(";C;", ";X;")), 1, "extent", "'X' is none of C, P"),
        (stock_file(header=HEADER.replace("20261121223000", "20260230223000")), 1, "as_of", "is not a date"),
        (stock_file(header=HEADER.replace("20261121223000", "2026112122300")), 1, "as_of", "is not a date"),
        (stock_file(header=HEADER.replace("20261121223000", "20260329023000")), 1, "as_of", "does not exist"),
        (stock_file(header=HEADER.replace("2:20261121", "2:20261131")), 1, "tickets", "'2:20261131:120' is not"),
        (stock_file(header=HEADER.replace("0001", "00\x001")), 1, "", "not text"),
        ("\ufeff".encode() + stock_file(), 1, "", "byte order mark"),
    ],
)
def test_a_broken_structure_names_line_field_and_reason(raw: bytes, line: int, field: str, reason: str):
    with pytest.raises(Broken) as caught:
        opened(raw)
    assert (caught.value.line, caught.value.path) == (line, field)
    assert reason in caught.value.reason


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=1, max_value=len(stock_file()) - 3))
def test_a_file_cut_anywhere_is_never_taken_for_whole(length: int):
    """All but the last line end may be missing, which changes nothing."""
    with pytest.raises(Broken):
        opened(stock_file()[:length])


@given(st.binary(max_size=300))
def test_any_bytes_are_either_a_file_or_broken(raw: bytes):
    with suppress(Broken):
        assert opened(raw).scope.identity


@pytest.mark.parametrize(
    ("bad", "key", "path", "reason"),
    [
        ("0001;TS0009-M-BLU;376", "0001|TS0009-M-BLU", "", "the line has 3 fields instead of 7"),
        ("0001;TS0009;1;a;b;1;0;1", "0001|TS0009", "", "the line has 8 fields instead of 7"),
        ("0001", None, "", "the line has 1 fields instead of 7"),
        ("", None, "", "the line has 1 fields instead of 7"),
        ("0002;TS0009;1;a;1;0;1", "0002|TS0009", "MAGASIN", "the line is of '0002' in a file of 0001"),
        ("0001;TS0009;1;a\x00;1;0;1", "0001|TS0009", "LIBELLE", "not text in cp1252"),
    ],
)
def test_a_bad_line_is_refused_alone(bad: str, key: str | None, path: str, reason: str):
    lines = opened(stock_file(lines=(LINES[0], bad, LINES[1]))).lines
    refused = lines[1]
    assert isinstance(refused, Refused)
    assert (refused.key, refused.path, refused.origin.line) == (key, path, 4)
    assert reason in refused.reason
    assert isinstance(lines[0], Record)
    assert isinstance(lines[2], Record)


def test_a_byte_that_is_no_character_refuses_its_line_alone():
    lines = opened(stock_file().replace("é".encode("cp1252"), b"\x81")).lines
    assert isinstance(lines[0], Refused)
    assert lines[0].path == "LIBELLE"
    assert isinstance(lines[1], Record)


def test_keys_and_texts_stand_beside_the_lines():
    lines = opened(stock_file(lines=(LINES[0], "0001", LINES[1]))).lines
    assert len(lines) == len(lines.keys()) == len(lines.texts()) == 3
    assert [line.key for line in lines] == ["0001|TS0001-M-BLU", None, "0001|TS0002-S-NOI"]
    assert lines.keys()[1] == "!0001"


def test_a_million_lines_are_opened_as_keys_and_texts():
    many = [f"0001;TS{n:07d}-M-BLU;0376012345678;T-shirt;{n % 50},000;0,000;19,90" for n in range(1_000_000)]
    raw = stock_file(lines=many)
    lines = opened(raw).lines
    assert (len(lines.keys()), len(lines.texts())) == (1_000_000, 1_000_000)


@pytest.mark.parametrize(
    "wrong",
    [
        {"encoding": "cp9999"},
        {"key": ["SKU"]},
        {"header": ["=H", "shop"]},
        {"trailer": ["=T", "as_of"]},
        {"header": ["=H", "extent"]},
        {"delimiter": ";;"},
        {"colour": "red"},
    ],
)
def test_options_that_do_not_agree_are_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        Options.model_validate({"folder": "/out", "archive": "/archive", **wrong})
