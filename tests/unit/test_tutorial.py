"""The tutorial works: its files are taken from the page, written, checked and run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from support.loopback import Heard, Say, serving

import connectors
from hub.connector import Connection
from hub.flow import Engine
from hub.flow.check import check_project
from hub.flow.trace import trace

PROJECT = Path(__file__).resolve().parents[2]
TUTORIAL = (PROJECT / "docs" / "tutorial.md").read_text(encoding="utf-8")
FILE = re.compile(r"^`([\w./]+)`:\n\n```(?:python|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LANDSCAPE = re.compile(r"^## 4.*?^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)

ITEM = {
    "article": " ts0001-m-blu",
    "ean": "4006381333931",
    "pieces": "12",
    "damaged": 1,
    "changed_at": "2026-11-22T08:58:10+01:00",
}
PAGES = {
    None: {"as_of": "2026-11-22T09:00:00+01:00", "items": [ITEM], "next": "c2"},
    "c2": {
        "as_of": "2026-11-22T09:00:07+01:00",
        "items": [{**ITEM, "article": "TS0001-L-BLU"}, {**ITEM, "article": "TS0001-S-BLU", "pieces": "1,5"}],
        "next": None,
    },
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with the tutorial's files; deliveries are left out, they need a shop."""
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copy(PROJECT / "hub.yaml", tmp_path)
    for name, text in FILE.findall(TUTORIAL):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = LANDSCAPE.search(TUTORIAL)
    assert found
    landscape = yaml.safe_load(found[1])
    landscape["flows"]["stock"]["targets"] = {"shop": None, "tills": None}
    (tmp_path / "hub.depot.yaml").write_text(yaml.safe_dump(landscape), encoding="utf-8")
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(tmp_path / "connectors")])
    monkeypatch.setenv("HUB_ENV", "depot")
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "home"))
    return tmp_path


def depot(heard: Heard) -> Say:
    assert heard.headers["authorization"] == "Bearer secret-token"
    return Say(body=PAGES[heard.query.get("cursor", [None])[0]])


def test_the_tutorial_names_every_file_it_needs(project: Path) -> None:
    written = {name for name, _ in FILE.findall(TUTORIAL)}
    assert {"connectors/depot/connector.py", "mappings/depot/stock_level.v1.cases.yaml"} <= written


def test_the_tutorials_project_passes_the_check(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for system in ("ERP", "STORES", "SHOP", "TILLS", "DEPOT"):
        monkeypatch.setenv(f"HUB_CONN_{system}", '{"host": "127.0.0.1", "password": "secret-token"}')
    findings = {f.what: f for f in check_project(project)}
    assert findings["hub.yaml"].ok
    assert findings["mappings/depot"].detail == "3 cases"
    assert findings["system depot"].detail == "Depot"
    assert findings["connection depot"].ok


def test_the_tutorials_system_is_read_to_the_end_and_counts(project: Path, database: str) -> None:
    with serving(depot, id="depot", password="secret-token") as server:

        def connection(_: str) -> Connection:
            return server.connection

        with Engine.open(project, dsn=database, connections=connection) as engine:
            first, second = (engine.pass_of("stock", system="depot") for _ in range(2))
            known = trace(engine, "stock_level", "TS0001-M-BLU@WH1")["known"]
    assert (first.counts["read"], first.counts["changed"], first.counts["quarantined"]) == (3, 2, 1)
    assert (second.counts["changed"], second.counts["unchanged"]) == (0, 2)
    assert [(row["system"], row["data"]["on_hand"], row["counts"]) for row in known] == [("depot", 12, True)]
    assert server.heard[2].query["changed_since"] == ["2026-11-22T07:58:00.000Z"]  # as-of of the first page, less 2m
