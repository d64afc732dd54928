"""A task that is resumed while the process that parked it ends: real worker processes, and the scheduler's question."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The executor with two workers, which run for as long as a file is there instead of asking an API server."""
    from airflow.executors.base_executor import BaseExecutor

    from hub.airflow.executor import InTurn

    def run(workload: Any, **_: Any) -> None:
        (tmp_path / f"{workload.log_path}.pid").write_text(str(os.getpid()))
        (tmp_path / f"{workload.log_path}.began").touch()
        while (tmp_path / workload.log_path).exists():
            time.sleep(0.01)

    monkeypatch.setattr(BaseExecutor, "run_workload", staticmethod(run))
    executor = InTurn(parallelism=2)
    executor.start()
    yield executor
    for left in tmp_path.iterdir():
        left.unlink()
    executor.end()


def stretch(folder: Path, name: str, task: str = "ask") -> Any:
    """One process of the same try of ``task``, which goes on until its file is taken away."""
    from airflow.executors.workloads import ExecuteTask

    (folder / name).touch()
    of = {
        "id": uuid4(), "dag_version_id": uuid4(), "dag_id": "approve", "task_id": task, "run_id": "r", "try_number": 1,
        "map_index": -1, "pool_slots": 1, "queue": "default", "priority_weight": 1, "queued_dttm": datetime.now(UTC),
    }  # fmt: skip
    return ExecuteTask.model_validate(
        {"ti": of, "dag_rel_path": "x.py", "token": "", "log_path": name, "bundle_info": {"name": "dags"}}
    )


def until(executor: Any, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        executor.heartbeat()
        time.sleep(0.01)


def test_a_resumed_task_waits_for_the_process_that_parked_it_and_is_known_to_wait(started: Any, tmp_path: Path) -> None:
    asks, resumed, other = stretch(tmp_path, "asks"), stretch(tmp_path, "resumed"), stretch(tmp_path, "other", "read")
    same = SimpleNamespace(id=resumed.ti.id, key=resumed.key)
    assert asks.key == resumed.key
    started.queue_workload(asks, None)
    until(started, (tmp_path / "asks.began").exists)

    started.queue_workload(resumed, None)
    started.queue_workload(other, None)
    until(started, (tmp_path / "other.began").exists)
    assert not (tmp_path / "resumed.began").exists(), "the answer came while the process was on its way out"

    (tmp_path / "asks").unlink()
    until(started, lambda: bool(started.event_buffer))
    assert started.get_event_buffer() == {asks.key: ("success", None)}
    assert started.has_task(same), "or the scheduler takes that end for the end of the resumed task"

    until(started, (tmp_path / "resumed.began").exists)
    (tmp_path / "resumed").unlink()
    until(started, lambda: resumed.key in started.event_buffer)
    (tmp_path / "other").unlink()
    until(started, lambda: other.key in started.event_buffer)


def test_a_worker_that_was_killed_keeps_no_task_waiting_for_its_end(started: Any, tmp_path: Path) -> None:
    asks, resumed = stretch(tmp_path, "asks"), stretch(tmp_path, "resumed")
    started.queue_workload(asks, None)
    until(started, (tmp_path / "asks.began").exists)
    started.queue_workload(resumed, None)
    started.workers[int((tmp_path / "asks.pid").read_text())].kill()
    until(started, (tmp_path / "resumed.began").exists)
