"""What was pushed to the hub: stored before the sender gets its answer, taken by the next run."""

from __future__ import annotations

from datetime import timedelta

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
        """SELECT id, identity, path, url, headers, raw, received_at FROM inbox
           WHERE system = %s AND state = 'new' ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED""",
        (system, limit),
    ).fetchall()
    return [
        (
            id_,
            raw,
            Pushed(
                system=system,
                path=path,
                url=url,
                headers=headers,
                body=vault.open(connection, raw),
                received_at=received_at,
            ),
        )
        for id_, _, path, url, headers, raw, received_at in rows
    ]


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
