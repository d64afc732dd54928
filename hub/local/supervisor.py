"""Keeps the hub's processes running, and ends them all within seconds.

Each child leads a session of its own, so that Ctrl-C in a terminal reaches the supervisor alone and
everything a child starts can be found again. What runs is recorded with its start time: the next
start sweeps what a killed supervisor left behind.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hub.local import proc

LOG_LIMIT = 16 * 2**20
RECORD_SECONDS = 1.0
STEADY_SECONDS = 60.0  # a child that ran this long starts with a short pause again
LONGEST_PAUSE = 30.0
TASKS_AFTER = 1.0  # seconds from SIGTERM to SIGINT for running tasks
KILL_AFTER = 6.5
AFTER_KILL = 1.0  # for the system to bury what was killed
LAST_SECONDS = 2.0  # what the last programs get


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One child: ``tasks`` says that it runs work in groups of its own; ``last`` ends after those that need it."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    tasks: bool = False
    last: bool = False
    before: Callable[[], None] = lambda: None  # called before every start


@dataclass(slots=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    again_at: float = 0.0
    told: bool = False


@dataclass(slots=True)
class Supervisor:
    """The children of one HUB_HOME; ``say`` takes one sentence for the person at the terminal."""

    home: Path
    say: Callable[[str], None]
    patience: float = KILL_AFTER  # seconds from SIGTERM to SIGKILL
    _children: list[_Child] = field(default_factory=list)
    _recorded_at: float = 0.0
    _led: set[int] = field(default_factory=set)  # every session that was ever started here

    def __post_init__(self) -> None:
        _adopt_orphans()

    @property
    def record(self) -> Path:
        return self.home / "processes.json"

    def sweep(self) -> int:
        """End what an earlier supervisor of this HUB_HOME left behind; how many processes that were."""
        try:
            recorded = [(int(pid), int(start)) for pid, start in json.loads(self.record.read_text(encoding="utf-8"))]
        except (OSError, ValueError):
            return 0
        left = proc.survivors(recorded)
        proc.send(left, signal.SIGTERM)
        _wait(lambda: not proc.survivors(recorded), 2.0)
        proc.send(proc.survivors(recorded), signal.SIGKILL)
        _wait(lambda: not proc.survivors(recorded), 2.0)
        self.record.unlink(missing_ok=True)
        return len(left)

    def start(self, program: Program) -> None:
        child = _Child(program)
        self._children.append(child)
        self._launch(child)
        self._write_record()

    def tick(self) -> None:
        """Start again what died, after a pause that grows; call it several times a second."""
        for child in self._children:
            self._look_after(child)
        self._reap_orphans()
        if time.monotonic() - self._recorded_at > RECORD_SECONDS:
            self._write_record()

    def running(self) -> dict[str, int | None]:
        """Each program's process number, None while it is down."""
        return {child.program.name: _pid(child) for child in self._children}

    def stop(self) -> None:
        """End everything: what runs tasks first, the programs that tasks report to last; at most about 12 s."""
        first = [child for child in self._children if not child.program.last]
        self._end(first, self.patience)
        self._end([child for child in self._children if child.program.last], LAST_SECONDS)
        self._reap_orphans()
        self._children.clear()
        self.record.unlink(missing_ok=True)

    def kill(self) -> None:
        """End everything at once: for a person who does not want to wait."""
        sessions = self._sessions(self._children)
        proc.send(proc.in_sessions(sessions), signal.SIGKILL)
        for child in self._children:
            if child.process:
                child.process.kill()
                child.process.wait()
        self._children.clear()
        self.record.unlink(missing_ok=True)

    def _launch(self, child: _Child) -> None:
        child.program.before()
        log = log_of(self.home, child.program.name)
        log.parent.mkdir(exist_ok=True)
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            child.process = subprocess.Popen(
                child.program.command,
                env=dict(child.program.env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_as_child(),
            )
        child.started = time.monotonic()
        self._led.add(child.process.pid)

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                if child.told and now - child.started > STEADY_SECONDS:
                    child.failures, child.told = 0, False
                return
            self._bury(child, child.process, code)
        elif now >= child.again_at:
            self._launch(child)

    def _bury(self, child: _Child, process: subprocess.Popen[bytes], code: int) -> None:
        proc.send(proc.in_sessions([process.pid]), signal.SIGKILL)
        child.process = None
        child.failures += 1
        child.again_at = time.monotonic() + min(LONGEST_PAUSE, 0.5 * 2 ** (child.failures - 1))
        if not child.told:
            child.told = True
            log = log_of(self.home, child.program.name)
            self.say(f"{child.program.name} ended ({_how(code)}) and is started again; its log: {log}")

    def _end(self, children: list[_Child], patience: float) -> None:
        sessions = self._sessions(children)
        if not sessions:
            return
        began = time.monotonic()
        for child in children:
            if child.process and child.process.poll() is None:
                child.process.terminate()
        if any(child.program.tasks for child in children):
            _wait(lambda: not self._left(children, sessions), TASKS_AFTER)
            leaders = [child.process.pid for child in children if child.program.tasks and child.process]
            proc.send([seen for seen in proc.in_sessions(leaders) if seen.group not in sessions], signal.SIGINT)
        _wait(lambda: not self._left(children, sessions), patience - (time.monotonic() - began))
        proc.send(proc.in_sessions(sessions), signal.SIGKILL)
        _wait(lambda: not self._left(children, sessions), AFTER_KILL)
        for child in children:
            if child.process:
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(AFTER_KILL)

    def _reap_orphans(self) -> None:
        """Bury what children left behind when they ended: it became ours, and would stay as a zombie."""
        with suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                pid = ended.si_pid
                if os.getsid(pid) == pid or os.getsid(pid) not in self._led:
                    return  # somebody else waits for this one
                os.waitpid(pid, 0)

    @staticmethod
    def _left(children: list[_Child], sessions: set[int]) -> bool:
        for child in children:
            if child.process:
                child.process.poll()  # reap, so that it does not count as there
        return bool(proc.in_sessions(sessions))

    @staticmethod
    def _sessions(children: Sequence[_Child]) -> set[int]:
        return {child.process.pid for child in children if child.process}

    def _write_record(self) -> None:
        seen = [list(one.identity) for one in proc.in_sessions(self._sessions(self._children))]
        partial = self.record.with_suffix(".partial")
        partial.write_text(json.dumps(seen), encoding="utf-8")
        partial.replace(self.record)
        self._recorded_at = time.monotonic()


def log_of(home: Path, name: str) -> Path:
    return home / "logs" / f"{name}.log"


def _pid(child: _Child) -> int | None:
    return child.process.pid if child.process and child.process.poll() is None else None


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _wait(until: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not until() and time.monotonic() < deadline:
        time.sleep(0.05)


def _adopt_orphans() -> None:
    """Ask Linux to hand us the processes whose parents end before them."""
    if sys.platform.startswith("linux"):
        set_child_subreaper = 36
        ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def _as_child() -> Callable[[], None]:
    """Before the child becomes its program: a shell that starts the hub in the background lets it ignore SIGINT, by
    which running tasks are ended; and Linux is asked for SIGTERM when the supervisor is gone without a word.
    """
    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl if sys.platform.startswith("linux") else None
    set_parent_death_signal = 1

    def ask() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if prctl is not None:
            prctl(set_parent_death_signal, int(signal.SIGTERM), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return ask
