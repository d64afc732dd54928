"""A repair as a person writes it, causes that group refusals, and payloads that come back as they were read."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hub.cli import app
from hub.errors import ConfigError
from hub.flow.content import objection
from hub.flow.heal_fix import corrected, written
from hub.flow.payload import kinds_of, packed, unpacked
from hub.flow.refusals import storable
from hub.journal import audit, connect, migrate, quarantine
from hub.journal.vault import Vault
from hub.mapping import load_folder

ROOT = Path(__file__).resolve().parents[2]
ROW = {"id": 7, "path": "price"}

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(st.characters())
    | st.datetimes(timezones=st.just(UTC))
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_a_payload_comes_back_as_it_was_read(data: dict[str, Any]) -> None:
    kinds = json.loads(json.dumps(kinds_of(data)))
    assert unpacked(packed(data), kinds) == data


def test_numbers_and_times_keep_their_kind() -> None:
    data = {"price": Decimal("19.90"), "lines": [{"at": datetime(2026, 11, 22, tzinfo=UTC)}], "day": date(2026, 11, 22)}
    found = unpacked(packed(data), kinds_of(data))
    assert found == data
    assert str(found["price"]) == "19.90"


def test_half_a_character_and_nul_can_be_stored_beside_the_payload_that_keeps_them() -> None:
    assert storable("a\x00b\ud800") == "a\ufffdb?"
    assert unpacked(packed({"name": "\ud800\x00"}), {}) == {"name": "\ud800\x00"}


# --- causes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "reason", "cause"),
    [
        ("COLOR", '"BLEU" is not in the lookup color', "lookup color=BLEU"),
        ("lines[3].store", "99 is not in the lookup stores", "lookup stores=99"),
        ("QTE", '"1,5" is not a whole number', 'QTE: "…" is not a whole number'),
        ("lines[3].qty", "-2 is below 0", "lines[].qty: -# is below #"),
        ("each[0]", 'no sku is bound to "77" in this system', 'each[]: no sku is bound to "77" in this system'),
        ("", "does not add up: 12.00 is not 13.00", "does not add up: #.# is not #.#"),
    ],
)  # fmt: skip
def test_refusals_of_one_cause_have_one_name(path: str, reason: str, cause: str) -> None:
    assert quarantine.cause_of(path, reason) == cause


def test_pictures_with_another_content_than_was_said_have_one_cause() -> None:
    said = [objection(b"\x89PNG\r\n\x1a\n" + bytes([n]), f"{n:064x}") for n in range(5)]
    assert {quarantine.cause_of("", one or "") for one in said} == {
        'has the content "…" and not "…" as its record says'
    }


# --- what a person writes ------------------------------------------------------------------------------------


def test_a_value_takes_the_kind_of_the_one_that_stood_there() -> None:
    data = {"qty": 5, "price": Decimal("1.5"), "ok": True, "name": "x", "lines": [{"sku": "a"}], "gone": None}
    settings = ["qty=6", "price=1.90", "ok=false", "name=7", "lines[0].sku=b", "gone=now"]
    found = corrected(data, written(settings), ROW)
    assert found == {
        "qty": 6,
        "price": Decimal("1.90"),
        "ok": False,
        "name": "7",
        "lines": [{"sku": "b"}],
        "gone": "now",
    }
    assert data["lines"] == [{"sku": "a"}]


def test_json_behind_a_colon_changes_the_kind() -> None:
    data = {"qty": "five", "lines": [{"n": 1}]}
    assert corrected(data, written(["qty:=5", 'lines:=[{"n": 1.50}]']), ROW) == {
        "qty": 5,
        "lines": [{"n": Decimal("1.50")}],
    }


def test_a_field_that_the_record_was_refused_for_lacking_can_be_given() -> None:
    assert corrected({"sku": "a"}, written(["price=3"]), ROW) == {"sku": "a", "price": "3"}


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("qty", "--set is FIELD=VALUE"),
        ("=5", "--set is FIELD=VALUE"),
        ("lookups.stores=5", "a lookup entry is lookups.TABLE.VALUE=OURS"),
        ("qty:=five", "what follows := is JSON"),
        ("qty=five", 'qty holds 5; "five" is not of that kind'),
        ("colour=red", 'record number 7 has no field "colour"; it has lines, qty'),
        ("lines[4].n=2", "has no field"),
        ("lines=2", "holds a list; write lines:=JSON"),
        ("a..b=2", "is no path into a record"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(setting: str, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        corrected({"qty": 5, "lines": [{"n": 1}]}, written([setting]), ROW)
    assert says in str(told.value)


def test_nothing_to_change_is_no_repair() -> None:
    with pytest.raises(ConfigError, match="say what to change"):
        written([])


# --- lookups -------------------------------------------------------------------------------------------------


def test_an_added_entry_counts_where_the_file_has_none_and_makes_another_mapping() -> None:
    folder = ROOT / "mappings/sftp_files"
    (plain,), (more,) = load_folder(folder), load_folder(folder, {"stores": {"0098": "ST08", "0001": "ST02"}})
    assert (more.lookups["stores"]["0098"], more.lookups["stores"]["0001"]) == ("ST08", "ST01")
    assert plain.hash != more.hash
    (same,) = load_folder(folder, {"stores": {"0001": "ST02"}})
    assert plain.hash == same.hash


# --- the journal and the command -------------------------------------------------------------------------------


@pytest.fixture
def refused(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A journal in which a shop refused an order that it had told us itself."""
    monkeypatch.setenv("HUB_DATABASE_URL", database)
    monkeypatch.setenv("HUB_HOME", str(tmp_path))
    migrate(database)
    with connect(database) as journal, journal.transaction():
        raw = Vault(tmp_path / "vault").keep(journal, "refused", b"{}")
        entry = quarantine.Entry(
            object="order", key="SHOP-1", source_key=None, path="", reason="is closed", cause="is closed",
            fingerprint="f1", origin={"source": "delivery to shop", "raw": raw}, raw=raw, mapping=None, side="sent",
            record={"generation": 3, "subject": "SHOP-1"},
        )  # fmt: skip
        quarantine.put(journal, "order", "shop", [entry], "r1")
    return database


def test_only_what_a_target_confirmed_lifts_what_it_refused(refused: str) -> None:
    with connect(refused) as journal:
        assert quarantine.lift(journal, "shop", "order", [], ["SHOP-1"]) == 0
        assert quarantine.lift(journal, "shop", "order", [], ["SHOP-2"], side="sent") == 0
        assert quarantine.lift(journal, "shop", "order", [], ["SHOP-1"], side="sent") == 1


def test_giving_up_on_the_command_line_wants_a_reason_and_says_who(refused: str) -> None:
    run = CliRunner()
    without = run.invoke(app, ["quarantine", "discard", "--cause", "f1"])
    assert (without.exit_code, "--why" in without.output) == (2, True)
    done = run.invoke(app, ["quarantine", "discard", "--cause", "f1", "--why", "a test", "--as", "anna", "--json"])
    assert json.loads(done.output) == {"discarded": 1}
    shown = run.invoke(app, ["quarantine", "show", "1"]).output
    assert "discarded by anna" in shown
    assert "a test" in shown
    with connect(refused) as journal:
        (told,) = audit.timeline(journal, ["SHOP-1"])
        assert (told["step"], told["answer"]) == ("discarded", "by anna: a test")


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize(("sudo", "decided"), [("bertrand", "bertrand"), (None, f"user {os.getuid()}")])
def test_behind_sudo_the_person_decides_and_a_container_s_user_without_a_name_can(
    sudo: str | None, decided: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unnamed() -> str:
        raise KeyError("getpwuid(): uid not found: 54321")

    monkeypatch.setattr("getpass.getuser", unnamed)
    monkeypatch.delenv("SUDO_USER", raising=False)
    if sudo:
        monkeypatch.setenv("SUDO_USER", sudo)
    run = CliRunner()
    assert run.invoke(app, ["quarantine", "discard", "--cause", "f1", "--why", "a test"]).exit_code == 0
    shown = json.loads(run.invoke(app, ["quarantine", "show", "1", "--json"]).output)
    assert shown["decided_by"] == decided


@pytest.mark.usefixtures("refused")
def test_a_refusal_that_something_newer_has_overtaken_is_not_sent_again() -> None:
    would = CliRunner().invoke(app, ["quarantine", "replay", "--all", "--dry-run", "--json"])
    assert would.exit_code == 0
    assert json.loads(would.output)["superseded"] == 1


@pytest.mark.usefixtures("refused")
def test_nothing_is_replayed_unless_somebody_says_what() -> None:
    asked = CliRunner().invoke(app, ["quarantine", "replay"])
    assert "say which records: --cause FINGERPRINT or --id NUMBER" in str(asked.exception)
