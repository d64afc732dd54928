"""What the tills sell follows PIM and ERP, and what somebody types at a till does not stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from support.pushes import drained, push
from support.scene import Scene, scene

from hub.sandbox.assortment import RETIRED

# The shop, orders and stock are other tests' stories; without them the first synchronisation is short.
ALONE = (
    ("      shop:  {value: product, channel: shop, on_foreign_edit: revert}\n", ""),
    ("      shop:  {value: price, channel: shop}\n", ""),
    ("      pim: {every: 1m}\n", "      pim: {every: 1m}\n      tills: {on: event, every: 1m}\n"),
)


class Counter:
    """The tills beside a hub, and what a person sees there."""

    def __init__(self, found: Scene) -> None:
        self.scene = found
        self.retailer = found.retailer
        self.tills = found.retailer.tills

    def synchronise(self, passes: int = 1) -> dict[str, Any]:
        """Time passes, the tills' messages arrive, then a pass of the flows that read or write the catalog."""
        for _ in range(passes):
            self.scene.clock.forward(seconds=2)
            for message in drained(self.scene):
                if message.system == "tills":
                    push(self.scene, message)
            with self.scene.engine() as engine:
                outcomes = engine.once(["product", "price"])
        return dict(outcomes)

    def item(self, code: str) -> dict[str, Any]:
        found: dict[str, Any] = self.tills.catalog.item(code)["item_data"]
        return found

    def cents(self, sku: str) -> int | None:
        found: int | None = self.tills.catalog.variation(sku).price_cents
        return found

    def edited(self, key: str) -> list[str]:
        """What the hub says of edits that somebody made in the tills."""
        rows = self.scene.query("SELECT answer FROM audit WHERE step = 'edited' AND key = %s AND system = 'tills'", key)
        return [answer for (answer,) in rows]


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[Counter]:
    folder = tmp_path_factory.mktemp("counter")
    with pytest.MonkeyPatch.context() as monkeypatch, psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("CREATE DATABASE till_catalog")
        with scene(folder, postgres.replace("/postgres?", "/till_catalog?"), monkeypatch) as found:
            for old, new in ALONE:
                found.rewrite(old, new)
            counter = Counter(found)
            counter.synchronise(2)
            yield counter
        admin.execute("DROP DATABASE till_catalog WITH (FORCE)")


def test_the_tills_bear_every_name_of_the_pim(counter: Counter) -> None:
    styles = {style.code: style for style in counter.retailer.assortment.products}
    sold = {sku.product for sku in counter.retailer.world.skus}
    held = {code: counter.item(code) for code in sold}
    assert {c: d["name"] for c, d in held.items() if d["name"] != styles[c].title["fr"]} == {}
    assert {styles[c].number for c, d in held.items() if d["is_archived"]} == set(RETIRED)


def test_a_new_product_is_in_all_stores_once_it_has_a_price(counter: Counter) -> None:
    item = counter.tills.catalog.item("NV0121-S-BLU")
    variations = item["item_data"]["variations"]
    prices = [one["item_variation_data"].get("price_money", {}).get("amount") for one in variations]
    assert [one["present_at_all_locations"] for one in (item, *variations)] == [True] * 5
    assert len(prices) == 4
    assert all(prices)


def test_nothing_is_written_where_nothing_happened(counter: Counter) -> None:
    last = counter.retailer.ledger.last_id
    counter.synchronise()
    assert counter.retailer.ledger.writes("tills", since_id=last) == []


def test_a_title_of_the_pim_reaches_the_tills_and_only_that(counter: Counter) -> None:
    before = counter.item("JN0002")
    counter.retailer.pim.edit("JN0002", "name", "fr", "Jean neuf")
    counter.synchronise()
    after = counter.item("JN0002")
    changed = {name for name in before if name != "variations" and before[name] != after[name]}
    assert (changed, after["name"]) == ({"name"}, "Jean neuf")


def test_a_name_typed_at_a_till_is_taken_back(counter: Counter) -> None:
    ours = counter.item("CH0003")["name"]
    counter.tills.rename("CH0003", "Chemise du gérant")
    counter.synchronise()
    assert counter.item("CH0003")["name"] == ours
    assert ["taken back" in said for said in counter.edited("CH0003")] == [True]


def test_a_price_typed_at_a_till_is_taken_back(counter: Counter) -> None:
    sku = counter.retailer.assortment.product("RB0004").skus[0]
    ours = counter.cents(sku)
    counter.tills.reprice(sku, 123)
    counter.synchronise()
    assert counter.cents(sku) == ours
    assert ["taken back" in said for said in counter.edited(sku)] == [True]


def test_name_and_price_that_change_together_both_arrive(counter: Counter) -> None:
    """They live in one remote object, whose version every write moves."""
    style = counter.retailer.assortment.product("PU0005")
    counter.retailer.pim.edit(style.code, "name", "fr", "Pull neuf")
    for sku in style.skus:
        counter.retailer.erp.set_price(sku, "99.00", list="RETAIL")
    counter.synchronise(2)
    assert counter.item("PU0005")["name"] == "Pull neuf"
    assert {counter.cents(sku) for sku in style.skus} == {9900}


def test_an_item_deleted_at_a_till_comes_back_with_its_prices(counter: Counter) -> None:
    style = counter.retailer.assortment.product("MA0006")
    ours = [counter.cents(sku) for sku in style.skus]
    counter.tills.remove("MA0006")
    counter.synchronise(3)
    item = counter.tills.catalog.item(style.skus[0])
    assert item["item_data"]["name"] == style.title["fr"]
    assert [counter.cents(sku) for sku in style.skus] == ours
    assert item["present_at_all_locations"]


def test_an_article_that_the_erp_gives_up_is_no_longer_sold_and_not_deleted(counter: Counter) -> None:
    style = counter.retailer.assortment.product("BA0007")
    counter.retailer.erp.edit_item(style.skus[1], active=False)
    counter.synchronise(2)
    sold = [one["item_variation_data"]["sellable"] for one in counter.item("BA0007")["variations"]]
    assert sold == [True, False, True, True]


def test_what_a_manager_set_for_himself_stays(counter: Counter) -> None:
    """The whole object goes over the wire with every change of ours."""
    catalog = counter.tills.catalog
    item = catalog.item("BA0015")
    catalog.write({**item, "item_data": {**item["item_data"], "label_color": "ff0000"}})
    counter.retailer.pim.edit("BA0015", "name", "fr", "Basket neuve")
    counter.synchronise(2)
    assert (counter.item("BA0015")["name"], counter.item("BA0015")["label_color"]) == ("Basket neuve", "ff0000")
    sent = [json.dumps(call.detail) for call in counter.retailer.ledger.writes("tills")]
    assert any("Basket neuve" in text and "ff0000" in text for text in sent)
