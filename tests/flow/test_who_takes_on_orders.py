"""Whose word ends a promise at a place: of a system that takes orders on and says so, its own and nobody else's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.scene import ROOT

from hub.flow import Engine
from hub.flow.availability import takes_on_orders

LANDSCAPE = (ROOT / "hub.yaml").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "hub.yaml").write_text(LANDSCAPE, encoding="utf-8")
    return tmp_path


def test_the_erp_that_is_told_of_orders_and_says_what_it_took_on_does(project: Path, database: str) -> None:
    with Engine.open(project, dsn=database) as engine:
        assert [takes_on_orders(engine, system) for system in ("erp", "stores", "shop")] == [True, False, False]


def test_one_that_is_told_of_no_orders_does_not(project: Path, database: str) -> None:
    (project / "hub.yaml").write_text(LANDSCAPE.replace("      erp:  {value: sales_order}\n", ""), encoding="utf-8")
    with Engine.open(project, dsn=database) as engine:
        assert not takes_on_orders(engine, "erp")


def test_one_that_never_says_what_it_took_on_does_not_or_a_promise_would_have_no_end(
    project: Path, database: str
) -> None:
    for path in (project / "mappings" / "soap_erp").glob("reservation_*"):
        path.unlink()
    with Engine.open(project, dsn=database) as engine:
        assert not takes_on_orders(engine, "erp")


def test_one_whose_mappings_are_wrong_is_waited_for(project: Path, database: str) -> None:
    (project / "mappings" / "soap_erp" / "stock_level.v1.yaml").write_text("mapping: [", encoding="utf-8")
    with Engine.open(project, dsn=database) as engine:
        assert takes_on_orders(engine, "erp")
