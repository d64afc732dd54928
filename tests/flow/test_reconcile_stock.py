"""``hub reconcile stock``: what drifted in a target is found, named and sent again; what is known is named too."""

from __future__ import annotations

import pytest
from support.scene import Scene
from support.stories import article, connection, partial

from hub.errors import StopRun
from hub.flow import compared
from hub.flow.causes import Cause, Difference
from hub.flow.reconcile import reconcile
from hub.flow.report import Report, as_data


def reconciled(settled: Scene, *, fix: bool = False) -> Report:
    with settled.engine() as engine:
        return reconcile(engine, "stock", fix=fix)


def found(report: Report, key: str) -> list[Difference]:
    return [one for target in report.targets for one in target.differences if one.key == key]


@pytest.fixture(scope="module")
def at_first(settled: Scene) -> Report:
    """Before anything was changed."""
    return reconciled(settled)


def test_after_a_synchronisation_everything_agrees(at_first: Report) -> None:
    assert {one.target: one.counts["different"] for one in at_first.targets} == {"shop": 0, "tills": 0}
    assert all(one.counts["compared"] > 2000 for one in at_first.targets)
    assert at_first.exit_code == 0


def test_a_large_flow_is_compared_in_pieces_and_no_key_is_left_out(
    settled: Scene, at_first: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compared, "KEYS_AT_ONCE", 4_000)
    counts = {one.target: one.counts["compared"] for one in reconciled(settled).targets}
    assert counts == {one.target: one.counts["compared"] for one in at_first.targets}


def test_what_a_program_reads_has_every_target_difference_and_claim(at_first: Report) -> None:
    told = as_data(at_first)
    assert set(told) == {"flow", "agrees", "targets", "differences", "refused", "claims", "apart", "held", "explained"}
    assert set(told["targets"]["shop"]) == {"compared", "equal", "different", "fixed", "causes", "run"}


def test_what_somebody_changed_in_the_shop_is_found_with_what_was_confirmed_and_sent_again(settled: Scene) -> None:
    sku = article(settled, "drift")
    right = settled.shop(sku, "ST20")
    settled.retailer.shop.set_available(sku, "ST20", right + 7)
    settled.clock.forward(minutes=1)

    report = reconciled(settled)
    (one,) = found(report, f"{sku}@ST20")
    assert (one.system, one.cause) == ("shop", Cause.DRIFT)
    assert one.fields == {"quantity": {"should": right, "holds": right + 7}}
    assert one.detail.startswith(f"quantity {right} was confirmed at ")
    assert (report.exit_code, settled.shop(sku, "ST20")) == (1, right + 7)

    report = reconciled(settled, fix=True)
    assert [one.counts["fixed"] for one in report.targets if one.target == "shop"] == [1]
    assert settled.shop(sku, "ST20") == right
    assert reconciled(settled).exit_code == 0
    steps = settled.query("SELECT step FROM audit WHERE key = %s AND system = 'shop' ORDER BY id", f"{sku}@ST20")
    assert [row[0] for row in steps][-3:] == ["drifted", "drifted", "confirmed"]


def test_what_is_on_its_way_is_not_called_drift(settled: Scene) -> None:
    sku = article(settled, "on its way")
    settled.clock.forward(minutes=1)
    partial(settled, "ST20", {sku: 41})
    with connection(settled, "shop", port=1), pytest.raises(Exception, match="shop"):
        settled.synchronise()
    report = reconciled(settled)
    (one,) = found(report, f"{sku}@ST20")
    assert (one.system, one.cause, report.exit_code) == ("shop", Cause.IN_FLIGHT, 1)
    assert "waits to be sent since" in one.detail
    settled.synchronise()
    assert found(reconciled(settled), f"{sku}@ST20") == []


def test_a_refused_line_and_a_second_claimant_are_named_and_are_no_failure(settled: Scene) -> None:
    sku = article(settled, "refused line")
    settled.clock.forward(minutes=1)
    partial(settled, "ST20", {sku: "1,5"})
    settled.retailer.erp.set(sku, "WH1", 50)
    settled.synchronise()
    report = reconciled(settled)
    assert report.exit_code == 0
    (one,) = [one for one in report.refused if one.key == f"{sku}@ST20"]
    assert (one.system, one.cause) == ("stores", Cause.QUARANTINED)
    assert '"1,5" is not a whole number' in one.detail
    assert "STOCK_0020" in one.detail
    assert {(claim.system, claim.owner) for claim in report.claims} == {("erp", "stores")}
    assert all(claim.fields["on_hand"]["claims"] != claim.fields["on_hand"]["counts"] for claim in report.claims)


def test_a_target_that_is_down_is_named_and_the_others_are_compared(settled: Scene) -> None:
    with connection(settled, "shop", password="wrong"), pytest.raises(StopRun, match="shop"):
        reconciled(settled)
    rows = settled.query("SELECT system, state FROM run WHERE kind = 'reconcile' ORDER BY started_at DESC LIMIT 2")
    assert sorted(rows) == [("shop", "failed"), ("tills", "done")]
