"""Products in the shop: found, brought in line, created as drafts and published last."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from contract.suite import build, recorded
from support.loopback import Heard, Say, serving
from support.shop_products import Pictured, pictured, product_of
from support.vendor_specs import ShopifyAdmin

from hub.errors import TryLater, Unknown
from hub.model import Binding, Conflict, Delivery, Done, Doubtful, Postponed, Reference, Rejected
from hub.sandbox.assortment import COMPLETE, Assortment
from hub.transport.retry import instant


@pytest.fixture
def assortment(retailer: Any) -> Assortment:
    return Assortment(retailer.world)


@pytest.fixture
def context(sandbox: Any, assortment: Assortment) -> Pictured:
    return pictured(sandbox, assortment)


@pytest.fixture
def connector(context: Pictured) -> Any:
    return build("shopify", context)


@pytest.fixture
def reference(assortment: Assortment) -> Any:
    def make(code: str, **changes: Any) -> Reference:
        return Reference(key=code, value=product_of(assortment, assortment.product(code), **changes))

    return make


@pytest.fixture
def deliver(connector: Any, clock: Any) -> Any:
    """One delivery as the engine makes it, with what was confirmed before where it is given."""

    def send(reference: Reference, previous: Any = None, known: Any = None, **more: Any) -> Any:
        changed = [n for n, v in reference.value.items() if previous is None or previous.get(n) != v]
        one = Delivery(
            key=reference.key,
            value={"product": reference.key, **reference.value},
            changed=frozenset(changed),
            previous=previous,
            bindings=reference.bindings,
            known=known or {},
            as_of=clock.now(),
            generation=1,
            **more,
        )
        (receipt,) = connector.write("product", [one], "k1")
        return receipt

    return send


def bound(reference: Reference, remote: Any) -> Reference:
    return replace(reference, bindings={"product": remote.binding})


def mutations(sandbox: Any) -> list[str]:
    return [call.operation for call in sandbox.retailer.ledger.writes("shop")]


# --- finding --------------------------------------------------------------------------------------


def test_most_products_are_found_as_they_should_be(connector: Any, assortment: Assortment, reference: Any):
    """Of 120, the shop's people made a slip in 20, and some SKUs were never tidied."""
    references = [reference(style.code) for style in assortment.products[:120]]
    found = connector.find("product", references)
    assert len(found) == 120
    differing = {
        name for one, remote in found.items() for name, value in one.value.items() if remote.value[name] != value
    }
    right = [one for one, remote in found.items() if remote.value == one.value]
    assert differing == {"title", "description", "variants", "media"}
    assert 80 < len(right) < 100
    assert {remote.matched for remote in found.values()} == {"sku"}


def test_all_products_are_read_within_the_budget(connector: Any, assortment: Assortment, reference: Any):
    references = [reference(style.code) for style in assortment.products[:120]]
    connector.find("product", references)
    assert sum(connector.context.budget.taken) < 2000


def test_every_variant_of_a_found_product_is_bound(connector: Any, reference: Any):
    one = reference("TS0001")
    remote = connector.find("product", [one])[one]
    assert list(remote.bindings["sku"]) == [v["sku"] for v in one.value["variants"]]
    assert {b.extra["product"] for b in remote.bindings["sku"].values()} == {remote.binding.external_id}


def test_a_bound_product_is_read_by_its_id(connector: Any, reference: Any):
    one = reference("TS0001")
    again = bound(one, connector.find("product", [one])[one])
    connector.context.budget.taken.clear()
    assert connector.find("product", [again])[again].matched == "binding"
    assert len([cost for cost in connector.context.budget.taken if cost > 0]) == 1


def test_a_product_that_the_shop_does_not_have_is_left_out(connector: Any, reference: Any):
    assert connector.find("product", [reference(COMPLETE)]) == {}


def test_an_id_that_the_shop_no_longer_knows_is_searched_again(connector: Any, reference: Any, deliver: Any):
    one = reference("TS0001")
    stale = replace(one, bindings={"product": Binding(external_id="gid://shopify/Product/1")})
    assert connector.find("product", [stale]) == {}
    assert deliver(stale).remote.binding == connector.find("product", [one])[one].binding


def test_variants_spread_over_two_products_are_for_a_person(
    connector: Any, reference: Any, deliver: Any, retailer: Any, sandbox: Any
):
    other = retailer.shop.catalog.product_of("JN0002")["id"]
    retailer.shop.state.execute("UPDATE shop_variant SET product_id = ? WHERE code = 'TS0001-S-CAM'", (other,))
    receipt = deliver(reference("TS0001"))
    assert (type(receipt), receipt.path) == (Rejected, "variants")
    assert mutations(sandbox) == []


# --- bringing in line -----------------------------------------------------------------------------


def test_every_slip_is_put_right_and_then_nothing_is_sent(
    connector: Any, assortment: Assortment, reference: Any, deliver: Any, sandbox: Any
):
    references = [reference(style.code) for style in assortment.products[:120]]
    found = connector.find("product", references)
    wrong = [one for one in references if found[one].value != one.value]
    for one in wrong:
        receipt = deliver(bound(one, found[one]), previous=dict(found[one].value))
        assert isinstance(receipt, Done), receipt
        assert receipt.remote.value == one.value
    before = len(mutations(sandbox))
    assert {one.key: remote.value for one, remote in connector.find("product", references).items()} == {
        one.key: one.value for one in references
    }
    again = deliver(bound(wrong[0], found[wrong[0]]))
    assert again.remote.value == wrong[0].value
    assert len(mutations(sandbox)) == before


def test_only_the_field_that_changed_is_sent(connector: Any, reference: Any, deliver: Any, sandbox: Any):
    one = reference("TS0001")
    remote = deliver(one).remote
    title = {"fr": "T-shirt d’hiver ❄", "en": "Winter T-shirt", "de": "Winter-T-Shirt"}
    before = len(mutations(sandbox))
    receipt = deliver(bound(reference("TS0001", title=title), remote), previous=dict(remote.value))
    assert receipt.remote.value["title"] == title
    assert mutations(sandbox)[before:] == ["productUpdate", "translationsRegister"]


def test_an_edit_made_in_the_shop_meanwhile_is_a_conflict(
    connector: Any, reference: Any, deliver: Any, retailer: Any, sandbox: Any
):
    one = reference("TS0001")
    remote = deliver(one).remote
    retailer.shop.merchandiser_edits("TS0001", title="SOLDES")
    before = len(mutations(sandbox))
    wished = reference("TS0001", title={**one.value["title"], "en": "Sale"})
    receipt = deliver(bound(wished, remote), previous=dict(remote.value))
    assert isinstance(receipt, Conflict)
    assert receipt.remote.value["title"]["fr"] == "SOLDES"
    assert len(mutations(sandbox)) == before


def test_an_edit_of_another_field_is_not_this_deliverys_business(
    connector: Any, reference: Any, deliver: Any, retailer: Any
):
    one = reference("TS0001")
    remote = deliver(one).remote
    retailer.shop.merchandiser_edits("TS0001", title="SOLDES")
    receipt = deliver(bound(reference("TS0001", brand="Côte & Fils"), remote), previous=dict(remote.value))
    assert (receipt.remote.value["brand"], receipt.remote.value["title"]["fr"]) == ("Côte & Fils", "SOLDES")


def test_a_variant_that_is_no_longer_sold_stays_and_says_so(connector: Any, reference: Any, deliver: Any):
    one = reference("TS0001")
    remote = deliver(one).remote
    variants = [{**v, "active": n != 1} for n, v in enumerate(one.value["variants"])]
    gone = bound(reference("TS0001", variants=variants), remote)
    assert deliver(gone, previous=dict(remote.value)).remote.value["variants"] == variants
    back = deliver(bound(one, remote), previous={**remote.value, "variants": variants})
    assert back.remote.value["variants"] == one.value["variants"]


def test_another_order_of_variants_and_pictures(connector: Any, reference: Any, deliver: Any):
    one = reference("TS0001")
    remote = deliver(one).remote
    media = [{**m, "position": n} for n, m in enumerate(reversed(one.value["media"]), 1)]
    turned = bound(reference("TS0001", variants=one.value["variants"][::-1], media=media), remote)
    assert deliver(turned, previous=dict(remote.value)).remote.value == turned.value
    assert connector.find("product", [turned])[turned].value == turned.value


def test_an_archived_product_is_still_there(connector: Any, reference: Any, deliver: Any):
    archived = reference("TS0001", status="archived")
    assert deliver(archived).remote.value["status"] == "archived"
    assert connector.find("product", [archived])[archived].value == archived.value


def test_a_new_colour_becomes_a_variant_with_its_words(connector: Any, reference: Any, deliver: Any):
    one = reference("TS0001")
    new = {
        "sku": "TS0001-M-KAK",
        "gtin": "04006381333931",
        "options": {"size": "M", "colour": {"fr": "kaki", "en": "khaki", "de": "khakifarben"}},
        "active": True,
    }
    wished = reference("TS0001", variants=[*one.value["variants"], new])
    receipt = deliver(wished, previous=None)
    assert receipt.remote.value["variants"] == wished.value["variants"]
    assert "TS0001-M-KAK" in receipt.remote.bindings["sku"]


# --- pictures -------------------------------------------------------------------------------------


def test_a_picture_that_the_shop_has_is_not_uploaded_again(
    connector: Any, reference: Any, deliver: Any, context: Pictured
):
    one, other = reference("TS0001"), reference("JN0002")
    first, second = deliver(one).remote, deliver(other).remote
    context.asked.clear()
    media = [*other.value["media"], {**one.value["media"][0], "position": 9}]
    wished = bound(reference("JN0002", media=media), second)
    receipt = deliver(wished, previous=dict(second.value), known={"media": first.bindings["media"]})
    assert receipt.remote.value["media"] == media
    assert context.asked == []


def test_a_picture_that_is_gone_from_the_shops_files_is_uploaded_again(
    connector: Any, reference: Any, deliver: Any, context: Pictured
):
    one, other = reference("TS0001"), reference("JN0002")
    second = deliver(other).remote
    picture = one.value["media"][0]
    wished = bound(reference("JN0002", media=[*other.value["media"], {**picture, "position": 9}]), second)
    gone = {"media": {picture["hash"]: Binding(external_id="gid://shopify/MediaImage/1")}}
    receipt = deliver(wished, previous=dict(second.value), known=gone)
    assert receipt.remote.value["media"] == wished.value["media"]
    assert context.asked == [picture["hash"]]


def test_a_picture_that_is_none_is_refused_before_anything_is_changed(
    connector: Any, reference: Any, deliver: Any, context: Pictured, sandbox: Any
):
    one = reference("TS0001", media=[{"hash": "f" * 64, "position": 1, "alt": {"fr": "rien"}}])
    context.pictures["f" * 64] = b"<html>"
    remote = connector.find("product", [one])[one]
    first = deliver(bound(one, remote), previous=dict(remote.value))
    # the shop says so only after it has looked at it
    then = deliver(bound(one, remote), known={"media": getattr(first, "remote", remote).bindings["media"]})
    assert isinstance(then, Rejected)
    assert then.path == "media[0]"


# --- new products ---------------------------------------------------------------------------------


def test_a_new_product_is_a_draft_until_its_articles_have_a_price(
    connector: Any, reference: Any, deliver: Any, retailer: Any, sandbox: Any
):
    one = reference(COMPLETE)
    receipt = deliver(one)
    assert isinstance(receipt, Done)
    assert receipt.remote.value == {**one.value, "status": "draft"}
    assert receipt.remote.binding.extra["handle"] == "nv0121"
    again = bound(one, receipt.remote)
    assert isinstance(deliver(again, previous=dict(receipt.remote.value)), Postponed)
    for sku in receipt.remote.bindings["sku"]:
        retailer.shop.merchandiser_prices(sku, 2990)
    published = deliver(again, previous=dict(receipt.remote.value))
    assert published.remote.value == one.value
    assert connector.find("product", [one])[one].value == one.value


def test_the_status_is_the_last_thing_that_is_sent(connector: Any, reference: Any, deliver: Any, sandbox: Any):
    draft = reference(COMPLETE, status="archived")
    assert deliver(draft).remote.value == draft.value
    assert mutations(sandbox)[-1] == "productUpdate"
    assert mutations(sandbox).index("productCreate") < mutations(sandbox).index("productVariantsBulkCreate")


def test_new_variants_are_counted_at_every_place(connector: Any, reference: Any, deliver: Any, retailer: Any):
    skus = list(deliver(reference(COMPLETE)).remote.bindings["sku"])
    levels = {key: quantity for key, quantity in retailer.shop.levels().items() if key.split("@")[0] in skus}
    assert len(levels) == len(skus) * 21
    assert set(levels.values()) == {0}


def test_a_product_of_more_variants_than_a_page_holds(connector: Any, reference: Any, deliver: Any):
    variants = [
        {"sku": f"NV0121-{n}", "gtin": None, "options": {"size": str(n // 10), "colour": f"c{n % 10}"}, "active": True}
        for n in range(120)
    ]
    wished = reference(COMPLETE, variants=variants, status="archived")
    assert deliver(wished).remote.value["variants"] == variants
    assert connector.find("product", [wished])[wished].value["variants"] == variants


@pytest.mark.parametrize(
    "lost", ["productCreate", "productVariantsBulkCreate", "productUpdate", "translationsRegister"]
)
def test_an_answer_that_is_lost_doubles_nothing(
    connector: Any, reference: Any, deliver: Any, sandbox: Any, retailer: Any, lost: str
):
    one = reference(COMPLETE, status="archived")
    original, dropped = connector.admin.http.once, []

    def once(call: Any) -> Any:
        answer = original(call)
        if call.body and lost.encode() in call.body and not dropped:
            dropped.append(lost)
            raise Unknown("the answer got lost")
        return answer

    connector.admin.http.once = once
    with instant():
        try:
            first = deliver(one)
        except Unknown:
            first = None
    assert dropped
    assert first is None or isinstance(first, Done | Doubtful)
    found = connector.find("product", [one])
    receipt = deliver(bound(one, found[one]) if one in found else one)
    assert receipt.remote.value == one.value
    titles = retailer.shop.state.rows("SELECT id FROM shop_product WHERE title = ?", (one.value["title"]["fr"],))
    assert len(titles) == 1
    assert len(retailer.shop.state.rows("SELECT id FROM shop_variant WHERE product_id = ?", (titles[0]["id"],))) == 4


# --- what is refused ------------------------------------------------------------------------------


def test_a_language_that_the_shop_does_not_speak(connector: Any, reference: Any, deliver: Any, sandbox: Any):
    one = reference("TS0001")
    receipt = deliver(reference("TS0001", title={**one.value["title"], "it": "Maglietta"}))
    assert (receipt.path, "fr" in receipt.reason) == ("title.it", True)
    assert mutations(sandbox) == []


def test_other_axes_are_for_a_person(connector: Any, reference: Any, deliver: Any):
    one = reference("TS0001")
    variants = [{**v, "options": {"size": v["options"]["size"]}} for v in one.value["variants"][:2]]
    receipt = deliver(reference("TS0001", axes=["size"], variants=variants))
    assert (type(receipt), receipt.path) == (Rejected, "axes")


def test_a_refused_variant_is_named_by_its_place(connector: Any, reference: Any, deliver: Any):
    one = reference("TS0001")
    variants = [{**v, "gtin": "1" * 300} if n == 2 else v for n, v in enumerate(one.value["variants"])]
    receipt = deliver(reference("TS0001", variants=variants))
    assert (type(receipt), receipt.path.split(".")[0]) == (Rejected, "variants[2]")


def test_what_the_shop_refuses_is_said_in_its_words(connector: Any, reference: Any, deliver: Any):
    title = {"fr": "T" * 300, "en": "T", "de": "T"}
    receipt = deliver(reference("TS0001", title=title))
    assert (type(receipt), receipt.path, "255" in receipt.reason) == (Rejected, "title", True)


def test_every_call_and_answer_is_as_shopify_describes_it(sandbox: Any, context: Pictured, reference: Any, clock: Any):
    admin = ShopifyAdmin()
    with recorded("shopify", context) as (connector, exchanges):
        one = reference(COMPLETE)
        for wanted in (one, reference("TS0001", title={"fr": "a", "en": "b", "de": "c"}, media=one.value["media"])):
            delivery = Delivery(key=wanted.key, value=wanted.value, as_of=clock.now(), generation=1)
            assert [type(r) for r in connector.write("product", [delivery], "k")] == [Done]
    spoken = [one for one in exchanges if one.url.endswith("graphql.json")]
    assert len(spoken) > 12
    for exchange in spoken:
        admin.check_answer(exchange.sent["query"], exchange.got["data"], exchange.sent["variables"])


def test_a_shop_that_is_busy_before_anything_changed_is_tried_later(assortment: Assortment, clock: Any, context: Any):
    def script(heard: Heard) -> Say:
        return Say(503)

    delivery = Delivery(key="X", value=product_of(assortment, assortment.products[0]), as_of=clock.now(), generation=1)
    with serving(script, password="shpat_0815") as server, instant():
        connector = build("shopify", replace(context, connection=server.connection))
        with pytest.raises(TryLater):
            list(connector.write("product", [delivery], "k"))
