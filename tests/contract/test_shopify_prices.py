"""Prices in the shop: the price, the price before a reduction, and the lowest of 30 days before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from contract.suite import Context, build, context_of, recorded
from support.loopback import Say, serving
from support.vendor_specs import ShopifyAdmin

from hub.errors import TryLater, Unknown
from hub.model import Binding, Delivery, Done, Doubtful, Postponed, Reference, Rejected
from hub.transport.retry import instant

SALE = {"amount": "15.90", "currency": "EUR", "compare_at": "19.90", "lowest_30": "18.90"}
PLAIN = {"amount": "21.00", "currency": "EUR", "compare_at": None, "lowest_30": None}
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def context(sandbox: Any) -> Context:
    return context_of(sandbox, "shop")


@pytest.fixture
def connector(context: Context) -> Any:
    return build("shopify", context)


@pytest.fixture
def references(connector: Any, retailer: Any) -> list[Reference]:
    """All 480 articles with the shop's ids."""
    asked = [Reference(key=s.code, by={"sku": s.code, "gtin": s.ean}) for s in retailer.world.skus]
    return [replace(one, bindings={"sku": remote.binding}) for one, remote in connector.find("sku", asked).items()]


def delivery(reference: Reference, value: Any, previous: Any = None) -> Delivery:
    return Delivery(
        key=reference.key, value=value, previous=previous, bindings=reference.bindings, as_of=NOW, generation=1
    )


def write(connector: Any, deliveries: Sequence[Delivery]) -> list[Any]:
    return list(connector.write("price", deliveries, "k1"))


def held(connector: Any, references: Sequence[Reference]) -> list[Any]:
    found = connector.find("price", references)
    return [found[one].value for one in references]


def test_all_prices_are_read_in_pages(connector: Any, references: list[Reference], retailer: Any):
    connector.context.budget.taken.clear()
    found = connector.find("price", references)
    assert len(found) == 480
    assert sum(connector.context.budget.taken) < 150
    by_code = {s.code: s.price_cents for s in retailer.world.skus}
    right = [one for one, r in found.items() if r.value["amount"] == f"{by_code[one.key] / 100:.2f}"]
    assert len(right) == 440
    assert {r.value["currency"] for r in found.values()} == {"EUR"}


def test_a_few_prices_are_asked_for_one_by_one(connector: Any, references: list[Reference]):
    connector.find("price", references[:1])
    connector.context.budget.taken.clear()
    assert len(connector.find("price", references[5:8])) == 3
    assert 0 < sum(connector.context.budget.taken) <= 12


def test_what_is_written_is_confirmed_and_found(connector: Any, references: list[Reference]):
    some = references[:6]
    receipts = write(connector, [delivery(one, SALE) for one in some])
    assert [(r.key, r.remote.value) for r in receipts] == [(one.key, SALE) for one in some]
    assert held(connector, some) == [SALE] * 6


def test_the_end_of_a_reduction_takes_the_earlier_price_and_the_lowest_away(
    connector: Any, references: list[Reference], sandbox: Any
):
    some = references[:2]
    write(connector, [delivery(one, SALE) for one in some])
    write(connector, [delivery(one, PLAIN, previous=SALE) for one in some])
    assert held(connector, some) == [PLAIN] * 2
    before = len(sandbox.retailer.ledger.writes("shop"))
    write(connector, [delivery(one, PLAIN, previous=PLAIN) for one in some])
    assert len(sandbox.retailer.ledger.writes("shop")) == before + 1


def test_the_variants_of_a_product_go_in_one_call(connector: Any, references: list[Reference], sandbox: Any):
    write(connector, [delivery(one, PLAIN) for one in references[:8]])
    assert [call.operation for call in sandbox.retailer.ledger.writes("shop")] == ["productVariantsBulkUpdate"] * 2


def test_a_binding_that_does_not_name_the_product_yet(connector: Any, references: list[Reference]):
    one = references[0]
    old = Binding(external_id=one.bindings["sku"].external_id, extra={"variant": one.bindings["sku"].extra["variant"]})
    (receipt,) = write(connector, [delivery(replace(one, bindings={"sku": old}), PLAIN)])
    assert isinstance(receipt, Done)
    assert held(connector, [one]) == [PLAIN]


def test_one_price_that_the_shop_refuses_is_refused_alone(connector: Any, references: list[Reference]):
    one, two = references[:2]
    receipts = write(connector, [delivery(one, {**PLAIN, "amount": "-1.00"}), delivery(two, PLAIN)])
    assert (type(receipts[0]), receipts[0].path, type(receipts[1])) == (Rejected, "amount", Postponed)


def test_another_currency_is_refused_with_the_shops_own(connector: Any, references: list[Reference], sandbox: Any):
    (receipt,) = write(connector, [delivery(references[0], {**PLAIN, "currency": "CHF"})])
    assert (receipt.path, receipt.reason) == ("currency", "the shop's prices are in EUR, not in CHF")
    assert sandbox.retailer.ledger.writes("shop") == []


def test_a_variant_that_is_gone_is_refused(connector: Any, references: list[Reference]):
    gone = Binding(external_id="gid://shopify/InventoryItem/1", extra={"variant": "gid://shopify/ProductVariant/1"})
    stranger = replace(references[0], bindings={"sku": gone})
    (receipt,) = write(connector, [delivery(stranger, PLAIN)])
    assert (type(receipt), receipt.path) == (Rejected, "bindings.sku")
    assert connector.find("price", [stranger]) == {}


def test_one_without_the_shops_id_is_refused_alone(connector: Any, references: list[Reference]):
    receipts = write(connector, [delivery(replace(references[0], bindings={}), PLAIN), delivery(references[1], PLAIN)])
    assert (type(receipts[0]), receipts[0].path, type(receipts[1])) == (Rejected, "bindings.sku", Done)


def test_every_call_and_answer_is_as_shopify_describes_it(sandbox: Any, context: Context, references: list[Reference]):
    admin = ShopifyAdmin()
    with recorded("shopify", context) as (connector, exchanges):
        write(connector, [delivery(one, SALE) for one in references[:4]])
        write(connector, [delivery(one, PLAIN, previous=SALE) for one in references[:4]])
        held(connector, references[:4])
    assert len(exchanges) >= 5
    for one in exchanges:
        admin.check_answer(one.sent["query"], one.got["data"], one.sent["variables"])


# --- a shop that misbehaves -----------------------------------------------------------------------

CURRENCY = Say(body={"data": {"shop": {"currencyCode": "EUR"}}})
CARRIED_OUT = Say(body={"data": {"productVariantsBulkUpdate": {"productVariants": [], "userErrors": []}}})


def at(server: Any) -> Any:
    return build("shopify", Context(system="shop", connection=server.connection, clock=None))


def two_products() -> list[Delivery]:
    return [
        delivery(
            Reference(
                key=f"A{n}",
                bindings={"sku": Binding(external_id=f"i{n}", extra={"variant": f"v{n}", "product": f"p{n}"})},
            ),
            PLAIN,
        )
        for n in range(2)
    ]


def test_a_shop_that_goes_away_in_the_middle_postpones_the_rest():
    with serving([CURRENCY, CARRIED_OUT, Say(503)], password="t") as server, instant():
        receipts = write(at(server), two_products())
    assert [type(one) for one in receipts] == [Done, Postponed]


def test_a_lost_answer_in_the_middle_is_in_doubt_for_its_product_alone():
    with serving([CURRENCY, CARRIED_OUT, Say(hang_up=True)], password="t") as server, instant():
        receipts = write(at(server), two_products())
    assert [type(one) for one in receipts] == [Done, Doubtful]


def test_a_lost_answer_to_the_only_call_is_unknown():
    with serving([CURRENCY, Say(hang_up=True)], password="t") as server, instant(), pytest.raises(Unknown):
        write(at(server), two_products()[:1])


def test_a_shop_that_is_busy_from_the_start_is_tried_later():
    with serving([CURRENCY, Say(503)], password="t") as server, instant(), pytest.raises(TryLater):
        write(at(server), two_products())
