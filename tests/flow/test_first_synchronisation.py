"""One pass over the whole retailer, held against numbers that were computed without the hub."""

from __future__ import annotations

import json

from support.scene import Scene

from hub.certify.stock_truth import expected


def test_after_one_pass_shop_and_tills_hold_what_the_raw_data_say_and_a_second_pass_writes_nothing(
    fresh: Scene,
) -> None:
    outcome = fresh.synchronise()
    counts = outcome.counts
    assert counts["read"] == sum(counts[n] for n in ("changed", "unchanged", "superseded", "quarantined"))
    assert counts["enqueued"] == sum(counts[n] for n in ("delivered", "coalesced", "refused", "pending"))
    assert (counts["pending"], counts["refused"], counts["waiting"], outcome.exit_code) == (0, 0, 0, 0)

    shop, tills = expected(fresh)
    held, counted = fresh.retailer.shop.levels(), fresh.retailer.tills.counts()
    assert len(shop) > 10_000
    assert {k: (v, held.get(k)) for k, v in shop.items() if held.get(k) != v} == {}
    assert len(tills) > 9_500
    assert {k: (v, counted.get(k)) for k, v in tills.items() if counted.get(k) != v} == {}

    last = fresh.retailer.ledger.last_id
    again = fresh.synchronise()
    written = [c for c in fresh.retailer.ledger.writes(since_id=last) if c.system != "stores"]
    assert written == []
    assert (again.counts["enqueued"], again.counts["changed"]) == (0, 0)


def test_trace_tells_the_line_each_step_and_the_receipt(fresh: Scene) -> None:
    fresh.synchronise()
    name = next(n for n in fresh.retailer.stores.archived() if "STOCK_0004" in n)
    with fresh.engine() as engine:
        from hub.flow.trace import trace

        key = engine.journal.execute(
            "SELECT d.key FROM desired d JOIN audit a ON a.key = d.key AND a.step = 'confirmed' AND a.system = 'shop'"
            " WHERE d.key LIKE '%@ST04' LIMIT 1"
        ).fetchone()
        assert key is not None
        story = trace(engine, "stock_level", key[0])
    line = story["known"][0]["origin"]
    raw = next(p for p in fresh.retailer.stores.folder.rglob("*") if p.name == name)
    assert line["source"].removesuffix(".csv") in name
    sku = key[0].split("@")[0]
    assert sku in raw.read_text("cp1252").splitlines()[line["line"] - 1].upper()
    steps = [(row["step"], row["system"]) for row in story["timeline"]]
    assert steps.index(("applied", "stores")) < steps.index(("derived", "shop")) < steps.index(("confirmed", "shop"))
    assert story["targets"][0]["value"] == story["targets"][0]["remote"]
    json.dumps(story, default=str)
