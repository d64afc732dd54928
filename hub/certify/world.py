"""A retailer and a hub of their own, as real processes under a folder of their own, to be attacked and looked into."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.certify import processes
from hub.errors import StopRun

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

    from hub.flow import Engine
    from hub.local.postgres import Server
    from hub.sandbox.clock import Clock
    from hub.sandbox.retailer import Retailer

OURS = processes.OURS
HASTE = 20  # budgets fill so many times faster, here and at the simulated vendors: what paces calls is no crash
START_SECONDS = 60.0
# A killed process loses nothing that the operating system has: only a power cut does, and nobody cuts the power here.
DATABASE = {"fsync": "off"}


@dataclass(slots=True, kw_only=True)
class World:
    """What an attack plays with. ``retailer`` is the sandbox's own state, seen from beside it."""

    home: Path
    project: Path
    server: Server
    retailer: Retailer
    port: int  # the gateway's
    env: dict[str, str]
    gateway: ForkServerProcess | None = None
    workers: list[ForkServerProcess] = field(default_factory=list)

    @property
    def dsn(self) -> str:
        return self.env["HUB_DATABASE_URL"]

    @property
    def clock(self) -> Clock:
        return self.retailer.clock

    @property
    def connections(self) -> dict[str, dict[str, Any]]:
        """How a plain client reaches each system."""
        found: dict[str, dict[str, Any]] = json.loads((self.home / "connections.json").read_text(encoding="utf-8"))
        return found

    def start_gateway(self, kill: str | None = None) -> None:
        self.gateway = processes.start(
            processes.gateway, self.project, self.port, env=self._armed(kill), log=self.home / "logs" / "gateway.log"
        )

    def end_gateway(self) -> None:
        if self.gateway is not None:
            processes.end(self.gateway)

    def start_worker(self, order: int = 0, kill: str | None = None, rounds: int | None = None) -> ForkServerProcess:
        """A worker that goes on until it is ended, or for ``rounds``; ``kill`` as in :mod:`hub.points`."""
        process = processes.start(
            processes.worker, self.project, order, rounds, env=self._armed(kill), log=self.home / "logs" / "worker.log"
        )
        self.workers.append(process)
        return process

    def end_workers(self) -> None:
        for process in self.workers:
            processes.end(process)
        self.workers.clear()

    def kill_database(self) -> None:
        """SIGKILL to the server's main process, and to all that work for it: what they had in memory is gone."""
        if self.server.pid:
            for pid in (self.server.pid, *children_of(self.server.pid)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def revive(self) -> None:
        """Start again what has ended of database and gateway."""
        if not self.server.alive():
            self.server.stop()
            self.server.start()
        if self.gateway is not None and not self.gateway.is_alive():
            self.start_gateway()

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """An engine in this process, which nobody kills."""
        from hub.flow import Engine

        with Engine.open(self.project, dsn=self.dsn) as engine:
            yield engine

    def _armed(self, kill: str | None) -> dict[str, str]:
        from hub import points

        return {**self.env, points.VARIABLE: kill or ""}


@contextmanager
def world(
    project: Path, home: Path, *, haste: float = HASTE, seed: int = 7, live: float = 0.0, gateway: bool = True
) -> Iterator[World]:
    """A populated retailer, an empty journal and a gateway; nothing has been read yet.

    ``project``: whose hub.yaml, mappings and schemas count; they are copied. ``home`` must be a folder that other
    users may pass through, for the database. ``live``: customers a minute that come by themselves.
    """
    from hub.journal import migrate
    from hub.local.place import make_home
    from hub.local.postgres import Server
    from hub.sandbox.retailer import Retailer

    make_home(home)
    (home / "logs").mkdir(exist_ok=True)
    copied = copy_of(project, home / "project", haste)
    with ExitStack() as stack:
        server = Server(home, settings=DATABASE)
        stack.callback(server.stop)
        port = free_port()
        env = {"HUB_HOME": str(home), "HUB_DATABASE_URL": server.start()}
        stack.enter_context(environment(env))
        migrate(env["HUB_DATABASE_URL"])
        retailer = Retailer(home / "sandbox", seed=seed, haste=haste)
        stack.callback(retailer.close)
        found = World(home=home, project=copied, server=server, retailer=retailer, port=port, env=env)
        sandbox = start_sandbox(found, haste, live)
        stack.callback(processes.end, sandbox)
        if gateway:
            found.start_gateway()
        stack.callback(end_hub, found)
        yield found


def end_hub(found: World) -> None:
    found.end_workers()
    found.end_gateway()


def start_sandbox(found: World, haste: float, live: float) -> ForkServerProcess:
    """The simulated retailer, waited for until all of its systems listen."""
    connections = found.home / "connections.json"
    url = f"http://127.0.0.1:{found.port}"
    process = processes.start(
        processes.sandbox, found.home / "sandbox", haste, url, connections, live,
        env=found.env, log=found.home / "logs" / "sandbox.log",
    )  # fmt: skip
    until(connections.exists, "the sandbox did not start", found.home / "logs" / "sandbox.log", process)
    return process


def until(done: Callable[[], bool], otherwise: str, log: Path, process: ForkServerProcess | None = None) -> None:
    """Wait for ``done``; :class:`StopRun` where it takes too long, or where the process has ended."""
    deadline = time.monotonic() + START_SECONDS
    while not done():
        if time.monotonic() > deadline or (process is not None and not process.is_alive()):
            raise StopRun(f"{otherwise}; its log: {log}")
        time.sleep(0.02)


def copy_of(project: Path, to: Path, haste: float) -> Path:
    """The project with budgets that fill ``haste`` times faster, and without guards: no person is here to decide."""
    import yaml

    to.mkdir(exist_ok=True)
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(project / name, to / name, dirs_exist_ok=True)
    settings = yaml.safe_load((project / "hub.yaml").read_text(encoding="utf-8"))
    for system in settings["systems"].values():
        if "budget" in system:
            system["budget"]["per_second"] *= haste
    for flow in settings["flows"].values():
        flow.pop("guards", None)
    text = yaml.safe_dump(as_written(settings), sort_keys=False, allow_unicode=True)
    (to / "hub.yaml").write_text(text, encoding="utf-8")
    return to


def as_written(settings: Any) -> Any:
    """YAML 1.1 reads the key ``on`` as a truth."""
    if isinstance(settings, dict):
        return {"on" if key is True else key: as_written(value) for key, value in settings.items()}
    return settings


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Of this hub's variables only these while the block lasts: no attack may reach a system of the real retailer."""
    before = {name: value for name, value in os.environ.items() if name.startswith(OURS)}
    processes.only(values)
    try:
        yield
    finally:
        processes.only(before)


def children_of(pid: int) -> list[int]:
    """The processes that ``pid`` started and that still run; none where the system does not tell."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]
    except OSError:
        return []


def free_port() -> int:
    """A port of loopback that nobody has; the gateway comes back to it after each kill."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
