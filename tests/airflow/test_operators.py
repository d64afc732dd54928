"""What the two tasks tell: counts and ids, one sentence, and the bell for those who go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hub.flow import Outcome


def outcome(counts: Mapping[str, int], *, ring: tuple[str, ...] = (), held: bool = False) -> Outcome:
    return Outcome(
        run="20261122-023000-ingest-erp-a1b2c3", counts=counts, sentence="stock from erp", ring=ring, held=held
    )


def task(kind: str = "Ingest") -> Any:
    from hub.airflow import operators

    if kind == "Deliver":
        return operators.Deliver(task_id="deliver_shop", system="shop")
    return operators.Ingest(task_id="read_erp", flow="stock", system="erp")


def context() -> dict[str, Any]:
    from airflow.sdk.execution_time.context import OutletEventAccessors

    return {"outlet_events": OutletEventAccessors()}


def rung(operator: Any, seen: dict[str, Any]) -> list[str]:
    return [event.dest_asset_key.uri for event in seen["outlet_events"][operator.bell].asset_alias_events]


def test_the_result_holds_the_run_and_the_counts_and_nothing_of_the_payload() -> None:
    result = task().report(context(), outcome({"read": 480, "changed": 12, "pending": 3}))
    assert result == {"run": "20261122-023000-ingest-erp-a1b2c3", "read": 480, "changed": 12, "pending": 3}


def test_a_target_that_could_not_be_served_at_once_is_rung() -> None:
    operator, seen = task(), context()
    operator.report(seen, outcome({"read": 1}, ring=("shop", "tills")))
    assert rung(operator, seen) == ["hub://deliver/shop", "hub://deliver/tills"]


def test_nobody_is_rung_where_nothing_is_left() -> None:
    operator, seen = task(), context()
    operator.report(seen, outcome({"read": 1}))
    assert rung(operator, seen) == []


def test_a_delivery_that_ran_out_of_time_ends_green_and_rings_itself() -> None:
    operator, seen = task("Deliver"), context()
    operator.began = -1000.0
    assert operator.report(seen, outcome({"delivered": 250, "pending": 900}))["pending"] == 900
    assert rung(operator, seen) == ["hub://deliver/shop"]


def test_a_delivery_that_gave_up_at_once_leaves_the_next_try_to_the_schedule() -> None:
    import time

    operator, seen = task("Deliver"), context()
    operator.began = time.monotonic()
    operator.report(seen, outcome({"pending": 900}))
    assert rung(operator, seen) == []


def test_a_batch_that_a_guard_stops_now_fails_the_task_with_a_sentence() -> None:
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException, match="a batch is held"):
        task().report(context(), outcome({"held": 1}, held=True))


def test_a_batch_that_is_still_held_shows_as_skipped_and_raises_no_new_alarm() -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    with pytest.raises(AirflowSkipException, match="a batch is held"):
        task().report(context(), outcome({"held": 0}, held=True))


def test_the_link_leads_to_the_hubs_page_of_the_run() -> None:
    operator = task()
    operator.report(context(), outcome({}))
    (link,) = operator.operator_extra_links
    assert link.get_link(operator, ti_key=None) == "/hub/runs/20261122-023000-ingest-erp-a1b2c3"


def test_without_a_run_the_link_leads_to_all_runs() -> None:
    operator = task()
    (link,) = operator.operator_extra_links
    assert link.get_link(operator, ti_key=None) == "/hub/runs"


def test_a_comparison_tells_its_own_counts_and_rings_where_something_drifted() -> None:
    from hub.airflow.operators import Reconcile

    operator, seen = Reconcile(task_id="compare_shop", flow="stock", system="shop"), context()
    counts = {"compared": 480, "equal": 479, "different": 1, "fixed": 0}
    assert operator.report(seen, outcome(counts, ring=("shop",)))["different"] == 1
    assert rung(operator, seen) == ["hub://deliver/shop"]


def test_all_flows_of_an_account_share_its_pool() -> None:
    from hub.airflow.operators import Deliver, Ingest

    reads = Ingest(task_id="read_shop", flow="stock", system="shop")
    writes = Deliver(task_id="deliver_shop", system="shop")
    assert reads.pool == writes.pool == "hub_shop"
