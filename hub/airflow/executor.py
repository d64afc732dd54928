"""Airflow's executor of one machine, with each task instance in one process at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.executors.local_executor import LocalExecutor

if TYPE_CHECKING:
    from airflow.executors.workloads import ExecuteTask, ExecutorWorkload
    from airflow.models.taskinstancekey import TaskInstanceKey


class InTurn(LocalExecutor):
    """Resumes a parked task only when the process that parked it was heard to end.

    A person who answers within a second of the question, or of a minute's look, resumes the task while that process
    is still on its way out. Airflow's own executor forgets what it has handed out: the end of the first process is
    then taken for the end of the resumed one, which counts as killed from outside, and its answer with it
    (apache/airflow#72716, open in 3.3.2). Celery's executor remembers.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._handed_out: set[Any] = set()  # keys of task instances

    def order_queued_tasks_by_priority(self) -> list[tuple[TaskInstanceKey, ExecuteTask]]:
        """What may start now, the most urgent first; the rest stays queued, and is known to be."""
        return [(key, task) for key, task in super().order_queued_tasks_by_priority() if key not in self._handed_out]

    def change_state(self, key: Any, state: Any, info: Any = None, remove_running: bool = True) -> None:
        """A process has ended."""
        self._handed_out.discard(key)
        super().change_state(key, state, info, remove_running)

    def _check_workers(self) -> None:
        if not all(worker.is_alive() for worker in self.workers.values()):
            self._handed_out.clear()  # nobody will hear the end of what a killed worker had
        super()._check_workers()  # type: ignore[no-untyped-call]

    def _process_workloads(self, workload_list: Sequence[ExecutorWorkload]) -> None:
        self._handed_out.update(workload.key for workload in workload_list)
        super()._process_workloads(workload_list)  # type: ignore[no-untyped-call]
