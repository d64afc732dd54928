"""What a guard holds waits whole, whatever it is: nothing of it counts until a person decides, and then all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from support.scene import Scene

from hub.errors import ConfigError, HubError, StopRun
from hub.flow import Outcome, deciding, holding, ingest, keep, packing, pages
from hub.flow.plan.applying import apply
from hub.flow.plan.making import make
from hub.flow.understood import batches
from hub.journal import checkpoints, held, inbox
from hub.model import Pushed

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
WHO, WHY = "anna", "the buyer confirmed"


def run(scene: Scene, flow: str, seconds: float = 5) -> Outcome:
    return scene.everything(seconds, [flow])[flow]


def waiting(scene: Scene) -> list[dict[str, Any]]:
    with scene.engine() as engine:
        return held.listing(engine.journal)


def approve(scene: Scene, number: int) -> Outcome:
    with scene.engine() as engine:
        return deciding.approve(engine, number, who=WHO, why=WHY)


def reject(scene: Scene, number: int) -> None:
    with scene.engine() as engine:
        deciding.reject(engine, number, who=WHO, why=WHY)


def state_of(scene: Scene, number: int) -> tuple[Any, ...]:
    return scene.query("SELECT state, decided_by, why FROM held WHERE id = %s", number)[0]


def steps(scene: Scene, number: int) -> list[tuple[Any, ...]]:
    return scene.query("SELECT step, answer FROM audit WHERE (origin ->> 'held')::int = %s ORDER BY id", number)


def level(scene: Scene, sku: str, place: str, system: str) -> int:
    query = (
        "SELECT (data ->> 'on_hand')::int FROM source_state WHERE key = %s AND system = %s AND object = 'stock_level'"
    )
    return int(scene.query(query, f"{sku}@{place}", system)[0][0])


def become(scene: Scene, number: int, key: str) -> Mapping[str, Any]:
    with scene.engine() as engine:
        row, keys = deciding.found(engine, number), held.records(engine.journal, number, 1000)
        return deciding.would_become(engine, row, keys)[row["object"], key]


@contextmanager
def guards(scene: Scene, flow: str, written: str) -> Iterator[None]:
    """``flow`` with other guards for a while."""
    path = scene.project / "hub.yaml"
    before = path.read_text(encoding="utf-8")
    head, _, rest = before.partition(f"  {flow}:\n    sources:")
    block, _, after = rest.partition("    guards: ")
    _, _, after = after.partition("\n")
    path.write_text(f"{head}  {flow}:\n    sources:{block}    guards: {written}\n{after}", encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


def cut(scene: Scene, store: str, **levels: int) -> dict[str, int]:
    """A night file of ``store`` with its first 200 articles, ``levels`` among them; what all of them are."""
    now = scene.clock.forward(hours=1)
    found = {**dict(list(scene.retailer.floor.levels(store, now).items())[:200]), **levels}
    scene.retailer.stores.drop(store, as_of=now, levels=found, dirty=False)
    return found


def on_shelf(scene: Scene, store: str, many: int) -> list[str]:
    found = scene.retailer.floor.levels(store, scene.clock.now())
    return [sku for sku in list(found)[:200] if found[sku] > 0][:many]


# --- snapshots --------------------------------------------------------------------------------------


def test_an_approved_file_is_applied_as_it_was_read_and_the_audit_says_who_and_why(whole: Scene) -> None:
    one, other = on_shelf(whole, "ST11", 2)
    whole.night_file("ST11", {one: 7, other: 7})
    run(whole, "stock")
    cut(whole, "ST11", **{one: 3})
    assert run(whole, "stock").exit_code == 3
    assert level(whole, one, "ST11", "stores") == 7
    (row,) = waiting(whole)
    assert row["plan"].startswith("200 lines; ")
    assert "58% fewer lines than the last 7 days" in row["plan"]
    assert become(whole, row["id"], f"{one}@ST11")["on_hand"] == 3
    outcome = approve(whole, row["id"])
    assert (outcome.exit_code, level(whole, one, "ST11", "stores")) == (0, 3)
    assert whole.till(one, "ST11") == 3
    assert state_of(whole, row["id"]) == ("approved", WHO, WHY)
    assert [step for step, _ in steps(whole, row["id"])] == ["held", "approved"]
    assert run(whole, "stock").exit_code == 0


def test_a_decision_is_made_once(whole: Scene) -> None:
    cut(whole, "ST12")
    run(whole, "stock")
    (row,) = waiting(whole)
    reject(whole, row["id"])
    with pytest.raises(HubError, match=f"was rejected by {WHO} at .*; nothing was done"):
        approve(whole, row["id"])
    with pytest.raises(ConfigError, match="nothing is held as number 987654"):
        approve(whole, 987654)


def test_a_decision_without_a_reason_is_none(whole: Scene) -> None:
    cut(whole, "ST12")
    run(whole, "stock")
    (row,) = waiting(whole)
    with whole.engine() as engine, pytest.raises(ConfigError, match="say why"):
        deciding.approve(engine, row["id"], who=WHO, why="  \n")
    reject(whole, row["id"])


def test_nothing_of_a_rejected_file_counts_and_the_next_one_is_judged_by_itself(whole: Scene) -> None:
    (sku,) = on_shelf(whole, "ST13", 1)
    whole.night_file("ST13", {sku: 7})
    run(whole, "stock")
    cut(whole, "ST13", **{sku: 1})
    run(whole, "stock")
    (row,) = waiting(whole)
    reject(whole, row["id"])
    assert (run(whole, "stock").exit_code, level(whole, sku, "ST13", "stores")) == (0, 7)
    whole.night_file("ST13", {sku: 4})
    assert (run(whole, "stock").exit_code, level(whole, sku, "ST13", "stores")) == (0, 4)


def test_a_newer_file_supersedes_what_waits_also_where_it_is_held_itself(whole: Scene) -> None:
    (sku,) = on_shelf(whole, "ST14", 1)
    whole.night_file("ST14", {sku: 7})
    run(whole, "stock")
    cut(whole, "ST14", **{sku: 1})
    run(whole, "stock")
    cut(whole, "ST14", **{sku: 2})
    run(whole, "stock")
    first, second = [row["id"] for row in _of(whole, "ST14")][-2:]
    assert (state_of(whole, first)[0], state_of(whole, second)[0]) == ("superseded", "held")
    whole.night_file("ST14", {sku: 5})
    assert run(whole, "stock").exit_code == 0
    assert state_of(whole, second) == ("superseded", None, None)
    assert [step for step, _ in steps(whole, second)] == ["held", "superseded"]
    with pytest.raises(HubError, match="since a newer one has come"):
        approve(whole, second)


def test_a_key_with_a_newer_word_keeps_it_when_the_file_is_approved(whole: Scene) -> None:
    one, other = on_shelf(whole, "ST15", 2)
    whole.night_file("ST15", {one: 7, other: 7})
    run(whole, "stock")
    cut(whole, "ST15", **{one: 3, other: 3})
    run(whole, "stock")
    now = whole.clock.forward(hours=1)
    whole.retailer.stores.drop("ST15", as_of=now, complete=False, levels={one: 9}, unavailable={}, dirty=False)
    run(whole, "stock")
    (row,) = waiting(whole)
    outcome = approve(whole, row["id"])
    assert outcome.counts["superseded"] == 1
    assert (level(whole, one, "ST15", "stores"), level(whole, other, "ST15", "stores")) == (9, 3)


def test_what_waits_is_kept_however_long_and_what_is_decided_is_not(whole: Scene) -> None:
    cut(whole, "ST16")
    run(whole, "stock")
    (row,) = waiting(whole)
    with whole.engine() as engine:
        ((_, payload, _),) = held.pages(engine.journal, row["id"])
        engine.vault.forget_older_than(engine.journal, timedelta(0))
        assert engine.vault.open(engine.journal, payload)
        deciding.reject(engine, row["id"], who=WHO, why=WHY)
        engine.vault.forget_older_than(engine.journal, timedelta(0))
        with pytest.raises(StopRun, match="no longer kept"):
            engine.vault.open(engine.journal, payload)


def _of(scene: Scene, store: str) -> list[dict[str, Any]]:
    with scene.engine() as engine:
        rows = held.listing(engine.journal, ("held", "superseded", "approved", "rejected"))
    return [row for row in rows if f"_{store[2:].zfill(4)}_" in row["source"]]


# --- readings ---------------------------------------------------------------------------------------


def articles(scene: Scene, many: int) -> list[tuple[str, Decimal]]:
    """SKUs with one price in the shop's list, and what it is."""
    rows = scene.query(
        """SELECT data ->> 'sku', min((data ->> 'amount')::numeric) FROM source_state WHERE object = 'price'
           GROUP BY 1 HAVING count(*) = 2 AND count(DISTINCT data ->> 'amount') = 1 ORDER BY 1"""
    )
    taken = scene.__dict__.setdefault("taken", set())
    free = [row for row in rows if row[0] not in taken][:many]
    taken.update(sku for sku, _ in free)
    return free


def prices(scene: Scene, sku: str) -> set[Decimal]:
    rows = scene.query(
        "SELECT (data ->> 'amount')::numeric FROM source_state WHERE object = 'price' AND data ->> 'sku' = %s", sku
    )
    return {row[0] for row in rows}


def test_one_absurd_price_holds_the_whole_reading_and_reading_it_again_holds_it_once(whole: Scene) -> None:
    (wrong, before), (right, other) = articles(whole, 2)
    whole.retailer.erp.set_price(right, f"{other + 1:.2f}")
    whole.retailer.erp.set_price(wrong, f"{before * 10:.2f}")
    outcome = run(whole, "price")
    assert (outcome.exit_code, outcome.counts["held"], outcome.counts["changed"]) == (3, 2, 0)
    assert (before * 10 in prices(whole, wrong), other + 1 in prices(whole, right)) == (False, False)
    (row,) = waiting(whole)
    assert f"goes from {before} to {before * 10:.2f}, 900% more (guard price_change: " in row["reason"]
    assert "largest change of a price" in row["plan"]
    assert run(whole, "price").exit_code == 3  # the ERP's pages overlap: the same words come again
    assert [one["id"] for one in waiting(whole)] == [row["id"]]
    (key,) = whole.query("SELECT key FROM held_record WHERE held = %s AND subject = %s", row["id"], wrong)
    assert Decimal(str(become(whole, row["id"], *key)["amount"])) == before * 10
    approve(whole, row["id"])
    assert (before * 10 in prices(whole, wrong), other + 1 in prices(whole, right)) == (True, True)
    assert whole.retailer.shop.catalog.variant(wrong).price_cents == int(before * 1000)


def test_a_rejected_price_stays_out_however_often_it_is_read_and_a_corrected_one_passes(whole: Scene) -> None:
    ((sku, before),) = articles(whole, 1)
    whole.retailer.erp.set_price(sku, f"{before * 10:.2f}")
    run(whole, "price")
    (row,) = waiting(whole)
    reject(whole, row["id"])
    since = (whole.clock.now() - timedelta(minutes=5)).isoformat()
    whole.clock.forward(seconds=5)
    with whole.engine() as engine:
        assert engine.pass_of("price", since=since).exit_code == 0
    assert (waiting(whole), before * 10 in prices(whole, sku)) == ([], False)
    whole.retailer.erp.set_price(sku, f"{before + 2:.2f}")
    assert run(whole, "price").exit_code == 0
    assert before + 2 in prices(whole, sku)


def test_newer_words_of_all_its_keys_supersede_a_held_reading(whole: Scene) -> None:
    ((sku, before),), day = articles(whole, 1), whole.clock.now().date()
    whole.retailer.erp.set_price(sku, f"{before * 10:.2f}", first_day=day)
    run(whole, "price")
    (row,) = waiting(whole)
    whole.clock.forward(minutes=5)
    whole.retailer.erp.set_price(sku, f"{before + 1:.2f}", first_day=day)
    assert run(whole, "price").exit_code == 0
    assert state_of(whole, row["id"])[0] == "superseded"
    assert before + 1 in prices(whole, sku)


class Tells:
    """A system that pushes what the ERP would answer."""

    def __init__(self, records: list[Any]) -> None:
        self.records = records

    def unpack(self, request: Pushed) -> list[Any]:
        return self.records


def test_an_absurd_price_that_is_pushed_is_held_and_the_message_beside_it_is_not(whole: Scene) -> None:
    (wrong, before), (right, other) = articles(whole, 2)
    for sku, amount in ((wrong, before * 10), (right, other + 1)):
        whole.clock.forward(minutes=5)
        whole.retailer.erp.set_price(sku, f"{amount:.2f}")
        with whole.engine() as engine, engine.running("ingest", "price", "erp") as current:
            source: Any = engine.systems["erp"]
            since = checkpoints.load(engine.journal, "erp", "prices")
            told = [record for page in batches(source, "erp", "prices", since) for record in page.records]
            one = [record for record in told if record.data["ITMREF"].strip().upper() == sku]
            assert one
            request = Pushed(system="erp", path="/erp", url="", headers={}, body=sku.encode(), received_at=NOW)
            assert inbox.store(engine.journal, engine.vault, sku, request, {})
            with engine.journal.transaction():
                ingest.take_messages(engine, current, "erp", Tells(one))  # type: ignore[arg-type]
                keep.finish(engine, current)
    assert (before * 10 in prices(whole, wrong), other + 1 in prices(whole, right)) == (False, True)
    (row,) = waiting(whole)
    assert "900% more (guard price_change: 60%)" in row["reason"]
    assert row["rows"] == 1
    approve(whole, row["id"])
    assert before * 10 in prices(whole, wrong)


def in_warehouse(scene: Scene, many: int) -> list[str]:
    rows = scene.query(
        """SELECT data ->> 'sku' FROM source_state WHERE system = 'erp' AND object = 'stock_level'
           AND data ->> 'location' = 'WH1' AND (data ->> 'on_hand')::int > 3 ORDER BY 1 LIMIT %s""", many,
    )  # fmt: skip
    return [row[0] for row in rows]


def test_a_reading_of_several_pages_is_weighed_as_a_whole(whole: Scene) -> None:
    """150 rows are two pages; each by itself, the second would have passed."""
    skus = in_warehouse(whole, 150)
    now = whole.clock.forward(minutes=10)
    for sku in skus:
        whole.retailer.erp.set(sku, "WH1", 0, at=now)
    with guards(whole, "stock", "{to_zero: 1%, at_least: 120}"):
        outcome = run(whole, "stock")
    assert (outcome.exit_code, outcome.counts["held"]) == (3, 150)
    assert min(level(whole, sku, "WH1", "erp") for sku in skus) > 3
    (row,) = waiting(whole)
    assert "150 of" in row["reason"]
    assert "150 lines; 150 change; 150 fall to 0" in row["plan"]
    query = "SELECT count(*) FROM source_state WHERE system = 'erp' AND object = 'stock_level' AND detached"
    assert whole.query(query) == [(150,)], "the ERP does not vouch for them while they are held"
    approve(whole, row["id"])
    assert {level(whole, sku, "WH1", "erp") for sku in skus} == {0}
    assert {whole.shop(sku, "WH1") for sku in skus} == {0}
    assert whole.query(query) == [(0,)]


def test_a_reading_that_no_guard_objects_to_goes_through_and_leaves_nothing(whole: Scene) -> None:
    skus = in_warehouse(whole, 130)
    now = whole.clock.forward(minutes=10)
    for sku in skus:
        whole.retailer.erp.set(sku, "WH1", 11, blocked=0, at=now)
    outcome = run(whole, "stock")
    assert (outcome.exit_code, outcome.counts["held"]) == (0, 0)
    assert {level(whole, sku, "WH1", "erp") for sku in skus} == {11}
    assert whole.query("SELECT count(*) FROM held WHERE state IN ('gathering', 'passed')") == [(0,)]


def test_a_process_that_ends_between_pages_loses_nothing_and_the_next_goes_on(whole: Scene) -> None:
    skus = in_warehouse(whole, 130)
    now = whole.clock.forward(minutes=10)
    for sku in skus:
        whole.retailer.erp.set(sku, "WH1", 12, blocked=0, at=now)
    read_one_page(whole)
    assert {level(whole, sku, "WH1", "erp") for sku in skus} == {11}
    assert run(whole, "stock").exit_code == 0
    assert {level(whole, sku, "WH1", "erp") for sku in skus} == {12}


def test_a_reading_that_nobody_takes_up_again_is_weighed_as_far_as_it_came(whole: Scene) -> None:
    (sku,) = in_warehouse(whole, 1)
    whole.retailer.erp.set(sku, "WH1", 13, blocked=0, at=whole.clock.forward(minutes=10))
    read_one_page(whole, more=True)
    whole.clock.forward(minutes=20)
    with whole.engine() as engine, engine.running("ingest", "stock", "erp") as current:
        pages.go_on(engine, current, "erp", "stock", ingest.readers(engine, "erp", "stock"))
    assert level(whole, sku, "WH1", "erp") == 13


def test_an_export_of_zeros_that_is_said_again_is_held_again(whole: Scene) -> None:
    """What is held has no source that vouches for it: the second export must not be compared with an empty shop."""
    rows = whole.query("SELECT key, data FROM source_state WHERE system = 'erp' AND object = 'stock_level'")
    for _ in range(2):
        now = whole.clock.forward(minutes=10)
        for key, _ in rows:
            whole.retailer.erp.set(*key.split("@"), 0, at=now)
        assert run(whole, "stock").exit_code == 3
    (row,) = waiting(whole)
    count = sum(data["on_hand"] > 0 for _, data in rows)
    assert f"{count} of {count} articles in stock fall to 0, 100%" in row["reason"]
    query = "SELECT key, data FROM source_state WHERE system = 'erp' AND object = 'stock_level'"
    assert dict(whole.query(query)) == dict(rows)
    reject(whole, row["id"])


def test_what_is_held_is_looked_at_page_by_page(whole: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long reading need not fit into memory, also where it is held."""
    steps: list[str] = []

    def noted(name: str, do: Any) -> Any:
        return lambda *arguments: (steps.append(name), do(*arguments))[1]

    skus = in_warehouse(whole, 150)
    now = whole.clock.forward(minutes=10)
    for sku in skus:
        whole.retailer.erp.set(sku, "WH1", 0, at=now)
    monkeypatch.setattr(packing, "unpack", noted("unpacked", packing.unpack))
    monkeypatch.setattr(holding, "keep_apart", noted("kept", holding.keep_apart))
    with guards(whole, "stock", "{to_zero: 1%}"):
        run(whole, "stock")
    many = steps.count("kept")
    assert many > 1
    assert steps == ["unpacked"] * many + ["unpacked", "kept"] * many, "weighed, then held: one after the other"
    (row,) = waiting(whole)
    reject(whole, row["id"])


def test_whoever_approves_again_finishes_what_a_kill_left_of_it(whole: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    skus = in_warehouse(whole, 150)
    now = whole.clock.forward(minutes=10)
    for sku in skus:
        whole.retailer.erp.set(sku, "WH1", 16, blocked=0, at=now)
    with guards(whole, "stock", "{changes: 1%}"):
        run(whole, "stock")
    (row,) = waiting(whole)
    with monkeypatch.context() as patched:
        patched.setattr(pages, "apply", killed)
        with pytest.raises(KeyboardInterrupt):
            approve(whole, row["id"])
    assert (state_of(whole, row["id"])[0], {level(whole, sku, "WH1", "erp") for sku in skus} == {16}) == (
        "approved", False,
    )  # fmt: skip
    assert approve(whole, row["id"]).exit_code == 0
    assert {level(whole, sku, "WH1", "erp") for sku in skus} == {16}
    assert [step for step, _ in steps(whole, row["id"])] == ["held", "approved"]
    with pytest.raises(HubError, match="nothing was done"):
        approve(whole, row["id"])


def killed(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_batch_that_nothing_reads_any_more_is_not_applied_and_not_lost(whole: Scene) -> None:
    cut(whole, "ST17")
    run(whole, "stock")
    (row,) = waiting(whole)
    mapping = whole.project / "mappings/sftp_files/stock_level.v1.yaml"
    kept = mapping.rename(mapping.with_suffix(".away"))
    try:
        with pytest.raises(StopRun, match=r"put back what was taken out of hub\.yaml or the map"):
            approve(whole, row["id"])
    finally:
        kept.rename(mapping)
    assert state_of(whole, row["id"])[0] == "held"
    reject(whole, row["id"])


def test_a_plan_holds_what_a_killed_reading_left_and_applying_it_finishes_that(whole: Scene) -> None:
    skus = in_warehouse(whole, 130)
    now = whole.clock.forward(minutes=10)
    for sku in skus:
        whole.retailer.erp.set(sku, "WH1", 14, blocked=0, at=now)
    read_one_page(whole)
    with whole.engine() as engine:
        plan = make(engine, "stock", "erp")
    planned = {one.key for one in plan.changes if one.step == "applied" and one.after["on_hand"] == 14}
    assert planned == {f"{sku}@WH1" for sku in skus}
    with whole.engine() as engine:
        apply(engine, plan.number)
    assert {level(whole, sku, "WH1", "erp") for sku in skus} == {14}
    assert whole.query("SELECT count(*) FROM held WHERE state IN ('gathering', 'passed')") == [(0,)]


def read_one_page(scene: Scene, *, more: bool | None = None) -> None:
    """What a worker has done that is killed after its first page."""
    from dataclasses import replace

    with scene.engine() as engine, engine.running("ingest", "stock", "erp") as current:
        source: Any = engine.systems["erp"]
        batch = next(batches(source, "erp", "stock", checkpoints.load(engine.journal, "erp", "stock")))
        batch = batch if more is None else replace(batch, more=more)
        with engine.journal.transaction():
            pages.take(engine, current, "erp", "stock", batch, ingest.readers(engine, "erp", "stock"))
            checkpoints.save(engine.journal, "erp", "stock", batch.checkpoint)
            keep.finish(engine, current)
