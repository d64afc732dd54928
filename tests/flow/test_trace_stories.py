"""``hub trace`` of a price, a product and an order: one story over all systems, from what the journal holds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.errors import ConfigError
from hub.flow import Engine
from hub.flow.objects import OBJECTS
from hub.flow.trace import trace
from hub.journal import audit, bindings, desired, events, price_history, remotes, states, waiting
from hub.model import Binding, Remote

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SHOP_VALUE = {"amount": "15.90", "currency": "EUR", "compare_at": "19.90", "lowest_30": "18.90"}


@pytest.fixture(scope="module")
def dsn(postgres: str) -> Iterator[str]:
    """A journal that knows a shirt with its prices, and an order that came back in part."""
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("CREATE DATABASE stories")
        yield postgres.replace("/postgres?", "/stories?")
        admin.execute("DROP DATABASE stories WITH (FORCE)")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stories")
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "hub.yaml", folder)
    return folder


@pytest.fixture
def engine(project: Path, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("HUB_HOME", str(project / "home"))
    with Engine.open(project, dsn=dsn) as found:
        if not found.journal.execute("SELECT 1 FROM source_state LIMIT 1").fetchone():
            live_through(found)
        yield found


def live_through(engine: Engine) -> None:
    said(engine, "erp", "price", [
        {"sku": "TS1-M", "entry": "WEB-1", "kind": "regular", "amount": "19.90", "currency": "EUR"},
        {"sku": "TS1-M", "entry": "PRM-7", "kind": "promotion", "amount": "15.90", "currency": "EUR"},
        {"sku": "TS1-L", "entry": "WEB-1", "kind": "regular", "amount": "19.90", "currency": "EUR"},
    ])  # fmt: skip
    said(engine, "pim", "product", [{"product": "TS1", "title": {"fr": "Chemise", "en": "Shirt"}}])
    said(engine, "pim", "variant", [{"sku": "TS1-M", "product": "TS1"}, {"sku": "TS1-L", "product": "TS1"}])
    said(engine, "erp", "variant", [{"sku": "TS1-M", "gtin": "04006381333931"}])
    said(engine, "dam", "media", [{"asset": "DAM-1", "product": "TS1", "hash": "ab" * 32, "position": 1}])
    line = {"line": "1", "sku": "TS1-M", "quantity": 2}
    said(engine, "shop", "order", [{"order": "SHOP-1001", "lines": [line], "state": "open", "total": "31.80"}])
    said(engine, "erp", "order_status", [{"order": "SHOP-1001", "state": "shipped", "number": "SO7"}])
    said(
        engine, "erp", "fulfilment", [{"order": "SHOP-1001", "fulfilment": "SH3", "lines": [line], "state": "shipped"}]
    )
    happened(engine, "tills", "order_return", {
        "id": "TILLS-R5", "order": "SHOP-1001", "kind": "return", "amount": "15.90", "currency": "EUR",
        "occurred_at": NOON.isoformat(), "lines": [{"sku": "TS1-M", "quantity": 1, "location": "ST05"}],
    })  # fmt: skip
    for order in ("SHOP-1001", "SHOP-1002"):
        happened(engine, "shop", "reservation", {
            "id": f"{order}:1", "order": order, "line": "1", "sku": "TS1-M", "kind": "reserve", "quantity": 2,
            "occurred_at": NOON.isoformat(),
        })  # fmt: skip
    should(engine, "shop", "price", "TS1-M", "TS1-M", SHOP_VALUE)
    should(engine, "shop", "price", "TS1-L", "TS1-L", {"amount": "19.90", "currency": "EUR"})
    should(engine, "erp", "order", "SHOP-1001", "SHOP-1001", {"total": "31.80", "state": "open"})
    with engine.journal.transaction():
        remotes.confirm(engine.journal, "shop", "price", {"TS1-M": ({**SHOP_VALUE, "amount": "19.90"}, 1)})
        bound = {"TS1-M": Remote(value={}, binding=Binding(external_id="gid://1"), matched="sku")}
        bindings.save(engine.journal, "shop", "sku", bound)
        price_history.note(engine.journal, "shop", {"TS1-M": ("19.90", "EUR")}, NOON - timedelta(days=3))
        waiting.replace(engine.journal, "complete_product", ["TS1"], {("TS1", "shop"): ["no German title"]})


def said(engine: Engine, system: str, object: str, words: list[dict[str, Any]]) -> None:
    """``system`` was read and said ``words``."""
    canonical = OBJECTS[object]
    rows = [
        states.State(
            key=canonical.key_of(data), subject=canonical.subject_of(data), data=data, as_of=NOON, source_key="x",
            origin={"source": f"{system} page 1", "line": 1}, mapping=f"{system}.{object} v1",
        )
        for data in words
    ]  # fmt: skip
    with engine.journal.transaction():
        states.apply(engine.journal, system, object, rows, series="", snapshot=None, run="r1")
        steps = [audit.Entry(step="applied", system=system, object=object, key=r.key, after=r.data) for r in rows]
        audit.write(engine.journal, "r1", canonical.flow, steps)


def happened(engine: Engine, system: str, object: str, data: dict[str, Any]) -> None:
    canonical = OBJECTS[object]
    event = events.Event(
        id=data["id"], key=canonical.key_of(data), subject=canonical.subject_of(data), data=data, event_time=NOON,
        origin={"source": f"{system} page 2", "line": 1}, mapping=f"{system}.{object} v1",
    )  # fmt: skip
    with engine.journal.transaction():
        events.append(engine.journal, system, object, [event], "r1")


def should(engine: Engine, target: str, object: str, key: str, subject: str, value: Mapping[str, Any]) -> None:
    parts = {"sku": key} if object == "price" else {object: key}
    one = desired.Desired(
        target=target, object=object, key=key, subject=subject, parts=parts, value=dict(value), as_of=NOON,
        why={"entry": "PRM-7"},
    )  # fmt: skip
    with engine.journal.transaction():
        desired.upsert(engine.journal, [one], "r1")


def test_a_price_is_told_with_all_entries_of_its_article_and_of_no_other(engine: Engine) -> None:
    story = trace(engine, "price", "ts1-m")
    assert [row["key"] for row in story["known"]] == ["TS1-M@PRM-7", "TS1-M@WEB-1"]
    assert {step["key"] for step in story["timeline"]} == {"TS1-M@PRM-7", "TS1-M@WEB-1"}
    assert [(row["target"], row["value"]) for row in story["targets"]] == [("shop", SHOP_VALUE)]
    assert [(str(one["amount"]), one["sku"]) for one in story["prices"].get("shop", [])] in ([], [("19.90", "TS1-M")])


def test_one_entry_leads_to_the_same_story(engine: Engine) -> None:
    assert trace(engine, "price", "TS1-M@WEB-1")["known"] == trace(engine, "price", "TS1-M")["known"]


@pytest.mark.parametrize(
    ("object", "key"), [("product", "TS1"), ("product", "TS1-L"), ("variant", "TS1-M"), ("media", "DAM-1")]
)
def test_a_product_is_found_by_its_code_any_article_and_any_picture(engine: Engine, object: str, key: str) -> None:
    story = trace(engine, object, key)
    assert story["subjects"][0] == "TS1"
    words = {(row["system"], row["object"], row["key"]) for row in story["known"]}
    assert words >= {("pim", "product", "TS1"), ("pim", "variant", "TS1-L"), ("dam", "media", "DAM-1")}
    assert ("erp", "variant", "TS1-M") in words
    assert [(row["target"], row["reasons"]) for row in story["waiting"]] == [("shop", ["no German title"])]


def test_an_order_is_told_from_the_shop_to_the_return_in_a_store(engine: Engine) -> None:
    story = trace(engine, "order", "shop-1001")
    words = [(row["system"], row["object"]) for row in story["known"]]
    assert words == [("shop", "order"), ("erp", "order_status"), ("erp", "fulfilment")]
    assert [(row["system"], row["object"], row["id"]) for row in story["events"]] == [
        ("tills", "order_return", "TILLS-R5"),
        ("shop", "reservation", "SHOP-1001:1"),
    ]
    assert [row["target"] for row in story["targets"]] == ["erp"]


@pytest.mark.parametrize("key", ["SHOP-1001@SH3", "SHOP-1001"])
def test_a_parcel_leads_to_its_order(engine: Engine, key: str) -> None:
    assert trace(engine, "fulfilment", key)["subjects"] == ["SHOP-1001"]


def test_why_a_target_differs_is_said_beside_it(engine: Engine) -> None:
    (target,) = trace(engine, "price", "TS1-L")["targets"]
    assert target["remote"] is None
    assert target["cause"] in ("in flight", "waits for a binding")


def test_what_nobody_has_spoken_of_is_a_sentence(engine: Engine) -> None:
    with pytest.raises(ConfigError, match="nobody has spoken of order SHOP-9 yet"):
        trace(engine, "order", "shop-9")


def test_a_person_reads_it_and_a_program_too(
    engine: Engine, dsn: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", dsn)
    monkeypatch.setenv("HUB_PROJECT", str(project))
    read = CliRunner().invoke(app, ["trace", "order", "SHOP-1001"])
    assert read.exit_code == 0, read.output
    assert "2 × TS1-M" in read.output
    assert "return TILLS-R5: 15.90 EUR for 1 × TS1-M" in read.output
    assert "fulfilment SHOP-1001@SH3: " in read.output
    told = CliRunner().invoke(app, ["trace", "product", "TS1", "--json"])
    assert json.loads(told.output.splitlines()[-1])["subjects"] == ["TS1"]
