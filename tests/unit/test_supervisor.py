"""The supervisor: what dies comes back, and what is stopped leaves no process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.local import proc
from hub.local.supervisor import Program, Supervisor, log_of

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
# As Airflow's scheduler does: SIGTERM makes it wait for its task, which runs in a group of its own.
WAITS_FOR_TASK = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, lambda *_: None)
task = subprocess.Popen([sys.executable, "-c", '''
import sys, time
try:
    print("task up", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print("task interrupted", flush=True)
'''], process_group=0)
task.wait()
"""

NOTES_ITS_END = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path(sys.argv[1]).write_text(str(time.time())), sys.exit()))
print("up", flush=True)
time.sleep(600)
"""


def python(name: str, code: str, *, tasks: bool = False, last: bool = False) -> Program:
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return Program(name=name, command=command, env=dict(os.environ), tasks=tasks, last=last)


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def states_in_session(leader: int | None) -> list[str]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader:
                found.append(fields[0])
    return found


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    running = Supervisor(tmp_path, said.append)
    yield running
    running.kill()


def test_a_program_that_dies_is_started_again_and_that_is_said_once(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(python("short", "import time; time.sleep(0.1); raise SystemExit(3)"))
    starts: set[int | None] = set()

    def three_starts() -> bool:
        supervisor.tick()
        starts.add(supervisor.running()["short"])
        return len(starts - {None}) >= 3

    assert eventually(three_starts)
    assert len(said) == 1
    assert said[0].startswith("short ended (exit code 3) and is started again")


def test_stopping_ends_programs_that_do_not_listen_with_all_that_they_started(supervisor: Supervisor) -> None:
    supervisor.start(
        python("stubborn", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {STUBBORN!r}])")
    )
    assert eventually(lambda: "up" in log_of(supervisor.home, "stubborn").read_text())
    leader = supervisor.running()["stubborn"]
    assert leader is not None
    supervisor.patience = 1.5
    began = time.monotonic()
    supervisor.stop()
    assert not proc.in_sessions([leader])
    assert time.monotonic() - began < 6


@pytest.fixture(params=[signal.SIG_DFL, signal.SIG_IGN], ids=["at a terminal", "in the background of a script"])
def started(request: pytest.FixtureRequest) -> Iterator[None]:
    """A shell lets what it starts in the background ignore Ctrl-C, and all that this starts."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("started")
def test_a_running_task_is_interrupted_after_a_second_and_not_killed(supervisor: Supervisor) -> None:
    supervisor.start(python("scheduler", WAITS_FOR_TASK, tasks=True))
    assert eventually(lambda: "task up" in log_of(supervisor.home, "scheduler").read_text())
    began = time.monotonic()
    supervisor.stop()
    assert "task interrupted" in log_of(supervisor.home, "scheduler").read_text()
    assert time.monotonic() - began < 6


def test_orphans_are_buried_and_leave_no_zombie(supervisor: Supervisor) -> None:
    orphan = (
        "import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', 'print(1)'], process_group=0); os._exit(0)"
    )
    starter = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {orphan!r}]); time.sleep(600)"
    supervisor.start(python("starter", starter))
    leader = supervisor.running()["starter"]
    assert eventually(lambda: "1" in log_of(supervisor.home, "starter").read_text())
    time.sleep(0.3)
    supervisor.tick()
    assert [stat for stat in states_in_session(leader) if stat == "Z"] == []


def test_the_last_program_outlives_the_others(supervisor: Supervisor, tmp_path: Path) -> None:
    for name, last in (("api", True), ("worker", False)):
        command = [sys.executable, "-c", NOTES_ITS_END, str(tmp_path / name)]
        supervisor.start(Program(name=name, command=command, env=dict(os.environ), last=last))
    assert eventually(lambda: all("up" in log_of(supervisor.home, name).read_text() for name in ("api", "worker")))
    supervisor.stop()
    assert float((tmp_path / "worker").read_text()) < float((tmp_path / "api").read_text())


SUPERVISED = """
import sys, time
from pathlib import Path
sys.path[:0] = {path!r}
from hub.local.supervisor import Program, Supervisor
supervisor = Supervisor(Path(sys.argv[1]), print)
supervisor.start(Program(name="stubborn", command=[sys.executable, "-c", {code!r}], env={{}}))
print(supervisor.running()["stubborn"], flush=True)
time.sleep(600)
"""


def test_what_a_killed_supervisor_left_is_swept_at_the_next_start(supervisor: Supervisor) -> None:
    code = SUPERVISED.format(path=sys.path, code=STUBBORN)
    first = subprocess.Popen([sys.executable, "-c", code, str(supervisor.home)], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    with first, first.stdout:
        left = int(first.stdout.readline())
        assert eventually(lambda: "up" in log_of(supervisor.home, "stubborn").read_text())
        first.send_signal(signal.SIGKILL)
    assert proc.look(left)
    assert supervisor.sweep() == 1
    assert proc.look(left) is None


def test_the_sweep_leaves_a_process_that_only_has_the_same_number(supervisor: Supervisor) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    try:
        supervisor.record.write_text(json.dumps([[other.pid, 1]]))
        assert supervisor.sweep() == 0
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
