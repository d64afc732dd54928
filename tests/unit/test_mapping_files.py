"""What is wrong in a mapping's file is found when it loads, with its line and what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.mapping import load, load_folder, run_cases
from hub.model import Origin, Record

GOOD = """\
mapping: acme.stock_level
version: 1
from: stock
to: stock_level/1
key: [sku, location]
fields:
  sku: ITEM | trim | upper
  location: {from: SITE, lookup: sites}
  on_hand: QTY | integer
lookups:
  sites: {A: ST01}
"""
SCHEMAS = Path(__file__).parents[2] / "canonical_schemas"


def write(folder: Path, text: str, name: str = "stock_level.v1.yaml") -> Path:
    path = folder / "acme" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


MISTAKES = [
    ("| upper", "| uper", ':7 fields.sku: there is no function "uper", did you mean "upper"?'),
    ("lookup: sites", "lookup: site", ':8 fields.location.lookup: there is no lookup "site", did you mean "sites"?'),
    ("lookup: sites", "lokup: sites", ':8 fields.location.lokup: there is no function or option "lokup", did you mean'),
    ("on_hand: QTY", "onhand: QTY", ':9 fields.onhand: stock_level/1 has no field "onhand", did you mean "on_hand"?'),
    ("  on_hand: QTY | integer\n", "", ":6 fields: stock_level/1 requires on_hand, and no rule makes it"),
    ("key: [sku, location]", "key: [sku, place]", ':5 key[1]: no rule makes the field "place" of the key'),
    ("key: [sku, location]", "key: sku", ":5 key: key lists the fields"),
    ("stock_level/1", "stock_levl/1", ":4 to: there is no canonical object stock_levl/1, did you mean"),
    ("stock_level/1", "stock_level/9", ":4 to: there is no canonical object stock_level/9"),
    ("stock_level/1", "stock_level", ":4 to: to names a canonical object and its version"),
    ("acme.stock_level", "acme.stock", ":1 mapping: in this file the mapping is called acme.stock_level"),
    ("version: 1", "version: 2", ":2 version: in this file the version is 1"),
    ("from: stock\n", "", ":1: from is missing"),
    ("from: stock\n", "form: stock\n", ':3 form: "form" means nothing here, did you mean "from"?'),
    ("QTY | integer", "QTY | integer | trim", ":9 fields.on_hand: trim works on text, and integer gives integer"),
    ("QTY | integer", "QTY | pad", ":9 fields.on_hand: pad: needs length"),
    ("QTY | integer", "QTY | pad x", ":9 fields.on_hand: pad: length must be a number"),
    ("QTY | integer", "QTY | trim 5", ":9 fields.on_hand: trim takes no argument"),
    ("QTY | integer", "^.QTY | integer", ":9 fields.on_hand: ^.QTY looks above the record"),
    ("QTY | integer", "'| integer'", ":9 fields.on_hand: the name of a field is missing"),
    ("QTY | integer", "Q..TY", ':9 fields.on_hand: "Q..TY" is not the name of a field'),
    ("QTY | integer", "{const: [1]}", ":9 fields.on_hand.const: a text, a whole number"),
    ("QTY | integer", "{from: QTY, else: zero}", ":9 fields.on_hand.else: else is reject, absent or null"),
    ("QTY | integer", "{from: QTY, optional: maybe}", ":9 fields.on_hand.optional: true or false belongs here"),
    ("QTY | integer", "{trim: true}", ":9 fields.on_hand: a rule needs one of from, const"),
    ("QTY | integer", "{format: 'a{b'}", ":9 fields.on_hand.format: a brace stands alone"),
    ("QTY | integer", "{python: count}", ':9 fields.on_hand.python: there is no function "count" in'),
    ("QTY | integer", "{from: QTY, datetime: '%Y%m%d'}", "needs the zone of its source"),
    ("QTY | integer", "5", ":9 fields.on_hand: a rule is the name of a field"),
    ("sites: {A: ST01}", "sites: {A: null}", ":11 lookups.sites.A: a lookup leads to"),
    ("sites: {A: ST01}", "sites: {file: sites.yaml}", ":11 lookups.sites.file: there is no file sites.yaml"),
    ("sites: {A: ST01}", "sites: {file: ../x.yaml}", "there is no file ../x.yaml"),
    ("sites: {A: ST01}", "binding.location: {A: ST01}", "is answered by the hub"),
    ("key: [sku, location]", "key: [sku, location]\nkey: [sku]", ':6: "key" stands here twice'),
    ("key: [sku, location]", "key: [sku, location]\nevent_time: DAY | trim", ":6 event_time: event_time ends with"),
    ("key: [sku, location]", "key: [sku, location]\nwhen: {QTY: positive}", ":6 when.QTY: a condition is present"),
    ("key: [sku, location]", "key: [sku, location\n", ":7: is not YAML"),
]


@pytest.mark.parametrize(("good", "bad", "sentence"), MISTAKES, ids=[sentence for *_, sentence in MISTAKES])
def test_a_mistake_is_named_with_its_line(tmp_path: Path, good: str, bad: str, sentence: str) -> None:
    assert good in GOOD
    with pytest.raises(ConfigError) as refused:
        load(write(tmp_path, GOOD.replace(good, bad)), SCHEMAS)
    assert str(refused.value).startswith("acme/stock_level.v1.yaml:")
    assert sentence in str(refused.value)


def test_an_unquoted_code_keeps_its_zeros_and_a_price_its_digits(tmp_path: Path) -> None:
    written = GOOD.replace("{A: ST01}", "{0001: ST01, NO: ST02}").replace("sites}", "sites, default: 19.90}")
    mapping = load(write(tmp_path, written), SCHEMAS)
    assert mapping.key == ("sku", "location")


def test_of_several_versions_the_highest_counts(tmp_path: Path) -> None:
    for version in (1, 2, 10):
        write(tmp_path, GOOD.replace("version: 1", f"version: {version}"), f"stock_level.v{version}.yaml")
    write(tmp_path, "- {name: x, given: {}, rejects: {path: ITEM}}", "stock_level.v10.cases.yaml")
    assert [mapping.label for mapping in load_folder(tmp_path / "acme")] == ["acme.stock_level/10"]


def test_the_hash_covers_the_file_its_tables_and_its_functions(tmp_path: Path) -> None:
    text = GOOD.replace("sites: {A: ST01}", "sites: {file: sites.yaml}").replace(
        "QTY | integer", "{from: QTY, python: f}"
    )
    path = write(tmp_path, text)
    table, code = write(tmp_path, "A: ST01", "sites.yaml"), write(tmp_path, "def f(v): return 1", "stock_level.v1.py")
    hashes = [load(path).hash]
    for file, changed in ((path, text + "#"), (table, "A: ST02"), (code, "def f(v): return 2")):
        file.write_text(changed, encoding="utf-8")
        hashes.append(load(path).hash)
    assert len(set(hashes)) == 4
    assert load(path).hash == hashes[-1]


def test_a_folder_is_compiled_again_when_any_of_its_files_or_a_schema_changed(tmp_path: Path) -> None:
    folder, schemas = tmp_path / "mappings" / "acme", tmp_path / "canonical_schemas"
    (tmp_path / "mappings").mkdir()
    schemas.mkdir()
    schema = (SCHEMAS / "stock_level.v1.json").read_text(encoding="utf-8")
    (schemas / "stock_level.v1.json").write_text(schema, encoding="utf-8")
    text = GOOD.replace("sites: {A: ST01}", "sites: {file: sites.yaml}").replace(
        "ITEM | trim | upper", "{from: ITEM, python: f}"
    )
    path = write(tmp_path / "mappings", text)
    table = write(tmp_path / "mappings", "A: ST01", "sites.yaml")
    code = write(tmp_path / "mappings", "def f(v): return v + '1'", "stock_level.v1.py")

    def made() -> dict[str, object]:
        (mapping,) = load_folder(folder)
        data = {"ITEM": "A", "SITE": "A", "QTY": 5, "MORE": 6}
        (record,) = mapping.map(Record(object="stock", key="1", data=data, origin=Origin(source="a file")))
        assert isinstance(record, Record)
        return dict(record.data)

    assert made() == {"sku": "A1", "location": "ST01", "on_hand": 5}
    assert load_folder(folder)[0] is load_folder(folder)[0]
    table.write_text("A: ST02", encoding="utf-8")
    assert made()["location"] == "ST02"
    code.write_text("def f(v): return v + '22'", encoding="utf-8")
    assert made()["sku"] == "A22"
    path.write_text(text.replace("QTY", "MORE"), encoding="utf-8")
    assert made()["on_hand"] == 6
    (schemas / "stock_level.v1.json").write_text(schema.replace("on_hand", "on_shelf"), encoding="utf-8")
    with pytest.raises(ConfigError, match='has no field "on_hand"'):
        load_folder(folder)


def test_a_python_file_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    write(tmp_path, "import nothing_of_the_kind", "stock_level.v1.py")
    with pytest.raises(ConfigError, match=r"acme/stock_level.v1.py: cannot be imported: ModuleNotFoundError"):
        load(path)


def test_a_case_that_differs_says_in_what(tmp_path: Path) -> None:
    mapping = load(write(tmp_path, GOOD))
    cases = """\
- name: another number
  given: {ITEM: a, SITE: A, QTY: 5}
  expect: {sku: A, location: ST01, on_hand: 6}
- name: zero is not null
  given: {ITEM: a, SITE: A, QTY: 0}
  expect: {sku: A, location: ST01, on_hand: null}
- name: not refused
  given: {ITEM: a, SITE: A, QTY: 5}
  rejects: {path: QTY}
- name: refused for another reason
  given: {ITEM: a, SITE: A, QTY: x}
  rejects: {path: QTY, reason: is empty}
- name: another key
  given: {ITEM: a, SITE: A, QTY: 5}
  expect: {sku: A, location: ST01, on_hand: 5}
  key: A@ST02
- name: right
  given: {ITEM: a, SITE: A, QTY: 5}
  expect: {sku: A, location: ST01, on_hand: 5}
  key: A@ST01
"""
    write(tmp_path, cases, "stock_level.v1.cases.yaml")
    results = run_cases(mapping)
    assert [result.ok for result in results] == [False] * 5 + [True]
    assert results[0].message == "on_hand is 5, expected 6"
    assert results[1].message == "on_hand is 0, expected None"
    assert results[2].message.startswith("nothing was refused")
    assert "is not a whole number" in results[3].message
    assert results[4].message == "key is ['A@ST01'], expected ['A@ST02']"
    assert results[4].place == "acme/stock_level.v1.cases.yaml:13 [4]"


def test_a_case_without_an_expectation_is_a_mistake(tmp_path: Path) -> None:
    mapping = load(write(tmp_path, GOOD))
    write(tmp_path, "- {name: x, given: {}}", "stock_level.v1.cases.yaml")
    with pytest.raises(ConfigError, match="either expect or rejects"):
        run_cases(mapping)
