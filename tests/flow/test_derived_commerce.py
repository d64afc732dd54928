"""What prices, products and orders should be at each target, derived from a journal that tests write themselves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.scene import ROOT, SetClock

from hub.connector import Connection
from hub.flow import Engine, orders, prices, products
from hub.flow.derive import Derived, derive_due
from hub.flow.objects import OBJECTS
from hub.flow.outcome import Pass
from hub.journal import coupons, desired, events, price_history, recompute, remotes, states
from hub.journal.desired import Desired

LANDSCAPE = """
retailer: {name: Maison Omni, zone: Europe/Paris, currency: EUR}
systems:
  erp: {connector: soap_erp, connection: x, options: {wsdl: "/x?wsdl"}}
  pim: {connector: square, connection: x}
  dam: {connector: square, connection: x}
  shop: {connector: shopify, connection: x, options: {version: "2026-04"}}
  tills: {connector: square, connection: x}
authority:
  product: {title: pim, description: pim, brand: pim, category: pim, axes: pim, options: pim, position: pim,
            product: pim, gtin: erp, active: erp, media: dam}
channels:
  shop: {country: FR, price_list: WEB, locales: [fr, en, de]}
  pos: {country: FR, price_list: RETAIL, locales: [fr]}
flows:
  price:
    sources: {erp: {every: 5m}}
    targets: {shop: {value: price, channel: shop}, tills: {value: price, channel: pos, locations: ["ST*"]}}
  product:
    sources: {pim: {every: 5m}, dam: {every: 5m}, erp: {every: 5m}}
    targets:
      shop: {value: product, channel: shop}
      tills: {value: product, channel: pos, requires: [title, gtin]}
  order:
    sources: {shop: {every: 1m}, tills: {every: 1m}, erp: {every: 1m}}
    targets: {erp: {value: sales_order}, shop: {value: progress}}
"""
SKU, OTHER = "TS0001-M-BLU", "TS0001-S-BLU"
MIDNIGHT = datetime(2026, 11, 22, 23, tzinfo=UTC)  # in Paris


class Journal:
    """An engine, and what systems are made to say to it."""

    def __init__(self, engine: Engine, clock: SetClock) -> None:
        self.engine = engine
        self.clock = clock

    def says(self, system: str, object: str, **data: Any) -> None:
        """A system's word on one key, newer than every earlier one."""
        canonical = OBJECTS[object]
        now = self.clock.forward(seconds=1)
        if canonical.kind == "event":
            event = events.Event(
                id=data["id"], key=canonical.key_of(data), subject=canonical.subject_of(data), data=data,
                event_time=datetime.fromisoformat(data["occurred_at"]), origin={}, mapping="test",
            )  # fmt: skip
            with self.engine.journal.transaction():
                events.append(self.engine.journal, system, object, [event], "run")
            return
        state = states.State(
            key=canonical.key_of(data), subject=canonical.subject_of(data), data=data, as_of=now,
            source_key=canonical.key_of(data), origin={}, mapping="test",
        )  # fmt: skip
        with self.engine.journal.transaction():
            states.apply(self.engine.journal, system, object, [state], series="", snapshot=None, run="run")

    def price(self, entry: str, amount: str, *, sku: str = SKU, since: datetime | None = None, **more: Any) -> None:
        start = since or self.clock.now() - timedelta(days=100)
        fixed = {"kind": "regular", "currency": "EUR", "tax_included": True, "valid_from": start.isoformat()}
        self.says("erp", "price", **{"sku": sku, "entry": entry, "amount": amount, **fixed, **more})

    def promotion(self, entry: str, amount: str, since: datetime, until: datetime | None = None, **more: Any) -> None:
        end = until.isoformat() if until else None
        self.price(entry, amount, since=since, **{"kind": "promotion", "valid_until": end, **more})

    def product(self, **more: Any) -> None:
        """One product of two articles, complete for every channel."""
        title = {"fr": "Tee", "en": "Tee", "de": "T-Shirt"}
        self.says("pim", "product", **{"product": "TS0001", "title": title, "axes": ["size"], "brand": "Omni", **more})
        for n, sku in enumerate((OTHER, SKU), start=1):
            self.says("pim", "variant", sku=sku, product="TS0001", position=n, options={"size": sku[7]})
            self.says("erp", "variant", sku=sku, product="TS0001", gtin=f"0360000000000{n}", active=True)
        self.says("dam", "media", asset="DAM-1", product="TS0001", hash="a" * 64, position=1)

    def holds(self, target: str, value: dict[str, Any]) -> None:
        """What was read at a target of the product."""
        with self.engine.journal.transaction():
            remotes.confirm(self.engine.journal, target, "product", {"TS0001": (value, 0)})

    def kept(self, derived: Derived) -> dict[str, Desired]:
        """What was derived, by target, after it was written down as the engine does."""
        with self.engine.journal.transaction():
            desired.upsert(self.engine.journal, derived.values, "run")
        return {value.target: value for value in derived.values}

    def prices(self, *skus: str) -> tuple[dict[str, Desired], Derived]:
        derived = prices.derive(self.engine, "price", skus or [SKU])
        return self.kept(derived), derived

    def products(self) -> tuple[dict[str, Desired], Derived]:
        derived = products.derive(self.engine, "product", ["TS0001"])
        return self.kept(derived), derived

    def orders(self, key: str = "SHOP-1001") -> tuple[dict[str, Desired], Derived]:
        derived = orders.derive(self.engine, "order", [key])
        return self.kept(derived), derived


@pytest.fixture
def journal(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "hub.yaml").write_text(LANDSCAPE, encoding="utf-8")
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "home"))
    clock = SetClock()
    nowhere = Connection(id="x", port=9, password="x")
    with Engine.open(tmp_path, connections=lambda _: nowhere, clock=clock, dsn=database) as engine:
        yield Journal(engine, clock)


# --- prices -----------------------------------------------------------------------------------------


def test_each_channel_asks_its_list_s_price_and_a_store_its_own(journal: Journal) -> None:
    journal.product()
    journal.price("WEB", "29.90", scope={"list": "WEB"})
    journal.price("RETAIL", "31.00", scope={"list": "RETAIL"})
    journal.price("OUTLET", "19.9", scope={"list": "RETAIL", "locations": ["ST05"]})
    found, derived = journal.prices()
    assert found["shop"].value["amount"] == "29.90"
    assert found["tills"].value | {"compare_at": None} == {
        "amount": "31.00", "currency": "EUR", "compare_at": None, "lowest_30": None, "overrides": {"ST05": "19.90"},
    }  # fmt: skip
    assert found["shop"].parts == {"sku": SKU, "product": "TS0001"}
    assert derived.due == {}


def test_a_promotion_is_due_when_it_starts_and_when_it_ends_and_is_gone_after_a_hub_that_was_down(
    journal: Journal,
) -> None:
    journal.product()
    journal.price("ALL", "29.90")
    journal.promotion("SALE", "19.90", MIDNIGHT, MIDNIGHT + timedelta(days=1))
    found, derived = journal.prices()
    assert (found["shop"].value["amount"], derived.due) == ("29.90", {SKU: MIDNIGHT})

    journal.clock.moment = MIDNIGHT
    found, derived = journal.prices()
    assert (found["shop"].value["amount"], found["shop"].value["compare_at"]) == ("19.90", "29.90")
    assert derived.due == {SKU: MIDNIGHT + timedelta(days=1)}

    journal.clock.forward(days=3)  # it slept through the end
    found, derived = journal.prices()
    assert (found["shop"].value["amount"], found["shop"].value["compare_at"], derived.due) == ("29.90", None, {})


def test_the_lowest_of_thirty_days_is_what_this_very_channel_was_confirmed_to_ask(journal: Journal) -> None:
    journal.product()
    journal.price("ALL", "29.90")
    now = journal.clock.now()
    journal.promotion("SALE", "19.90", now - timedelta(days=2))
    for target, days, amount in (("shop", 90, "24.90"), ("shop", 20, "29.90"), ("tills", 90, "29.90")):
        price_history.note(journal.engine.journal, target, {SKU: (amount, "EUR")}, now - timedelta(days=days))
    found, _ = journal.prices()
    assert [found[t].value["lowest_30"] for t in ("shop", "tills")] == ["24.90", "29.90"]


def test_without_a_price_the_old_one_stays_and_the_reason_is_known(journal: Journal) -> None:
    journal.product()
    journal.price("WEB", "29.90", scope={"list": "WEB"}, valid_until=MIDNIGHT.isoformat())
    journal.clock.moment = MIDNIGHT
    found, derived = journal.prices()
    assert found == {}
    assert derived.waiting[SKU, "shop"] == [f"no price of {SKU} counts now in shop"]


def test_a_withdrawn_entry_counts_at_no_time(journal: Journal) -> None:
    journal.product()
    journal.price("ALL", "29.90")
    journal.price("NEW", "9.90", since=journal.clock.now() - timedelta(days=1))
    journal.price("NEW", "9.90", since=journal.clock.now() - timedelta(days=1), withdrawn=True)
    assert journal.prices()[0]["shop"].value["amount"] == "29.90"


def test_a_price_waits_for_the_product_that_it_is_written_beside(journal: Journal) -> None:
    journal.price("ALL", "29.90")
    _, derived = journal.prices()
    assert derived.waiting[SKU, "shop"] == [f"no system says which product {SKU} belongs to"]


def test_contradicting_entries_are_named_where_the_price_is_explained(journal: Journal) -> None:
    journal.product()
    today = journal.clock.now()
    for name, days in (("A", 9), ("B", 5)):
        journal.price(name, "20.00", since=today - timedelta(days=days), valid_until=(today + timedelta(1)).isoformat())
    (said,) = journal.prices()[0]["shop"].why["overlapping"]
    assert said.startswith("A and B contradict each other from")
    assert said.endswith("B counts")


def test_a_price_that_changes_within_the_look_ahead_does_not_keep_a_pass_busy(journal: Journal) -> None:
    journal.product()
    journal.price("ALL", "29.90")
    journal.promotion("SALE", "19.90", journal.clock.now() + timedelta(seconds=4))
    recompute.mark(journal.engine.journal, "price_in_force", {SKU: False}, journal.clock.now())
    current = Pass(run="run", flow="price", targets=["shop", "tills"])
    derive_due(journal.engine, current, timedelta(seconds=5))
    value = desired.values(journal.engine.journal, "shop", "price", [SKU])[SKU]
    assert value["amount"] == "29.90"
    assert recompute.due(journal.engine.journal, "price_in_force", journal.clock.now() + timedelta(seconds=4)) == 1


# --- products ---------------------------------------------------------------------------------------


def test_a_complete_product_is_derived_for_each_channel_in_its_languages(journal: Journal) -> None:
    journal.product()
    found, derived = journal.products()
    assert derived.waiting == {}
    assert set(found["shop"].value["title"]) == {"fr", "en", "de"}
    assert set(found["tills"].value["title"]) == {"fr"}
    assert [v["sku"] for v in found["shop"].value["variants"]] == [OTHER, SKU]
    assert found["shop"].value["status"] == "active"


def test_a_product_that_is_not_there_yet_is_a_draft_until_its_articles_have_a_price(journal: Journal) -> None:
    journal.product()
    journal.holds("shop", {})  # read, and not there
    found, derived = journal.products()
    assert (found["shop"].value["status"], found["tills"].value["status"]) == ("draft", "active")
    assert derived.waiting["TS0001", "shop"] == [f"is a draft until {OTHER} and 1 more has a price there"]

    price_history.note(journal.engine.journal, "shop", {SKU: ("1", "EUR"), OTHER: ("1", "EUR")}, journal.clock.now())
    found, derived = journal.products()
    assert (found["shop"].value["status"], derived.waiting) == ("active", {})


def test_a_product_that_is_shown_already_is_never_taken_off_for_want_of_a_price_we_know(journal: Journal) -> None:
    journal.product()
    journal.holds("shop", {"status": "active"})
    assert journal.products()[0]["shop"].value["status"] == "active"


def test_a_product_waits_for_a_language_in_the_shop_and_not_at_the_tills(journal: Journal) -> None:
    journal.product(title={"fr": "Tee", "en": "Tee"})
    found, derived = journal.products()
    assert list(found) == ["tills"]
    assert derived.waiting == {("TS0001", "shop"): ["waits for a title of TS0001 in de (from pim)"]}


def test_an_article_moves_to_another_product_and_leaves_the_first(journal: Journal) -> None:
    journal.product()
    journal.products()
    journal.says("pim", "variant", sku=SKU, product="TS0002", position=1, options={"size": "M"})
    assert [v["sku"] for v in journal.products()[0]["shop"].value["variants"]] == [OTHER]


def test_an_article_that_the_erp_retired_is_deactivated_everywhere(journal: Journal) -> None:
    journal.product()
    journal.products()
    for n, sku in enumerate((OTHER, SKU), start=1):
        journal.says("erp", "variant", sku=sku, product="TS0001", gtin=f"0360000000000{n}", active=False)
    found, _ = journal.products()
    assert {found[t].value["status"] for t in ("shop", "tills")} == {"archived"}
    assert len(found["shop"].value["variants"]) == 2


def test_an_article_without_a_product_is_no_product(journal: Journal) -> None:
    journal.says("erp", "variant", sku=SKU, gtin="03600000000001", active=True)
    derived = products.derive(journal.engine, "product", [SKU])
    assert (derived.values, derived.waiting) == ([], {})


def test_a_style_that_only_the_erp_knows_waits_for_its_owner(journal: Journal) -> None:
    journal.says("erp", "variant", sku=SKU, product="TS0001", gtin="03600000000001", active=True)
    _, derived = journal.products()
    assert "waits for a title of TS0001 in fr, en, de (from pim)" in derived.waiting["TS0001", "shop"]
    assert "waits for a variant: no system (from pim) names one of TS0001" in derived.waiting["TS0001", "shop"]


# --- orders -----------------------------------------------------------------------------------------

ORDER = {
    "order": "SHOP-1001", "channel": "shop", "external_id": "450789469", "kind": "order", "currency": "EUR",
    "placed_at": "2026-11-22T09:00:00+00:00", "total": "39.80", "state": "open", "payment_state": "paid",
    "fulfilment_state": "unfulfilled", "return_state": "none", "personal": "personal/abc",
    "lines": [{"line": "11", "sku": SKU, "quantity": 2, "unit_price": "19.90", "total": "39.80"}],
}  # fmt: skip
STATUS = {"order": "SHOP-1001", "changed_at": "2026-11-22T10:00:00+00:00"}
SHIPMENT = {
    "order": "SHOP-1001", "fulfilment": "SH1", "state": "shipped", "tracking": "6A1",
    "lines": [{"sku": SKU, "quantity": 2}],
}  # fmt: skip
RETURN = {
    "order": "SHOP-1001", "occurred_at": "2026-11-25T10:00:00+00:00", "currency": "EUR", "amount": "19.90",
    "lines": [{"sku": SKU, "quantity": 1, "restock": True, "location": "ST05"}],
}  # fmt: skip


def known(journal: Journal) -> None:
    journal.says("erp", "variant", sku=SKU, product="TS0001")


def test_a_paid_order_goes_to_the_erp_and_its_shop_is_told_nothing_yet(journal: Journal) -> None:
    known(journal)
    journal.says("shop", "order", **ORDER)
    found, derived = journal.orders()
    assert (list(found), derived.waiting) == (["erp"], {})
    assert found["erp"].parts == {"order": "SHOP-1001", "personal": "personal/abc"}
    assert found["erp"].value["lines"][0]["total"] == "39.80"


def test_an_order_waits_for_its_payment_and_for_an_article_that_somebody_knows(journal: Journal) -> None:
    journal.says("shop", "order", **ORDER | {"payment_state": "pending"})
    found, derived = journal.orders()
    assert found == {}
    assert derived.waiting == {("SHOP-1001", "erp"): ["waits for payment", f"no system knows the article {SKU}"]}


def test_an_order_with_a_coupon_that_another_sale_redeemed_waits_for_a_person(journal: Journal) -> None:
    known(journal)
    coupons.redeem(journal.engine.journal, "merci5", "TILLS-ST05-7", "till-05", journal.clock.now())
    journal.says("shop", "order", **ORDER | {"discounts": [{"code": "Merci5", "amount": "5.00"}]})
    found, derived = journal.orders()
    assert found == {}
    said = "the coupon MERCI5 was redeemed by TILLS-ST05-7: let it be given back there, or cancel this order"
    assert derived.waiting == {("SHOP-1001", "erp"): [said]}
    coupons.give_back(journal.engine.journal, "merci5", "TILLS-ST05-7")
    coupons.redeem(journal.engine.journal, "merci5", "SHOP-1001", "shop", journal.clock.now())
    assert list(journal.orders()[0]) == ["erp"]


def test_an_order_that_was_cancelled_before_it_counted_is_nobody_s_business(journal: Journal) -> None:
    known(journal)
    journal.says("shop", "order", **ORDER | {"payment_state": "voided", "state": "cancelled"})
    found, derived = journal.orders()
    assert (found, derived.waiting) == ({}, {})


def test_an_order_that_the_erp_has_follows_whatever_becomes_of_it(journal: Journal) -> None:
    known(journal)
    journal.says("shop", "order", **ORDER | {"payment_state": "authorized"})
    journal.orders()
    journal.says("shop", "order", **ORDER | {"payment_state": "voided", "state": "cancelled"})
    assert journal.orders()[0]["erp"].value["state"] == "cancelled"


def test_a_shipment_reaches_the_shop_also_when_it_was_read_before_the_order(journal: Journal) -> None:
    known(journal)
    journal.says("erp", "fulfilment", **SHIPMENT)
    assert journal.orders()[1].waiting == {("SHOP-1001", "shop"): ["the order itself has not been read yet"]}
    journal.says("shop", "order", **ORDER)
    found, _ = journal.orders()
    assert found["shop"].parts == {"order": "SHOP-1001", "external_id": "450789469"}
    assert found["shop"].value["fulfilments"] == [
        {"id": "SH1", "carrier": None, "tracking": "6A1", "lines": [{"line": "11", "quantity": 2}]}
    ]


def test_a_cancellation_of_the_erp_reaches_the_shop_and_is_not_taken_back_in_the_erp(journal: Journal) -> None:
    known(journal)
    journal.says("shop", "order", **ORDER)
    journal.says("erp", "order_status", **STATUS, state="cancelled", reason="sold out")
    found, _ = journal.orders()
    assert (found["shop"].value["cancelled"], found["erp"].value["state"]) == (True, "cancelled")


def test_a_return_at_a_till_reaches_erp_and_shop_and_its_copy_changes_nothing(journal: Journal) -> None:
    known(journal)
    journal.says("shop", "order", **ORDER)
    journal.says("tills", "order_return", id="TILLS-R5", **RETURN)
    first, _ = journal.orders()
    assert first["shop"].value["refunds"] == [
        {"id": "TILLS-R5", "amount": "19.90", "currency": "EUR",
         "lines": [{"line": "11", "quantity": 1, "restock": True, "location": "ST05"}]}
    ]  # fmt: skip
    assert [r["id"] for r in first["erp"].value["returns"]] == ["TILLS-R5"]

    for copier in ("shop", "erp"):  # what we made there comes back to us as their own news
        journal.says(copier, "order_return", id="TILLS-R5", **RETURN)
    again, _ = journal.orders()
    assert [again[t].value for t in ("shop", "erp")] == [first[t].value for t in ("shop", "erp")]


def test_a_refund_in_the_shop_reaches_the_erp_alone(journal: Journal) -> None:
    known(journal)
    journal.says("shop", "order", **ORDER)
    journal.says("shop", "order_return", id="SHOP-R9", **RETURN)
    found, _ = journal.orders()
    assert list(found) == ["erp"]
    assert [r["id"] for r in found["erp"].value["returns"]] == ["SHOP-R9"]


def test_a_ticket_of_a_till_goes_to_the_erp_when_it_is_fully_paid(journal: Journal) -> None:
    known(journal)
    key = "TILLS-ST05-20261122-1-ANNE-17"
    ticket = ORDER | {"order": key, "channel": "tills", "kind": "ticket"}
    journal.says("tills", "order", **ticket | {"payment_state": "partially_paid", "payments": []})
    assert journal.orders(key)[1].waiting[key, "erp"] == ["waits for payment: paid are 0 of 39.80 EUR"]
    journal.says("tills", "order", **ticket)
    found, derived = journal.orders(key)
    assert (list(found), derived.waiting) == (["erp"], {})


def test_an_amount_keeps_every_digit_on_its_way_through_the_journal(journal: Journal) -> None:
    journal.product()
    journal.price("ALL", "999999999.10")
    journal.prices()
    assert desired.values(journal.engine.journal, "shop", "price", [SKU])[SKU]["amount"] == "999999999.10"
