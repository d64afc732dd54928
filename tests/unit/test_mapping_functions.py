"""The functions that a mapping may name: their documented examples, and the rules that hold for all values."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.mapping import FUNCTIONS
from hub.mapping.codes import check_digit
from hub.mapping.registry import BadArgument, Example, Unfit
from hub.mapping.times import as_text, as_version

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
EXAMPLES = [(name, example) for name, known in FUNCTIONS.items() for example in known.examples]
ARGUMENTS: dict[str, dict[str, Any]] = {name: dict(known.examples[0].arguments) for name, known in FUNCTIONS.items()}


def call(name: str, value: Any, **arguments: Any) -> Any:
    answer = FUNCTIONS[name].make(**arguments)(value)
    return as_text(answer) if isinstance(answer, datetime) else answer


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{name} of {e.given!r}" for name, e in EXAMPLES])
def test_a_function_does_what_its_example_says(name: str, example: Example) -> None:
    if isinstance(example.gives, Unfit):
        with pytest.raises(Unfit) as refused:
            call(name, example.given, **example.arguments)
        assert str(example.gives) in str(refused.value)
    else:
        answer = call(name, example.given, **example.arguments)
        assert (type(answer), answer) == (type(example.gives), example.gives)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_what_it_is_for_and_shows_it(name: str) -> None:
    assert FUNCTIONS[name].summary.endswith(".")
    assert FUNCTIONS[name].examples


@pytest.mark.parametrize("name", FUNCTIONS)
@given(value=ANYTHING)
def test_a_function_answers_or_refuses_and_never_breaks(name: str, value: Any) -> None:
    assume(value is not None)  # null passes by every function
    with contextlib.suppress(Unfit):
        answer = call(name, value, **ARGUMENTS[name])
        assert isinstance(answer[0] if FUNCTIONS[name].gives == "list" else answer, str | int)


# --- numbers --------------------------------------------------------------------------------------


@given(number=st.integers(-(10**17), 10**17), zeros=st.integers(0, 5), separator=st.sampled_from(",."))
def test_a_whole_number_survives_any_decimal_part_of_zeros(number: int, zeros: int, separator: str) -> None:
    written = f" {number}{separator + '0' * zeros if zeros else ''} "
    assert call("integer", written) == number


@given(whole=st.integers(0, 10**6), fraction=st.from_regex(r"[0-9]{0,4}[1-9][0-9]{0,4}", fullmatch=True))
def test_a_part_of_a_piece_is_refused_however_it_is_written(whole: int, fraction: str) -> None:
    for separator in ",.":
        with pytest.raises(Unfit, match="is not a whole number"):
            call("integer", f"{whole}{separator}{fraction}")


@given(number=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=4))
def test_a_decimal_keeps_every_digit(number: Decimal) -> None:
    written = format(number, "f")
    answer = call("decimal", written.replace(".", ","))
    assert Decimal(answer) == number
    assert call("decimal", answer) == answer
    assert Decimal(call("negate", answer)) == -number


@given(number=st.integers(-(10**12), 10**12), places=st.integers(0, 6))
def test_shifting_the_point_there_and_back_changes_nothing(number: int, places: int) -> None:
    there = call("shift", number, places=-places)
    assert Decimal(there) == Decimal(number).scaleb(-places)
    assert Decimal(call("shift", there, places=places)) == number


@given(value=st.integers(0, 10**12))
def test_thousands_are_taken_out_only_where_they_stand_in_groups_of_three(value: int) -> None:
    assert call("decimal", f"{value:,}".replace(",", "."), thousands=".") == str(value)
    with pytest.raises(Unfit):
        call("decimal", "12.34,5", thousands=".")


def test_text_that_only_looks_like_a_number_is_no_whole_number() -> None:
    for written in ("٣", "1e3", "0x10", "1_000", "1 000", "5,", ",5", "--5", "-5-", "NaN", "∞", "9" * 400):
        with pytest.raises(Unfit):
            call("integer", written)


# --- GTIN -----------------------------------------------------------------------------------------


@given(body=st.integers(1, 10**12 - 1), length=st.sampled_from([8, 12, 13, 14]))
def test_a_gtin_of_any_length_becomes_14_digits_that_are_a_gtin_again(body: int, length: int) -> None:
    digits = str(body % 10 ** (length - 1)).zfill(length - 1)
    assume(digits.strip("0"))
    code = digits + str(check_digit(digits))
    answer = call("gtin", code)
    assert len(answer) == 14
    assert answer.endswith(code)
    assert call("gtin", answer) == answer


@given(body=st.from_regex(r"[0-9]{12}", fullmatch=True), at=st.integers(0, 12), by=st.integers(1, 9))
def test_one_wrong_digit_is_always_found(body: str, at: int, by: int) -> None:
    code = body + str(check_digit(body))
    wrong = code[:at] + str((int(code[at]) + by) % 10) + code[at + 1 :]
    assume(wrong.strip("0"))
    with pytest.raises(Unfit, match="check digit"):
        call("gtin", wrong)


# --- times ----------------------------------------------------------------------------------------

ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo", "UTC"]
PARIS = ZoneInfo("Europe/Paris")
FORM = "%Y%m%d%H%M%S"


@given(moment=st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1)), zone=st.sampled_from(ZONES))
def test_a_local_time_becomes_the_earliest_moment_that_shows_it_or_is_refused_in_a_gap(
    moment: datetime, zone: str
) -> None:
    moment = moment.replace(microsecond=0)
    tz = ZoneInfo(zone)
    exists = moment.replace(tzinfo=tz).astimezone(UTC).astimezone(tz).replace(tzinfo=None) == moment
    if not exists:
        with pytest.raises(Unfit, match="the clocks went forward"):
            call("datetime", moment.strftime(FORM), format=FORM, zone=zone)
        return
    answer = datetime.fromisoformat(call("datetime", moment.strftime(FORM), format=FORM, zone=zone))
    assert answer.astimezone(tz).replace(tzinfo=None) == moment
    assert answer <= moment.replace(tzinfo=tz, fold=1)
    assert answer == datetime.fromisoformat(call("iso_datetime", moment.isoformat(), zone=zone))


@given(day=st.dates(date(1975, 1, 1), date(2037, 1, 1)), zone=st.sampled_from(ZONES))
def test_a_day_begins_with_its_first_moment_and_ends_where_the_next_begins(day: date, zone: str) -> None:
    start = datetime.fromisoformat(call("start_of_day", day.isoformat(), zone=zone))
    end = datetime.fromisoformat(call("end_of_day", day.isoformat(), zone=zone))
    tz = ZoneInfo(zone)
    assert start.astimezone(tz).date() == day
    assert (start - timedelta(microseconds=1)).astimezone(tz).date() < day
    assert end == datetime.fromisoformat(call("start_of_day", (day + timedelta(days=1)).isoformat(), zone=zone))
    assert (end - timedelta(microseconds=1)).astimezone(tz).date() == day


@given(text=st.text(alphabet="0123456789", min_size=1, max_size=20).filter(lambda t: len(t) != 14))
def test_a_time_that_was_cut_does_not_pass_as_another(text: str) -> None:
    with pytest.raises(Unfit, match="is not a time of the form"):
        call("datetime", text, format=FORM, zone="Europe/Paris")


@given(
    moment=st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.sampled_from([UTC, PARIS])),
    gap=st.timedeltas(timedelta(0), timedelta(days=30_000)),
)
def test_versions_made_of_moments_sort_as_the_moments_do(moment: datetime, gap: timedelta) -> None:
    later = moment.astimezone(UTC) + gap
    assert (as_version(moment) < as_version(later)) == (gap > timedelta(0))


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("datetime", {"format": "%Y%m%d"}, "needs the zone"),
        ("datetime", {"format": "%Y%m", "zone": "UTC"}, "holds no %d"),
        ("datetime", {"format": "%d %B %Y", "zone": "UTC"}, "%B is not a part of a time"),
        ("datetime", {"format": "%Y%m%d%d", "zone": "UTC"}, "holds a part twice"),
        ("datetime", {"format": "%Y%m%d", "zone": "Europe/Pari"}, "there is no time zone"),
        ("iso_datetime", {"zone": "Mars"}, "there is no time zone"),
        ("date", {"format": "%d.%m."}, "holds no %Y"),
        ("epoch", {"unit": "minutes"}, "seconds or milliseconds"),
        ("decimal", {"thousands": "x"}, "thousands is one of"),
        ("shift", {"places": 99}, "at most 18"),
        ("replace", {"old": "", "by": "x"}, "needs the text"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused_when_the_mapping_loads(
    name: str, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadArgument, match=sentence):
        FUNCTIONS[name].make(**arguments)
