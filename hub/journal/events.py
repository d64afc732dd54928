"""Events: append-only, each with an id of its own; seen twice, kept once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from hub.journal.database import Connection
from hub.journal.staging import stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One canonical event on its way into ``event``."""

    id: str
    key: str
    subject: str
    data: dict[str, Any]
    event_time: datetime
    origin: dict[str, Any]
    mapping: str


STAGE = "id text, key text, subject text, data jsonb, event_time timestamptz, origin jsonb, mapping text"


def append(connection: Connection, system: str, object: str, events: Sequence[Event], run: str) -> set[str]:
    """Keep the events that were not seen before; answers their ids. Ids must be unique in ``events``."""
    if not events:
        return set()
    rows = ((e.id, e.key, e.subject, e.data, e.event_time, e.origin, e.mapping) for e in events)
    stage(connection, "incoming_event", STAGE, rows)
    kept = connection.execute(
        """INSERT INTO event (system, object, id, key, subject, data, event_time, origin, mapping, run)
           SELECT %s, %s, id, key, subject, data, event_time, origin, mapping, %s FROM incoming_event
           ON CONFLICT DO NOTHING RETURNING id""",
        (system, object, run),
    )
    return {row[0] for row in kept}


def record(connection: Connection, system: str, object: str, event: Event, run: str) -> None:
    """Keep one event that nobody has seen before, at once: without the staging that pays for many."""
    e = event
    connection.execute(
        """INSERT INTO event (system, object, id, key, subject, data, event_time, origin, mapping, run)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (system, object, e.id, e.key, e.subject, Jsonb(e.data), e.event_time, Jsonb(e.origin), e.mapping, run),
    )


def open_of(connection: Connection, object: str, subjects: Sequence[str]) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Events of ``subjects`` that no snapshot is known to contain: (subject, system, id, data), oldest first."""
    return connection.execute(
        """SELECT subject, system, id, data FROM event
           WHERE object = %s AND subject = ANY(%s) AND NOT contained ORDER BY event_time, id""",
        (object, list(subjects)),
    ).fetchall()


def recorded(connection: Connection, object: str, subjects: Sequence[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every event of ``subjects``: (subject, system, data), in the order in which the hub learned of them."""
    return connection.execute(
        """SELECT subject, system, data FROM event WHERE object = %s AND subject = ANY(%s)
           ORDER BY seen_at, event_time, id""",
        (object, list(subjects)),
    ).fetchall()


def mark_contained(connection: Connection, object: str, ids: Sequence[tuple[str, str]]) -> None:
    """These (system, id) are contained in an accepted snapshot for good, and need not be loaded again."""
    if ids:
        connection.execute(
            """UPDATE event e SET contained = true FROM unnest(%s::text[], %s::text[]) AS c (system, id)
               WHERE e.system = c.system AND e.object = %s AND e.id = c.id""",
            ([s for s, _ in ids], [i for _, i in ids], object),
        )


def reopen_all(connection: Connection, object: str) -> None:
    """Forget what is contained in what: the rules changed, and another system's snapshots may count now."""
    connection.execute("UPDATE event SET contained = false WHERE object = %s AND contained", (object,))


def of_key(connection: Connection, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Every event of ``keys``, oldest first."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT * FROM event WHERE key = ANY(%s) ORDER BY event_time, id", (list(keys),)
        ).fetchall()
