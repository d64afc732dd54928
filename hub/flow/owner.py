"""Who holds a lease: a process of a host, told apart from a later one with the same number by its start."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path


@cache
def _me(pid: int) -> str:
    return f"{socket.gethostname()}/{pid}/{_started(pid)}"


def me() -> str:
    """This process, also after a fork."""
    return _me(os.getpid())


def is_gone(owner: str) -> bool:
    """Whether ``owner`` certainly no longer runs: only a process of this very host can be known to be gone."""
    host, _, rest = owner.partition("/")
    pid, _, started = rest.partition("/")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    """The moment a process started, in the kernel's ticks; empty where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def runs(owner: str) -> bool:
    """Whether ``owner`` certainly still runs, or stands still: a process of this very host."""
    return owner.partition("/")[0] == socket.gethostname() and not is_gone(owner)
