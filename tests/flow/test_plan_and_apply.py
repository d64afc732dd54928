"""``hub plan`` and ``hub apply``: what a pass would change is said first, and done exactly so or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.pushes import about, push
from support.scene import Scene
from support.stories import article, partial

from hub.cli import plans as cli
from hub.errors import ConfigError, StopRun
from hub.flow import Outcome, ingest
from hub.flow.plan.applying import apply
from hub.flow.plan.making import Plan, make
from hub.journal.vault import IN_TABLE, Draft

# What a pass writes. A plan has a run of its own, and its changes lie in the vault: these alone are new.
JOURNAL = (
    "source_state", "event", "recompute", "recompute_note", "desired", "remote", "delivery", "delivery_log", "attempt",
    "binding", "quarantine", "checkpoint", "held", "held_page", "snapshot", "series", "inbox", "audit",
    "waiting",
)  # fmt: skip


def planned(settled: Scene, system: str | None = "stores") -> Plan:
    with settled.engine() as engine:
        return make(engine, "stock", system)


def applied(settled: Scene, number: int, digest: str | None = None) -> Outcome:
    with settled.engine() as engine:
        return apply(engine, number, digest, who="Claire")


def sends(plan: Plan, key: str) -> dict[str, tuple[Any, Any]]:
    """By target, what a key's value is and becomes."""
    return {
        one.system: ((one.before or {}).get("quantity"), one.after["quantity"])
        for one in plan.changes
        if one.step == "send" and one.key == key
    }


def content(settled: Scene) -> dict[str, Any]:
    """Everything that a pass could have changed: rows, raw payloads, files that wait in the stores' folder."""
    summed = "SELECT count(*), sum(hashtext(t::text)::bigint) FROM {} t"
    found: dict[str, Any] = {name: settled.query(summed.format(name)) for name in JOURNAL}
    # Every engine that is opened notes the time by its clocks.
    noted = "SELECT name, value FROM setting WHERE NOT starts_with(name, 'clock') ORDER BY name"
    found["setting"] = settled.query(noted)
    vault = settled.project.parent / "home" / "vault"
    found["payloads"] = settled.query("SELECT ref FROM vault WHERE kind <> 'plan' ORDER BY ref")
    found["files"] = {str(path) for path in vault.rglob("*") if path.is_file() and "/plan/" not in str(path)}
    found["folder"] = {path.name for path in settled.retailer.stores.folder.iterdir()}
    return found


@contextmanager
def nothing_changes(settled: Scene) -> Iterator[None]:
    settled.query("SELECT 1")  # an engine that is opened notices the time and the rules
    before = content(settled)
    yield
    after = content(settled)
    assert [name for name in before if before[name] != after[name]] == []


def test_a_plan_says_what_a_pass_would_do_and_does_nothing_until_it_is_applied_once(settled: Scene) -> None:
    sku = article(settled, "planned")
    settled.clock.forward(minutes=1)
    was = (settled.shop(sku, "ST20"), settled.till(sku, "ST20"))
    name = partial(settled, "ST20", {sku: 61})
    with nothing_changes(settled):
        plan = planned(settled)
    assert sends(plan, f"{sku}@ST20") == {"shop": (was[0], 60), "tills": (was[1], 61)}
    assert plan.summary["sources"]["stores"]["sentence"] == "1 line; 1 changes"
    assert plan.summary["targets"]["shop"]["sentence"].startswith("1 changes")
    assert (plan.exit_code, settled.shop(sku, "ST20"), settled.till(sku, "ST20")) == (0, *was)

    outcome = applied(settled, plan.number, plan.digest)
    assert (outcome.exit_code, outcome.counts["changed"], outcome.counts["delivered"]) == (0, 1, 2)
    assert (settled.shop(sku, "ST20"), settled.till(sku, "ST20")) == (60, 61)
    assert name not in {path.name for path in settled.retailer.stores.folder.iterdir()}
    (row,) = settled.query("SELECT applied_by, applied_run FROM plan WHERE id = %s", plan.number)
    assert row == ("Claire", outcome.run)

    with pytest.raises(StopRun, match=rf"plan {plan.number} was applied at .* already"):
        applied(settled, plan.number)
    again = settled.synchronise()
    assert (again.counts["changed"], again.counts["delivered"]) == (0, 0)


def test_a_plan_is_refused_when_a_source_says_something_else_by_now(settled: Scene) -> None:
    sku, other = article(settled, "said again"), article(settled, "said beside")
    settled.clock.forward(minutes=1)
    partial(settled, "ST20", {sku: 31})
    plan = planned(settled)
    settled.clock.forward(minutes=1)
    partial(settled, "ST20", {sku: 32, other: 33})
    with nothing_changes(settled), pytest.raises(StopRun, match="the world moved") as refused:
        applied(settled, plan.number)
    assert f"stock_level {sku}@ST20 said by stores was to become" in str(refused.value)
    assert f"stock_level {other}@ST20 said by stores is new: " in str(refused.value)
    later = applied(settled, planned(settled).number)
    assert (later.counts["superseded"], settled.shop(sku, "ST20"), settled.shop(other, "ST20")) == (0, 31, 32)


def test_a_plan_is_refused_when_somebody_has_done_it_or_sold_what_it_counts(settled: Scene) -> None:
    sku = article(settled, "sold meanwhile")
    settled.clock.forward(minutes=1)
    partial(settled, "ST20", {sku: 41})
    plan = planned(settled)
    settled.retailer.tills.sell("ST20", [(sku, 2)], at=settled.clock.forward(minutes=1))
    with settled.engine() as engine:
        engine.ingest("stock", "tills")
    with pytest.raises(StopRun, match=f"{sku}@ST20 to shop was to become quantity 40, and becomes quantity 38"):
        applied(settled, plan.number)
    settled.synchronise()
    assert settled.shop(sku, "ST20") == 38
    with pytest.raises(StopRun, match=f"{sku}@ST20 said by stores is no longer to change"):
        applied(settled, plan.number)


def test_a_whole_plan_holds_what_was_pushed_sold_and_read_and_a_key_that_is_bound_on_the_way(settled: Scene) -> None:
    sku, sold, unbound = (article(settled, story) for story in ("whole", "whole sold", "whole unbound"))
    before = settled.shop(sold, "ST20")
    order = settled.retailer.shop.order([(sku, 1)], at=settled.clock.forward(minutes=1))
    push(settled, about(settled, order)["orders/create"])
    settled.retailer.tills.sell("ST20", [(sold, 1)], at=settled.clock.forward(minutes=1))
    settled.query("DELETE FROM binding WHERE system = 'shop' AND object = 'sku' AND key = %s RETURNING 1", unbound)
    partial(settled, "ST20", {unbound: 52})
    with nothing_changes(settled):
        plan = planned(settled, None)
    assert sends(plan, f"{sold}@ST20")["shop"] == (before, before - 1)
    assert sends(plan, f"{unbound}@ST20")["shop"][1] == 51
    assert (unbound, "shop") in {(one.key, one.system) for one in plan.changes if one.step == "bound"}
    assert sku in {one.subject for one in plan.changes if one.object == "reservation"}
    outcome = applied(settled, plan.number)
    assert outcome.exit_code == 0
    assert (settled.shop(sold, "ST20"), settled.shop(unbound, "ST20")) == (before - 1, 51)
    assert settled.query("SELECT count(*) FROM inbox WHERE state = 'new'") == [(0,)]


def test_an_edit_of_the_rules_is_planned_before_it_reaches_a_customer(settled: Scene) -> None:
    sku = article(settled, "rules")
    was, edit = settled.shop(sku, "ST20"), "safety_stock: {default: 1, WH1: 0, ST20: 2}"
    settled.rewrite("safety_stock: {default: 1, WH1: 0}", edit)
    plan = planned(settled)
    assert sends(plan, f"{sku}@ST20") == {"shop": (was, was - 1)}
    assert plan.summary["targets"]["shop"]["changed"] > 100
    assert plan.summary["targets"]["tills"]["sentence"] == "nothing to send"
    settled.rewrite(edit, "safety_stock: {default: 1, WH1: 0}")
    with pytest.raises(StopRun, match=r"the world moved: hub\.yaml was edited"):
        applied(settled, plan.number)
    settled.synchronise()
    assert settled.shop(sku, "ST20") == was


def test_what_was_due_in_any_case_may_be_done_by_others_but_not_otherwise(settled: Scene) -> None:
    sku = article(settled, "due anyway")
    was = settled.shop(sku, "ST20")
    read_only(settled, sku)
    first, second = planned(settled), planned(settled)
    assert sends(first, f"{sku}@ST20")["shop"] == (was, was - 1)
    read_only(settled, sku)
    with pytest.raises(
        StopRun, match=f"{sku}@ST20 to shop was to become quantity {was - 1}, and becomes quantity {was - 2}"
    ):
        applied(settled, first.number)
    third, fourth = planned(settled), planned(settled)
    assert applied(settled, third.number).exit_code == 0
    assert settled.shop(sku, "ST20") == was - 2
    assert applied(settled, fourth.number).counts["delivered"] == 0
    assert second.digest == first.digest != third.digest == fourth.digest


def read_only(settled: Scene, sku: str) -> None:
    """A till sells a piece, somebody reads it, and nobody has derived anything from it yet."""
    settled.retailer.tills.sell("ST20", [(sku, 1)], at=settled.clock.forward(minutes=1))
    with settled.engine() as engine, engine.running("ingest", "stock", "tills") as current:
        ingest.read(engine, current, "tills")


def test_a_batch_that_a_guard_would_hold_is_said_so_and_is_held_when_the_plan_is_applied(
    settled: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    sku = article(settled, "cut plan", "ST18")
    was, now = settled.shop(sku, "ST18"), settled.clock.forward(hours=1)
    few = dict(list(settled.retailer.floor.levels("ST18", now).items())[:200])
    settled.retailer.stores.drop("ST18", as_of=now, levels={**few, sku: 1}, dirty=False)
    with nothing_changes(settled):
        plan = planned(settled)
    (held,) = plan.summary["held"]
    assert "fewer than the" in held
    assert "waits for a person" not in caplog.text
    assert plan.exit_code == 3
    assert held.partition(": ")[2] in plan.summary["sources"]["stores"]["sentence"]
    assert sends(plan, f"{sku}@ST18") == {}
    outcome = applied(settled, plan.number)
    assert (outcome.held, outcome.exit_code, settled.shop(sku, "ST18")) == (True, 3, was)
    assert "waits for a person" in caplog.text


def test_a_file_that_lost_less_than_a_guard_allows_is_said_to_have_fewer_lines(settled: Scene) -> None:
    now = settled.clock.forward(hours=1)
    levels = settled.retailer.floor.levels("ST17", now)
    most = dict(list(levels.items())[: len(levels) * 9 // 10])
    settled.retailer.stores.drop("ST17", as_of=now, levels=most, dirty=False)
    plan = planned(settled)
    assert plan.exit_code == 0
    said = plan.summary["sources"]["stores"]["sentence"]
    assert said.startswith(f"{len(most)} lines; ")
    assert f"{len(levels) - len(most)} absent (policy: hold); 10% fewer lines than the last 7 days" in said
    assert plan.sentence.startswith(f"stock: {len(most)} records read")
    applied(settled, plan.number)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"plan": "7", "digest": "a"}', '{"plan": true, "digest": "a"}', "[" * 9999]
)
def test_a_file_that_is_no_plan_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"plan\.json"):
        cli.named(str(tmp_path / "plan.json"))


def test_a_person_reads_a_plan_key_by_key(
    settled: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    sku = article(settled, "read by a person")
    settled.clock.forward(minutes=1)
    partial(settled, "ST20", {sku: 71})
    plan = planned(settled)
    cli.told(plan)
    said = capsys.readouterr().out
    assert f"plan {plan.number} of stock: 1 records read, 1 change" in said
    assert "stores: 1 line; 1 changes" in said
    assert f"hub apply {plan.number} does exactly this, until" in said
    assert any(line.split()[:3] == ["shop", "stock_level", f"{sku}@ST20"] for line in said.splitlines())


def test_a_payload_becomes_a_file_only_when_it_is_sure_to_stay(settled: Scene) -> None:
    payload = b"x" * (IN_TABLE + 1)
    with settled.engine() as engine:
        draft = Draft(engine.vault)
        ref = draft.keep(engine.journal, "file", payload)
        file = engine.vault.folder / "file" / ref[5:7] / f"{ref[5:]}.gz"
        assert (draft.open(engine.journal, ref), file.exists()) == (payload, False)
        draft.publish()
        assert engine.vault.open(engine.journal, ref) == payload


def test_plans_expire_are_of_one_hub_and_are_named_when_they_are_not_there(settled: Scene, tmp_path: Path) -> None:
    plan = planned(settled)
    with pytest.raises(ConfigError, match="the file is another plan"):
        applied(settled, plan.number, "0" * 64)
    with pytest.raises(ConfigError, match=r"no plan 4711; those that can be applied: .*\d"):
        applied(settled, 4711)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(cli.as_data(plan), default=str), encoding="utf-8")
    assert cli.named(str(file)) == (plan.number, plan.digest)
    assert cli.named(str(plan.number)) == (plan.number, None)
    settled.clock.forward(hours=24, seconds=1)
    with pytest.raises(StopRun, match="expired at"):
        applied(settled, plan.number)
