"""``hub reconcile --fix`` makes a plan of repairs; and whatever differs has its cause, also where a rule says so."""

from __future__ import annotations

import pytest
from support.scene import Scene
from support.stories import article, partial

from hub.cli import plans as cli
from hub.errors import StopRun
from hub.flow import Engine, ingest
from hub.flow.causes import Cause, Difference
from hub.flow.plan import repairs
from hub.flow.plan.applying import apply
from hub.flow.reconcile import reconcile, reconcile_target
from hub.flow.report import Report, as_data

EDIT = "shop:  {value: product, channel: shop, on_foreign_edit: "


def reconciled(settled: Scene) -> Report:
    with settled.engine() as engine:
        return reconcile(engine, "stock")


def test_a_plan_of_repairs_does_exactly_these_or_is_refused(
    settled: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    one, other = article(settled, "repair"), article(settled, "beside")
    right = settled.shop(one, "ST20")
    settled.retailer.shop.set_available(one, "ST20", right + 7)
    settled.clock.forward(minutes=1)
    with settled.engine() as engine:
        plan = repairs.make(engine, "stock", at_shop(engine))
        assert plan is not None
        assert plan.sentence == "repairs of stock; shop: 1 read there once more and sent again"
        assert settled.shop(one, "ST20") == right + 7
        cli.told(plan)
        settled.retailer.shop.set_available(one, "ST20", right + 8)
        moved = f"{one}@ST20 at shop held quantity {right + 7}, and holds quantity {right + 8}"
        with pytest.raises(StopRun, match=moved):
            apply(engine, plan.number)
        settled.retailer.shop.set_available(one, "ST20", right + 7)
        settled.retailer.shop.set_available(other, "ST20", 99)
        outcome = apply(engine, plan.number)
        assert (outcome.counts["delivered"], settled.shop(one, "ST20"), settled.shop(other, "ST20")) == (1, right, 99)
        with pytest.raises(StopRun, match="was applied at"):
            apply(engine, plan.number)
        found = at_shop(engine)
        second = repairs.make(engine, "stock", found)
        assert second is not None
        fixed = repairs.carry_out(engine, second, found, "Claire")
        assert [target.counts["fixed"] for target in fixed.targets] == [1]
        assert (found.exit_code, repairs.exit_code(fixed), settled.shop(other, "ST20") != 99) == (1, 0, True)
    (row,) = [line.split() for line in capsys.readouterr().out.splitlines() if f"{one}@ST20" in line]
    assert row == ["shop", "stock_level", f"{one}@ST20", "quantity", str(right + 7), str(right)]


def at_shop(engine: Engine) -> Report:
    """What `hub reconcile stock` finds at one of its targets."""
    found = reconcile_target(engine, "stock", "shop")
    return Report(flow="stock", targets=[found], refused=[], claims=[], apart=[])


def test_every_departure_from_a_source_has_its_cause(settled: Scene) -> None:
    sold, refused = article(settled, "departs"), article(settled, "refused there")
    settled.retailer.tills.sell("ST20", [(sold, 1)], at=settled.clock.forward(minutes=1))
    partial(settled, "ST20", {refused: "1,5"})
    settled.retailer.erp.set(sold, "WH1", 50)
    settled.synchronise()
    now = settled.clock.forward(hours=1)
    few = dict(list(settled.retailer.floor.levels("ST19", now).items())[:100])
    settled.retailer.stores.drop("ST19", as_of=now, levels=few, dirty=False)
    with settled.engine() as engine, engine.running("ingest", "stock", "stores") as current:
        ingest.read(engine, current, "stores")
    report = reconciled(settled)

    at_shop = {one.detail: one for one in report.explained if one.target == "shop"}
    assert at_shop["safety stock 1"].cause is Cause.RULE
    assert at_shop["safety stock 1"].keys > 2000
    assert at_shop["reserved for orders"].cause is Cause.RULE
    assert at_shop["sold or moved since the source counted"].cause is Cause.IN_FLIGHT
    at_tills = {one.detail for one in report.explained if one.target == "tills"}
    assert at_tills <= {
        "sold or moved since the source counted",
        "less than nothing is shown as 0",
        "a newer line was refused (quarantined: keep)",
    }
    (held,) = report.held
    assert (held.system, held.cause) == ("stores", Cause.GUARD)
    assert "fewer than the" in held.detail
    assert f"{refused}@ST20" in {one.key for one in report.refused if one.cause is Cause.QUARANTINED}
    told = as_data(report)
    assert {one["cause"] for one in told["claims"]} == {"ownership"}
    assert told["held"][0]["cause"] == "guard"
    assert told["explained"][0]["keys"] == max(one.keys for one in report.explained if one.target == "shop")
    assert report.exit_code == 0


def test_a_title_that_is_to_stay_as_it_was_edited_is_said_so_in_the_plan(settled: Scene) -> None:
    settled.rewrite(f"{EDIT}revert", f"{EDIT}report")
    one = Difference(
        system="shop", object="product", key="TS0001", subject="TS0001", cause=Cause.DRIFT, detail="",
        fields={"title": {"should": {"fr": "T-shirt"}, "holds": {"fr": "Soldes !"}}},
    )  # fmt: skip
    with settled.engine() as engine:
        change = repairs.repair_of(engine, "product", one)
    assert change.answer == "stays as it was edited there (on_foreign_edit: report)"
    assert repairs.of_target([change])["sentence"] == "1 left as edited there"
