"""The verdict of a certification sees what is wrong: each kind of loss and doubling is made, told, and made good."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.types.json import Jsonb
from support.scene import Scene

from hub.certify import commerce_truth as truth
from hub.certify.stock_truth import shop_orders, till_moves
from hub.certify.verdict import Verdict, verdict
from hub.sandbox.pictures import draw

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def judged(whole: Scene) -> Scene:
    """A retailer of which nothing is wrong."""
    found = verdict(whole)
    assert found.cases == []
    assert found.compared["stock levels"] > 19_000
    return whole


def state(judged: Scene) -> Callable[..., object]:
    return judged.retailer.state.execute


def test_a_number_that_the_shop_lacks_is_lost(judged: Scene) -> None:
    key, number = next((k, n) for k, n in judged.retailer.shop.levels().items() if n > 5 and "@ST03" in k)
    judged.retailer.shop.set_available(*key.split("@"), number - 1)
    try:
        assert verdict(judged).lost == (f"stock of {key} is {number} by the sources, {number - 1} at the shop",)
    finally:
        judged.retailer.shop.set_available(*key.split("@"), number)


@contextmanager
def unknown_to_the_erp(judged: Scene, kind: str) -> Iterator[str]:
    """A sale that the ERP lacks; its reference."""
    row = judged.retailer.state.row("SELECT * FROM erp_sale WHERE kind = ? AND status <> 9 LIMIT 1", (kind,))
    assert row is not None
    state(judged)("DELETE FROM erp_sale WHERE rownum = ?", (row["rownum"],))
    try:
        yield row["reference"]
    finally:
        marks = ", ".join("?" * len(row.keys()))
        state(judged)(f"INSERT INTO erp_sale ({', '.join(row.keys())}) VALUES ({marks})", tuple(row))


def test_a_sale_that_the_erp_lacks_is_lost(judged: Scene) -> None:
    with unknown_to_the_erp(judged, "TICKET") as ticket:
        assert verdict(judged).lost == (f"the ERP does not have {ticket}",)


def test_a_return_that_nobody_made_is_doubled(judged: Scene) -> None:
    sale = judged.retailer.state.row("SELECT * FROM erp_sale WHERE kind = 'TICKET' LIMIT 1")
    assert sale is not None
    judged.retailer.erp.sales.take_back(sale["reference"], [], "1.00", external="TILLS-R-NOBODY", kind="F")
    try:
        assert verdict(judged).doubled == ("the ERP has a return TILLS-R-NOBODY that nobody made",)
    finally:
        state(judged)("DELETE FROM erp_return WHERE external = 'TILLS-R-NOBODY'")


def test_an_older_generation_after_a_newer_one_is_out_of_order(judged: Scene) -> None:
    """The shop's ledger says that a call came late, and the attempt with its key what was in it."""
    with psycopg.connect(judged.dsn, autocommit=True) as journal:
        row = journal.execute(
            "SELECT id, members FROM attempt WHERE target = 'shop' AND object = 'stock_level' LIMIT 1"
        ).fetchone()
        assert row is not None
        member = {**row[1][0], "generation": row[1][0]["generation"] - 1}
        journal.execute(
            """INSERT INTO attempt (target, object, idempotency_key, body_hash, members, owner, lease_until, run, state)
               VALUES ('shop', 'stock_level', 'late', '', %s, '', now(), '', 'settled')""",
            (Jsonb([member]),),
        )
    number = judged.retailer.ledger.record(
        "shop", "POST", "/graphql", status=200, operation="inventorySetQuantities", write=True,
        idempotency_key="late", summary="1 available: set",
    )  # fmt: skip
    found = verdict(judged)
    state(judged)("DELETE FROM ledger WHERE id = ?", (number,))
    assert (found.lost, found.doubled) == ((), ())
    newer = member["generation"] + 1
    assert found.out_of_order == (f"shop took generation {member['generation']} of {member['key']} after {newer}",)


@contextmanager
def journal(judged: Scene, made: str, unmade: str, *arguments: object) -> Iterator[None]:
    """``made`` in the journal while the block lasts."""
    with psycopg.connect(judged.dsn, autocommit=True) as found:
        found.execute(made, arguments)
        try:
            yield
        finally:
            found.execute(unmade)


WAITS = "INSERT INTO waiting (object, subject, target, reasons) VALUES ('order_progress', %s, 'erp', %s)"
WAITS_NO_MORE = "DELETE FROM waiting WHERE object = 'order_progress'"


@pytest.mark.parametrize("reason", ["waits for payment", "the order itself has not been read yet"])
def test_a_sale_for_which_the_hub_waits_in_vain_is_lost(judged: Scene, reason: str) -> None:
    """It was paid, at the shop: that the hub does not know it is the loss and not its excuse."""
    with unknown_to_the_erp(judged, "ORDER") as order, journal(judged, WAITS, WAITS_NO_MORE, order, Jsonb([reason])):
        assert verdict(judged).lost == (f"the ERP does not have {order}",)


def test_a_sale_that_only_a_person_can_decide_is_counted_apart(judged: Scene) -> None:
    reason = "the coupon MERCI10 was redeemed by SHOP-1: let it be given back there, or cancel this order"
    before = verdict(judged).waiting
    with unknown_to_the_erp(judged, "ORDER") as order, journal(judged, WAITS, WAITS_NO_MORE, order, Jsonb([reason])):
        found = verdict(judged)
    assert (found.cases, found.waiting) == ([], before + 1)


REFUSED = """INSERT INTO quarantine (flow, system, object, key, path, reason, cause, fingerprint, origin, run, raw)
             SELECT 'order', 'shop', 'order', %s, 'lines', 'made up', 'made up', 'made up', '{}', 'run', ref
             FROM vault LIMIT 1"""
REFUSED_NO_MORE = "DELETE FROM quarantine WHERE reason = 'made up'"


def test_what_is_there_twice_is_so_whatever_is_in_quarantine(judged: Scene) -> None:
    sale = judged.retailer.state.row("SELECT * FROM erp_sale WHERE kind = 'ORDER' LIMIT 1")
    assert sale is not None
    judged.retailer.erp.sales.take_back(sale["reference"], [], "1.00", external="SHOP-R-NOBODY", kind="F")
    try:
        with journal(judged, REFUSED, REFUSED_NO_MORE, sale["reference"]):
            assert verdict(judged).doubled == ("the ERP has a return SHOP-R-NOBODY that nobody made",)
    finally:
        state(judged)("DELETE FROM erp_return WHERE external = 'SHOP-R-NOBODY'")


def test_a_sale_for_which_nobody_paid_is_not_the_erps(judged: Scene) -> None:
    sale = judged.retailer.state.row("SELECT content FROM erp_sale WHERE kind = 'ORDER' LIMIT 1")
    assert sale is not None
    judged.retailer.erp.sales.enter({**json.loads(sale["content"]), "CUSORDREF": "SHOP-NOBODY"})
    try:
        assert verdict(judged).doubled == ("the ERP has SHOP-NOBODY, for which nobody has paid",)
    finally:
        state(judged)("DELETE FROM erp_sale WHERE reference = 'SHOP-NOBODY'")


def test_a_push_that_was_answered_and_not_kept_is_lost(judged: Scene) -> None:
    """The gateway answered before it stored, say, and died in between."""
    judged.retailer.webhooks.enqueue("shop", "/hooks/shop", {"X-Shopify-Webhook-Id": "a push"}, b"{}")
    state(judged)("UPDATE webhook SET outcome = 'sent' WHERE body = ?", (b"{}",))
    try:
        said = "shop pushed a push, was told that it had arrived, and nobody kept it"
        assert verdict(judged).lost == (said,)
    finally:
        state(judged)("DELETE FROM webhook WHERE body = ?", (b"{}",))


def test_an_article_that_a_target_lacks_is_lost(judged: Scene) -> None:
    never_sold = set(truth.till_skus(judged.connections).values()) - {m.sku for m in till_moves(judged.connections)}
    sku = min(never_sold)
    row = judged.retailer.state.row("SELECT id FROM till_object WHERE type = 'ITEM_VARIATION' AND code = ?", (sku,))
    assert row is not None
    state(judged)("UPDATE till_object SET type = 'GONE' WHERE id = ?", (row["id"],))
    try:
        assert f"the article {sku} is complete and not at the tills" in verdict(judged).lost
    finally:
        state(judged)("UPDATE till_object SET type = 'ITEM_VARIATION' WHERE id = ?", (row["id"],))


def test_a_picture_that_was_not_replaced_is_lost(judged: Scene) -> None:
    asset = next(a for a in truth.dam(judged.connections) if a["status"] == "active" and a["product_code"])
    judged.retailer.dam.replace(asset["id"].upper(), draw("another", (200, 60, 40)))
    found = verdict(judged)
    assert [case.partition(" is ")[0].rpartition(" ")[0] for case in found.lost] == ["the pictures of"]
    judged.everything()
    assert verdict(judged).cases == []


def test_stock_that_was_told_under_no_key_of_ours_cannot_be_put_in_order(judged: Scene) -> None:
    number = judged.retailer.ledger.record(
        "tills", "POST", "/v2/inventory/changes/batch-create", status=200, write=True, idempotency_key="of nobody",
        operation="inventory/changes/batch-create", summary="1 counts",
    )  # fmt: skip
    try:
        said = f"tills took 1 counts, call {number} of its ledger, under no key of an attempt"
        assert verdict(judged).out_of_order == (said,)
    finally:
        state(judged)("DELETE FROM ledger WHERE id = ?", (number,))


def test_a_text_that_waits_for_a_record_in_quarantine_is_not_lost(judged: Scene) -> None:
    """The ERP's GTIN of one variant is wrong: until it is put right, the product stands still, and a person knows."""
    with psycopg.connect(judged.dsn) as connection:
        stands = connection.execute(
            "SELECT subject FROM waiting WHERE object = 'complete_product' AND reasons::text LIKE '%in quarantine%'"
        ).fetchone()
    assert stands is not None
    judged.retailer.pim.edit(stands[0], "description", "en", "Nobody can read this in the shop yet.")
    judged.everything()
    assert verdict(judged).cases == []


def test_money_that_goes_back_twice_or_for_nothing_is_doubled(judged: Scene) -> None:
    paid = {f"SHOP-{o['order_number']}": o for o in shop_orders(judged.connections) if not o["refunds"]}
    sales = judged.retailer.state.rows("SELECT reference FROM erp_sale WHERE kind = 'ORDER' AND status <> 9")
    key = next(row["reference"] for row in sales if row["reference"] in paid)
    id = paid[key]["id"]
    judged.retailer.erp.sales.take_back(key, [], "1.00", kind="F")
    judged.everything()
    judged.everything()
    assert verdict(judged).cases == []
    (order,) = [one for one in shop_orders(judged.connections) if one["id"] == id]
    (note,) = [refund["note"] for refund in order["refunds"]]
    judged.retailer.shop.refund(id, [], cents=100, note=note)
    judged.retailer.shop.refund(id, [], cents=100, note="omnihub:TILLS-R-NOBODY")
    assert verdict(judged).doubled == (
        f"the shop knows 2 times of the return {note.removeprefix('omnihub:')} of {key}",
        f"the shop has a refund of {key} for the return TILLS-R-NOBODY, which nobody made",
    )


def test_a_parcel_that_nobody_sent_is_doubled(judged: Scene) -> None:
    told = {"variables": {"fulfillment": {"trackingInfo": {"number": "of nobody"}}}}
    number = judged.retailer.ledger.record(
        "shop", "POST", "/graphql", status=200, operation="fulfillmentCreate", write=True, detail=told,
        summary="fulfilment: done",
    )  # fmt: skip
    try:
        assert "the shop was told of parcel of nobody, which nobody sent" in verdict(judged).doubled
    finally:
        state(judged)("DELETE FROM ledger WHERE id = ?", (number,))


def test_a_verdict_with_any_case_is_not_ok() -> None:
    assert Verdict().ok
    assert not Verdict(lost=("a",)).ok
    assert not Verdict(doubled=("a",)).ok
    assert not Verdict(out_of_order=("a",)).ok
