"""Numbers, names and depth beyond every type: one record, one answer or one page is refused, in time and in words."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from hub.config import resolve
from hub.config.values import duration
from hub.errors import ConfigError, StopRun
from hub.marked import parse
from hub.transport.files import is_safe
from hub.transport.http import parse_json
from hub.transport.numbers import whole
from hub.transport.options import Duration
from hub.transport.outcomes import detail, retry_after
from hub.transport.redaction import protect
from hub.transport.times import instant_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Waits(BaseModel):
    long: Duration


def test_a_number_of_thousands_of_digits_spoils_no_page() -> None:
    found = parse_json(b'[{"id": 1}, {"id": ' + b"9" * 5000 + b"}]", "the shop")
    assert found[0] == {"id": 1}
    assert found[1]["id"] == Decimal("9" * 5000)


@pytest.mark.parametrize("number", ["1e999999", "-1e999999", "1E-999999", "1.5e401"])
def test_a_number_that_would_fill_the_memory_stays_a_text(number: str) -> None:
    found = parse_json(f'[{{"amount": {number}}}, {{"amount": 1.5e40}}]'.encode(), "the shop")
    assert found == [{"amount": number}, {"amount": Decimal("1.5e40")}]


@pytest.mark.parametrize(("said", "is_"), [("3.00000", 3), ("-2", -2), (1990, 1990), (Decimal("4"), 4), ("2.9", 2)])
def test_a_quantity_is_a_whole_number_however_it_is_written(said: object, is_: int) -> None:
    assert whole(said) == is_


@pytest.mark.parametrize("said", ["", "three", "NaN", "Infinity", None, "\ud800", "9" * 5000, "1e999999"])
def test_what_is_no_quantity_says_so(said: object) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        whole(said)


@pytest.mark.parametrize("said", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_has_no_day_in_utc_is_none(said: str) -> None:
    with pytest.raises(ValueError, match="is beyond the calendar"):
        instant_of(said)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":"]]]",\n"b":'])
@pytest.mark.parametrize("times", [101, 900, 100_000])
def test_an_answer_that_is_nested_too_deep_is_refused(opening: str, times: int) -> None:
    closing = "".join("]" if one == "[" else "}" for one in reversed(opening.replace('"]]]"', "")) if one in "[{")
    with pytest.raises(StopRun, match=r"nested more than 100 deep|not JSON"):
        parse_json((opening * times + "1" + closing * times).encode(), "the shop")


def test_brackets_in_texts_are_no_depth() -> None:
    assert parse_json(b'{"a": "' + b"[" * 500 + b'\\" {{"}', "the shop")["a"].startswith("[[")
    assert parse_json(b"[" * 100 + b"]" * 100, "the shop") != []


@pytest.mark.parametrize("deep", ["[" * 5000, "{a: " * 5000, "- " * 5000])
def test_yaml_that_is_nested_too_deep_is_a_sentence(deep: str) -> None:
    with pytest.raises(ConfigError, match=r"hub\.yaml:1: is nested too deeply to be read"):
        parse(deep, "hub.yaml")


def test_a_thousand_aliases_of_aliases_are_refused_at_once() -> None:
    laughs = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    started = time.process_time()
    with pytest.raises(ConfigError, match="an anchor stands here; write the value out"):
        parse(laughs, "hub.yaml")
    assert time.process_time() - started < 2


def test_a_connection_that_is_nested_too_deep_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="HUB_CONN_ERP: is not JSON"):
        resolve("erp", {"HUB_CONN_ERP": '{"extra": ' + "[" * 100_000}, tmp_path)


@pytest.mark.parametrize(
    "name", ["\ud800.csv", "a\udfff", "a\x00b", "..", "a/b", "a\\b", "STOCK\r\n.csv", "\u202ecsv.exe", "é" * 128]
)
def test_a_name_that_could_deceive_or_lead_away_is_not_taken(name: str) -> None:
    assert not is_safe(name)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("inf", None), ("nan", None), ("-5", 0.0), ("1e300", 86_400.0), ("x" * 9999, None)],
)
def test_a_delay_that_is_no_time_is_not_waited_for(said: str, seconds: float | None) -> None:
    assert retry_after(said, NOON) == seconds


@pytest.mark.parametrize("written", ["9" * 30 + "d", "9" * 5000 + "s", "999999999d999999999d"])
def test_a_duration_beyond_the_calendar_is_a_mistake_and_no_crash(written: str) -> None:
    with pytest.raises(ValueError, match="is longer than any time"):
        duration(written)
    with pytest.raises(ValidationError, match="is longer than any time"):
        Waits(long=written)  # type: ignore[arg-type]
    assert Waits(long="90s").long == timedelta(seconds=90)  # type: ignore[arg-type]


def test_a_secret_that_an_error_repeats_is_masked_before_the_sentence_is_cut() -> None:
    protect("canary-of-an-error-page")
    body: Any = '{"error": "' + "x" * 290 + 'canary-of-an-error-page"}'
    assert "canary" not in detail(body.encode())
