"""Connections by reference: where they are looked for, what is refused, and that no secret is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.config import home_of, project_root, resolve, resolver
from hub.connector import Connection
from hub.errors import ConfigError

SHOP = {"host": "shop.example", "port": 443, "schema": "https", "password": "s3cret", "extra": {"webhook_secret": "w"}}


def write(home: Path, entries: Any, mode: int = 0o600) -> Path:
    path = home / "connections.json"
    path.write_text(entries if isinstance(entries, str) else json.dumps(entries), encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_connection_is_read_from_the_hubs_own_file(tmp_path: Path) -> None:
    write(tmp_path, {"shop": SHOP})
    found = resolve("shop", {}, tmp_path)
    assert found.url == "https://shop.example:443"
    assert (found.password, found.extra["webhook_secret"]) == ("s3cret", "w")


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"my-shop": SHOP})
    found = resolve("my-shop", {"HUB_CONN_MY_SHOP": json.dumps({"host": "other", "extra": '{"a": 1}'})}, tmp_path)
    assert (found.host, found.port, found.extra) == ("other", None, {"a": 1})


def test_a_connection_may_be_a_uri_as_airflow_writes_it(tmp_path: Path) -> None:
    uri = "https://us%40er:p%2Fw@shop.example:8443?webhook_secret=a%20b"
    found = resolve("shop", {"HUB_CONN_SHOP": uri}, tmp_path)
    assert found == Connection(
        id="shop",
        host="shop.example",
        port=8443,
        schema="https",
        login="us@er",
        password="p/w",
        extra={"webhook_secret": "a b"},
    )
    nested = resolve("x", {"HUB_CONN_X": "http://h/https?__extra__=%7B%22a%22%3A%201%7D"}, tmp_path)
    assert (nested.schema, nested.extra) == ("https", {"a": 1})


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, {"shop": SHOP}, 0o640)
    with pytest.raises(ConfigError, match=f"other users may read it; run: chmod 600 {path}"):
        resolve("shop", {}, tmp_path)


def test_a_missing_connection_says_exactly_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        resolve("shop", {}, tmp_path)
    assert 'connection "shop" is not known: set HUB_CONN_SHOP to {"host":' in str(refused.value)
    assert str(tmp_path / "connections.json") in str(refused.value)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ('{"host": "h", "password": "s3cret"', "HUB_CONN_SHOP: is not JSON"),
        ('{"hots": "h", "password": "s3cret"}', 'HUB_CONN_SHOP: unknown key "hots"; there are conn_type'),
        ('{"host": 5, "password": "s3cret"}', "HUB_CONN_SHOP: host is not text"),
        ('{"port": "https", "password": "s3cret"}', "HUB_CONN_SHOP: port is not a number"),
        ('{"port": 70000}', "HUB_CONN_SHOP: port is not a number"),
        ('{"extra": "s3cret"}', "HUB_CONN_SHOP extra: is not JSON"),
        ("s3cret", "HUB_CONN_SHOP: is neither JSON like"),
        ("http://h:s3cret", "HUB_CONN_SHOP: is neither JSON like"),
    ],
)
def test_a_mistake_in_a_connection_is_named_without_its_value(tmp_path: Path, written: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        resolve("shop", {"HUB_CONN_SHOP": written}, tmp_path)
    assert sentence in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", '{"shop": 5}'])
def test_a_file_that_holds_no_connections_is_named(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=str(path)):
        resolve("shop", {}, tmp_path)


def test_a_connection_does_not_show_its_secrets(tmp_path: Path) -> None:
    write(tmp_path, {"shop": SHOP})
    assert "s3cret" not in repr(resolver(tmp_path, {"HUB_HOME": str(tmp_path)})("shop"))


# --- where things are -----------------------------------------------------------------------------------


def test_the_project_is_where_hub_yaml_is(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text("", encoding="utf-8")
    inner = tmp_path / "mappings" / "acme"
    inner.mkdir(parents=True)
    assert project_root({}, inner) == tmp_path
    assert project_root({"HUB_PROJECT": str(tmp_path)}, Path("/")) == tmp_path
    assert project_root({}, Path("/")) == Path(__file__).parents[2]


def test_a_project_without_its_page_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"HUB_PROJECT is .* and there is no hub\.yaml in it"):
        project_root({"HUB_PROJECT": str(tmp_path)})


def test_data_live_in_the_project_unless_hub_home_says_otherwise(tmp_path: Path) -> None:
    assert home_of(tmp_path, {}) == tmp_path / ".hub"
    assert home_of(tmp_path, {"HUB_HOME": str(tmp_path / "data")}) == tmp_path / "data"
    assert not (tmp_path / ".hub").exists()
