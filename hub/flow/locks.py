"""Advisory locks: who reads a system, and who is at an account's door."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from hub.errors import TryLater
from hub.journal.database import Connection

SPACE = 4_201  # keeps the hub's locks apart from others in the same database


def _number(name: str) -> int:
    return zlib.crc32(name.encode()) - 2**31


@contextmanager
def exclusive(connection: Connection, name: str, wait: float = 60.0) -> Iterator[None]:
    """Hold ``name`` alone; :class:`TryLater` when somebody else has it for longer than ``wait`` seconds."""
    until = time.monotonic() + wait
    while not _try(connection, "pg_try_advisory_lock", name):
        if time.monotonic() >= until:
            raise TryLater(f"another process has been at {name} for {wait:.0f} s", 30.0)
        time.sleep(0.1)
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s, %s)", (SPACE, _number(name)))


@contextmanager
def shared(connection: Connection, name: str) -> Iterator[None]:
    """Be one of several at ``name``; waits for one that holds it alone."""
    connection.execute("SELECT pg_advisory_lock_shared(%s, %s)", (SPACE, _number(name)))
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock_shared(%s, %s)", (SPACE, _number(name)))


@contextmanager
def if_free(connection: Connection, name: str) -> Iterator[bool]:
    """True, and alone at ``name``, when nobody is there."""
    got = _try(connection, "pg_try_advisory_lock", name)
    try:
        yield got
    finally:
        if got:
            connection.execute("SELECT pg_advisory_unlock(%s, %s)", (SPACE, _number(name)))


def _try(connection: Connection, function: str, name: str) -> bool:
    row = connection.execute(f"SELECT {function}(%s, %s)", (SPACE, _number(name))).fetchone()
    return bool(row and row[0])
