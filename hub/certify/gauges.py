"""Gauges: memory and connections of processes that must not grow, read from the operating system and the database."""

from __future__ import annotations

import statistics
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.certify.world import World

# What a process may have more in the last third of its life than in the second; the first third is for warming up.
MORE = {"memory": 0.10, "open files": 0.0, "database connections": 0.0}
AT_LEAST = {"memory": 10.0, "open files": 8.0, "database connections": 2.0}  # less is chance
UNITS = {"memory": "MB", "open files": "", "database connections": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """One gauge of one process: its median in the second and in the last third of the time."""

    who: str
    what: str
    then: float
    now: float
    highest: float

    @property
    def grows(self) -> bool:
        return self.now - self.then > max(AT_LEAST[self.what], MORE[self.what] * self.then)

    @property
    def sentence(self) -> str:
        unit = f" {UNITS[self.what]}" if UNITS[self.what] else ""
        grew = ": it grows" if self.grows else ""
        return f"{self.who}, {self.what}: {self.then:.0f}{unit}, then {self.now:.0f}{unit}{grew}"


class Gauges:
    """Reads when asked; several readings make a curve."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read: dict[tuple[str, str], list[float]] = defaultdict(list)

    def read(self) -> None:
        """One reading of every worker, of the gateway, and of the database."""
        processes = {f"worker {n}": process.pid for n, process in enumerate(self._world.workers, 1)}
        if self._world.gateway is not None:
            processes["gateway"] = self._world.gateway.pid
        for who, pid in processes.items():
            with suppress(OSError, StopIteration):  # it has just ended
                self._read[who, "memory"].append(megabytes(Path(f"/proc/{pid}/status")))
                self._read[who, "open files"].append(sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))
        self._read["database", "database connections"].append(connections(self._world.dsn))

    @property
    def sentence(self) -> str:
        """The latest readings."""
        return ", ".join(f"{who} {found[-1]:.0f} MB" for (who, what), found in self._read.items() if what == "memory")

    def growth(self) -> tuple[Growth, ...]:
        """Every curve of at least three readings, judged."""
        return tuple(
            Growth(who=who, what=what, then=median(found, 1), now=median(found, 2), highest=max(found))
            for (who, what), found in self._read.items()
            if len(found) >= 3
        )


def median(readings: list[float], third: int) -> float:
    """Of the first (0), second or last (2) third."""
    size = len(readings) // 3
    return statistics.median(readings[third * size : (third + 1) * size if third < 2 else None])


def megabytes(status: Path) -> float:
    """Resident memory of a process."""
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def connections(dsn: str) -> float:
    """Connections that hubs have to the journal."""
    import psycopg

    with psycopg.connect(dsn) as journal:
        row = journal.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'omnihub'").fetchone()
    return float(row[0]) if row else 0.0


def deadlocks(dsn: str) -> int:
    """How often the database had to end one of two that waited for each other."""
    import psycopg

    with psycopg.connect(dsn) as journal:
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        row = journal.execute(query).fetchone()
    return int(row[0]) if row else 0
