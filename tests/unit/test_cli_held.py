"""What a guard holds can be seen and decided from the command line, with its plan, its reason and who decided."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.journal import connect, held, migrate

REASON = "120 lines, 75% fewer than the 480 of the last accepted snapshot (guard fewer_rows: 20%)"
PLAN = "120 lines; 4 change; 75% fewer lines than the last 7 days"
EVENING = datetime(2026, 11, 21, 21, 30, tzinfo=UTC)
WIDE = {"COLUMNS": "400"}


@pytest.fixture
def number(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A journal in which one store's night file is held."""
    monkeypatch.setenv("HUB_DATABASE_URL", database)
    monkeypatch.setenv("HUB_HOME", str(tmp_path))
    migrate(database)
    with connect(database) as journal:
        found = held.begin(
            journal, flow="stock", system="stores", route="stock_file", object="stock_level", state="gathering",
            run="r1", at=EVENING, series="0001", as_of=EVENING,
        )  # fmt: skip
        held.add_page(journal, found, "file/1", "STOCK_0001_C.csv", 120)
        held.stop(journal, found, object="stock_level", measured={}, plan=PLAN, reason=REASON, at=EVENING)
        held.keep_records(
            journal, found, [("stock_level", "TS0001@ST01", "TS0001", "TS0001|0001", "d1g357", EVENING)]
        )  # fmt: skip
    return str(found)


def call(*arguments: str) -> tuple[int, str]:
    shown = CliRunner().invoke(app, list(arguments), env=WIDE)
    return shown.exit_code, shown.output


def test_a_held_file_is_listed_with_its_plan_and_its_reason(number: str) -> None:
    code, output = call("held", "list")
    assert (code, PLAN in output, REASON in output) == (0, True, True)
    code, output = call("quarantine", "list")
    assert (code, "Held for a person" in output, REASON in output) == (0, True, True)


def test_programs_are_told_what_is_held(number: str) -> None:
    for command in ("held", "quarantine"):
        _, output = call(command, "list", "--json")
        (found,) = json.loads(output.splitlines()[-1])["held"]
        assert (str(found["id"]), found["source"], found["rows"]) == (number, "STOCK_0001_C.csv", 120)
        assert (found["plan"], found["reason"]) == (PLAN, REASON)


def test_one_batch_is_shown_with_the_keys_that_it_would_change(number: str) -> None:
    code, output = call("held", "show", number)
    assert code == 0
    for said in ("stock from stores", "STOCK_0001_C.csv", PLAN, REASON, "TS0001@ST01"):
        assert said in output


def test_a_rejection_says_who_and_why_and_is_the_end_of_it(number: str) -> None:
    code, output = call("held", "reject", number, "--why", "the export was cut", "--as", "anna")
    assert (code, "is rejected" in output) == (0, True)
    _, output = call("held", "show", number)
    assert "anna: the export was cut" in output
    _, output = call("held", "list", "--json")
    assert json.loads(output.splitlines()[-1])["held"] == []
    _, output = call("held", "list", "--all", "--json")
    (found,) = json.loads(output.splitlines()[-1])["held"]
    assert (found["state"], found["decided_by"], found["why"]) == ("rejected", "anna", "the export was cut")


def test_without_as_the_one_at_the_shell_decides(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "bertrand")
    call("held", "reject", number, "--why", "cut")
    _, output = call("held", "show", number, "--json")
    assert json.loads(output.splitlines()[-1])["decided_by"] == "bertrand"


def test_a_decision_needs_a_reason_and_a_number_that_is_held(number: str) -> None:
    assert call("held", "approve", number)[0] == 2
    from hub.errors import ConfigError

    with pytest.raises(ConfigError, match="say why"):
        CliRunner().invoke(app, ["held", "reject", number, "--why", " "], catch_exceptions=False)
    with pytest.raises(ConfigError, match="nothing is held as number 4711"):
        CliRunner().invoke(app, ["held", "show", "4711"], catch_exceptions=False)
