"""Claims: a system that contradicts the owner of a field is named; one that says the same or owns it is not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.flow import Engine, claims
from hub.flow.objects import OBJECTS
from hub.journal import states

ROOT = Path(__file__).resolve().parents[2]
LANDSCAPE = """
retailer: {name: Small, zone: Europe/Paris, currency: EUR}
systems:
  erp: {connector: soap_erp, options: {wsdl: "/erp?wsdl"}}
  pim: {connector: akeneo}
authority:
  product: {title: pim, gtin: erp}
  stock_level: {WH1: erp}
flows:
  stock: {sources: {erp: {every: 5m}, pim: {every: 5m}}}
  product: {sources: {erp: {every: 5m}, pim: {every: 5m}}}
"""


@pytest.fixture
def engine(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "home"))
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "hub.yaml").write_text(LANDSCAPE, encoding="utf-8")
    with Engine.open(tmp_path, dsn=database) as found:
        yield found


def says(engine: Engine, system: str, object: str, **data: Any) -> None:
    canonical = OBJECTS[object]
    row = states.State(
        key=canonical.key_of(data), subject=canonical.subject_of(data), data=data, as_of=datetime.now(UTC),
        source_key="x", origin={"source": system}, mapping="v1",
    )  # fmt: skip
    with engine.journal.transaction():
        states.apply(engine.journal, system, object, [row], series="", snapshot=None, run="r1")


def test_each_system_is_right_about_its_own_fields(engine: Engine) -> None:
    says(engine, "pim", "variant", sku="TS1-M", title={"fr": "Chemise"}, gtin="04006381333931")
    says(engine, "erp", "variant", sku="TS1-M", title={"fr": "CHEM. M"}, gtin="00000040170725")
    found = {(one.system, one.owner): dict(one.fields) for one in claims.of(engine, "variant")}
    assert found == {
        ("erp", "pim"): {"title": {"claims": {"fr": "CHEM. M"}, "counts": {"fr": "Chemise"}}},
        ("pim", "erp"): {"gtin": {"claims": "04006381333931", "counts": "00000040170725"}},
    }


def test_who_says_the_same_contradicts_nobody(engine: Engine) -> None:
    says(engine, "pim", "variant", sku="TS1-M", gtin="04006381333931", position=1)
    says(engine, "erp", "variant", sku="TS1-M", gtin="04006381333931", weight_grams=200)
    assert claims.of(engine, "variant") == []


def test_a_number_of_a_place_counts_from_its_authority_alone(engine: Engine) -> None:
    says(engine, "erp", "stock_level", sku="TS1-M", location="WH1", on_hand=5)
    says(engine, "pim", "stock_level", sku="TS1-M", location="WH1", on_hand=7)
    (one,) = claims.of(engine, "stock_level")
    assert (one.key, one.system, one.owner) == ("TS1-M@WH1", "pim", "erp")
    assert one.fields == {"on_hand": {"claims": 7, "counts": 5}}
