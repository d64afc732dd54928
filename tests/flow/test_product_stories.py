"""Products over all systems: the PIM's words, the DAM's pictures and the ERP's articles, as shop and tills show them.

The stories are told side by side: ``yield`` is a pass, and each has a product of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from support.loopback import Heard, Say
from support.proxy import proxy
from support.pushes import about_product, push
from support.scene import Scene
from support.stories import connection, edited
from support.told import Stories, Told, Troubles

from hub.flow import heal
from hub.flow.trace import trace
from hub.journal.corrections import Chosen
from hub.sandbox.assortment import Style
from hub.sandbox.ledger import Call
from hub.sandbox.pictures import draw

FLOWS = ("product", "price")

story = Stories()


@pytest.fixture(scope="module")
def told(whole: Scene) -> Troubles:
    return story.tell(whole, FLOWS)


class Shown:
    """One product as shop and tills show it."""

    def __init__(self, scene: Scene, code: str) -> None:
        self.scene, self.retailer, self.code = scene, scene.retailer, code

    @property
    def style(self) -> Style:
        return self.retailer.assortment.product(self.code)

    @property
    def in_shop(self) -> Any:
        """The shop's row of it; ``KeyError`` where there is none."""
        return self.retailer.shop.catalog.product_of(self.code)

    @property
    def pictures(self) -> list[str]:
        """File names in the shop, in the order in which a customer sees them."""
        return [row["name"] for row in self.retailer.shop.catalog.files(self.in_shop["id"])]

    @property
    def at_tills(self) -> dict[str, Any]:
        item: dict[str, Any] = self.retailer.tills.catalog.item(self.style.skus[0])["item_data"]
        return item

    def translated(self, locale: str, key: str = "title") -> str | None:
        found = self.retailer.shop.texts.of(f"gid://shopify/Product/{self.in_shop['id']}", locale)
        return next((one["value"] for one in found if one["key"] == key), None)

    def told(self, since: int = 0) -> list[Call]:
        """What the shop was told of it, in order."""
        variants = self.retailer.shop.catalog.variants_of(self.in_shop["id"])
        names = {f'/Product/{self.in_shop["id"]}"', f'"{self.code.lower()}"'}
        names |= {f'/ProductVariant/{v.id}"' for v in variants} | {f'/InventoryItem/{v.item_id}"' for v in variants}
        calls = self.retailer.ledger.writes("shop", since_id=since)
        return [c for c in calls if any(name in json.dumps(c.detail) for name in names)]

    def waits(self) -> list[str]:
        """What the trace says that the shop waits for."""
        with self.scene.engine() as engine:
            found = trace(engine, "product", self.code)["waiting"]
        return [reason for row in found if row["target"] == "shop" for reason in row["reasons"]]

    def edits(self) -> list[str]:
        """What was said of changes that somebody made in the shop."""
        rows = self.scene.query("SELECT answer FROM audit WHERE step = 'edited' AND key = %s ORDER BY id", self.code)
        return [answer for (answer,) in rows]


def input_of(call: Call, name: str = "product") -> dict[str, Any]:
    found: dict[str, Any] = call.detail["variables"][name]
    return found


# --- a new product ----------------------------------------------------------------------------------


@story
def test_a_new_product_is_built_as_a_draft_gets_its_price_and_is_published_last(whole: Scene) -> Told:
    calls = Shown(whole, "NV0121").told()
    assert (calls[0].operation, input_of(calls[0])["status"]) == ("productCreate", "DRAFT")
    assert set(input_of(calls[-1])) == {"id", "status"}
    assert input_of(calls[-1])["status"] == "ACTIVE"
    between = [call.operation for call in calls[1:-1]]
    assert between.index("productVariantsBulkCreate") < between.index("productVariantsBulkUpdate")
    (price,) = [call for call in calls if call.operation == "productVariantsBulkUpdate"]
    assert {v["price"] for v in price.detail["variables"]["variants"]} == {"29.90"}
    assert "ACTIVE" not in json.dumps([call.detail for call in calls[:-1]])
    yield None


@story
def test_what_a_store_receives_of_a_new_article_can_be_bought(whole: Scene) -> Told:
    sku = Shown(whole, "NV0121").style.skus[1]
    whole.retailer.stores.drop(
        "ST11", as_of=whole.clock.now(), complete=False, levels={sku: 5}, unavailable={}, dirty=False
    )
    whole.everything(flows=["stock"])
    assert (whole.shop(sku, "ST11"), whole.till(sku, "ST11")) == (4, 5)
    yield None


@story
def test_a_product_without_a_german_title_waits_and_says_so_until_somebody_writes_it(whole: Scene) -> Told:
    new = Shown(whole, "NV0122")
    assert new.waits() == ["waits for a title of NV0122 in de (from pim)"]
    with pytest.raises(KeyError):
        _ = new.in_shop
    assert new.at_tills["name"] == new.style.title["fr"]  # the tills speak French and wait for nothing
    whole.retailer.pim.edit("NV0122", "name", "de", "Jeans Zoé")
    yield None
    assert (new.in_shop["status"], new.translated("de"), new.waits()) == ("ACTIVE", "Jeans Zoé", [])
    statuses = [input_of(c).get("status") for c in new.told() if c.operation in ("productCreate", "productUpdate")]
    assert [s for s in statuses if s] == ["DRAFT", "ACTIVE"]


@story
def test_a_product_without_a_picture_waits_and_says_so_until_the_photographer_came(whole: Scene) -> Told:
    new = Shown(whole, "NV0123")
    assert new.waits() == ["waits for a picture of NV0123 (from dam)"]
    with pytest.raises(KeyError):
        _ = new.in_shop
    whole.retailer.dam.add("NV0123", 1, draw("the photographer came", (40, 90, 120)), {"fr": "Jean", "en": "Jeans"})
    yield None
    (hash,) = whole.retailer.dam.hashes("NV0123")
    assert (new.in_shop["status"], new.waits(), new.pictures) == ("ACTIVE", [], [f"{hash}.png"])


# --- changes ----------------------------------------------------------------------------------------


@story
def test_only_the_field_that_changed_is_sent(whole: Scene) -> Told:
    shirt, last = Shown(whole, "TS0041"), whole.retailer.ledger.last_id
    whole.retailer.pim.edit("TS0041", "description", "fr", "Col rond, tout simplement.")
    yield None
    (call, *others) = shirt.told(last)
    assert set(input_of(call)) == {"id", "descriptionHtml"}
    assert "Col rond, tout simplement." in shirt.in_shop["body_html"]
    assert {call.operation for call in others} <= {"translationsRegister"}  # those of the French text that is gone
    last = whole.retailer.ledger.last_id
    whole.retailer.pim.edit("TS0041", "name", "en", "Quite another T-shirt")
    yield None
    (call,) = shirt.told(last)
    ((locale, key),) = {(t["locale"], t["key"]) for t in call.detail["variables"]["translations"]}
    assert (call.operation, locale, key) == ("translationsRegister", "en", "title")
    assert shirt.translated("en") == "Quite another T-shirt"


@story
def test_a_picture_is_uploaded_once_by_its_content_whoever_shows_it(whole: Scene) -> Told:
    one, other, later = (Shown(whole, code) for code in ("PU0037", "PU0045", "PU0053"))
    png, last = draw("the whole family", (70, 30, 110)), whole.retailer.ledger.last_id
    whole.retailer.dam.add(one.code, 8, png)
    whole.retailer.dam.add(other.code, 8, png)
    yield None
    hash = whole.retailer.dam.hashes(one.code)[-1]
    whole.retailer.dam.add(later.code, 8, png)
    yield None
    assert [shown.pictures[-1] for shown in (one, other, later)] == [f"{hash}.png"] * 3
    uploads = [c for c in whole.retailer.ledger.writes("shop", since_id=last) if c.operation == "stagedUploadsCreate"]
    assert sum(json.dumps(c.detail).count(hash) for c in uploads) == 1


@story
def test_a_retired_product_is_archived_and_not_deleted_and_comes_back(whole: Scene) -> Told:
    old = Shown(whole, "JN0058")
    variants = [v.id for v in whole.retailer.shop.catalog.variants_of(old.in_shop["id"])]
    for sku in old.style.skus:
        whole.retailer.erp.edit_item(sku, active=False)
    yield None
    assert (old.in_shop["status"], old.at_tills.get("is_archived")) == ("ARCHIVED", True)
    assert [v.id for v in whole.retailer.shop.catalog.variants_of(old.in_shop["id"])] == variants
    for sku in old.style.skus:
        whole.retailer.erp.edit_item(sku, active=True)
    yield None
    assert (old.in_shop["status"], bool(old.at_tills.get("is_archived"))) == ("ACTIVE", False)


@story
def test_name_and_price_of_one_item_that_change_at_the_same_moment_lose_neither(whole: Scene) -> Told:
    """At the tills both live in one object, which a manager touches as well."""
    shirt = Shown(whole, "CH0035")
    (sku, *_) = shirt.style.skus
    whole.retailer.pim.edit(shirt.code, "name", "fr", "Chemise des deux côtés")
    whole.retailer.erp.set_price(sku, "44.00", list="RETAIL")
    whole.retailer.tills.reprice(shirt.style.skus[1], 123)
    yield None
    yield None
    tills = whole.retailer.tills.catalog
    assert (shirt.at_tills["name"], tills.variation(sku).price_cents) == ("Chemise des deux côtés", 4400)


@story
def test_what_a_system_says_of_a_field_that_is_not_its_own_is_audited_and_not_used(whole: Scene) -> Told:
    coat = Shown(whole, "MA0030")
    with whole.engine() as engine:
        told = trace(engine, "variant", coat.style.skus[0])
    (erp,) = [row for row in told["known"] if (row["system"], row["key"]) == ("erp", coat.style.skus[0])]
    assert "title" in erp["not_used"]  # the ERP has a name of its own, in capitals
    said = [s["answer"] for s in told["timeline"] if s["step"] == "not owner" and s["key"] == coat.style.skus[0]]
    assert "title belongs to pim" in said[0]
    assert coat.in_shop["title"] == coat.style.title["fr"]
    yield None


@pytest.mark.parametrize("code", ["CH0019", "PU0021"])
def test_a_broken_picture_does_not_stop_its_product(whole: Scene, told: Troubles, code: str) -> None:
    shown = Shown(whole, code)
    asset = f"DAM-{code}-9"
    whole.retailer.pim.edit(code, "name", "fr", f"{shown.style.title['fr']} corrigé")
    whole.everything(flows=FLOWS)
    assert shown.in_shop["title"] == shown.at_tills["name"] == f"{shown.style.title['fr']} corrigé"
    assert len(shown.pictures) == len(whole.retailer.assortment.pictures(shown.style))
    refused = whole.query("SELECT reason FROM quarantine WHERE object = 'content' AND reason LIKE %s", f"%{asset}%")
    assert len(refused) == 1


def test_a_broken_picture_that_is_replayed_is_fetched_again_and_refused_again(whole: Scene) -> None:
    query = "SELECT id, state FROM quarantine WHERE object = 'content' AND source_key = 'DAM-PU0021-9' ORDER BY id"
    ((number, state),) = whole.query(query)
    assert state == "open"
    with whole.engine() as engine:
        person = heal.Decision(who="anna", why="the photographer says it is right now")
        found = heal.replay(engine, Chosen(ids=(number,)), person, dry=False)
    assert (found.healed, found.sent_again) == (0, 1), "nobody knows before it is fetched"
    whole.everything(flows=FLOWS)
    assert [state for _, state in whole.query(query)] == ["replayed", "open"]


# --- somebody edits in the shop ---------------------------------------------------------------------


def merchandiser(whole: Scene, shown: Shown, **texts: str) -> None:
    """Somebody types into the shop's admin; the shop tells it, and a pass is made."""
    whole.retailer.shop.merchandiser_edits(shown.code, **texts)
    assert push(whole, about_product(whole, shown.in_shop["id"]))
    whole.everything()


def test_a_title_typed_into_the_shop_is_taken_back(whole: Scene, told: Troubles) -> None:
    shown = Shown(whole, "RB0076")
    merchandiser(whole, shown, title="Soldes !!!")
    assert shown.in_shop["title"] == shown.style.title["fr"]
    assert ["taken back" in said for said in shown.edits()] == [True]


def test_a_title_typed_into_the_shop_is_kept_until_there_is_something_new_to_say(whole: Scene, told: Troubles) -> None:
    shown = Shown(whole, "RB0084")
    with edited(whole, "hub.yaml", "on_foreign_edit: revert", "on_foreign_edit: accept"):
        merchandiser(whole, shown, title="Robe de fête")
        whole.retailer.pim.edit(shown.code, "description", "fr", "Longue.")
        whole.everything(flows=FLOWS)
        assert (shown.in_shop["title"], "Longue." in shown.in_shop["body_html"]) == ("Robe de fête", True)
        whole.retailer.pim.edit(shown.code, "name", "fr", "Robe longue")
        whole.everything(flows=FLOWS)
    assert shown.in_shop["title"] == "Robe longue"
    assert ["accepted" in said for said in shown.edits()] == [True]


def test_a_title_typed_into_the_shop_is_only_reported(whole: Scene, told: Troubles) -> None:
    shown = Shown(whole, "RB0092")
    with edited(whole, "hub.yaml", "on_foreign_edit: revert", "on_foreign_edit: report"):
        merchandiser(whole, shown, title="Robe de fête")
        assert shown.in_shop["title"] == "Robe de fête"
        with whole.engine() as engine:
            (target,) = [t for t in trace(engine, "product", shown.code)["targets"] if t["target"] == "shop"]
        assert target["cause"] == "edited in the target"
    assert ["left and reported" in said for said in shown.edits()] == [True]


# --- trouble on the way -----------------------------------------------------------------------------


def test_a_token_that_expires_in_the_middle_of_the_pages_is_no_event(whole: Scene, told: Troubles) -> None:
    shown, pages = Shown(whole, "TS0065"), list[str]()

    def expire(heard: Heard, ask: Callable[[], Say]) -> Say:
        said = ask()
        if heard.path.endswith("/products"):
            pages.append(heard.path)
            if len(pages) == 1:
                whole.retailer.pim.expire_tokens()
        return said

    whole.retailer.pim.edit(shown.code, "name", "fr", "Après la pause")
    whole.clock.forward(seconds=30)
    last = whole.retailer.ledger.last_id
    with (
        proxy(whole.served.ports["pim"], expire) as between,
        connection(whole, "pim", port=between.port),
        whole.engine() as engine,
    ):
        outcome = engine.pass_of("product", system="pim", since="2020-01-01T00:00:00+00:00")
    assert len(pages) >= 5
    assert whole.retailer.ledger.statuses("pim", since_id=last)[401] == 1
    assert outcome.counts["read"] >= 480
    assert shown.in_shop["title"] == "Après la pause"
