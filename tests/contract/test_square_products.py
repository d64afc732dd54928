"""Products at the tills: one item each, found before it is made, made once, and never deleted."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from contract.suite import Context, build, context_of, recorded
from support.loopback import Heard, Say, serving
from support.vendor_specs import SquareApi

from hub.errors import Unknown
from hub.model import Binding, Conflict, Delivery, Done, Doubtful, Reference, Rejected
from hub.sandbox.assortment import Assortment, Style
from hub.transport.retry import instant

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def product(assortment: Assortment, style: Style, **changes: Any) -> dict[str, Any]:
    """What a channel in French should hold of a style."""
    variants = [
        {
            "sku": sku.code,
            "gtin": sku.ean.zfill(14),
            "options": {"size": sku.size, "colour": {"fr": sku.colour}},
            "active": True,
        }
        for sku in map(assortment.sku, style.skus)
    ]
    texts = {"title": {"fr": style.title["fr"]}, "description": {"fr": style.description["fr"]}}
    return {**texts, "status": "active", "variants": variants, **changes}


class Shelf:
    """The tills behind a connector."""

    def __init__(self, connector: Any, tills: Any) -> None:
        self.connector, self.tills = connector, tills
        self.assortment = Assortment(tills.world)

    def value(self, code: str, **changes: Any) -> dict[str, Any]:
        return product(self.assortment, self.assortment.product(code), **changes)

    def find(self, code: str, value: dict[str, Any] | None = None, **given: Any) -> Any:
        asked = Reference(key=code, by={"product": code}, value=value or self.value(code), **given)
        return self.connector.find("product", [asked]).get(asked)

    def write(self, code: str, value: dict[str, Any], key: str = "k1", **changes: Any) -> Any:
        """As the engine does: what was found travels along."""
        if "bindings" not in changes and (found := self.find(code)) is not None:
            changes |= {"bindings": {"product": found.binding}, "known": found.bindings}
        delivery = Delivery(key=code, value={"product": code, **value}, as_of=NOW, generation=1, **changes)
        (receipt,) = self.connector.write("product", [delivery], key)
        return receipt

    def item(self, code: str) -> dict[str, Any]:
        found: dict[str, Any] = self.tills.catalog.item(code)
        return found

    def names(self, code: str) -> list[tuple[str, str, bool]]:
        found = [one["item_variation_data"] for one in self.item(code)["item_data"]["variations"]]
        return [(one["sku"], one["name"], one["sellable"]) for one in found]


@pytest.fixture
def shelf(sandbox: Any) -> Shelf:
    return Shelf(build("square", context_of(sandbox, "tills")), sandbox.retailer.tills)


# --- finding --------------------------------------------------------------------------------------


def test_all_products_are_found_by_their_articles_in_a_few_calls(shelf: Shelf):
    styles = shelf.assortment.products
    asked = [Reference(key=s.code, value=product(shelf.assortment, s)) for s in styles]
    found = shelf.connector.find("product", asked)
    skus = {sku: b for remote in found.values() for sku, b in remote.bindings["sku"].items()}
    equal = [one.key for one, remote in found.items() if remote.value == one.value]
    assert (len(found), len(skus), {remote.matched for remote in found.values()}) == (120, 480, {"sku"})
    assert len(equal) == 110  # ten bear last season's name
    assert sum(shelf.tills.ledger.statuses("tills").values()) <= 5


def test_what_is_bound_is_read_by_its_id(shelf: Shelf):
    bound = shelf.find("TS0001").binding
    again = shelf.find("TS0001", bindings={"product": bound})
    assert (again.binding, again.matched) == (bound, None)


def test_an_article_whose_sku_was_typed_otherwise_is_found_by_its_gtin(shelf: Shelf):
    item = shelf.item("TS0001")
    for one in item["item_data"]["variations"]:
        data = {**one["item_variation_data"], "sku": f"old {one['id']}"}
        shelf.tills.catalog.write({**one, "item_variation_data": data})
    found = shelf.find("TS0001")
    assert (found.matched, found.binding.external_id) == ("gtin", item["id"])


def test_an_item_that_is_gone_is_looked_for_by_its_articles(shelf: Shelf):
    found = shelf.find("TS0001", bindings={"product": Binding(external_id="NOBODY")})
    assert found.matched == "sku"


def test_a_product_that_the_tills_do_not_have_is_left_out(shelf: Shelf):
    assert shelf.find("NV0121") is None
    assert shelf.connector.find("product", [Reference(key="X")]) == {}


def test_where_two_items_hold_as_many_articles_none_is_taken(shelf: Shelf, caplog: pytest.LogCaptureFixture):
    styles = [shelf.assortment.product(code) for code in ("TS0001", "JN0002")]
    variants = [v for style in styles for v in product(shelf.assortment, style)["variants"][:2]]
    with caplog.at_level(logging.WARNING):
        assert shelf.find("TS0001", shelf.value("TS0001", variants=variants)) is None
    assert "two items hold variants of TS0001" in caplog.text


# --- writing --------------------------------------------------------------------------------------


def test_a_new_product_is_made_and_found(shelf: Shelf):
    value = shelf.value("NV0121")
    receipt = shelf.write("NV0121", value)
    assert isinstance(receipt, Done)
    assert receipt.remote.value == value
    assert set(receipt.remote.bindings["sku"]) == {v["sku"] for v in value["variants"]}
    assert shelf.find("NV0121").value == value
    assert shelf.names("NV0121-S-BLU")[0] == ("NV0121-S-BLU", "S bleu", True)


def test_a_new_article_has_no_price_until_one_comes(shelf: Shelf):
    shelf.write("NV0121", shelf.value("NV0121"))
    assert shelf.tills.catalog.variation("NV0121-S-BLU").price_cents is None


def test_the_same_new_product_in_two_attempts_is_there_once(shelf: Shelf):
    """The answer was lost and the search does not know the item yet: the attempt after that makes no second one."""
    value = shelf.value("NV0121")
    first = shelf.write("NV0121", value, key="k1", bindings={})
    second = shelf.write("NV0121", value, key="k2", bindings={})
    assert first.remote.binding == second.remote.binding
    assert len(shelf.tills.catalog.rows("ITEM")) == 121


def test_only_the_fields_that_changed_are_touched(shelf: Shelf):
    shelf.tills.rename("TS0001", "Somebody's name")
    before = shelf.item("TS0001")
    value = shelf.value("TS0001", description={"fr": "<p>Neu.</p>"})
    receipt = shelf.write("TS0001", value, changed=frozenset({"description"}))
    after = shelf.item("TS0001")
    assert (after["item_data"]["name"], receipt.remote.value["title"]) == ("Somebody's name", {"fr": "Somebody's name"})
    assert after["item_data"]["description_html"] == "<p>Neu.</p>"
    stable = [{k: v for k, v in one.items() if k not in ("version", "updated_at")} for one in
              (*before["item_data"]["variations"], *after["item_data"]["variations"])]  # fmt: skip
    assert stable[:4] == stable[4:]


def test_prices_and_what_a_manager_set_stay(shelf: Shelf):
    marked = next(
        row["code"] for row in shelf.tills.catalog.rows("ITEM") if "label_color" in row["document"]
    )  # somebody gave it a colour on the screen
    before = shelf.item(marked)["item_data"]
    shelf.write(marked, shelf.value(marked, title={"fr": "Autre nom"}))
    after = shelf.item(marked)["item_data"]
    assert (after["label_color"], after["name"]) == (before["label_color"], "Autre nom")
    prices = [[v["item_variation_data"]["price_money"] for v in one["variations"]] for one in (before, after)]
    assert prices[0] == prices[1]


def test_archived_comes_and_goes(shelf: Shelf):
    for status, archived in (("archived", True), ("active", False)):
        receipt = shelf.write("TS0001", shelf.value("TS0001", status=status))
        assert (receipt.remote.value["status"], shelf.item("TS0001")["item_data"]["is_archived"]) == (status, archived)


def test_a_draft_is_in_no_store_until_it_is_active(shelf: Shelf):
    draft = shelf.value("NV0121", status="draft")
    assert shelf.write("NV0121", draft).remote.value == draft
    item = shelf.item("NV0121-S-BLU")
    everywhere = [one["present_at_all_locations"] for one in (item, *item["item_data"]["variations"])]
    assert everywhere == [False] * 5
    active = shelf.write("NV0121", {**draft, "status": "active"}, changed=frozenset({"status"}))
    item = shelf.item("NV0121-S-BLU")
    assert active.remote.value["status"] == "active"
    assert [one["present_at_all_locations"] for one in (item, *item["item_data"]["variations"])] == [True] * 5


def test_a_variant_that_is_no_longer_sold_is_not_deleted(shelf: Shelf):
    value = shelf.value("TS0001")
    value["variants"][1]["active"] = False
    assert shelf.write("TS0001", value).remote.value == value
    assert [sold for _, _, sold in shelf.names("TS0001")] == [True, False, True, True]


def test_a_variant_that_nobody_speaks_of_is_no_longer_sold(shelf: Shelf):
    """And then counts as not there, so that it is not sent for ever."""
    value = shelf.value("TS0001")
    gone = value["variants"].pop()
    assert shelf.find("TS0001", value).value["variants"][3]["sku"] == gone["sku"]
    assert shelf.write("TS0001", value).remote.value == value
    assert shelf.names("TS0001")[3] == (gone["sku"], shelf.names("TS0001")[3][1], False)
    assert shelf.find("TS0001", value).value == value


def test_a_new_variant_joins_in_its_place(shelf: Shelf):
    value = shelf.value("TS0001")
    new = {"sku": "TS0001-XS-NOI", "gtin": "04006381333931", "options": {"size": "XS", "colour": {"fr": "noir"}}}
    value["variants"].insert(0, {**new, "active": True})
    receipt = shelf.write("TS0001", value)
    assert receipt.remote.value == value
    assert shelf.names("TS0001")[0] == ("TS0001-XS-NOI", "XS noir", True)
    assert shelf.tills.catalog.variation("TS0001-XS-NOI").upc == "4006381333931"


def test_options_that_stand_in_another_order_are_left_so(shelf: Shelf):
    value = shelf.value("TS0001")
    swapped = [{**v, "options": dict(reversed(v["options"].items()))} for v in value["variants"]]
    assert shelf.find("TS0001", {**value, "variants": swapped}).value["variants"] == swapped


def test_an_option_that_somebody_renamed_is_seen_and_put_right(shelf: Shelf):
    value, (one, *_) = shelf.value("TS0001"), shelf.item("TS0001")["item_data"]["variations"]
    shelf.tills.catalog.write({**one, "item_variation_data": {**one["item_variation_data"], "name": "taille M"}})
    assert shelf.find("TS0001").value["variants"][0]["options"] == {"name": "taille M"}
    assert shelf.write("TS0001", value).remote.value == value


def test_what_is_there_already_is_not_written_again(shelf: Shelf):
    shelf.write("TS0001", shelf.value("TS0001"))
    before = len(shelf.tills.ledger.writes("tills"))
    assert shelf.write("TS0001", shelf.value("TS0001"), key="k2").remote.value == shelf.value("TS0001")
    assert len(shelf.tills.ledger.writes("tills")) == before


def test_an_item_that_is_gone_is_read_back_before_anything_is_sent(shelf: Shelf):
    receipt = shelf.write("TS0001", shelf.value("TS0001"), bindings={"product": Binding(external_id="NOBODY")})
    assert isinstance(receipt, Doubtful)
    assert shelf.tills.ledger.writes("tills") == []


def test_where_the_articles_are_bound_no_second_item_is_made(shelf: Shelf):
    known = shelf.find("TS0001").bindings
    receipt = shelf.write("TS0001", shelf.value("TS0001", title={"fr": "Neu"}), bindings={}, known=known)
    assert receipt.remote.binding.external_id == shelf.item("TS0001")["id"]
    assert len(shelf.tills.catalog.rows("ITEM")) == 120


def test_an_article_that_another_item_holds_is_for_a_person(shelf: Shelf):
    one, two = shelf.find("TS0001"), shelf.find("JN0002")
    stray = {next(iter(two.bindings["sku"])): next(iter(two.bindings["sku"].values()))}
    known = {"sku": {**one.bindings["sku"], **stray}}
    receipt = shelf.write("TS0001", shelf.value("TS0001"), bindings={"product": one.binding}, known=known)
    assert (type(receipt), receipt.path) == (Rejected, "variants")
    assert two.binding.external_id in receipt.reason


def test_one_refused_product_leaves_the_others_alone(shelf: Shelf):
    deliveries = []
    for code, title in (("TS0001", "x" * 600), ("JN0002", "Neu"), ("CH0003", "")):
        found = shelf.find(code)
        value = shelf.value(code, title={"fr": title} if title else {"en": "a", "de": "b"})
        deliveries.append(
            Delivery(
                key=code,
                value=value,
                bindings={"product": found.binding},
                known=found.bindings,
                as_of=NOW,
                generation=1,
            )
        )
    long, fine, none = shelf.connector.write("product", deliveries, "k1")
    assert (type(long), long.path, type(fine)) == (Rejected, "item_data.name", Done)
    assert none == Rejected(key="CH0003", path="title", reason="there is no text in fr, which the tills show")


def test_who_changes_it_in_between_makes_a_conflict(shelf: Shelf):
    sku, post = next(iter(shelf.find("TS0001").bindings["sku"])), shelf.connector.api.post

    def posted(path: str, *args: Any, **kwargs: Any) -> Any:
        if path.endswith("batch-upsert"):
            shelf.tills.reprice(sku, 1111)
        return post(path, *args, **kwargs)

    shelf.connector.api.post = posted
    receipt = shelf.write("TS0001", shelf.value("TS0001", title={"fr": "Neu"}))
    assert receipt == Conflict(key="TS0001")
    assert shelf.tills.catalog.variation(sku).price_cents == 1111


def test_every_call_and_answer_is_as_square_describes_it(sandbox: Any):
    square = SquareApi()
    with recorded("square", context_of(sandbox, "tills")) as (connector, exchanges):
        shelf = Shelf(connector, sandbox.retailer.tills)
        shelf.write("NV0121", shelf.value("NV0121", status="draft"))
        shelf.write("TS0001", shelf.value("TS0001", title={"fr": "  "}))
    assert {one.url.rsplit("/", 1)[1] for one in exchanges} == {"search", "batch-retrieve", "batch-upsert"}
    for one in exchanges:
        square.check_request(one.method, one.url, one.sent)
        square.check_answer(one.method, one.url, one.status, one.got)


# --- an account that misbehaves -------------------------------------------------------------------


def told(server: Any, value: dict[str, Any]) -> list[Any]:
    clock = type("Now", (), {"now": staticmethod(lambda: NOW)})()
    connector = build("square", Context(system="tills", connection=server.connection, clock=clock))
    delivery = Delivery(key="P", value=value, as_of=NOW, generation=1)
    return list(connector.write("product", [delivery, replace(delivery, key="Q")], "k1"))


VALUE = {
    "title": {"fr": "Bonnet"},
    "description": {},
    "status": "active",
    "variants": [{"sku": "A", "gtin": None, "options": {}, "active": True}],
}


def test_a_new_product_of_whose_fate_nothing_is_said_is_read_back():
    def script(heard: Heard) -> Say:
        return Say(body={} if heard.path.endswith("batch-upsert") else {"objects": []})

    with serving(script, id="tills", password="EAAA-0815") as server:
        assert {type(one) for one in told(server, VALUE)} == {Doubtful}
    names = [heard.json["batches"][0]["objects"][0]["item_data"] for heard in server.heard if "batches" in heard.json]
    assert [one["variations"][0]["item_variation_data"]["name"] for one in names] == ["A", "A"]


def test_an_answer_that_never_comes_is_unknown():
    with serving(Say(hang_up=True), id="tills", password="EAAA-0815") as server, instant(), pytest.raises(Unknown):
        told(server, VALUE)
