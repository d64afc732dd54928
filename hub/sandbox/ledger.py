"""What the sandbox's systems were asked: every call received, so that a test can prove what the hub did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.sandbox.faults import now
from hub.sandbox.state import State

KEPT = 200_000  # calls; a demo that polls for days must not fill the disk
TABLE = """CREATE TABLE IF NOT EXISTS ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, system TEXT NOT NULL, method TEXT NOT NULL,
    operation TEXT NOT NULL, path TEXT NOT NULL, status INTEGER NOT NULL, write INTEGER NOT NULL,
    idempotency_key TEXT, summary TEXT NOT NULL, detail TEXT NOT NULL, fault TEXT)"""
INDEXES = (
    "CREATE INDEX IF NOT EXISTS ledger_by_system ON ledger (system, id)",
    "CREATE INDEX IF NOT EXISTS ledger_by_fault ON ledger (fault, system) WHERE fault IS NOT NULL",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as its system saw and answered it."""

    id: int
    at: datetime
    system: str  # erp, stores, shop, tills, pim, dam
    method: str  # HTTP method, or GET, LIST, RENAME ... of SFTP
    operation: str  # what it meant: ReadStock, inventorySetQuantities, orders/search
    path: str
    status: int  # HTTP status, 0 without an answer; for SFTP its own code (0 done, 2 no such file, 3 denied, 4 failed)
    write: bool  # it was meant to change something here, whether or not it was refused
    idempotency_key: str | None
    summary: str
    detail: Any
    fault: str | None = None  # the fault on demand that struck it


class Ledger:
    """Append-only; shared by all systems of a retailer."""

    def __init__(self, state: State) -> None:
        self.state = state
        state.declare(TABLE)
        with state.transaction() as connection:
            if not any(row["name"] == "fault" for row in connection.execute("PRAGMA table_info(ledger)")):
                connection.execute("ALTER TABLE ledger ADD COLUMN fault TEXT")  # a home from before there were faults
        state.declare(*INDEXES)

    def record(
        self,
        system: str,
        method: str,
        path: str,
        *,
        status: int,
        operation: str = "",
        write: bool = False,
        idempotency_key: str | None = None,
        summary: str = "",
        detail: Mapping[str, Any] | None = None,
        fault: str | None = None,
    ) -> int:
        """Write one call down and answer its id; inside a transaction it stands or falls with it."""
        at, told = self.state.clock.now().isoformat(), json.dumps(detail or {})
        struck = fault or now.fault()
        row = (at, system, method, operation, path, status, write, idempotency_key, summary, told, struck)
        id = self.state.execute(
            "INSERT INTO ledger (at, system, method, operation, path, status, write, idempotency_key, summary,"
            " detail, fault) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        ).lastrowid
        if id is None:
            raise RuntimeError("SQLite gave the call no number")
        if id % 1000 == 0:
            self.state.execute("DELETE FROM ledger WHERE id <= ?", (id - KEPT,))
        return id

    def calls(self, system: str | None = None, write: bool | None = None, since_id: int = 0) -> list[Call]:
        """The calls after ``since_id``, oldest first."""
        rows = self.state.rows(
            "SELECT * FROM ledger WHERE id > :since AND (:system IS NULL OR system = :system)"
            " AND (:write IS NULL OR write = :write) ORDER BY id",
            {"since": since_id, "system": system, "write": write},
        )
        return [_call(row) for row in rows]

    def writes(self, system: str | None = None, since_id: int = 0) -> list[Call]:
        """The calls that were meant to change something."""
        return self.calls(system, True, since_id)

    def statuses(self, system: str | None = None, since_id: int = 0) -> dict[int, int]:
        """How many calls were answered with each status."""
        rows = self.state.rows(
            "SELECT status, count(*) AS n FROM ledger WHERE id > :since AND (:system IS NULL OR system = :system)"
            " GROUP BY status ORDER BY status",
            {"since": since_id, "system": system},
        )
        return {row["status"]: row["n"] for row in rows}

    def counts(self) -> dict[str, int]:
        """How many calls each system received, of those that are kept."""
        return {
            row["system"]: row["n"] for row in self.state.rows("SELECT system, count(*) AS n FROM ledger GROUP BY 1")
        }

    def latest(self, limit: int) -> list[Call]:
        """The latest calls of all systems, newest first."""
        return [_call(row) for row in self.state.rows("SELECT * FROM ledger ORDER BY id DESC LIMIT ?", (limit,))]

    @property
    def last_id(self) -> int:
        """The id of the latest call, 0 before the first; give it to ``since_id`` later."""
        row = self.state.row("SELECT max(id) AS id FROM ledger")
        return (row["id"] if row else None) or 0


def _call(row: Any) -> Call:
    values = dict(row)
    values |= {
        "at": datetime.fromisoformat(row["at"]),
        "write": bool(row["write"]),
        "detail": json.loads(row["detail"]),
    }
    return Call(**values)
