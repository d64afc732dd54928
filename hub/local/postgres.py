"""The embedded PostgreSQL: one server for one HUB_HOME, a child of the hub process that starts it.

It listens on a socket in a folder of mode 700 and on no port. It dies with its parent, also after
SIGKILL; the next start recovers. A second hub process of the same HUB_HOME joins the running server.
``HUB_DATABASE_URL`` and ``HUB_AIRFLOW_DATABASE_URL`` name real servers instead.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from hub.errors import ConfigError, StopRun
from hub.local.place import Place, make_home, place

USER = "omnihub"
DATABASES = ("omnihub", "airflow")
START_SECONDS = 60.0  # recovery after a SIGKILL reads the log of the last minutes
STOP_SECONDS = 8.0
LOG_LIMIT = 16 * 2**20
# For two cores that the hub shares with Airflow; durability stays as PostgreSQL ships it.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "max_worker_processes": "4",
    "max_parallel_workers": "2",
    "jit": "off",  # queries here are short
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %d ",
}


class Server:
    """The PostgreSQL of one HUB_HOME; ``owned`` tells whether this object's process runs it.

    Start it from a thread that lives as long as the server shall: Linux ends it with that thread.
    """

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        self.home = home.absolute()
        self.settings = {**SETTINGS, **(settings or {})}
        self._place: Place | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._users: IO[str] | None = None

    @property
    def owned(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def where(self) -> Path:
        """The folder that holds the data."""
        return self._required().data

    def start(self) -> str:
        """Run the server, or join the one that runs; the DSN of the database ``omnihub``."""
        make_home(self.home)
        with _locked(self.home / "postgres.lock"):
            self._place = place(self.home)
            if not self._running(self._place):
                if not (self._place.data / "PG_VERSION").exists():
                    _initialise(self._place)
                self._launch(self._place)
            for name in DATABASES:
                _create_database(self.url("postgres"), name)
        self._users = (self.home / "postgres.users").open("a")
        fcntl.flock(self._users, fcntl.LOCK_SH)
        return self.url()

    def url(self, database: str = "omnihub") -> str:
        """A libpq URL of ``database``."""
        return f"postgresql://{USER}@/{database}?host={quote(str(self._required().sockets), safe='')}&port=5432"

    def alive(self) -> bool:
        """Whether the owned server still runs; a joined one is its owner's business."""
        return self._process is None or self._process.poll() is None

    def stop(self, patience: float = 0.0) -> None:
        """End the owned server, after at most ``patience`` seconds for others who joined it; idempotent."""
        if self._users:
            if self._process:
                _wait_for_others(self._users, patience)
            self._users.close()
            self._users = None
        if self._process:
            _end(self._process)
            self._process = None

    def _required(self) -> Place:
        if self._place is None:
            raise StopRun("the embedded PostgreSQL has not been started")
        return self._place

    def _running(self, at: Place) -> bool:
        """Join a server that is there; wait for one that is on its way up or down; sweep what a killed one left."""
        deadline = time.monotonic() + START_SECONDS
        while _postmasters(at):
            if _answers(self.url("postgres")):
                return True
            if time.monotonic() > deadline:
                raise StopRun(f"a PostgreSQL that does not answer works in {at.data}; end it and start again")
            time.sleep(0.05)
        # No process works there, so these name a process of the past whose number may belong to another now.
        (at.data / "postmaster.pid").unlink(missing_ok=True)
        for left in at.sockets.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)
        return False

    def _launch(self, at: Place) -> None:
        log = self.home / "logs" / "postgres.log"
        log.parent.mkdir(exist_ok=True)
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        options = [f"-c{name}={value}" for name, value in self.settings.items()]
        command = [str(at.binaries / "postgres"), "-D", str(at.data), "-k", str(at.sockets), *options]
        with log.open("ab") as output:
            spawn: dict[str, Any] = {**at.spawn(), "stdout": output, "stderr": output, "stdin": subprocess.DEVNULL}
            self._process = subprocess.Popen(command, start_new_session=True, preexec_fn=_die_with_parent(), **spawn)
        try:
            self._await_ready(log)
        except BaseException:
            self.stop()
            raise

    def _await_ready(self, log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.url("postgres")):
            if not self.alive() or time.monotonic() > deadline:
                raise StopRun(f"PostgreSQL did not start: {_last_complaint(log)} (its log: {log})")
            time.sleep(0.02)


@contextmanager
def embedded(home: Path, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """The DSN of the database ``omnihub`` of ``home``, or ``HUB_DATABASE_URL`` where that is set.

    Who starts the server ends it on the way out, but gives those who joined it a minute to finish.
    """
    if real := os.environ.get("HUB_DATABASE_URL"):
        yield real
        return
    server = Server(home, settings)
    try:
        yield server.start()
    finally:
        server.stop(patience=60.0)


def _initialise(at: Place) -> None:
    command = [str(at.binaries / "initdb"), "-D", str(at.data), "-U", USER, "--encoding=UTF8", "--data-checksums"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    command += ["--auth-local=trust", "--auth-host=reject"]  # the socket's folder is the lock
    spawn: dict[str, Any] = at.spawn()
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **spawn)
    if done.returncode:
        reason = next((line for line in done.stderr.splitlines() if "error" in line.lower()), done.stderr.strip())
        raise ConfigError(f"the database cannot be made in {at.data}: {reason}")


def _create_database(url: str, name: str) -> None:
    import psycopg
    from psycopg import errors, sql

    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if found is None:
            with suppress(errors.DuplicateDatabase, errors.UniqueViolation):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _answers(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _postmasters(at: Place) -> list[int]:
    """Processes that work in the data folder: a server, or backends that outlived theirs for a moment."""
    if not sys.platform.startswith("linux"):
        with suppress(OSError, ValueError):
            pid = int((at.data / "postmaster.pid").read_text().split()[0])
            os.kill(pid, 0)
            return [pid]
        return []
    data = str(at.data.resolve())
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _works_in(entry, data)]


def _works_in(process: Path, folder: str) -> bool:
    try:
        return (
            str((process / "cwd").readlink()) == folder and (process / "stat").read_text().rpartition(")")[2][1] != "Z"
        )
    except OSError:  # gone, or another user's
        return False


def _die_with_parent() -> Any:
    """What the child does before it becomes PostgreSQL: ask Linux for SIGINT (fast shutdown) when we are gone."""
    if not sys.platform.startswith("linux"):
        return None
    parent, prctl = os.getpid(), ctypes.CDLL(None, use_errno=True).prctl
    set_parent_death_signal = 1

    def ask() -> None:
        prctl(set_parent_death_signal, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask


def _wait_for_others(users: IO[str], patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            if time.monotonic() >= deadline:
                return
            time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(how)
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS / 2)


def _last_complaint(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]
    severe = [line for line in lines if "FATAL" in line or "PANIC" in line or "could not" in line]
    return (severe or lines or ["no reason given"])[-1]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
