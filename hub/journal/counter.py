"""What is asked at the counter: states and events of one subject, as they are known now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub.journal.database import Connection

StateRow = tuple[str, str, str, str, dict[str, Any], datetime]  # object, key, subject, system, data, as of


def all_of(connection: Connection, object: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Every system's word on every key of ``object``, which must be few: (key, system, data)."""
    return connection.execute(
        "SELECT key, system, data FROM source_state WHERE object = %s ORDER BY key, system", (object,)
    ).fetchall()


def states_of(connection: Connection, objects: Sequence[str], subjects: Sequence[str]) -> list[StateRow]:
    """Every system's word on the ``objects`` of ``subjects``."""
    return connection.execute(
        """SELECT object, key, subject, system, data, as_of FROM source_state
           WHERE object = ANY(%s) AND subject = ANY(%s) ORDER BY object, key, system""",
        (list(objects), list(subjects)),
    ).fetchall()


def events_of(connection: Connection, object: str, subject: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Every event of ``subject``, oldest first: (system, id, data)."""
    return connection.execute(
        "SELECT system, id, data FROM event WHERE object = %s AND subject = %s ORDER BY event_time, id",
        (object, subject),
    ).fetchall()


def events_by_id(connection: Connection, system: str, object: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those of ``ids`` that ``system`` told, contained in a snapshot or not."""
    rows = connection.execute(
        "SELECT id, data FROM event WHERE system = %s AND object = %s AND id = ANY(%s)", (system, object, list(ids))
    )
    return dict(rows.fetchall())


def alone(connection: Connection, subject: str) -> None:
    """Nobody else decides at the counter about ``subject`` until this transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('counter/' || %s, 0))", (subject,))


def close_holds(connection: Connection, before: datetime) -> int:
    """Holds and releases from ``before`` then count no more, whatever comes: they need not be loaded again."""
    return connection.execute(
        """UPDATE event SET contained = true
           WHERE object = 'reservation' AND NOT contained AND event_time < %s AND system LIKE 'gateway:%%'""",
        (before,),
    ).rowcount
