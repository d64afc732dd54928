"""A process that read hub.yaml before an edit leaves what the edit made due to those that read it after."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from support.scene import ROOT

from hub.flow import Engine, derive
from hub.flow.outcome import Pass
from hub.journal import recompute

LANDSCAPE = """
retailer: {name: Maison Omni, zone: Europe/Paris, currency: EUR}
systems:
  erp: {connector: soap_erp, connection: x, options: {wsdl: "/x?wsdl"}}
  shop: {connector: shopify, connection: x, options: {version: "2026-04"}}
authority: {stock_level: {WH1: erp}}
channels:
  shop: {sells_from: [WH1], safety_stock: {default: 1}}
flows:
  stock:
    sources: {erp: {every: 5m}}
    targets: {shop: {grain: location, value: available, channel: shop}}
"""
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def project(folder: Path, landscape: str) -> Path:
    folder.mkdir()
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "hub.yaml").write_text(landscape, encoding="utf-8")
    return folder


def test_an_edit_between_a_look_at_the_rules_and_a_claim_is_not_derived_with_the_old_ones(
    tmp_path: Path, database: str
) -> None:
    """The old process has looked, and goes on to its claim; the edit comes in between."""
    before = project(tmp_path / "before", LANDSCAPE)
    after = project(tmp_path / "after", LANDSCAPE.replace("default: 1", "default: 3"))
    current = Pass(run="run", flow="stock")
    with Engine.open(before, dsn=database) as old, Engine.open(after, dsn=database) as new:
        recompute.mark(new.journal, "availability", {"TS0001-M-BLU": False}, NOW)
        assert derive.derive_some(old, current, "availability", NOW) == set()
        assert derive.derive_some(new, current, "availability", NOW) == {"TS0001-M-BLU"}
