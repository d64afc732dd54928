"""What runs on this machine, read from /proc; a process is its number and its start time together."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One process at the moment of looking; ``start`` is in clock ticks since boot."""

    pid: int
    group: int
    session: int
    start: int

    @property
    def identity(self) -> tuple[int, int]:
        return self.pid, self.start


def look(pid: int) -> Seen | None:
    """The live process of that number; None when there is none (a zombie is none)."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before may hold spaces and brackets
    if fields[0] in ("Z", "X"):
        return None
    return Seen(pid=pid, group=int(fields[2]), session=int(fields[3]), start=int(fields[19]))


def everything() -> Iterator[Seen]:
    """Every live process."""
    if PROC.is_dir():
        for entry in PROC.iterdir():
            if entry.name.isdigit() and (seen := look(int(entry.name))):
                yield seen


def in_sessions(leaders: Iterable[int]) -> list[Seen]:
    """The members of these sessions: all that a child started, whatever groups it made of them."""
    wanted = set(leaders)
    return [seen for seen in everything() if seen.session in wanted]


def send(processes: Iterable[Seen], how: signal.Signals) -> None:
    """Signal each process that is still the one that was seen."""
    for seen in processes:
        now = look(seen.pid)
        if now is not None and now.start == seen.start:
            with suppress(ProcessLookupError):
                os.kill(seen.pid, how)


def survivors(recorded: Iterable[tuple[int, int]]) -> list[Seen]:
    """What still runs of the recorded processes, with the other members of their sessions."""
    known = set(recorded)
    now = list(everything())
    sessions = {seen.session for seen in now if seen.identity in known} - {os.getsid(0)}
    return [seen for seen in now if seen.identity in known or seen.session in sessions]
