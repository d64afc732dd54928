"""A whole retailer and a hub over it, in one process: real SOAP, SFTP, HTTP and PostgreSQL, a clock that tests set."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from hub.connector import Connection
from hub.flow import Engine, Outcome
from hub.sandbox.retailer import Retailer
from hub.sandbox.serve import Running, running

ROOT = Path(__file__).resolve().parents[2]
SUNDAY = datetime(2026, 11, 22, 10, tzinfo=UTC)


# Nobody waits for minutes for a vendor's budget; what paces calls has tests without haste.
HASTE = 20


def hurry(project: Path, haste: int) -> None:
    """Let the budgets in hub.yaml fill ``haste`` times faster."""
    path = project / "hub.yaml"
    text = path.read_text(encoding="utf-8")
    faster = re.sub(r"per_second: (\d+)", lambda found: f"per_second: {int(found[1]) * haste}", text)
    path.write_text(faster, encoding="utf-8")


class SetClock:
    """A Sunday morning in Paris, or another time, that passes only when told."""

    def __init__(self, start: datetime = SUNDAY) -> None:
        self.moment = start

    def now(self) -> datetime:
        return self.moment

    def forward(self, **by: float) -> datetime:
        self.moment += timedelta(**by)
        return self.moment


class RealClock(SetClock):
    """The real time, for scenes with processes of their own."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Scene:
    """What a test plays with: the retailer's systems, the hub, and the time."""

    def __init__(self, folder: Path, dsn: str, retailer: Retailer, served: Running, clock: SetClock) -> None:
        self.project = folder / "project"
        self.dsn = dsn
        self.retailer = retailer
        self.served = served
        self.clock = clock
        self.project.mkdir()
        for name in ("mappings", "canonical_schemas"):
            shutil.copytree(ROOT / name, self.project / name)
        shutil.copy(ROOT / "hub.yaml", self.project / "hub.yaml")
        self.connections = {name: dict(found) for name, found in served.connections.items()}

    def connection(self, id: str) -> Connection:
        found = {k: v for k, v in self.connections[id].items() if k != "conn_type"}
        return Connection(id=id, **found)

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        with Engine.open(self.project, connections=self.connection, clock=self.clock, dsn=self.dsn) as engine:
            yield engine

    def synchronise(self, seconds: float = 1) -> Outcome:
        """Time passes, then one pass of the stock flow over everything."""
        self.clock.forward(seconds=seconds)
        with self.engine() as engine:
            return engine.once(["stock"])["stock"]

    def everything(self, seconds: float = 30, flows: Sequence[str] | None = None) -> dict[str, Outcome]:
        """Time passes, then one pass of every flow, or of ``flows``, until they agree."""
        self.clock.forward(seconds=seconds)
        with self.engine() as engine:
            return engine.once(flows)

    def hurry(self, haste: int) -> None:
        """Budgets as large as ever that fill so many times faster, as the simulated vendors' do here."""
        hurry(self.project, haste)

    def vacuum(self) -> None:
        """As autovacuum does within minutes: what a first synchronisation left behind slows no story."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")

    def rewrite(self, old: str, new: str) -> None:
        """Edit hub.yaml as a person would."""
        path = self.project / "hub.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text, f"hub.yaml has no {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    # --- what the targets hold -----------------------------------------------------------------------

    def shop(self, sku: str, place: str) -> int:
        return self.retailer.shop.levels()[f"{sku}@{place}"]

    def till(self, sku: str, place: str) -> int:
        return self.retailer.tills.counts()[f"{sku}@{place}"]

    # --- what happens in the stores ------------------------------------------------------------------

    def night_file(self, store: str, levels: dict[str, Any], **more: Any) -> str:
        """A complete file as of now: every article of the floor, with ``levels`` instead of what lies there."""
        now = self.clock.forward(seconds=2)
        floor = dict(self.retailer.floor.levels(store, now))
        return self.retailer.stores.drop(store, as_of=now, levels={**floor, **levels}, dirty=False, **more)

    def query(self, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        with self.engine() as engine:
            return engine.journal.execute(statement, arguments).fetchall()


@cache
def retailer_of(start: datetime) -> Path:
    """The folder of a retailer as it is at ``start``, made once a process and copied."""
    folder = Path(tempfile.mkdtemp(prefix="omnihub-retailer-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Retailer(folder / "sandbox", clock=SetClock(start)).close()
    return folder / "sandbox"


@contextmanager
def scene(
    folder: Path, dsn: str, monkey_home: Any, *, real_time: bool = False, start: datetime = SUNDAY, haste: int = HASTE
) -> Iterator[Scene]:
    """A populated retailer, served on free ports, and an empty journal; on the test's own time unless asked."""
    clock = RealClock() if real_time else SetClock(start)
    if not real_time and not (folder / "sandbox").exists():
        shutil.copytree(retailer_of(start), folder / "sandbox")
    with ExitStack() as stack:
        retailer = Retailer(folder / "sandbox", clock=clock, haste=haste)
        stack.callback(retailer.close)
        served = stack.enter_context(running(retailer))
        monkey_home.setenv("HUB_HOME", str(folder / "home"))
        found = Scene(folder, dsn, retailer, served, clock)
        found.hurry(haste)
        yield found


def worker(scene: Scene, do: str) -> subprocess.Popen[str]:
    """A process of its own that synchronises once, or delivers to one target; its clock stands as the scene's does."""
    given = {
        "project": str(scene.project),
        "dsn": scene.dsn,
        "home": os.environ["HUB_HOME"],
        "connections": scene.connections,
        "do": do,
        "now": None if isinstance(scene.clock, RealClock) else scene.clock.now(),
    }
    command = [sys.executable, str(Path(__file__).with_name("worker.py")), json.dumps(given, default=str)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
