"""The leash: an attempt that is being sent keeps its lease from call to call, and is let go where that was lost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from hub.connector import Budget
from hub.errors import Unknown
from hub.journal import attempts
from hub.journal.database import Connection

LEASE = timedelta(seconds=120)  # longer than any one call with all its retries
RENEW_AFTER = 30.0  # seconds

_UNDER_WAY: set[tuple[int, str, int]] = set()  # (process, database, attempt) of all threads


def is_under_way(connection: Connection, attempt: int) -> bool:
    """Whether this process is at ``attempt`` now; one that it holds and is not at, it lost with its database."""
    return (os.getpid(), connection.info.dbname, attempt) in _UNDER_WAY


class Leash:
    """One per engine; :meth:`tug` is called before each call to a vendor."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._held: tuple[int, int] | None = None
        self._renewed = 0.0

    @contextmanager
    def holding(self, attempt: int, turn: int) -> Iterator[None]:
        """This engine is at ``attempt``, from before it is committed until what became of it is."""
        mark = (os.getpid(), self._connection.info.dbname, attempt)
        self._held, self._renewed = (attempt, turn), time.monotonic()
        _UNDER_WAY.add(mark)
        try:
            yield
        finally:
            self._held = None
            _UNDER_WAY.discard(mark)

    def tug(self) -> None:
        """Renew the lease where that is due; :class:`Unknown` where another process has the attempt now.

        A process that was stopped comes here before it goes on: time went by meanwhile.
        """
        if self._held is None or time.monotonic() - self._renewed < RENEW_AFTER:
            return
        if not attempts.renew(self._connection, *self._held, LEASE):
            raise Unknown("this process stood still for so long that another one took over what it was sending")
        self._renewed = time.monotonic()


class Leashed:
    """A budget that looks after the lease of what is sent, since every call to a vendor takes from one."""

    def __init__(self, budget: Budget, leash: Leash) -> None:
        self._budget = budget
        self._leash = leash

    def take(self, cost: float = 1.0) -> float:
        if cost > 0:
            self._leash.tug()
        return self._budget.take(cost)

    def observe(self, available: float) -> None:
        self._budget.observe(available)

    def rest(self, seconds: float) -> None:
        self._budget.rest(seconds)
