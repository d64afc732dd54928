"""The DAGs that hub.yaml makes: all there, readable by Airflow, named for operations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.filterwarnings("ignore")

ROOT = Path(__file__).parents[2]
ONLY_STOCK = """
retailer: {name: Small, zone: Europe/Paris, currency: EUR}
systems: {erp: {connector: soap_erp, options: {wsdl: "/erp?wsdl"}}}
authority: {stock_level: {"*": erp}}
flows: {stock: {sources: {erp: {every: 5m}}}}
"""


@pytest.fixture(scope="module")
def dags(airflow_database: None) -> Mapping[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert bag.import_errors == {}
    return dict(bag.dags)


@pytest.fixture
def page() -> Any:
    return yaml.safe_load((ROOT / "hub.yaml").read_text(encoding="utf-8"))


def test_every_source_of_every_flow_has_a_dag_and_every_account_one(dags: Mapping[str, Any], page: Any) -> None:
    reading = {f"{flow}_from_{system}" for flow, of in page["flows"].items() for system in of["sources"]}
    writing = {f"deliver_{system}" for of in page["flows"].values() for system in of["targets"]}
    comparing = {f"reconcile_{flow}" for flow, of in page["flows"].items() if of.get("targets")}
    asking = {f"approve_{flow}" for flow, of in page["flows"].items() if of.get("guards", {}).keys() - {"rejects"}}
    assert set(dags) == reading | writing | comparing | asking


def test_the_pace_of_hub_yaml_is_the_schedule(dags: Mapping[str, Any]) -> None:
    assert dags["stock_from_erp"].timetable.timetable.delta == timedelta(minutes=5)
    assert dags["stock_from_stores"].timetable.timetable.delta == timedelta(minutes=1)


def test_an_event_starts_each_dag_beside_its_schedule(dags: Mapping[str, Any]) -> None:
    assert dags["stock_from_shop"].timetable.asset_condition.objects[0].uri == "hub://arrived/shop"
    assert dags["deliver_shop"].timetable.asset_condition.objects[0].uri == "hub://deliver/shop"


def test_no_dag_runs_beside_itself_or_catches_up(dags: Mapping[str, Any]) -> None:
    assert {dag.catchup for dag in dags.values()} == {False}
    beside = {dag.dag_id.partition("_")[0] for dag in dags.values() if dag.max_active_runs > 1}
    assert beside == {"approve"}, "each held batch is a question of its own"


def test_operations_find_what_it_does_and_what_to_do(dags: Mapping[str, Any]) -> None:
    for dag in dags.values():
        assert dag.description
        assert dag.doc_md.startswith("### ")
        assert dag.owner in dag.dag_id
        assert dag.tags & {"ingest", "delivery", "reconcile", "approval"}


def test_opening_hours_and_cron_fields_of_hub_yaml_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.airflow.dags import ingest_dags

    lines = [line for line in (ROOT / "hub.yaml").read_text(encoding="utf-8").splitlines() if "open:" not in line]
    text = "\n".join(lines).replace("connector: soap_erp", 'connector: soap_erp\n    open: "05:00-23:30"')
    text = re.sub(r"(erp: +)\{every: 5m\}", r'\1{schedule: "15 6 * * *"}', text)
    for folder in ("connectors", "mappings", "canonical_schemas"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "hub.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("HUB_PROJECT", str(tmp_path))
    dag = ingest_dags("stock")["stock_from_erp"]
    assert "It is called from 05:00 to 23:30 only" in str(dag.doc_md)
    assert "at 15 6 * * * in any case" in str(dag.doc_md)


def test_every_task_has_the_retry_policy_the_pool_of_its_account_and_an_end(dags: Mapping[str, Any]) -> None:
    from hub.airflow.policy import POLICY

    for task in (task for dag in dags.values() if "approval" not in dag.tags for task in dag.tasks):
        assert task.retry_policy is POLICY
        assert task.retries == 4
        assert task.pool == f"hub_{task.system}"
        assert task.execution_timeout == timedelta(minutes=15)


def test_reading_and_delivering_are_one_task_each(dags: Mapping[str, Any]) -> None:
    assert {len(dag.tasks) for dag in dags.values() if "reconcile" not in dag.tags} == {1}


def test_a_reconciliation_compares_every_target_by_itself(dags: Mapping[str, Any], page: Any) -> None:
    tasks = {task.task_id: task for task in dags["reconcile_stock"].tasks}
    assert set(tasks) == {f"compare_{target}" for target in page["flows"]["stock"]["targets"]}
    assert all(not task.upstream_task_ids for task in tasks.values())


def test_reconciliations_come_once_a_day_one_after_the_other_in_the_retailers_time(dags: Mapping[str, Any]) -> None:
    tables = [dag.timetable.timetable for name, dag in sorted(dags.items()) if name.startswith("reconcile_")]
    assert len({table.expression for table in tables}) == len(tables)
    assert all(table.expression.split()[1] in ("6", "7") for table in tables)
    assert {table.run_immediately for table in tables} == {timedelta()}  # not beside the first synchronisation
    assert {str(table.timezone) for table in tables} <= {"Timezone('Europe/Paris')", "Europe/Paris"}


def test_a_reconciliation_also_comes_when_any_of_its_targets_answers_again(dags: Mapping[str, Any], page: Any) -> None:
    condition = dags["reconcile_stock"].timetable.asset_condition
    assert type(condition).__name__.endswith("AssetAny")
    targets = page["flows"]["stock"]["targets"]
    assert {one.uri for one in condition.objects} == {f"hub://recovered/{target}" for target in targets}


def test_a_flow_that_hub_yaml_does_not_have_makes_no_dag_and_one_that_nobody_knows_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.airflow.dags import ingest_dags
    from hub.errors import ConfigError

    (tmp_path / "hub.yaml").write_text(ONLY_STOCK, encoding="utf-8")
    monkeypatch.setenv("HUB_PROJECT", str(tmp_path))
    assert ingest_dags("price") == {}
    with pytest.raises(ConfigError, match='no flow "prices"'):
        ingest_dags("prices")


def test_the_dags_survive_the_way_through_airflows_database(dags: Mapping[str, Any]) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    for dag in dags.values():
        again = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
        assert again.task_ids == dag.task_ids


def test_the_gateway_rings_the_assets_that_the_dags_listen_to() -> None:
    from hub.airflow import names
    from hub.gateway.bell import arrived

    assert arrived("shop") == names.arrived("shop")
