"""What a mapping makes of records: absent, null and zero stay apart, and a bad value refuses one record only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.mapping import Mapping, load, load_folder
from hub.model import Origin, Record, Refused

ROOT = Path(__file__).parents[2]
ORIGIN = Origin(source="test", line=7)
Make = Callable[..., Mapping]
SHIPPED = [mapping for folder in sorted((ROOT / "mappings").iterdir()) for mapping in load_folder(folder)]


def record(data: Any, **more: Any) -> Record:
    return Record(object="things", key="raw-key", data=data, origin=ORIGIN, **more)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Loads a mapping of the rules given as text; ``python`` is written beside it."""

    def make(fields: str, more: str = "", *, key: str = "[id]", python: str = "") -> Mapping:
        folder = tmp_path / "acme"
        folder.mkdir(exist_ok=True)
        indented = "\n".join(f"  {line}" for line in fields.splitlines())
        text = f"mapping: acme.thing\nversion: 1\nfrom: things\nto: thing/1\nkey: {key}\n{more}\nfields:\n{indented}\n"
        (folder / "thing.v1.yaml").write_text(text, encoding="utf-8")
        if python:
            (folder / "thing.v1.py").write_text(python, encoding="utf-8")
        return load(folder / "thing.v1.yaml")

    return make


def one(mapping: Mapping, data: Any, bindings: dict[tuple[str, str], str] | None = None) -> Any:
    """What a record becomes: its data, or (path, reason)."""
    (made,) = mapping.map(record(data), lambda object, id: (bindings or {}).get((object, id)))
    return (made.path, made.reason) if isinstance(made, Refused) else made.data


# --- absent, null, zero ---------------------------------------------------------------------------


def test_absent_null_and_zero_are_three_different_things(make: Make) -> None:
    mapping = make("id: id\nn: {from: n | integer, optional: true}")
    assert one(mapping, {"id": "1"}) == {"id": "1"}
    assert one(mapping, {"id": "1", "n": None}) == {"id": "1", "n": None}
    assert one(mapping, {"id": "1", "n": 0}) == {"id": "1", "n": 0}


def test_a_field_that_is_not_there_refuses_the_record_and_names_both_ends(make: Make) -> None:
    mapping = make("id: id\nn: QTY | integer")
    assert one(mapping, {"id": "1"}) == ("QTY", 'there is no field "QTY", which n needs')


def test_a_default_stands_in_for_what_is_absent_but_not_for_null(make: Make) -> None:
    mapping = make("id: id\nn: {from: n | integer, default: 0}")
    assert one(mapping, {"id": "1"})["n"] == 0
    assert one(mapping, {"id": "1", "n": None})["n"] is None


def test_blank_null_and_words_count_as_absent_where_the_rule_says_so(make: Make) -> None:
    mapping = make('id: id\nn: {from: n | integer, absent: [blank, null, "n/a"], default: 7}')
    assert [one(mapping, {"id": "1", "n": n})["n"] for n in ("", "  ", None, " n/a ", "5")] == [7, 7, 7, 7, 5]


def test_a_required_value_that_is_blank_is_missing(make: Make) -> None:
    mapping = make("id: id\nn: {from: n | integer, absent: blank}")
    assert one(mapping, {"id": "1", "n": " "}) == ("n", '"n" is missing or empty, which n needs')


def test_else_turns_what_does_not_fit_into_absent_or_null(make: Make) -> None:
    mapping = make("id: id\na: {from: x | integer, else: absent}\nb: {from: x | integer, else: null}")
    assert one(mapping, {"id": "1", "x": "?"}) == {"id": "1", "b": None}


def test_a_key_is_never_made_of_nothing(make: Make) -> None:
    mapping = make("sku: sku\nplace: {from: place, optional: true}", key="[sku, place]")
    assert one(mapping, {"sku": "A", "place": "S"}) == {"sku": "A", "place": "S"}
    for data in ({"sku": "A", "place": None}, {"sku": "A"}):
        assert one(mapping, data) == ("place", "is null, and the key needs it")


# --- where values come from -----------------------------------------------------------------------


def test_paths_lead_into_objects_lists_and_odd_names(make: Make) -> None:
    mapping = make("id: id\na: x.y.z\nb: list[1].n\nc: Prix TTC\nd: '\"a.b\".c'")
    data = {"id": "1", "x": {"y": {"z": 1}}, "list": [{}, {"n": 2}], "Prix TTC": 3, "a.b": {"c": 4}}
    assert one(mapping, data) == {"id": "1", "a": 1, "b": 2, "c": 3, "d": 4}


@pytest.mark.parametrize("x", [None, {}, {"y": None}, {"y": {}}])
def test_below_what_is_absent_or_null_everything_is_absent(make: Make, x: Any) -> None:
    mapping = make("id: id\na: {from: x.y.z, optional: true}")
    assert one(mapping, {"id": "1", "x": x}) == {"id": "1"}


def test_a_text_where_an_object_belongs_is_named(make: Make) -> None:
    mapping = make("id: id\na: {from: x.y, optional: true}")
    assert one(mapping, {"id": "1", "x": "flat"}) == ("x.y", '"flat" is not an object with fields')


def test_a_format_needs_every_part(make: Make) -> None:
    mapping = make('id: {format: "{{{order}}}:{line | upper}"}')
    assert one(mapping, {"order": 5, "line": "a"}) == {"id": "{5}:A"}
    assert one(mapping, {"order": 5}) == ("line", 'there is no field "line"')
    assert one(mapping, {"order": None, "line": "a"})[1].startswith("is null")


def test_the_first_value_that_is_there_counts(make: Make) -> None:
    mapping = make("id: id\nn:\n  first: [a | integer, {from: b | integer, else: absent}, {const: 9}]")
    assert [one(mapping, {"id": "1", **more})["n"] for more in ({"a": 1, "b": 2}, {"a": None, "b": 2}, {"b": "x"})] == [
        1,
        2,
        9,
    ]


def test_a_value_counts_only_where_its_condition_holds(make: Make) -> None:
    mapping = make(
        "id: id\nn: {first: [{from: a, when: {kind: {equals: x}}}, b]}\n"
        "m: {const: 1, when: {a: present}, optional: true}"
    )
    assert one(mapping, {"id": "1", "kind": "x", "a": 1, "b": 2}) == {"id": "1", "n": 1, "m": 1}
    assert one(mapping, {"id": "1", "kind": "y", "b": 2}) == {"id": "1", "n": 2}


def test_a_binding_answers_our_key_and_null_stays_null(make: Make) -> None:
    mapping = make("id: id\nplace: {from: place | text, lookup: binding.location}")
    known = {("location", "77"): "ST01"}
    assert one(mapping, {"id": "1", "place": 77}, known)["place"] == "ST01"
    assert one(mapping, {"id": "1", "place": None}, known)["place"] is None
    assert one(mapping, {"id": "1", "place": 78}, known) == ("place", 'no location is bound to "78" in this system')


def test_nested_objects_and_lists_are_built_and_a_bad_item_is_found(make: Make) -> None:
    mapping = make(
        "id: id\nbuyer: {fields: {city: address.city}}\n"
        "lines: {each: items, when: {kind: {not_equals: tip}}, fields: {sku: sku, order: ^.id, n: n | integer}}"
    )
    data = {
        "id": "1",
        "address": {"city": "Lyon"},
        "items": [{"sku": "A", "n": "1"}, {"kind": "tip"}, {"sku": "B", "n": 2}],
    }
    assert one(mapping, data) == {
        "id": "1",
        "buyer": {"city": "Lyon"},
        "lines": [{"sku": "A", "order": "1", "n": 1}, {"sku": "B", "order": "1", "n": 2}],
    }
    assert one(mapping, {**data, "items": [{"sku": "A", "n": "1"}, {"sku": "B", "n": "x"}]})[0] == "items[1].n"
    assert one(mapping, {**data, "items": ["A"]}) == ("items[0]", '"A" is not an object with fields')
    assert one(mapping, {**data, "items": {}}) == ("items", "an object is not a list")


# --- one record, several ---------------------------------------------------------------------------


def test_each_item_becomes_a_record_and_a_bad_one_refuses_only_itself(make: Make) -> None:
    mapping = make('id: {format: "{^.id}:{id}"}\nn: n | integer', "each: lines")
    made = mapping.map(record({"id": 9, "lines": [{"id": 1, "n": 1}, {"id": 2, "n": "x"}, 3, {"id": 4, "n": 4}]}))
    assert [m.key for m in made] == ["9:1", "9:2", "raw-key", "9:4"]
    assert [(m.path, m.reason) for m in made if isinstance(m, Refused)] == [
        ("lines[1].n", '"x" is not a whole number'),
        ("lines[2]", "3 is not an object with fields"),
    ]


def test_a_fault_of_the_parent_is_placed_at_the_parent(make: Make) -> None:
    mapping = make('id: {format: "{^.id}:{id}"}\nday: ^.head.day | date', "each: lines")
    (made,) = mapping.map(record({"id": 9, "head": {"day": "?"}, "lines": [{"id": 1}]}))
    assert isinstance(made, Refused)
    assert made.path == "head.day"


def test_what_is_refused_keeps_the_raw_record_and_the_key_where_it_can_be_made(make: Make) -> None:
    mapping = make("sku: sku | upper\nplace: place\nn: n | integer", key="[sku, place]")
    data = {"sku": "a", "place": "S", "n": "1,5"}
    (made,) = mapping.map(record(data))
    assert made == Refused(
        object="things", key="A@S", data=data, path="n", reason='"1,5" is not a whole number', origin=ORIGIN
    )


def test_conditions_choose_records_and_items(make: Make) -> None:
    mapping = make("id: id", "each: lines\nwhen: {^.state: {in: [PAID, SENT]}, gone: absent, kind: {not_equals: tip}}")
    lines = [{"id": "1"}, {"id": "2", "gone": True}, {"id": "3", "kind": "tip"}, {"id": "4", "gone": None}]
    assert [m.key for m in mapping.map(record({"state": "PAID", "lines": lines}))] == ["1", "4"]
    assert mapping.map(record({"state": "OPEN", "lines": lines})) == []
    assert mapping.map(record({"state": "OPEN"})) == []


def test_a_condition_does_not_take_one_for_true_or_a_text_for_a_number(make: Make) -> None:
    mapping = make("id: id", "when: {n: {equals: 1}}")
    assert [len(mapping.map(record({"id": "x", "n": n}))) for n in (1, True, "1", None)] == [1, 0, 0, 0]


def test_time_and_version_come_from_rules_or_else_from_the_connector(make: Make) -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    plain = make("id: id").map(record({"id": "1"}, event_time=at, source_version=5))[0]
    assert isinstance(plain, Record)
    assert (plain.event_time, plain.source_version, plain.origin) == (at, 5, ORIGIN)
    ruled = make("id: id", "event_time: at | iso_datetime\nsource_version: {from: v | integer, optional: true}")
    (made,) = ruled.map(record({"id": "1", "at": "2026-11-22T00:30:00+01:00"}, event_time=at, source_version=5))
    assert isinstance(made, Record)
    assert made.event_time == datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    assert made.source_version == 5
    assert one(ruled, {"id": "1", "at": "?"})[0] == "at"


# --- Python beside a mapping -----------------------------------------------------------------------

PYTHON = """
from datetime import datetime, UTC
from hub.errors import Reject
def double(value): return value * 2
def both(record): return record["a"] + record["b"]
def moody(value):
    if value == 1: raise ValueError("one is not enough")
    if value == 2: raise Reject("inside", "two is company")
    if value == 3: return 1.5
    if value == 4: return datetime(2026, 1, 1, tzinfo=UTC)
    return {}[value]
"""


def test_a_python_function_works_on_a_value_or_on_the_record(make: Make) -> None:
    mapping = make("id: id\na: {from: a, python: double}\nb: {python: both}", python=PYTHON)
    assert one(mapping, {"id": "1", "a": 2, "b": 3}) == {"id": "1", "a": 4, "b": 5}


def test_whatever_a_python_function_raises_refuses_one_record(make: Make) -> None:
    mapping = make("id: id\na: {from: a, python: moody}", python=PYTHON)
    found = [one(mapping, {"id": "1", "a": a}) for a in (1, 2, 3, 4, 5)]
    assert found == [
        ("a", "one is not enough"),
        ("inside", "two is company"),
        ("a", "moody answered float, which is not plain data"),
        {"id": "1", "a": "2026-01-01T00:00:00+00:00"},
        ("a", "moody failed with KeyError: 5"),
    ]


def test_a_python_function_may_make_the_list_of_records(make: Make) -> None:
    python = "def pieces(record): return [{'n': n} for n in range(record['count'])]"
    mapping = make('id: {format: "{^.id}:{n}"}', "each: {python: pieces}", python=python)
    made = mapping.map(record({"id": "1", "count": 2}))
    assert [m.data for m in made if isinstance(m, Record)] == [{"id": "1:0"}, {"id": "1:1"}]
    assert one(mapping, {"id": "1"}) == ("pieces", "pieces failed with KeyError: 'count'")


def test_a_python_function_of_two_gets_the_item_and_what_holds_it(make: Make) -> None:
    python = "def share(item, whole): return f\"{item['n']}/{whole['of']}\""
    mapping = make("id: id\nparts: {each: parts, fields: {share: {python: share}}}", python=python)
    assert one(mapping, {"id": "1", "of": 3, "parts": [{"n": 1}]}) == {"id": "1", "parts": [{"share": "1/3"}]}


# --- for all inputs ---------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
NAMES = [
    *("ITMREF", "STOFCY", "QTYSTU", "QTYBLK", "EANCOD", "UPDDATTIM", "FCY", "FCYNAM", "FCYTYP", "TZ", "MAGASIN"),
    *("ARTICLE", "EAN", "QTE", "INDISPO", "id", "uid", "sku", "variant_id", "quantity", "created_at", "closed_at"),
    *("cancelled_at", "updated_at", "location_id", "catalog_object_id"),
]
LIKELY = st.sampled_from(["FR001", "0001", "5", "1,5", "2026-11-21T10:00:00Z", "20261121100000", "D", "x", ""])
ITEM = st.dictionaries(st.sampled_from(NAMES), LIKELY | JSON)
RECORD = st.builds(
    lambda flat, lines, state, metadata: {**flat, "line_items": lines, "state": state, "metadata": metadata},
    ITEM,
    st.lists(ITEM | JSON, max_size=3) | JSON,
    st.just("COMPLETED") | JSON,
    st.dictionaries(st.sampled_from(["sequence", "business_day", "workstation", "operator"]), LIKELY | JSON) | JSON,
)


@pytest.mark.parametrize("mapping", SHIPPED, ids=lambda m: m.label)
@given(data=RECORD | ITEM | JSON)
def test_no_json_in_the_world_makes_a_mapping_raise(mapping: Mapping, data: Any) -> None:
    for made in mapping.map(record(data), lambda object, id: "KNOWN" if id else None):
        assert made.origin == ORIGIN
        if isinstance(made, Refused):
            assert made.reason
            assert made.data is data
        else:
            assert made.key
            assert made.object == mapping.target
