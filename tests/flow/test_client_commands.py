"""``hub client``: a key is shown once, what it opens can be seen, and it can be taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.errors import ConfigError
from hub.journal import clients, connect


@pytest.fixture
def hub(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The DSN of the journal that the commands work on."""
    monkeypatch.setenv("HUB_DATABASE_URL", database)
    monkeypatch.setenv("HUB_HOME", str(tmp_path))
    return database


def said(*command: str) -> Any:
    answer = CliRunner().invoke(app, ["client", *command, "--json"], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout.splitlines()[-1])


def test_a_client_is_made_seen_and_taken_back(hub: str) -> None:
    made = said("add", "till-05", "--channel", "shop", "--scope", "read", "--scope", "coupons", "--per-second", "5")
    assert made["client"] == "till-05"
    with connect(hub) as journal:
        found = clients.of_key(journal, made["key"])
    assert found is not None
    (listed,) = said("list")["clients"]
    assert (listed["name"], listed["scopes"], listed["channel"], listed["per_second"]) == (
        "till-05", ["coupons", "read"], "shop", 5.0,
    )  # fmt: skip
    assert made["key"] not in json.dumps(listed)
    said("revoke", "till-05")
    assert said("list")["clients"][0]["revoked_at"] is not None


def test_a_key_stands_alone_on_its_line_so_that_a_script_can_take_it(hub: str) -> None:
    answer = CliRunner().invoke(app, ["client", "add", "counter"], catch_exceptions=False)
    assert clients.KEY.fullmatch(answer.stdout.strip())
    (listed,) = said("list")["clients"]
    assert listed["scopes"] == sorted(clients.BY_DEFAULT)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["add", "counter", "--channel", "web"], 'no channel "web"; hub.yaml has'),
        (["add", "counter", "--scope", "everything"], 'no scope "everything"'),
        (["revoke", "nobody"], "there is no client nobody"),
    ],
)
def test_a_slip_is_named(hub: str, command: list[str], says: str) -> None:
    answer = CliRunner().invoke(app, ["client", *command])
    assert isinstance(answer.exception, ConfigError)
    assert says in str(answer.exception)
