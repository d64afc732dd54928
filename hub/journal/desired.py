"""What each target should hold, and since which generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.journal.database import Connection
from hub.journal.staging import many_changed, stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """A derived value for one key at one target; ``parts`` names what the key is made of."""

    target: str
    object: str
    key: str
    subject: str
    parts: dict[str, Any]
    value: dict[str, Any]
    as_of: datetime
    why: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Changed:
    """A desired value that is not what it was."""

    desired: Desired
    generation: int
    before: dict[str, Any] | None


STAGE = (
    "n integer, target text, object text, key text, subject text, parts jsonb, value jsonb, "
    "as_of timestamptz, why jsonb"
)

DIFFERS = """
SELECT i.n, coalesce(d.generation, 0) + 1, d.value
FROM incoming_desired i LEFT JOIN desired d USING (target, object, key)
WHERE d.value IS DISTINCT FROM i.value ORDER BY i.n
"""

UPSERT = """
INSERT INTO desired AS d (target, object, key, subject, parts, value, generation, as_of, why, run)
SELECT target, object, key, subject, parts, value, 1, as_of, why, %(run)s FROM incoming_desired
ON CONFLICT (target, object, key) DO UPDATE SET
    parts = excluded.parts, value = excluded.value, as_of = excluded.as_of, why = excluded.why, run = excluded.run,
    generation = d.generation + CASE WHEN d.value = excluded.value THEN 0 ELSE 1 END,
    derived_at = clock_timestamp()
"""


def upsert(connection: Connection, values: Sequence[Desired], run: str) -> list[Changed]:
    """Keep ``values``; answers those that changed, with their new generation.

    The caller holds the subjects' recompute rows, so nobody else writes the same keys meanwhile.
    """
    if not values:
        return []
    rows = ((n, v.target, v.object, v.key, v.subject, v.parts, v.value, v.as_of, v.why) for n, v in enumerate(values))
    stage(connection, "incoming_desired", STAGE, rows)
    differs = connection.execute(DIFFERS).fetchall()
    connection.execute(UPSERT, {"run": run})
    many_changed(connection, "desired", len(differs))
    return [Changed(values[n], generation, before) for n, generation, before in differs]


def keys_of(connection: Connection, target: str, object: str, subjects: Sequence[str]) -> set[str]:
    """The keys of ``subjects`` for which ``target`` was ever to hold something."""
    rows = connection.execute(
        "SELECT key FROM desired WHERE target = %s AND object = %s AND subject = ANY(%s)",
        (target, object, list(subjects)),
    )
    return {row[0] for row in rows}


def of_key(connection: Connection, key: str) -> list[dict[str, Any]]:
    """What every target should hold for ``key``, beside what it was last confirmed to hold."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """SELECT d.target, d.object, d.key, d.value, d.generation, d.as_of, d.why, d.derived_at,
                      r.value AS remote, r.generation AS confirmed_generation, r.confirmed_at, r.suspect
               FROM desired d LEFT JOIN remote r USING (target, object, key) WHERE d.key = %s ORDER BY d.target""",
            (key,),
        ).fetchall()


def waiting(
    connection: Connection, target: str, object: str, unbound: Mapping[str, Sequence[str]], subject: str | None = None
) -> int:
    """How many desired values name something that ``target`` has no id for: by name, the ``unbound`` keys.

    ``subject`` is the name that a value of ``object`` has as its subject: that one is found by an index.
    """
    found = {name: list(keys) for name, keys in unbound.items() if keys}
    if not found:
        return 0
    ways = " OR ".join("subject = ANY(%s)" if name == subject else "parts ->> %s = ANY(%s)" for name in found)
    wanted = [one for name, keys in found.items() for one in ((keys,) if name == subject else (name, keys))]
    row = connection.execute(
        f"SELECT count(*) FROM desired WHERE target = %s AND object = %s AND ({ways})", (target, object, *wanted)
    ).fetchone()
    return int(row[0]) if row else 0


def values(connection: Connection, target: str, object: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What ``target`` should hold of those of ``keys`` that it should hold anything of."""
    rows = connection.execute(
        "SELECT key, value FROM desired WHERE target = %s AND object = %s AND key = ANY(%s)",
        (target, object, list(keys)),
    )
    return dict(rows.fetchall())
