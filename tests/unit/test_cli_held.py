"""What a guard holds can be seen from the command line, with its reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.journal import connect, migrate, snapshots
from hub.model import Extent, Scope

REASON = "120 lines, 75% fewer than the 480 of the last accepted snapshot (guard fewer_rows: 20%)"


@pytest.fixture
def held(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal in which one store's night file is held."""
    monkeypatch.setenv("HUB_DATABASE_URL", database)
    monkeypatch.setenv("HUB_HOME", str(tmp_path))
    migrate(database)
    scope = Scope(extent=Extent.COMPLETE, series="0001", as_of=datetime(2026, 11, 21, 21, 30, tzinfo=UTC), identity="x")
    with connect(database) as journal:
        snapshots.record(
            journal,
            "stores",
            "stock_level",
            scope,
            source="STOCK_0001_C.csv",
            rows=120,
            mapping=None,
            state="held",
            reason=REASON,
            run="r1",
        )


@pytest.mark.usefixtures("held")
def test_a_held_file_is_listed_with_its_reason() -> None:
    shown = CliRunner().invoke(app, ["quarantine", "list"], env={"COLUMNS": "300"})
    assert shown.exit_code == 0
    assert "Held for a person" in shown.output
    assert REASON in shown.output


@pytest.mark.usefixtures("held")
def test_programs_are_told_what_is_held() -> None:
    shown = CliRunner().invoke(app, ["quarantine", "list", "--json"])
    (found,) = json.loads(shown.output)["held"]
    assert (found["source"], found["rows"], found["reason"]) == ("STOCK_0001_C.csv", 120, REASON)
