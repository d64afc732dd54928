"""``hub reconcile`` and ``hub trace`` over prices, products and orders: real systems, everything read afresh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from support.scene import Scene, scene

from hub.flow.causes import Cause, Difference
from hub.flow.reconcile import reconcile
from hub.flow.report import Report
from hub.flow.trace import trace

LANDSCAPE = """
retailer: {name: Maison Omni, zone: Europe/Paris, currency: EUR}
systems:
  erp:
    connector: soap_erp
    options: {wsdl: "/erp/StockService?wsdl", page_size: 100, overlap: 2m}
    budget: {calls: 10, per_second: 5}
  shop:  {connector: shopify, options: {api: graphql, version: "2026-04"}}
  tills: {connector: square, options: {version: "2026-01-22"}}
  pim:   {connector: akeneo}
  dam:   {connector: dam}
authority:
  product:
    {title: pim, description: pim, material: pim, brand: pim, category: pim, axes: pim, options: pim, position: pim,
     parent: pim, product: pim, gtin: erp, tax_class: erp, unit: erp, weight_grams: erp, active: erp, media: dam}
channels:
  shop: {sells_from: ["*"], country: FR, price_list: WEB, locales: [fr, en, de]}
  pos:  {country: FR, price_list: RETAIL, locales: [fr]}
flows:
  price:
    sources: {erp: {every: 5m}}
    targets:
      shop: {value: price, channel: shop}
      tills: {value: price, channel: pos, locations: ["ST*"]}
  product:
    sources: {pim: {every: 5m}, dam: {every: 5m}, erp: {every: 5m}}
    targets:
      shop: {value: product, channel: shop, on_foreign_edit: report}
      tills: {value: product, channel: pos}
  order:
    sources: {shop: {every: 5m}, tills: {every: 1m}, erp: {every: 1m}}
    targets: {erp: {value: sales_order}, shop: {value: progress}}
"""


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[Scene]:
    """A retailer whose prices, products and orders were synchronised."""
    folder = tmp_path_factory.mktemp("living")
    with pytest.MonkeyPatch.context() as monkeypatch, psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("CREATE DATABASE living")
        with scene(folder, postgres.replace("/postgres?", "/living?"), monkeypatch) as found:
            (found.project / "hub.yaml").write_text(LANDSCAPE, encoding="utf-8")
            for _ in range(2):
                go_on(found)
            yield found
        admin.execute("DROP DATABASE living WITH (FORCE)")


def go_on(living: Scene, seconds: float = 30) -> None:
    """Time passes, then a pass of every flow."""
    living.clock.forward(seconds=seconds)
    with living.engine() as engine:
        engine.once()


def reconciled(living: Scene, flow: str, *, fix: bool = False) -> Report:
    living.clock.forward(seconds=5)
    with living.engine() as engine:
        return reconcile(engine, flow, fix=fix)


def found(report: Report, key: str) -> list[Difference]:
    return [one for target in report.targets for one in target.differences if one.key == key]


def test_every_price_is_the_same_everywhere_or_a_scope_says_why_not(living: Scene) -> None:
    report = reconciled(living, "price")
    assert {one.target: one.counts["different"] for one in report.targets} == {"shop": 0, "tills": 0}
    assert sum(one.counts["compared"] for one in report.targets) >= 2 * 480
    assert {one.cause for one in report.apart} == {Cause.RULE}
    assert any("locations ST05" in one.detail for one in report.apart)
    assert report.exit_code == 0


def test_the_articles_of_a_product_that_waits_say_what_it_waits_for(living: Scene) -> None:
    (one,) = [d for d in found(reconciled(living, "price"), "NV0122-36-BLU") if d.system == "shop"]
    assert one.cause is Cause.BINDING
    assert one.detail.endswith("NV0122 waits for a title of NV0122 in de (from pim)")


def test_a_price_typed_into_the_shop_is_found_and_taken_back(living: Scene) -> None:
    sku = living.retailer.world.skus[40].code
    before = {row["target"]: row["value"]["amount"] for row in story(living, "price", sku)["targets"]}
    living.retailer.shop.merchandiser_prices(sku, 123)
    report = reconciled(living, "price")
    (one,) = found(report, sku)
    assert (one.system, one.cause) == ("shop", Cause.DRIFT)
    assert one.fields["amount"] == {"should": before["shop"], "holds": "1.23"}
    assert [apart.cause for apart in report.apart if apart.sku == sku] == [Cause.DRIFT]
    reconciled(living, "price", fix=True)
    assert reconciled(living, "price").exit_code == 0
    steps = [(step["system"], step["step"]) for step in story(living, "price", sku)["timeline"]]
    assert ("shop", "drifted") in steps
    assert steps[-1] == ("shop", "confirmed")


def test_a_title_typed_into_the_shop_is_left_where_the_flow_reports_it(living: Scene) -> None:
    product = living.retailer.world.skus[80].product
    living.retailer.shop.merchandiser_edits(product, title="Soldes !")
    (one,) = found(reconciled(living, "product"), product)
    assert (one.cause, one.fields["title"]["holds"]["fr"]) == (Cause.DRIFT, "Soldes !")
    reconciled(living, "product", fix=True)
    report = reconciled(living, "product")
    (one,) = found(report, product)
    assert one.cause is Cause.EDITED
    assert "on_foreign_edit: report" in one.detail
    assert report.exit_code == 0
    (target,) = [row for row in story(living, "product", product)["targets"] if row["target"] == "shop"]
    assert target["cause"] == "edited in the target"


def test_a_picture_that_is_none_is_named_among_what_was_refused(living: Scene) -> None:
    refused = reconciled(living, "product").refused
    assert any("is not an image" in one.detail for one in refused)
    assert {one.cause for one in refused} == {Cause.QUARANTINED}


def test_one_order_is_told_from_the_shop_to_the_parcel(living: Scene) -> None:
    shop, sku = living.retailer.shop, living.retailer.world.skus[3].code
    order = f"SHOP-{shop.order([(sku, 1)], at=living.clock.forward(seconds=5))['order_number']}"
    go_on(living)
    living.retailer.erp.accept(order)
    living.clock.forward(seconds=60)
    living.retailer.erp.ship(order)
    for _ in range(2):
        go_on(living)
    told = story(living, "order", order)
    assert {(row["system"], row["object"]) for row in told["known"]} >= {
        ("shop", "order"),
        ("erp", "order_status"),
        ("erp", "fulfilment"),
    }
    by_target = {row["target"]: row for row in told["targets"]}
    assert by_target["erp"]["remote"] == by_target["erp"]["value"]
    assert by_target["shop"]["value"]["fulfilments"] == by_target["shop"]["remote"]["fulfilments"] != []
    assert ("erp", "order", order) in {(row["system"], row["object"], row["key"]) for row in told["bound"]}
    report = reconciled(living, "order")
    assert {one.target: one.counts["different"] for one in report.targets} == {"erp": 0, "shop": 0}


def story(living: Scene, object: str, key: str) -> dict[str, Any]:
    with living.engine() as engine:
        return trace(engine, object, key)
