"""What must be derived again: marked in the transaction that changed an input, claimed by whoever derives."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from hub.journal.database import Connection

MARK = """
INSERT INTO recompute AS r (object, subject, due, urgent)
SELECT %(object)s, subject, CASE WHEN urgent THEN %(now)s ELSE %(due)s END, urgent
FROM unnest(%(subjects)s::text[], %(urgent)s::bool[]) AS m (subject, urgent)
ORDER BY subject
ON CONFLICT (object, subject) DO UPDATE
SET due = least(r.due, excluded.due), urgent = r.urgent OR excluded.urgent
"""

GATHER = """
WITH noted AS (
    DELETE FROM recompute_note
    WHERE id IN (SELECT id FROM recompute_note WHERE object = %(object)s FOR UPDATE SKIP LOCKED)
    RETURNING subject, due
)
INSERT INTO recompute AS r (object, subject, due, urgent)
SELECT %(object)s, subject, min(due), true FROM noted GROUP BY subject ORDER BY subject
ON CONFLICT (object, subject) DO UPDATE SET due = least(r.due, excluded.due), urgent = true
"""

CLAIM = """
DELETE FROM recompute r USING (
    SELECT object, subject FROM recompute WHERE object = %(object)s AND due <= %(now)s
      AND (%(only)s::text[] IS NULL OR subject = ANY(%(only)s))
    ORDER BY urgent DESC, due LIMIT %(limit)s FOR UPDATE SKIP LOCKED
) c WHERE r.object = c.object AND r.subject = c.subject
RETURNING r.subject, r.urgent
"""


def mark(
    connection: Connection, object: str, subjects: Mapping[str, bool], due: datetime, now: datetime | None = None
) -> None:
    """Ask for ``subjects`` (each urgent or not) at ``due``, urgent ones ``now``; an earlier time and urgency win.

    In one sorted statement, so that two transactions that mark the same subjects never wait for each other in a ring.
    """
    if subjects:
        names = sorted(subjects)
        urgent = [subjects[name] for name in names]
        arguments = {"object": object, "due": due, "now": now or due, "subjects": names, "urgent": urgent}
        connection.execute(MARK, arguments)


def mark_all(connection: Connection, derived: str, state: str, due: datetime) -> None:
    """Ask for every subject that ``state`` records or events know: the rules changed."""
    connection.execute(
        """INSERT INTO recompute (object, subject, due)
           SELECT DISTINCT %s, subject, %s::timestamptz FROM source_state WHERE object = %s ORDER BY subject
           ON CONFLICT (object, subject) DO UPDATE SET due = least(recompute.due, excluded.due)""",
        (derived, due, state),
    )


def note(connection: Connection, object: str, subject: str, due: datetime) -> None:
    """Ask urgently for ``subject``, without waiting for a derivation of it that is under way."""
    connection.execute("INSERT INTO recompute_note (object, subject, due) VALUES (%s, %s, %s)", (object, subject, due))


def claim(
    connection: Connection, object: str, now: datetime, limit: int, only: Collection[str] | None = None
) -> dict[str, bool]:
    """Take up to ``limit`` due subjects (of ``only``) out of the table, urgent ones first: subject -> urgent.

    They come back if the transaction fails. A mark made meanwhile waits for this transaction and stays; a note
    does not wait, and stays as well.
    """
    connection.execute(GATHER, {"object": object})
    arguments = {"object": object, "now": now, "limit": limit, "only": None if only is None else sorted(only)}
    return dict(connection.execute(CLAIM, arguments).fetchall())


def due(connection: Connection, object: str, now: datetime) -> int:
    """How many subjects are due."""
    row = connection.execute(
        "SELECT count(*) FROM recompute_open WHERE object = %s AND due <= %s", (object, now)
    ).fetchone()
    return int(row[0]) if row else 0
