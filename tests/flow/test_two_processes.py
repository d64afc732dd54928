"""Several processes at one vendor account."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from support.scene import Scene, scene, worker


@pytest.fixture
def on_real_time(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with scene(tmp_path, database, monkeypatch, real_time=True, haste=1) as found:
        yield found


def test_two_delivering_processes_share_one_bucket_and_use_it_to_95_percent(on_real_time: Scene) -> None:
    """60 levels by REST, one a call, with the shop's own bucket of 40 calls that leaks 2 a second."""
    on_real_time.rewrite('options: {api: graphql, version: "2026-04"}', 'options: {api: rest, version: "2026-04"}')
    on_real_time.rewrite("budget: {points: 2000, per_second: 100}", "budget: {calls: 40, per_second: 2}")
    on_real_time.rewrite('sells_from: [WH1, "ST*"]', "sells_from: [WH1]")
    on_real_time.rewrite('      tills: {grain: location, value: on_hand, locations: ["ST*"]}\n', "")
    retailer = on_real_time.retailer
    with on_real_time.engine() as engine:
        from hub.flow import bind, derive, ingest, keep

        with engine.running("once", "stock", None) as current:
            ingest.read(engine, current, "erp")
            derive.derive_due(engine, current, keep.TOGETHER)
            bind.bind_missing(engine, current, "shop")
            engine.ended(current, "prepared")
        engine.journal.execute("DELETE FROM delivery WHERE id NOT IN (SELECT id FROM delivery ORDER BY id LIMIT 60)")
        # What is held there is taken as read, so that every call below is one that writes.
        engine.journal.execute(
            "INSERT INTO remote (target, object, key, value)"
            " SELECT target, object, key, '{\"quantity\": -1}' FROM delivery"
        )
        used_before = len(retailer.ledger.calls(system="shop"))
        engine.journal.execute("UPDATE budget SET tokens = 0, updated_at = clock_timestamp() WHERE account = 'shop'")
    time.sleep(20.5)  # both buckets, ours and the shop's, are full again
    last, began = retailer.ledger.last_id, time.monotonic()
    workers = [worker(on_real_time, "shop") for _ in range(2)]
    ended = [w.communicate(timeout=120) for w in workers]
    seconds = time.monotonic() - began
    assert [w.returncode for w in workers] == [0, 0], ended
    calls = retailer.ledger.calls(system="shop", since_id=last)
    assert used_before
    assert 429 not in {c.status for c in calls}
    writes = [c for c in calls if c.write]
    assert len(writes) == 60
    shares = [json.loads(out)["delivered"] for out, _ in ended]
    assert sum(shares) == 60
    assert min(shares) > 5, "one process did all the work"
    # All that the bucket held at once (it keeps one call in hand), then one call as often as it leaks: by the
    # median, so that a machine that stands still for a second does not count as an unused bucket.
    gaps = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(calls)]
    assert sum(gap < 0.4 for gap in gaps[:38]) >= 36
    assert 0.5 / median(gaps[40:]) > 0.95, f"{len(calls)} calls in {seconds:.1f} s"
