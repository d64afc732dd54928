"""One pass over the whole retailer, held against numbers that were computed without the hub."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from support.scene import Scene

from hub.certify.stock_truth import expected


def test_after_one_pass_shop_and_tills_hold_what_the_raw_data_say_and_a_second_pass_writes_nothing(
    settled: Scene, first_stock: tuple[Path, datetime, dict[str, Any]]
) -> None:
    _, _, counts = first_stock
    assert counts["read"] == sum(counts[n] for n in ("changed", "unchanged", "superseded", "quarantined"))
    assert counts["enqueued"] == sum(counts[n] for n in ("delivered", "coalesced", "refused", "pending"))
    assert (counts["pending"], counts["refused"], counts["waiting"], counts["exit_code"]) == (0, 0, 0, 0)

    shop, tills = expected(settled)
    held, counted = settled.retailer.shop.levels(), settled.retailer.tills.counts()
    assert len(shop) > 10_000
    assert {k: (v, held.get(k)) for k, v in shop.items() if held.get(k) != v} == {}
    assert len(tills) > 9_500
    assert {k: (v, counted.get(k)) for k, v in tills.items() if counted.get(k) != v} == {}

    last = settled.retailer.ledger.last_id
    again = settled.synchronise()
    written = [c for c in settled.retailer.ledger.writes(since_id=last) if c.system != "stores"]
    assert written == []
    assert (again.counts["enqueued"], again.counts["changed"]) == (0, 0)


def test_trace_tells_the_line_each_step_and_the_receipt(settled: Scene) -> None:
    name = next(n for n in settled.retailer.stores.archived() if "STOCK_0004" in n)
    with settled.engine() as engine:
        from hub.flow.trace import trace

        key = engine.journal.execute(
            "SELECT d.key FROM desired d JOIN audit a ON a.key = d.key AND a.step = 'confirmed' AND a.system = 'shop'"
            " WHERE d.key LIKE '%@ST04' LIMIT 1"
        ).fetchone()
        assert key is not None
        story = trace(engine, "stock_level", key[0])
    line = story["known"][0]["origin"]
    raw = next(p for p in settled.retailer.stores.folder.rglob("*") if p.name == name)
    assert line["source"].removesuffix(".csv") in name
    sku = key[0].split("@")[0]
    assert sku in raw.read_text("cp1252").splitlines()[line["line"] - 1].upper()
    steps = [(row["step"], row["system"]) for row in story["timeline"]]
    assert steps.index(("applied", "stores")) < steps.index(("derived", "shop")) < steps.index(("confirmed", "shop"))
    assert story["targets"][0]["value"] == story["targets"][0]["remote"]
    json.dumps(story, default=str)
