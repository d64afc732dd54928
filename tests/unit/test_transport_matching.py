"""Matching what a target holds with our keys, and times as vendors write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model import Binding, Reference, Remote
from hub.transport.matching import folded, gtin14, match
from hub.transport.times import earlier, instant_of, local_time, utc_text, version_of

PARIS = ZoneInfo("Europe/Paris")
STAMP = "%Y%m%d%H%M%S"


def held(id: str, **identifiers: str | None) -> Remote:
    return Remote(value=identifiers, binding=Binding(external_id=id))


def found(references: list[Reference], *remotes: Remote) -> dict[str, tuple[str, str | None]]:
    matches = match(references, remotes, system="shop")
    return {ref.key: (one.binding.external_id, one.matched) for ref, one in matches.items() if one.binding}


def article(sku: str, gtin: str = "") -> Reference:
    return Reference(key=sku, by={"sku": sku, "gtin": gtin})


def test_a_sku_is_found_however_it_was_typed():
    assert found([article("TS1-M-BLU")], held("a", sku="  ts1-m-blu ")) == {"TS1-M-BLU": ("a", "sku")}


def test_a_name_is_found_however_it_was_typed():
    place = Reference(key="ST01", by={"name": "Paris  Rivoli"})
    assert found([place], held("a", name=" PARIS RIVOLI")) == {"ST01": ("a", "name")}


def test_what_has_no_sku_is_found_by_its_gtin_with_or_without_zeros():
    reference = article("TS1", "03760123456787")
    assert found([reference], held("a", sku="", gtin="3760123456787")) == {"TS1": ("a", "gtin")}


def test_what_one_sku_found_is_not_there_for_anothers_gtin():
    references = [article("TS1", "3760123456787"), article("TS2", "3760123456787")]
    assert found(references, held("a", sku="TS1", gtin="3760123456787")) == {"TS1": ("a", "sku")}


def test_the_preferred_identifier_is_tried_first():
    reference = Reference(key="TS1", by={"gtin": "3760123456787", "sku": "TS1"})
    remotes = held("a", sku="TS1", gtin=None), held("b", sku="OLD", gtin="3760123456787")
    assert found([reference], *remotes) == {"TS1": ("b", "gtin")}


def test_an_identifier_that_two_objects_share_binds_neither(caplog: pytest.LogCaptureFixture):
    assert found([article("TS1")], held("a", sku="TS1"), held("b", sku="ts1")) == {}
    assert "2 objects with sku ts1" in caplog.text


def test_nothing_is_found_among_nothing():
    assert found([]) == {}
    assert found([article("TS1")]) == {}


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("0376012345678", "00376012345678"),
        ("96385074", "00000096385074"),
        ("036000291452", "00036000291452"),
        (" 13760123456784 ", "13760123456784"),
        ("123", ""),
        ("ABC", ""),
        ("", ""),
        ("0000000000000", ""),
        ("٣٧٦٠١٢٣٤", ""),
    ],
)
def test_a_gtin_has_fourteen_digits_or_is_none(text: str, normal: str):
    assert gtin14(text) == normal


@given(st.text(alphabet="abcéçœÉ'-1 "))
def test_case_and_spaces_around_never_matter(text: str):
    assert folded(f"  {text.upper()}\t") == folded(text)


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-14, 14))
def test_versions_order_like_the_moments_whatever_their_offset(naive: datetime, hours: int):
    here = naive.replace(tzinfo=UTC)
    there = here.astimezone(timezone(timedelta(hours=hours))) + timedelta(microseconds=1)
    assert version_of(here.isoformat()) < version_of(there.isoformat())


@pytest.mark.parametrize("text", ["2026-11-22T10:00:00", "soon", ""])
def test_a_time_without_an_offset_is_no_moment(text: str):
    with pytest.raises(ValueError):
        instant_of(text)


def test_a_moment_is_sent_in_utc_with_milliseconds():
    assert utc_text(datetime(2026, 11, 22, 11, 0, 0, 123456, tzinfo=PARIS)) == "2026-11-22T10:00:00.123Z"


def test_of_an_hour_that_occurs_twice_the_earlier_reading_counts():
    assert local_time("20261025023000", STAMP, "Europe/Paris").utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize("text", ["20260329023000", "20260230000000", "2026112210000", "yesterday"])
def test_a_time_that_is_none_is_refused(text: str):
    with pytest.raises(ValueError):
        local_time(text, STAMP, "Europe/Paris")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20261122110000", "20261122105800"),
        ("20261025023000", "20261025012800"),  # this hour occurs twice
        ("20261025030000", "20261025025800"),
        ("20260329030000", "20260329025800"),
    ],
)
def test_reaching_back_covers_the_hour_that_is_repeated(text: str, expected: str):
    assert earlier(text, STAMP, "Europe/Paris", timedelta(minutes=2)) == expected
