"""The canonical schemas: what they accept, how they refuse, and that both validators say the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.errors import ConfigError
from hub.schemas import Schemas
from hub.schemas.values import foreign, is_day, is_moment

ROOT = Path(__file__).parents[2]
SCHEMAS = Schemas(ROOT / "canonical_schemas")
LEVEL = {
    "sku": "TS0001-M-BLU",
    "gtin": "00376012345676",
    "location": "WH1",
    "on_hand": 12,
    "unavailable": 1,
    "unit": "C62",
}
TICKET = {"till": "1", "business_day": "2026-11-21", "sequence": 5}
MOVEMENT = {
    "id": "o1:a1",
    "sku": "TS0001-M-BLU",
    "location": "ST01",
    "delta": -1,
    "kind": "sale",
    "occurred_at": "2026-11-21T22:30:00+01:00",
    "recorded_at": "2026-11-21T22:30:00.123Z",
    "ticket": TICKET,
}
RESERVATION = {
    "id": "1:2:reserve",
    "order": "shop:1",
    "line": "2",
    "sku": "TS0001-M-BLU",
    "location": None,
    "kind": "reserve",
    "quantity": 1,
    "occurred_at": "2026-11-21T22:30:00Z",
}
LOCATION = {"location": "ST01", "name": "Paris Rivoli", "kind": "store", "zone": "Europe/Paris"}
GOOD = {"stock_level": LEVEL, "stock_movement": MOVEMENT, "reservation": RESERVATION, "location": LOCATION}


@pytest.mark.parametrize("object", GOOD)
def test_a_good_record_is_accepted(object: str) -> None:
    assert SCHEMAS.validate(object, GOOD[object]) is None


REFUSED = [
    ("stock_level", {"sku": "ts 1"}, "sku", 'is "ts 1"; it must be capital letters, digits'),
    ("stock_level", {"sku": "TS1\n"}, "sku", "it must be capital letters"),
    ("stock_level", {"sku": ...}, "sku", "is missing"),
    ("stock_level", {"on_hand": "12"}, "on_hand", 'is "12", not a whole number'),
    ("stock_level", {"on_hand": None}, "on_hand", "is null, not a whole number"),
    ("stock_level", {"on_hand": True}, "on_hand", "is true, not a whole number"),
    ("stock_level", {"on_hand": 10**50}, "on_hand", "more than 100000000"),
    ("stock_level", {"on_hand": 12.0}, "on_hand", "is a float; canonical data hold"),
    ("stock_level", {"on_hand": Decimal(12)}, "on_hand", "is a Decimal; canonical data hold"),
    ("stock_level", {"unavailable": -1}, "unavailable", "is -1, less than 0"),
    ("stock_level", {"price": "1"}, "price", "is not a field of it; the fields are sku, gtin, location"),
    ("stock_level", {"gtin": "4006381333931"}, "gtin", "it must be 14 digits"),
    ("stock_level", {"as_of": "2026-11-21"}, "as_of", "not a moment with an offset"),
    ("stock_level", {"as_of": "2026-02-30T10:00:00Z"}, "as_of", "not a moment with an offset"),
    ("stock_level", {"as_of": datetime.now(UTC)}, "as_of", "is a datetime; canonical data hold"),
    ("stock_movement", {"delta": 0}, "delta", "is 0, which it must not be"),
    ("stock_movement", {"kind": "theft"}, "kind", 'is "theft", not one of sale, return'),
    ("stock_movement", {"id": ""}, "id", "shorter than 1 characters"),
    ("stock_movement", {"id": "x" * 201}, "id", "longer than 200 characters"),
    (
        "stock_movement",
        {"ticket": {"till": "1", "business_day": "21.11.2026", "sequence": 5}},
        "ticket.business_day",
        "a day",
    ),
    ("stock_movement", {"ticket": {"till": "1"}}, "ticket.business_day", "is missing"),
    ("stock_movement", {"ticket": []}, "ticket", "is a list, not an object"),
    ("reservation", {"location": 5}, "location", "is 5, not text or null"),
    ("location", {"name": "Nul\0"}, "name", "holds the character NUL"),
    ("location", {"name": "\ud83d"}, "name", "holds half a character"),
]


@pytest.mark.parametrize(("object", "change", "path", "sentence"), REFUSED)
def test_a_bad_record_is_refused_with_its_place_in_words(
    object: str, change: dict[str, Any], path: str, sentence: str
) -> None:
    data = {name: value for name, value in {**GOOD[object], **change}.items() if value is not ...}
    found = SCHEMAS.validate(object, data)
    assert found is not None
    assert found[0] == path
    assert sentence in found[1]


@pytest.mark.parametrize("data", [None, [], "x", 5, {1: 2}, {"a": {1: 2}}])
def test_what_is_no_object_is_refused_and_breaks_nothing(data: Any) -> None:
    assert SCHEMAS.validate("stock_level", data) is not None


def test_a_record_nested_without_end_is_refused() -> None:
    data: Any = "x"
    for _ in range(5000):
        data = [data]
    assert "nested" in (SCHEMAS.validate("stock_level", {**LEVEL, "sku": data}) or ("", ""))[1]


# --- both validators say the same -------------------------------------------------------------------

TIMES = ["2026-11-21T10:00:00Z", "2026-11-21T10:00:60Z", "2026-11-21t10:00:00z", "2026-11-21T10:00:00+25:00"]
DAYS = ["2026-11-21", "2026-02-30", "20261121", "0001-01-01T00:00:00+10:00"]
CODES = ["TS1", "ts1", "", "C62", "WH1", "WH1\n", "\n", "Europe/Paris", "٣" * 14, "0" * 14, "é", "A" * 64, "A" * 65]
WORDS = st.sampled_from([*TIMES, *DAYS, *CODES, "sale", "store", "reserve"])
VALUES = WORDS | st.text() | st.none() | st.booleans() | st.integers() | st.integers(-2, 2) | st.just(10**400)
JSON = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6
)


@st.composite
def near_misses(draw: st.DrawFn) -> tuple[str, Any]:
    """A good record with some of its values, or its ticket's, changed, taken away or added."""
    object = draw(st.sampled_from(sorted(GOOD)))
    data = json.loads(json.dumps(GOOD[object]))
    for _ in range(draw(st.integers(0, 3))):
        inner = data.get("ticket") if isinstance(data.get("ticket"), dict) and draw(st.booleans()) else data
        name = draw(st.sampled_from([*inner, "other"]))
        if draw(st.booleans()):
            inner[name] = draw(JSON)
        else:
            inner.pop(name, None)
    return object, data


@given(found=near_misses() | st.tuples(st.sampled_from(sorted(GOOD)), JSON))
def test_the_fast_validator_and_the_reference_agree(found: tuple[str, Any]) -> None:
    object, data = found
    if next(foreign(data), None):
        assert SCHEMAS.validate(object, data) is not None
        return
    schema = SCHEMAS.get(object)
    assert schema.accepts(data) == schema.reference.is_valid(data)
    answer = SCHEMAS.validate(object, data)
    assert (answer is None) == schema.accepts(data)
    assert answer is None or (answer[1] and "is not a stock" not in answer[1])


@given(moment=st.datetimes(timezones=st.just(UTC) | st.timezones()))
def test_every_moment_that_python_writes_is_one(moment: datetime) -> None:
    offset = moment.utcoffset()
    assume(
        offset is not None and not offset.seconds % 60 and moment.year not in (1, 9999)
    )  # solar time; calendar's ends
    assert is_moment(moment.isoformat())


@given(day=st.dates())
def test_every_day_is_one_and_no_other_spelling_is(day: Any) -> None:
    assert is_day(day.isoformat())
    assert not is_day(day.strftime("%Y%m%d"))


# --- the registry ------------------------------------------------------------------------------------


def write(folder: Path, name: str, **more: Any) -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", **more}
    (folder / name).write_text(json.dumps(schema), encoding="utf-8")


def test_of_several_versions_the_highest_decides_unless_one_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "thing.v1.json", **{"$id": "thing/1", "required": ["a"]})
    write(tmp_path, "thing.v2.json", **{"$id": "thing/2", "required": ["b"]})
    schemas = Schemas(tmp_path)
    assert schemas.objects() == ["thing"]
    assert schemas.validate("thing", {"b": 1}) is None
    assert schemas.validate("thing", {"b": 1}, 1) == ("a", "is missing")
    assert schemas.get("thing", 1).hash != schemas.get("thing").hash


def test_an_unknown_object_is_named_beside_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"no canonical object customer; there are fulfilment, location"):
        SCHEMAS.validate("customer", {})
    with pytest.raises(ConfigError, match="no canonical object location/7"):
        SCHEMAS.get("location", 7)


def test_a_file_that_is_no_schema_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no canonical schema"):
        Schemas(tmp_path)
    for name, text, sentence in [
        ("thing.json", "{}", "is called <object>.v<version>.json"),
        ("thing.v1.json", '{"$id":\n}', "thing.v1.json:2: is not JSON"),
        ("thing.v1.json", '{"$id": "thing/1", "type": "objekt"}', "is not a JSON Schema"),
        ("thing.v1.json", '{"$id": "thing/2", "type": "object"}', r"\$id is thing/1 in this file"),
    ]:
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=sentence):
            Schemas(tmp_path)
        (tmp_path / name).unlink()
