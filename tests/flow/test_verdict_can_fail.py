"""The verdict of a certification sees what is wrong: each kind of loss and doubling is made, told, and made good."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from psycopg.types.json import Jsonb
from support.scene import Scene

from hub.certify.verdict import Verdict, verdict

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


def test_a_sale_that_the_erp_lacks_is_lost(judged: Scene) -> None:
    row = judged.retailer.state.row("SELECT * FROM erp_sale WHERE kind = 'TICKET' LIMIT 1")
    assert row is not None
    state(judged)("UPDATE erp_sale SET reference = 'ELSEWHERE' WHERE rownum = ?", (row["rownum"],))
    try:
        assert verdict(judged).lost == (f"the ERP does not have {row['reference']}",)
    finally:
        state(judged)("UPDATE erp_sale SET reference = ? WHERE rownum = ?", (row["reference"], row["rownum"]))


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
    judged.retailer.ledger.record(
        "shop", "POST", "/graphql", status=200, operation="inventorySetQuantities", write=True,
        idempotency_key="late", summary="1 available: set",
    )  # fmt: skip
    found = verdict(judged)
    assert (found.lost, found.doubled) == ((), ())
    newer = member["generation"] + 1
    assert found.out_of_order == (f"shop took generation {member['generation']} of {member['key']} after {newer}",)


def test_a_verdict_with_any_case_is_not_ok() -> None:
    assert Verdict().ok
    assert not Verdict(lost=("a",)).ok
    assert not Verdict(doubled=("a",)).ok
    assert not Verdict(out_of_order=("a",)).ok
