"""The sandbox's memory: one SQLite file that several threads and processes may use, and that survives SIGKILL."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from hub.sandbox.clock import Clock, SystemClock

T = TypeVar("T")
BUSY_SECONDS = 30
META = "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"


class State:
    """The store under ``home``; every module of the sandbox declares its own tables in it."""

    haste = 1.0  # how many times faster than the vendors' the budgets of calls fill again

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self.home = home
        self.clock = clock or SystemClock()
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._local = threading.local()
        self._open: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._lock = threading.Lock()
        self._shared: dict[Callable[[State], Any], Any] = {}
        self.declare(META)

    # --- connections and transactions -------------------------------------------------------------

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit mode; rows answer by name."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = self._connect()
            self._keep(found)
        return found

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.home / "sandbox.db", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # with WAL: safe against SIGKILL, not against a power cut
        return connection

    def _keep(self, connection: sqlite3.Connection) -> None:
        """Remember it for :meth:`close`, and close what threads that have ended left behind."""
        with self._lock:
            ended = [kept for thread, kept in self._open if not thread.is_alive()]
            self._open = [(thread, kept) for thread, kept in self._open if thread.is_alive()]
            self._open.append((threading.current_thread(), connection))
        for left in ended:
            left.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and alone among writers; inside another transaction of this thread it joins that one.

        Never ``await`` inside: the event loop's thread has one connection.
        """
        connection = self.connection
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connections of all threads; using the state afterwards opens new ones."""
        with self._lock:
            for _, connection in self._open:
                connection.close()
            self._open.clear()
            self._local = threading.local()

    # --- reading and writing ----------------------------------------------------------------------

    def declare(self, *statements: str) -> None:
        """Create tables and indexes: each one ``CREATE ... IF NOT EXISTS`` statement."""
        with self.transaction() as connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        return self.connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Row | None:
        """The first row, None when there is none."""
        found: sqlite3.Row | None = self.connection.execute(sql, values).fetchone()
        return found

    def execute(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Cursor:
        return self.connection.execute(sql, values)

    def insert(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Many rows in one transaction."""
        with self.transaction() as connection:
            connection.executemany(sql, rows)

    def shared(self, make: Callable[[State], T]) -> T:
        """``make(self)``, made once for all who ask in this process."""
        found: T | None = self._shared.get(make)
        if found is None:
            made = make(self)
            with self._lock:
                found = self._shared.setdefault(make, made)
        return found

    # --- facts and secrets ------------------------------------------------------------------------

    def get(self, key: str, default: Any = None) -> Any:
        """A JSON value kept under ``key``."""
        found = self.row("SELECT value FROM meta WHERE key = ?", (key,))
        return json.loads(found["value"]) if found else default

    def put(self, key: str, value: Any) -> None:
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    @property
    def start(self) -> datetime:
        """When this retailer was created (UTC): the backlog is dated relative to it, also after reopening."""
        with self.transaction():
            found = self.get("start")
            if found is None:
                found = self.clock.now().isoformat()
                self.put("start", found)
        return datetime.fromisoformat(found)

    def secret(self, name: str, make: Callable[[], str]) -> str:
        """The credential ``name``, made once and kept in a file of mode 600."""
        path = self.secret_path(name)
        with self.transaction():  # one process makes it, the others read it
            if not path.exists():
                _write_private(path, make())
        return path.read_text(encoding="utf-8")

    def secret_path(self, name: str) -> Path:
        """Where the credential ``name`` lies."""
        folder = self.home / "secrets"
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder / name


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all: written beside its name with mode 600, then renamed."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)
