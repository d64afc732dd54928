"""Who holds a lease: a process of a place, told apart from a later one with the same number by its start.

A place is where a process has one number: a machine from its start on, or a container of it. Several of them may bear
one host name.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from hashlib import sha256
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
NUMBERS = Path("/proc/self/ns/pid")


@cache
def _place() -> str:
    try:
        found = f"{BOOT.read_text(encoding='utf-8').strip()} {NUMBERS.readlink()}"
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}-{sha256(found.encode()).hexdigest()[:8]}"


@cache
def _me(pid: int) -> str:
    return f"{_place()}/{pid}/{_started(pid)}"


def me() -> str:
    """This process, also after a fork."""
    return _me(os.getpid())


def is_gone(owner: str) -> bool:
    """Whether ``owner`` certainly no longer runs: only a process of this very place can be known to be gone."""
    place, _, rest = owner.partition("/")
    pid, _, started = rest.partition("/")
    if place != _place() or not pid.isdigit():
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
    """Whether ``owner`` certainly still runs, or stands still: a process of this very place."""
    return owner.partition("/")[0] == _place() and not is_gone(owner)
