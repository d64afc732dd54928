"""What cannot be derived yet, and what it waits for, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from hub.journal.database import Connection


def replace(
    connection: Connection,
    object: str,
    subjects: Sequence[str],
    found: Mapping[tuple[str, str], Sequence[str]],
) -> None:
    """Of ``subjects`` exactly ``found`` waits: (subject, target) -> reasons. What waited before keeps its since."""
    connection.execute(
        """DELETE FROM waiting w WHERE object = %s AND subject = ANY(%s)
           AND NOT EXISTS (SELECT 1 FROM unnest(%s::text[], %s::text[]) AS n (subject, target)
                           WHERE n.subject = w.subject AND n.target = w.target)""",
        (object, list(subjects), [s for s, _ in found], [t for _, t in found]),
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO waiting (object, subject, target, reasons) VALUES (%s, %s, %s, %s)
               ON CONFLICT (object, subject, target) DO UPDATE SET reasons = excluded.reasons""",
            [(object, subject, target, Jsonb(list(reasons))) for (subject, target), reasons in found.items()],
        )


def count(connection: Connection, object: str, target: str) -> int:
    """How many subjects of a derived object wait at ``target``."""
    row = connection.execute(
        "SELECT count(*) FROM waiting WHERE object = %s AND target = %s", (object, target)
    ).fetchone()
    return int(row[0]) if row else 0


def of_subjects(connection: Connection, subjects: Sequence[str], object: str | None = None) -> list[dict[str, Any]]:
    """What ``subjects`` wait for, oldest first."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """SELECT object, subject, target, reasons, since FROM waiting
               WHERE subject = ANY(%s) AND (%s::text IS NULL OR object = %s) ORDER BY since, target""",
            (list(subjects), object, object),
        ).fetchall()
