"""``hub up``: everything on one machine, from nothing to the first complete synchronisation, until it is stopped."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import requests

from hub.local.airflow_settings import environment, programs
from hub.local.ground import TICK_SECONDS, Ground, Stopped, begin_sandbox, ground, start_sandbox
from hub.local.health import AirflowHealth
from hub.local.progress import Progress, progress
from hub.local.site import ADMIN, GATEWAY, SANDBOX, Site
from hub.local.supervisor import Program, log_of

if TYPE_CHECKING:
    from rich.console import Console

    from hub.config import Landscape

HEALTHY_SECONDS = 180.0
# Counts that add up over runs; what waits or is pending is a state, and said as of now.
ADDED = ("read", "changed", "unchanged", "superseded", "quarantined", "held", "delivered", "coalesced", "refused")
READ = ADDED[:6]  # what belongs to a source; who delivers is whoever comes by
SYNC_SECONDS = 300.0
RING_SECONDS = 6.0


def up(site: Site, *, airflow: bool = True, live: bool = True, console: Console | None = None) -> int:
    """Run until Ctrl-C or SIGTERM; the exit code. Raises :class:`~hub.errors.HubError` when it cannot start.

    ``live`` lets shoppers buy in the sandbox; without ``airflow`` one process runs the flows.
    """
    show = Show.on(console)
    began = time.monotonic()
    try:
        with ground(site, show.say, polls=True) as on:
            show.done(f"database in {_short(site, on)}", began)
            health = None
            if airflow:
                health = _start_airflow(on, show, live=live)
            else:
                _start_runner(on, show, live=live)
            _first_sync(on, show, began, health)
            while True:
                on.tick()
                on.stop.wait(TICK_SECONDS)
    except Stopped:
        show.say("stopped; nothing is left running")
    return 0


def _start_airflow(on: Ground, show: Show, *, live: bool) -> AirflowHealth:
    """Sandbox, gateway and Airflow's four; the databases are brought up to date while the sandbox starts."""
    from hub.journal import migrate

    site = on.site
    env = {**environment(site, on.dsn, on.airflow_url), **_gateway_environment(site)}
    with show.step("databases and the sandbox's systems"):
        sandbox_ready = begin_sandbox(on, live=live, gateway=True)
        migrate(on.dsn)
        systems = sorted(_landscape(site).systems)
        on.run([sys.executable, "-m", "hub.airflow.prepare", *systems], env, log_of(site.home, "prepare"))
        sandbox_ready()
    with show.step("gateway and Airflow"):
        on.supervisor.start(_gateway(on, env))
        own = on.airflow_url if not os.environ.get("HUB_AIRFLOW_DATABASE_URL") else None
        for program in programs(env, own):
            on.supervisor.start(program)
        health = AirflowHealth(site.url("airflow"), ADMIN, site.passwords()[ADMIN])
        _await_airflow(on, health)
    return health


def _start_runner(on: Ground, show: Show, *, live: bool) -> None:
    """Sandbox, gateway and one process for the flows."""
    from hub.journal import migrate

    with show.step("the sandbox's systems and the gateway"):
        migrate(on.dsn)
        start_sandbox(on, live=live, gateway=True)
        on.supervisor.start(_gateway(on, on.env))
        command = [sys.executable, "-m", "hub.local.runner"]
        on.supervisor.start(Program(name="runner", command=command, env=on.env))


def _gateway_environment(site: Site) -> dict[str, str]:
    return {
        "HUB_AIRFLOW_URL": site.url("airflow"),
        "HUB_AIRFLOW_USER": GATEWAY,
        "HUB_AIRFLOW_PASSWORD_FILE": str(site.passwords_file),
    }


def _gateway(on: Ground, env: Mapping[str, str]) -> Program:
    command = [sys.executable, "-m", "hub.gateway", "--port", str(on.site.ports["gateway"])]
    return Program(name="gateway", command=[*command, "--project", str(on.site.project)], env=env, last=True)


def _await_airflow(on: Ground, health: AirflowHealth) -> None:
    logs = on.site.home / "logs"
    on.until(lambda: "api-server" not in health.missing(), HEALTHY_SECONDS, f"Airflow does not answer; see {logs}")
    health.warm()
    on.until(lambda: not health.missing(), HEALTHY_SECONDS, f"Airflow is not healthy; see {logs}")


def _first_sync(on: Ground, show: Show, began: float, health: AirflowHealth | None) -> None:
    """Wait until every source was read and nothing is left to send, then say where things are."""
    since = datetime.fromtimestamp(time.time() - (time.monotonic() - began), UTC)
    landscape = _landscape(on.site)
    sources = [(name, system) for name, flow in landscape.flows.items() for system in flow.sources]
    closed = {name for name, system in landscape.systems.items() if not system.is_open(datetime.now(UTC))}
    now = progress(on.dsn, since)
    deadline = time.monotonic() + SYNC_SECONDS
    with show.step("first synchronisation") as update:
        rung = 0.0
        while not now.complete(sources, closed) and time.monotonic() < deadline:
            if health and time.monotonic() - rung > RING_SECONDS:
                rung = time.monotonic()
                _ring(health, {system for _, system in now.missing(sources, closed)})
            on.tick()
            on.stop.wait(0.5)
            now = progress(on.dsn, since)
            update(_how_far(now, sources))
    show.summary(on, now, sources, time.monotonic() - began, airflow=health is not None)


def _ring(health: AirflowHealth, systems: set[str]) -> None:
    """A schedule may be minutes away, and a source that waits for another's keys can go on once they are there."""
    for system in sorted(systems):
        try:
            health.ring(f"hub://arrived/{system}")
        except requests.RequestException:
            return  # asked again in some seconds, and the schedule comes in any case


def _how_far(now: Progress, sources: list[tuple[str, str]]) -> str:
    read = len(sources) - len(now.missing(sources))
    return f"{read} of {len(sources)} sources read, {now.delivered:,} delivered, {now.to_send:,} to send"


def _was_read(now: Progress, source: tuple[str, str]) -> str:
    """The counts of all runs, for the latest alone may have found nothing; its sentence where it did not go well."""
    latest, name = now.ended.get(source), " from ".join(source)
    if latest is None:
        return f"{name}: not read yet"
    counts = _said(now.sources[source], READ) if latest["state"] == "done" else ""
    return f"{name}: {counts}" if counts else str(latest["sentence"])


def _said(counts: Mapping[str, int], names: tuple[str, ...]) -> str:
    return ", ".join(f"{counts[name]:,} {name}" for name in names if counts[name])


def _landscape(site: Site) -> Landscape:
    from hub.config import load

    return load(site.project / "hub.yaml")


def _sandbox(site: Site) -> str:
    """Where the simulated retailer's own page is, and how to sign in."""
    known = json.loads((site.home / "connections.json").read_text(encoding="utf-8"))["sandbox"]
    return f"Sandbox: {site.url('sandbox')}   user {known['login']}   password {known['password']}"


def _short(site: Site, on: Ground) -> str:
    return str(on.server.where) if on.server else "the server that HUB_DATABASE_URL names"


@dataclass(frozen=True, slots=True)
class Show:
    """What a person sees while waiting and afterwards."""

    console: Console

    @classmethod
    def on(cls, console: Console | None) -> Show:
        from rich.console import Console as RichConsole

        return cls(console or RichConsole(highlight=False))

    def say(self, sentence: str) -> None:
        self.console.print(sentence, markup=False, soft_wrap=True)

    def done(self, what: str, began: float) -> None:
        self.console.print(f"[green]✓[/] {what} [dim]{time.monotonic() - began:.1f} s[/]")

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[str], None]]:
        """A spinner while it lasts, one line when it is done."""
        began = time.monotonic()
        with self.console.status(f"{what} …") as status:
            yield lambda detail: status.update(f"{what}: {detail} …")
        self.done(what, began)

    def summary(
        self, on: Ground, now: Progress, sources: list[tuple[str, str]], seconds: float, *, airflow: bool
    ) -> None:
        site = on.site
        self.console.print()
        self._synchronised(now, sources)
        self._running(on)
        self.say("")
        if airflow:
            self.say(f"Airflow: {site.url('airflow')}   user {ADMIN}   password {site.passwords()[ADMIN]}")
            self.say(f"The password is kept in {site.passwords_file}.")
        self.say(_sandbox(site))
        self.say(f"Everything is kept in {site.home}; ready after {seconds:.0f} s. Stop with Ctrl-C.")

    def _synchronised(self, now: Progress, sources: list[tuple[str, str]]) -> None:
        self.console.print("[italic]Synchronised[/]")
        for source in sources:
            self.say(_was_read(now, source))
        for flow, counts in now.counts.items():
            self.say(f"{flow}: {_said(counts, ADDED) or 'nothing new'}; {now.to_send:,} still to send")

    def _running(self, on: Ground) -> None:
        from rich.table import Table

        ports = {"api-server": "airflow", "gateway": "gateway"}
        table = Table("process", "state", "address", title="Running", title_justify="left")
        for name, pid in on.supervisor.running().items():
            address = on.site.url(ports[name]) if name in ports else ""
            if name == "sandbox":
                address = ", ".join(f"{system} {on.site.ports[system]}" for system in SANDBOX)
            table.add_row(name, f"process {pid}" if pid else "being started again", address)
        self.console.print(table)
