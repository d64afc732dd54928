"""The same article costs the same everywhere unless a scope says otherwise: each difference is explained or is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.flow import Engine
from hub.flow.causes import Cause, Difference
from hub.flow.channels import Apart, apart
from hub.flow.objects import OBJECTS
from hub.journal import states

ROOT = Path(__file__).resolve().parents[2]
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
LANDSCAPE = """
retailer: {name: Small, zone: Europe/Paris, currency: EUR}
systems:
  erp:   {connector: soap_erp, options: {wsdl: "/erp?wsdl"}}
  shop:  {connector: shopify, options: {api: graphql, version: "2026-04"}}
  tills: {connector: square, options: {version: "2026-01-22"}}
authority: {price: {"*": erp}}
channels:
  shop: {country: FR, price_list: WEB, sells_from: ["*"]}
  pos:  {country: FR, price_list: RETAIL, sells_from: ["*"]}
flows:
  price:
    sources: {erp: {every: 5m}}
    targets: {shop: {value: price, channel: shop}, tills: {value: price, channel: pos, locations: ["ST*"]}}
"""


@pytest.fixture
def engine(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "home"))
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "hub.yaml").write_text(LANDSCAPE, encoding="utf-8")
    with Engine.open(tmp_path, dsn=database) as found:
        yield found


def listed(engine: Engine, entry: str, amount: str, kind: str = "regular", **scope: Any) -> None:
    """The ERP lists TS1-M at ``amount`` for ``scope``."""
    data = {
        "sku": "TS1-M", "entry": entry, "kind": kind, "amount": amount, "currency": "EUR", "tax_included": True,
        "valid_from": YESTERDAY.isoformat(), "scope": scope,
    }  # fmt: skip
    row = states.State(
        key=OBJECTS["price"].key_of(data), subject="TS1-M", data=data, as_of=YESTERDAY, source_key=entry,
        origin={"source": "erp"}, mapping="v1",
    )  # fmt: skip
    with engine.journal.transaction():
        states.apply(engine.journal, "erp", "price", [row], series="", snapshot=None, run="r1")


def asks(amount: str, **overrides: str) -> Mapping[str, Mapping[str, Any]]:
    return {"TS1-M": {"amount": amount, "currency": "EUR", "overrides": overrides}}


def found(engine: Engine, shop: str, tills: Mapping[str, Mapping[str, Any]], *late: Difference) -> list[Apart]:
    return apart(engine, {"shop": {"TS1-M": {"amount": shop, "currency": "EUR"}}, "tills": tills}, late)


def test_an_article_that_costs_the_same_everywhere_is_not_mentioned(engine: Engine) -> None:
    listed(engine, "ALL-1", "19.90")
    assert found(engine, "19.90", asks("19.90")) == []


def test_a_promotion_of_one_channel_is_the_scope_that_says_otherwise(engine: Engine) -> None:
    listed(engine, "ALL-1", "19.90")
    listed(engine, "PRM-7", "15.90", "promotion", channels=["shop"])
    (one,) = found(engine, "15.90", asks("19.90"))
    assert (one.sku, one.cause) == ("TS1-M", Cause.RULE)
    assert one.asked == {"shop": "15.90 EUR", "tills": "19.90 EUR"}
    assert one.detail == "shop asks by PRM-7 (channels shop); tills asks by ALL-1 (for all)"


def test_two_price_lists_are_a_scope_too(engine: Engine) -> None:
    listed(engine, "WEB-1", "19.90", list="WEB")
    listed(engine, "RET-1", "21.90", list="RETAIL")
    (one,) = found(engine, "19.90", asks("21.90"))
    assert (one.cause, one.detail) == (Cause.RULE, "shop asks by WEB-1 (list WEB); tills asks by RET-1 (list RETAIL)")


def test_an_outlet_that_asks_less_is_named_with_its_own_price(engine: Engine) -> None:
    listed(engine, "ALL-1", "19.90")
    listed(engine, "OUT-5", "12.00", locations=["ST05"])
    (one,) = found(engine, "19.90", asks("19.90", ST05="12.00"))
    assert one.asked["tills ST05"] == "12.00 EUR"
    assert one.cause is Cause.RULE
    assert "tills ST05 asks by OUT-5 (locations ST05)" in one.detail


def test_a_price_that_is_not_there_yet_explains_it_before_any_scope(engine: Engine) -> None:
    listed(engine, "ALL-1", "17.90")
    late = Difference(
        system="tills", object="price", key="TS1-M", subject="TS1-M", cause=Cause.IN_FLIGHT,
        detail="it waits to be sent since noon",
    )  # fmt: skip
    (one,) = found(engine, "17.90", asks("19.90"), late)
    assert (one.cause, one.detail) == (Cause.IN_FLIGHT, "tills: it waits to be sent since noon")


def test_what_no_scope_explains_is_said_so(engine: Engine) -> None:
    listed(engine, "ALL-1", "17.90")
    (one,) = found(engine, "17.90", asks("19.90"))
    assert (one.cause, one.detail) == (Cause.DRIFT, "no scope of any price explains it")
