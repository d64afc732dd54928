"""The hub over systems that fail as the sandbox lets them: afterwards everything is where it belongs, once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.scene import Scene
from support.stories import article, news_of_all, partial, quarantined

from hub.errors import HubError
from hub.sandbox.faults import CAN, Kind
from hub.transport.retry import instant

CALLS = "[!f]*"  # everything but files on their way into the folder


@pytest.fixture(autouse=True)
def ends(settled: Scene) -> Iterator[None]:
    """No fault outlives its story."""
    yield
    settled.retailer.faults.clear()


def passes(settled: Scene, times: int) -> list[str]:
    """So many passes, whatever becomes of them; what they said."""
    said = []
    with instant():
        for _ in range(times):
            try:
                settled.synchronise()
            except HubError as error:
                said.append(str(error))
    return said


def test_after_a_storm_of_all_faults_every_number_is_right(settled: Scene) -> None:
    faults, last = settled.retailer.faults, settled.retailer.ledger.last_id
    with news_of_all(settled, "storm"):
        for system, kinds in CAN.items():
            faults.add(system, kinds, rate=0.1, delay=0.02, only=CALLS)
        passes(settled, 4)
        struck = faults.counts(since_id=last)
        faults.clear()
    assert {"erp", "stores", "shop", "tills"} <= set(struck)
    settled.synchronise()
    assert settled.query("SELECT count(*) FROM attempt WHERE state <> 'settled'") == [(0,)]


def test_a_compare_and_set_that_lost_is_compared_again_and_sent_once_more(settled: Scene) -> None:
    sku, faults = article(settled, "lost"), settled.retailer.faults
    settled.clock.forward(minutes=1)
    partial(settled, "ST15", {sku: 31})
    faults.add("shop", "stale-cas", rate=1, limit=1)
    last = settled.retailer.ledger.last_id
    outcome = settled.synchronise()
    first, *later = settled.retailer.ledger.writes("shop", since_id=last)
    assert first.fault == Kind.STALE
    assert first.idempotency_key not in {call.idempotency_key for call in later}
    assert (settled.shop(sku, "ST15"), outcome.pending) == (30, 0)


@pytest.mark.parametrize("kind", ["timeout-after-commit", "truncate", "slow"])
def test_an_answer_that_is_lost_cut_or_late_moves_stock_once(settled: Scene, kind: str) -> None:
    sku = article(settled, f"answer {kind}")
    settled.clock.forward(minutes=1)
    partial(settled, "ST15", {sku: 33})
    settled.retailer.faults.add("shop", kind, rate=1, limit=1, delay=0.02, only="inventorySet*")
    last = settled.retailer.ledger.last_id
    with instant():
        outcome = settled.synchronise()
    calls = settled.retailer.ledger.writes("shop", since_id=last)
    assert [call.fault for call in calls] == ([kind] if kind == "slow" else [kind, None])
    assert len({(call.idempotency_key, str(call.detail)) for call in calls}) == 1
    assert (settled.shop(sku, "ST15"), outcome.pending) == (32, 0)


def test_a_file_without_its_end_changes_nothing_and_the_next_one_does(settled: Scene) -> None:
    sku, other = article(settled, "cut"), article(settled, "cut off")
    before = settled.shop(sku, "ST15")
    settled.clock.forward(minutes=1)
    settled.retailer.faults.add("stores", "truncate", rate=1, limit=1, only="file")
    name = partial(settled, "ST15", {sku: 35, other: 35})
    settled.synchronise()
    ((_, reason, *_),) = quarantined(settled, name)
    assert "the file is cut in the middle of line" in reason
    assert settled.shop(sku, "ST15") == before
    settled.clock.forward(minutes=1)
    partial(settled, "ST15", {sku: 36})
    settled.synchronise()
    assert settled.shop(sku, "ST15") == 35


def test_the_same_file_under_another_name_changes_nothing(settled: Scene) -> None:
    sku = article(settled, "twice")
    settled.clock.forward(minutes=1)
    settled.retailer.faults.add("stores", "duplicate", rate=1, limit=1)
    partial(settled, "ST15", {sku: 37})
    last = settled.retailer.ledger.last_id
    outcome = settled.synchronise()
    assert (settled.shop(sku, "ST15"), settled.till(sku, "ST15")) == (36, 37)
    assert len(settled.retailer.ledger.writes("shop", since_id=last)) == 1
    assert (outcome.counts["changed"], outcome.counts["superseded"], outcome.counts["quarantined"]) == (1, 0, 0)


def test_an_older_file_that_comes_after_a_newer_one_is_history(settled: Scene) -> None:
    sku, stores = article(settled, "older"), settled.retailer.stores
    settled.retailer.faults.add("stores", "reorder", rate=1, limit=1, delay=3600)
    for pieces in (38, 39):
        settled.clock.forward(minutes=1)
        partial(settled, "ST15", {sku: pieces})
    settled.synchronise()
    assert settled.shop(sku, "ST15") == 38
    stores.desk.arrive(now=True)
    outcome = settled.synchronise()
    assert (outcome.counts["changed"], outcome.counts["superseded"]) == (0, 1)
    assert (settled.shop(sku, "ST15"), settled.till(sku, "ST15")) == (38, 39)
