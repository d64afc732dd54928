"""Facts about the journal itself, by name."""

from __future__ import annotations

from hub.journal.database import Connection


def get(connection: Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM setting WHERE name = %s", (name,)).fetchone()
    return row[0] if row else None


NAMES = 4_204  # space of advisory locks


def alone(connection: Connection, name: str) -> None:
    """Be the only one who looks at ``name`` to change it, until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (NAMES, name))


def replace(connection: Connection, name: str, value: str) -> bool:
    """Set ``name``; False where it had that value already."""
    return (
        connection.execute(
            """INSERT INTO setting AS s (name, value) VALUES (%s, %s)
               ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE s.value <> excluded.value""",
            (name, value),
        ).rowcount
        == 1
    )


def forget(connection: Connection, name: str, value: str) -> None:
    """Remove ``name`` where it still has that value."""
    connection.execute("DELETE FROM setting WHERE name = %s AND value = %s", (name, value))
