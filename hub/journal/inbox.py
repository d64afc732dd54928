"""What was pushed to the hub: stored before the sender gets its answer, taken by the next run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from hub.journal.database import Connection
from hub.journal.vault import Vault
from hub.model import Pushed


def store(connection: Connection, vault: Vault, identity: str, request: Pushed, headers: dict[str, str]) -> bool:
    """Keep a verified request; False when the sender delivered it before."""
    with connection.transaction():
        raw = vault.keep(connection, "pushed", request.body)
        cursor = connection.execute(
            """INSERT INTO inbox (system, identity, path, url, headers, raw, received_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (system, identity) DO NOTHING""",
            (request.system, identity, request.path, request.url, Jsonb(headers), raw, request.received_at),
        )
        return cursor.rowcount == 1


def claim(connection: Connection, vault: Vault, system: str, limit: int = 200) -> list[tuple[int, str, Pushed]]:
    """New messages of ``system``, oldest first, locked until the transaction ends: (id, raw reference, request)."""
    rows = connection.execute(
        """SELECT id, path, url, headers, raw, received_at FROM inbox
           WHERE system = %s AND state = 'new' ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED""",
        (system, limit),
    ).fetchall()
    return [(row[0], row[4], pushed(connection, vault, system, row)) for row in rows]


def again(connection: Connection, vault: Vault, system: str, id: int) -> Pushed | None:
    """A message that was taken before; None where it is no longer kept."""
    row = connection.execute(
        "SELECT id, path, url, headers, raw, received_at FROM inbox WHERE system = %s AND id = %s", (system, id)
    ).fetchone()
    return pushed(connection, vault, system, row) if row else None


def pushed(connection: Connection, vault: Vault, system: str, row: tuple[Any, ...]) -> Pushed:
    """A row as the request that it was."""
    _, path, url, headers, raw, received_at = row
    body = vault.open(connection, raw)
    return Pushed(system=system, path=path, url=url, headers=headers, body=body, received_at=received_at)


def done(connection: Connection, ids: list[int], run: str) -> None:
    connection.execute("UPDATE inbox SET state = 'done', run = %s WHERE id = ANY(%s)", (run, ids))


def waiting(connection: Connection) -> dict[str, int]:
    """How many messages wait, by system."""
    return dict(connection.execute("SELECT system, count(*) FROM inbox WHERE state = 'new' GROUP BY system").fetchall())


def forget_older_than(connection: Connection, age: timedelta) -> int:
    """Remove messages that were taken long ago, so that their payloads need not be kept; answers how many."""
    return connection.execute(
        "DELETE FROM inbox WHERE state = 'done' AND received_at < clock_timestamp() - %s", (age,)
    ).rowcount
