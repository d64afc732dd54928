"""How far each source has been read, and whether the source has been told."""

from __future__ import annotations

from psycopg.types.json import Jsonb

from hub.journal.database import Connection
from hub.model import Checkpoint


def load(connection: Connection, system: str, object: str) -> Checkpoint | None:
    row = connection.execute(
        "SELECT value FROM checkpoint WHERE system = %s AND object = %s", (system, object)
    ).fetchone()
    return Checkpoint(value=row[0]) if row else None


def save(connection: Connection, system: str, object: str, checkpoint: Checkpoint) -> None:
    """Move on; in the transaction that journals what was read up to here."""
    connection.execute(
        """INSERT INTO checkpoint (system, object, value) VALUES (%s, %s, %s)
           ON CONFLICT (system, object) DO UPDATE
           SET value = excluded.value, released = false, updated_at = clock_timestamp()""",
        (system, object, Jsonb(dict(checkpoint.value))),
    )


def unreleased(connection: Connection, system: str, object: str) -> Checkpoint | None:
    """A checkpoint that was committed but of which the source was not told: the process died in between."""
    row = connection.execute(
        "SELECT value FROM checkpoint WHERE system = %s AND object = %s AND NOT released", (system, object)
    ).fetchone()
    return Checkpoint(value=row[0]) if row else None


def mark_released(connection: Connection, system: str, object: str) -> None:
    connection.execute("UPDATE checkpoint SET released = true WHERE system = %s AND object = %s", (system, object))
