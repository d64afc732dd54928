"""What the counter asks of the journal that no pass does, and what it decides alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub.journal.database import Connection

PATIENCE = 3  # seconds


def all_of(connection: Connection, object: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Every system's word on every key of ``object``, which must be few: (key, system, data)."""
    return connection.execute(
        "SELECT key, system, data FROM source_state WHERE object = %s ORDER BY key, system", (object,)
    ).fetchall()


def events_by_id(connection: Connection, system: str, object: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those of ``ids`` that ``system`` told, contained in a snapshot or not."""
    rows = connection.execute(
        "SELECT id, data FROM event WHERE system = %s AND object = %s AND id = ANY(%s)", (system, object, list(ids))
    )
    return dict(rows.fetchall())


def alone(connection: Connection, subject: str) -> None:
    """Nobody else decides at the counter about ``subject`` until this transaction ends.

    Who is not alone within seconds gives up: somebody stands there and waits.
    """
    connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('counter/' || %s, 0))", (subject,))


def close_holds(connection: Connection, before: datetime) -> int:
    """Holds and releases from ``before`` then count no more, whatever comes: they need not be loaded again."""
    return connection.execute(
        """UPDATE event SET contained = true
           WHERE object = 'reservation' AND NOT contained AND event_time < %s AND system LIKE 'gateway:%%'""",
        (before,),
    ).rowcount
