"""Two workers deliver the same flow to the same target at once: every value is told once, and the last one stays."""

from __future__ import annotations

import json
from collections import Counter

from support.scene import Scene, worker
from support.stories import edited, partial

from hub.flow import derive, ingest, keep

PLACE = "ST15"
ARTICLES = 40
REST = ('options: {api: graphql, version: "2026-04"}', 'options: {api: rest, version: "2026-04"}')


def counted(settled: Scene, pieces: int) -> list[str]:
    """The store counts some articles: derived, and waiting for whoever delivers."""
    counts = settled.retailer.tills.counts()
    skus = sorted(key.split("@")[0] for key, n in counts.items() if key.endswith(f"@{PLACE}") and n)
    known = {row[0] for row in settled.query("SELECT key FROM desired WHERE target = 'shop'")}
    chosen = [sku for sku in skus if f"{sku}@{PLACE}" in known][:ARTICLES]
    settled.clock.forward(minutes=1)
    partial(settled, PLACE, dict.fromkeys(chosen, pieces))
    with settled.engine() as engine, engine.running("ingest", "stock", "stores") as current:
        ingest.read(engine, current, "stores")
        derive.derive_due(engine, current, keep.TOGETHER)
    return chosen


def test_what_two_workers_deliver_at_once_is_told_once_and_right(settled: Scene) -> None:
    """One level a call, so that they take turns; no key and no compare-and-set that would hide a second telling."""
    with edited(settled, "hub.yaml", *REST):
        for pieces in (91, 92):
            chosen = counted(settled, pieces)
            last = settled.retailer.ledger.last_id
            both = [worker(settled, "shop") for _ in range(2)]
            ended = [one.communicate(timeout=120) for one in both]
            assert [one.returncode for one in both] == [0, 0], ended
            calls = settled.retailer.ledger.writes("shop", since_id=last)
            times = Counter(json.dumps(call.detail, sort_keys=True, default=str) for call in calls)
            assert [detail for detail, n in times.items() if n > 1] == []
            assert sum(json.loads(out)["delivered"] for out, _ in ended) == len(calls) >= ARTICLES
            held = {settled.shop(sku, PLACE) for sku in chosen}
            assert max(held) == pieces - 1
            desired = settled.query(
                "SELECT key, (value ->> 'quantity')::int FROM desired WHERE target = 'shop' AND key = ANY(%s)",
                [f"{sku}@{PLACE}" for sku in chosen],
            )
            assert {key: settled.retailer.shop.levels()[key] for key, _ in desired} == dict(desired)
