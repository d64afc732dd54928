"""YAML with places: every value knows its line, and nothing is silently read as something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import ConfigError
from hub.marked import dotted, parse, read


def test_codes_times_and_prices_stay_what_was_written() -> None:
    written = "[0001, 19.90, NO, on, 05:00, 5, -3, 0, true, null, ~, '7', 1e3, 0x1F, 2026-11-21]"
    assert parse(written, "f").value == [
        *("0001", "19.90", "NO", "on", "05:00", 5, -3, 0, True, None, None, "7", "1e3", "0x1F", "2026-11-21"),
    ]


def test_every_value_has_the_line_it_was_written_on() -> None:
    document = parse("a: 1\nb:\n  c: [x,\n   {d: y}]\n", "hub.yaml")
    assert document.place("a") == "hub.yaml:1 a"
    assert document.place("b", "c", 1, "d") == "hub.yaml:4 b.c[1].d"
    assert document.place() == "hub.yaml:1"


def test_what_is_missing_has_the_line_of_what_should_hold_it() -> None:
    assert parse("a: 1\nb:\n  c: 2\n", "hub.yaml").place("b", "x", "y") == "hub.yaml:2 b.x.y"


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("a: 1\na: 2", 'f:2: "a" stands here twice'),
        ("x: {a: 1, a: 2}", 'f:1 x: "a" stands here twice'),
        ("a: &x [1]\nb: *x", "f:1: an anchor stands here"),
        ("a: &x\n  b: *x", "an anchor stands here"),
        ("a: !secret b", "f:1: the tag !secret means nothing here"),
        ("a: !!python/name:os.system ''", "means nothing here"),
        ("[a]: 1", "f:1: a key must be a word"),
        ("a: [1\nb: 2", "f:2: is not YAML"),
        ("a: 1\n\tb: 2", "f:2: is not YAML"),
        ("a: \x01", "is not YAML"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(written: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(written, "f")
    assert sentence in str(refused.value)


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        read(tmp_path / "hub.yaml")
    (tmp_path / "hub.yaml").write_bytes("é".encode("cp1252"))
    with pytest.raises(ConfigError, match=r"hub\.yaml: cannot be read"):
        read(tmp_path / "hub.yaml")


@given(text=st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"#?,\n\t 01~")))
def test_any_text_is_a_document_or_a_sentence(text: str) -> None:
    try:
        document = parse(text, "f")
    except ConfigError as error:
        assert str(error).startswith("f:")  # noqa: PT017  (either outcome is right)
    else:
        assert document.place().startswith("f:")


def test_a_path_reads_as_people_write_it() -> None:
    assert dotted(("lines", 2, "sku")) == "lines[2].sku"
