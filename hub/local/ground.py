"""What every way of running the hub stands on: one process per HUB_HOME, the databases, the sandbox."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from hub.errors import ConfigError, HubError, StopRun
from hub.local.airflow_settings import base_environment
from hub.local.asked import Asked
from hub.local.place import make_home
from hub.local.postgres import Server
from hub.local.site import PORTS, SANDBOX, Site
from hub.local.supervisor import Program, Supervisor, log_of

START_SECONDS = 60.0
TICK_SECONDS = 0.2


class Stopped(HubError):
    """A person or the system asked to stop."""

    exit_code = 130  # as a shell counts a program that Ctrl-C ended


@dataclass(slots=True)
class Ground:
    """The running foundation; :meth:`until` keeps looking after it while one waits."""

    site: Site
    supervisor: Supervisor
    stop: Asked
    server: Server | None
    dsn: str
    airflow_url: str
    env: Mapping[str, str] = field(default_factory=dict)

    def tick(self) -> None:
        """One look at everything; raises :class:`Stopped` when asked to stop."""
        if self.stop.is_set():
            raise Stopped("stopped")
        self.supervisor.tick()
        if self.server and not self.server.alive():
            self.supervisor.say("PostgreSQL ended and is started again")
            self.server.stop()
            self.server.start()

    def until(self, condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
        """Wait for ``condition``; :class:`StopRun` saying ``otherwise`` after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.tick()
            if time.monotonic() > deadline:
                raise StopRun(otherwise)
            self.stop.wait(TICK_SECONDS)

    def run(self, command: list[str], env: Mapping[str, str], log: Path) -> None:
        """Run a command to its end, stoppable."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                command, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        try:
            self.until(lambda: process.poll() is not None, 300, f"{command[-1]} takes too long; its log: {log}")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode:
            raise StopRun(f"{' '.join(command[1:4])} failed with exit code {process.returncode}; its log: {log}")


@contextmanager
def ground(
    site: Site, say: Callable[[str], None], *, ports: tuple[str, ...] = PORTS, polls: bool = False
) -> Iterator[Ground]:
    """Databases ready, earlier leftovers swept, ``ports`` free, signals heard; everything ended on the way out.

    A signal raises :class:`Stopped` wherever the block is; a block that ``polls`` hears of it from :meth:`Ground.tick`.
    """
    make_home(site.home)
    with _alone(site.home), _signals(polls) as stop:
        supervisor = Supervisor(site.home, say)
        if left := supervisor.sweep():
            say(f"{left} processes that an earlier start had left were ended")
        site.check(ports)
        server, dsn, airflow_url = _databases(site.home)
        try:
            env = base_environment(site, dsn)
            yield Ground(site, supervisor, stop, server, dsn, airflow_url, env)
        finally:
            try:
                _end(supervisor, stop)
            finally:
                if server:
                    server.stop()


def start_sandbox(on: Ground, *, live: bool, gateway: bool) -> None:
    """The simulated retailer as a child, waited for until all of its systems listen."""
    begin_sandbox(on, live=live, gateway=gateway)()


def begin_sandbox(on: Ground, *, live: bool, gateway: bool) -> Callable[[], None]:
    """The simulated retailer as a child; call what this answers to wait until all of its systems listen."""
    site = on.site
    connections = site.home / "connections.json"
    before = connections.stat().st_mtime_ns if connections.exists() else 0
    command = [sys.executable, "-m", "hub.sandbox", "--home", str(site.home / "sandbox")]
    command += ["--connections", str(connections)]
    for name in SANDBOX:
        command += [f"--{name}", str(site.ports[name])]
    command += ["--gateway", site.url("gateway")] if gateway else []
    command += ["--live"] if live else []
    on.supervisor.start(Program(name="sandbox", command=command, env=on.env, last=True))
    return lambda: on.until(
        lambda: connections.exists() and connections.stat().st_mtime_ns != before,
        START_SECONDS,
        f"the sandbox did not start; its log: {log_of(site.home, 'sandbox')}",
    )


def _databases(home: Path) -> tuple[Server | None, str, str]:
    """The journal's and Airflow's databases: the embedded server's, where the environment names no real one."""
    journal, airflow = os.environ.get("HUB_DATABASE_URL"), os.environ.get("HUB_AIRFLOW_DATABASE_URL")
    if journal and airflow:
        return None, journal, airflow
    server = Server(home)
    server.start()
    return server, journal or server.url("omnihub"), airflow or server.url("airflow")


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One hub per folder: two would fight over ports and sweep each other."""
    with (home / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise ConfigError(
                f"the hub already runs in {home} (process {lock.read().strip() or 'unknown'}): "
                "stop it first, or set HUB_HOME and HUB_PORT for a second one"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def _signals(polls: bool) -> Iterator[Asked]:
    """A flag that Ctrl-C, SIGTERM and a closed terminal set."""
    stop = Asked()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()
        if not polls:
            raise Stopped("stopped")

    heard = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, on_signal) for number in heard}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(supervisor: Supervisor, stop: Asked) -> None:
    """End the children; a second signal meanwhile ends them at once."""

    def now(number: int, frame: FrameType | None) -> None:
        supervisor.kill()

    before = {number: signal.signal(number, now) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    if stop.is_set() and supervisor.running():
        supervisor.say("stopping, which takes some seconds; Ctrl-C again ends everything at once")
    try:
        supervisor.stop()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
