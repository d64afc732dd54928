"""``hub up`` with the real Airflow: from nothing to a synchronised shop, news within seconds, nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
import requests
from support.booted import Booted, eventually

from hub.local import proc

pytestmark = pytest.mark.timeout(400)


def plenty(hub: Booted, store: str) -> str:
    """A key of ``store`` of which the shop shows several pieces and no order holds any."""
    committed = hub.retailer.shop.levels("committed")
    levels = hub.retailer.shop.levels().items()
    return next(key for key, n in levels if key.endswith(f"@{store}") and n >= 4 and not committed[key])


def listening(seen: list[proc.Seen]) -> Iterator[tuple[str, int]]:
    for one in seen:
        with contextlib.suppress(psutil.NoSuchProcess):
            for connection in psutil.Process(one.pid).net_connections(kind="inet"):
                if connection.status == psutil.CONN_LISTEN:
                    yield connection.laddr.ip, connection.laddr.port


def test_it_says_where_it_is_how_to_sign_in_and_what_was_synchronised(hub: Booted) -> None:
    said = "".join(hub.said)
    assert f"{hub.site.url('airflow')}   user admin   password {hub.site.passwords()['admin']}" in said
    assert "stock from stores: " in said, said
    assert "0 still to send" in said
    for name in ("sandbox", "gateway", "api-server", "scheduler", "dag-processor", "triggerer"):
        assert name in said


def test_every_port_is_on_loopback_only(hub: Booted) -> None:
    found = set(listening(hub.processes()))
    assert {port for _, port in found} >= set(hub.site.ports.values())
    assert {address for address, _ in found} == {"127.0.0.1"}


def test_nothing_opens_without_the_sign_in(hub: Booted) -> None:
    for path in ("/api/v2/dags", "/hub/runs"):
        assert requests.get(hub.site.url("airflow") + path, timeout=20).status_code == 401


def test_a_sale_at_a_till_becomes_a_confirmed_change_at_the_shop(hub: Booted) -> None:
    key = plenty(hub, "ST05")
    before = hub.retailer.shop.levels()[key]
    hub.retailer.tills.sell("ST05", [(key.split("@")[0], 2)])
    eventually(lambda: hub.retailer.shop.levels()[key] == before - 2)


def test_a_file_of_a_store_is_taken_and_reaches_the_shop(hub: Booted) -> None:
    key = plenty(hub, "ST06")
    sku = key.split("@")[0]
    name = hub.retailer.stores.drop("ST06", complete=False, levels={sku: 17}, unavailable={}, dirty=False)
    eventually(lambda: name not in hub.retailer.stores.waiting())
    eventually(lambda: hub.retailer.shop.levels()[key] == 16)  # one is kept back as safety stock


def test_a_piece_that_is_kept_at_the_counter_leaves_the_shop_within_seconds(hub: Booted) -> None:
    key = plenty(hub, "ST09")
    sku, before = key.split("@")[0], hub.retailer.shop.levels()[key]
    counter = requests.Session()
    counter.headers["Authorization"] = f"Bearer {client(hub, 'till-09')}"
    url = hub.site.url("gateway") + "/v1"
    (article,) = counter.get(f"{url}/availability?sku={sku}&location=ST09", timeout=20).json()["articles"]
    assert article["quantity"] == before
    wanted = {"sku": sku, "quantity": 2, "location": "ST09"}
    made = counter.post(f"{url}/reservations", json=wanted, headers={"Idempotency-Key": "a-customer"}, timeout=20)
    assert made.status_code == 201
    eventually(lambda: hub.retailer.shop.levels()[key] == before - 2)
    counter.delete(f"{url}/reservations/{made.json()['id']}", timeout=20)
    eventually(lambda: hub.retailer.shop.levels()[key] == before)


def client(hub: Booted, name: str) -> str:
    """The key of a new client, as a person makes it while the hub runs."""
    env = {**os.environ, "HUB_HOME": str(hub.site.home), "HUB_PORT": str(hub.site.port)}
    command = [str(Path(sys.executable).with_name("hub")), "client", "add", name]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def test_operations_see_the_counts_and_the_way_to_the_run(hub: Booted) -> None:
    dags = {dag["dag_id"] for dag in hub.api("/api/v2/dags")["dags"]}
    assert dags >= {"stock_from_erp", "stock_from_stores", "stock_from_tills", "stock_from_shop", "deliver_shop"}
    of = "/api/v2/dags/stock_from_erp/dagRuns"
    run = hub.api(f"{of}?state=success&limit=1")["dag_runs"][0]["dag_run_id"]
    task = f"{of}/{run}/taskInstances/read_erp"
    counts = hub.api(f"{task}/xcomEntries/return_value?deserialize=true")["value"]
    assert counts["read"] == counts["changed"] + counts["unchanged"] + counts["superseded"] + counts["quarantined"]
    link = hub.api(f"{task}/links")["extra_links"]["Hub run"]
    assert link == f"/hub/runs/{counts['run']}"
    assert f"Run {counts['run']}" in hub.api(link)


def failed(hub: Booted) -> list[str]:
    """The tasks that are red, as paths of the API."""
    runs = hub.api("/api/v2/dags/~/dagRuns?state=failed&limit=100")["dag_runs"]
    of = [f"/api/v2/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances" for run in runs]
    return [
        f"{path}/{one['task_id']}" for path in of for one in hub.api(path)["task_instances"] if one["state"] == "failed"
    ]


def test_a_failed_task_says_in_one_sentence_what_to_do(hub: Booted) -> None:
    file = hub.site.home / "connections.json"
    right = file.read_text(encoding="utf-8")
    connections = json.loads(right)
    connections["erp"]["password"] = "changed by somebody"
    file.write_text(json.dumps(connections), encoding="utf-8")
    try:
        hub.api("/api/v2/dags/stock_from_erp/dagRuns", "POST", logical_date=None)  # the schedule may be a minute away
        eventually(lambda: bool(failed(hub)))
    finally:
        file.write_text(right, encoding="utf-8")
    task, *again = failed(hub)
    assert {path.split("/")[4] for path in again} <= {task.split("/")[4]}  # of all that use the ERP, one tells it
    (error,) = [line for line in hub.api(f"{task}/logs/1")["content"] if line.get("level") == "error"]
    (failure,) = error["error_detail"]  # no chain of causes behind it
    assert failure["exc_value"].startswith("erp refused the sign-in; check the login and secret of the connection")
    assert hub.api(task)["try_number"] == 1  # repeating it would not help


def asked(hub: Booted) -> list[str]:
    """Tasks that wait for a person, as paths of the API."""
    of = "/api/v2/dags/approve_stock/dagRuns"
    runs = [f"{of}/{run['dag_run_id']}/taskInstances/ask_about_stock" for run in hub.api(of)["dag_runs"]]
    return [path for path in runs if hub.api(path)["state"] == "awaiting_input"]


def test_a_cut_file_waits_for_a_person_in_airflow_and_the_answer_is_carried_out(hub: Booted) -> None:
    key = plenty(hub, "ST10")
    sku, before = key.split("@")[0], hub.retailer.shop.levels()[key]
    few = dict(list(hub.retailer.floor.levels("ST10", datetime.now(UTC)).items())[:100])
    hub.retailer.stores.drop("ST10", levels={**few, sku: before + 21}, dirty=False)
    eventually(lambda: bool(asked(hub)), 60)
    (task,) = asked(hub)
    question = hub.api(f"{task}/-1/hitlDetails")
    assert "fewer lines than" in question["body"]
    assert hub.retailer.shop.levels()[key] == before
    answer = {"chosen_options": ["Approve"], "params_input": {"why": "the store closes a floor"}}
    hub.api(f"{task}/-1/hitlDetails", "PATCH", **answer)
    eventually(lambda: hub.api(task)["state"] in ("success", "failed", "skipped"), 180)
    ended = hub.api(task)
    assert (ended["state"], ended["try_number"]) == ("success", 1), "it came within a second of the question"
    eventually(lambda: hub.retailer.shop.levels()[key] == before + 20, 90)


def test_no_two_processes_waited_for_each_other_in_the_database(hub: Booted) -> None:
    """Of a dozen that read and deliver at once; PostgreSQL ends one of them, whose task is tried again."""
    log = (hub.site.home / "logs" / "postgres.log").read_text(encoding="utf-8")
    assert "deadlock detected" not in log, log


def test_sigterm_ends_everything_within_15_seconds_also_while_a_task_runs(hub: Booted) -> None:
    run = hub.api("/api/v2/dags/stock_from_erp/dagRuns", "POST", logical_date=None)["dag_run_id"]
    running = f"/api/v2/dags/stock_from_erp/dagRuns/{run}/taskInstances"
    eventually(lambda: hub.api(running)["task_instances"][0]["state"] == "running")
    before = hub.processes()
    assert len(before) > 10
    began = time.monotonic()
    assert hub.end() == 0
    assert time.monotonic() - began < 15
    assert [seen for seen in before if proc.look(seen.pid) == seen] == []
