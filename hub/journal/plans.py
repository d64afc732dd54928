"""Plans that were made: what a flow would change, kept until somebody applies it or its time is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from hub.journal.database import Connection


def keep(
    connection: Connection,
    *,
    kind: str,
    flow: str,
    system: str | None,
    rules: str,
    digest: str,
    summary: Mapping[str, Any],
    changes: str,
    run: str,
    made_at: datetime,
    expires_at: datetime,
) -> int:
    """A new plan's number."""
    row = connection.execute(
        """INSERT INTO plan (kind, flow, system, rules, digest, summary, changes, run, made_at, expires_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
        (kind, flow, system, rules, digest, Jsonb(dict(summary)), changes, run, made_at, expires_at),
    ).fetchone()
    assert row is not None  # noqa: S101  RETURNING always answers
    return int(row[0])


def show(connection: Connection, number: int) -> dict[str, Any] | None:
    """The row of plan ``number``."""
    return _row(connection, "SELECT * FROM plan WHERE id = %s", number)


def locked(connection: Connection, number: int) -> dict[str, Any] | None:
    """The row of plan ``number``, which nobody else can apply until the transaction ends."""
    return _row(connection, "SELECT * FROM plan WHERE id = %s FOR UPDATE", number)


def _row(connection: Connection, query: str, number: int) -> dict[str, Any] | None:
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, (number,)).fetchone()


def applicable(connection: Connection, now: datetime) -> list[int]:
    """Numbers of plans that can still be applied."""
    rows = connection.execute("SELECT id FROM plan WHERE applied_at IS NULL AND expires_at > %s ORDER BY id", (now,))
    return [row[0] for row in rows]


def mark_applied(connection: Connection, number: int, *, at: datetime, by: str, run: str) -> None:
    connection.execute(
        "UPDATE plan SET applied_at = %s, applied_by = %s, applied_run = %s WHERE id = %s", (at, by, run, number)
    )


def forget_older_than(connection: Connection, moment: datetime) -> int:
    """Remove plans that were over before ``moment``; answers how many."""
    return connection.execute("DELETE FROM plan WHERE expires_at < %s", (moment,)).rowcount


def steps(connection: Connection, run: str) -> list[dict[str, Any]]:
    """Everything that ``run`` wrote into the audit trail so far, in its order."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """SELECT step, system, object, key, subject, before, after, answer FROM audit
               WHERE run = %s ORDER BY id""",
            (run,),
        ).fetchall()


TO_SEND = """
SELECT p.target, p.object, p.key, p.subject, r.value AS before, p.value AS after,
       coalesce(r.suspect, true) AS read_first
FROM delivery p LEFT JOIN remote r USING (target, object, key)
WHERE p.target = ANY(%(targets)s) AND p.object = ANY(%(objects)s) AND p.state = 'pending'
  AND (p.run = %(run)s OR p.subject = ANY(%(subjects)s))
ORDER BY p.target, p.object, p.key
"""


def to_send(
    connection: Connection, targets: Sequence[str], objects: Sequence[str], subjects: Sequence[str], run: str
) -> list[dict[str, Any]]:
    """What waits to be sent because of ``run`` or for ``subjects``, beside what was last confirmed there.

    ``read_first``: the target is read before, since nobody knows what it holds now.
    """
    from psycopg.rows import dict_row

    arguments = {"targets": list(targets), "objects": list(objects), "subjects": list(subjects), "run": run}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(TO_SEND, arguments).fetchall()


def wait_patiently(connection: Connection, longest: timedelta) -> None:
    """Wait for another process for at most ``longest`` in this transaction, rather than with it in a ring."""
    connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{int(longest.total_seconds() * 1000)}ms",))
