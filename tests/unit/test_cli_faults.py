"""``hub sandbox fault`` and ``hub sandbox faults``: what is asked for stands in the retailer's own state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.errors import ConfigError
from hub.sandbox.faults import CAN, Faults
from hub.sandbox.ledger import Ledger
from hub.sandbox.state import State


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[State]:
    """The state of a retailer that another process would serve."""
    monkeypatch.setenv("HUB_HOME", str(tmp_path))
    state = State(tmp_path / "sandbox")
    Ledger(state)
    yield state
    state.close()


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["sandbox", *words], env={"COLUMNS": "200"})


def test_several_kinds_are_asked_for_at_once(state: State) -> None:
    shown = run(
        "fault", "shop", "--kind", "reset", "--kind", "slow", "--rate", "20%", "--for", "90s", "--delay", "2s", "--json"
    )
    assert shown.exit_code == 0
    told = [(one["kind"], one["rate"], one["delay"]) for one in json.loads(shown.output)["faults"]]
    assert told == [("reset", 0.2, 2.0), ("slow", 0.2, 2.0)]
    assert all(80 < (rule.lasts or 0) <= 90 for rule in Faults.of(state).running("shop"))


def test_they_are_listed_with_what_they_struck_and_ended(state: State) -> None:
    run("fault", "erp", "--kind", "soap-fault-200", "--only", "Read*")
    Ledger(state).record("erp", "POST", "/", status=500, fault="soap-fault-200")
    listed = run("faults").output
    assert "Read*" in listed
    assert "erp     soap-fault-200  1" in listed
    assert "1 ended" in run("faults", "--clear").output
    assert json.loads(run("faults", "--json").output) == {"faults": [], "struck": {"erp": {"soap-fault-200": 1}}}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("dam", "--kind", "stale-cas"), "dam cannot have stale-cas; it can have 429"),
        (("dam", "--kind", "429", "--rate", "0%"), "the rate is a share above 0%"),
        (("dam", "--kind", "429", "--rate", "lots"), '--rate: "lots" is not a share'),
        (("dam", "--kind", "429", "--for", "ages"), '--for: "ages" is not a duration'),
        (("moon", "--kind", "429"), "the sandbox has no system 'moon'"),
    ],
)
@pytest.mark.usefixtures("state")
def test_what_cannot_be_asked_for_is_one_sentence_and_exit_2(words: tuple[str, ...], sentence: str) -> None:
    error = run("fault", *words).exception
    assert isinstance(error, ConfigError)
    assert (sentence in str(error), error.exit_code) == (True, 2)


def test_without_a_retailer_it_says_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_HOME", str(tmp_path))
    error = run("fault", "dam", "--kind", "429").exception
    assert "start it with hub up or hub sandbox up" in str(error)


def test_the_documentation_says_which_system_can_have_what() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "faults-on-demand.md").read_text(encoding="utf-8")
    table = page.partition("## What can happen")[2].strip().split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    systems = rows[0][2:]
    said = {
        (system, name.strip("`"))
        for name, _, *can in rows[2:]
        for system, cell in zip(systems, can, strict=True)
        if cell
    }
    assert said == {(system, kind.value) for system, kinds in CAN.items() for kind in kinds}
