"""State: the latest word of each system per key, ordered by the source's own time and never by arrival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from hub.journal.database import Connection
from hub.journal.staging import stage

Verdict = Literal["new", "changed", "unchanged", "superseded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One canonical record on its way into ``source_state``."""

    key: str
    subject: str
    data: dict[str, Any]
    as_of: datetime
    source_key: str
    origin: dict[str, Any]
    mapping: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a record, and what stood there before it."""

    state: State
    verdict: Verdict
    before: dict[str, Any] | None


STAGE = (
    "n integer, key text, subject text, data jsonb, as_of timestamptz, source_key text, origin jsonb, mapping text"
)

# A row that came with a complete snapshot is as new as that snapshot, unless the snapshot lacked it.
# A delta series has no snapshot: there each row has its own time alone.
JUDGE = """
SELECT i.n, s.data,
       CASE WHEN s.key IS NULL THEN 'new'
            WHEN i.as_of < greatest(s.as_of, CASE WHEN NOT s.absent AND e.snapshot IS NOT NULL THEN e.as_of END)
                THEN 'superseded'
            WHEN s.data = i.data THEN 'unchanged'
            ELSE 'changed' END
FROM incoming_state i
LEFT JOIN source_state s ON s.system = %(system)s AND s.object = %(object)s AND s.key = i.key
LEFT JOIN series e ON e.system = s.system AND e.object = s.object AND e.series = s.series
ORDER BY i.n
"""

KEEP = """
INSERT INTO source_state AS s
       (system, object, key, subject, data, as_of, series, snapshot, source_key, origin, mapping, run)
SELECT %(system)s, %(object)s, i.key, i.subject, i.data, i.as_of, %(series)s, %(snapshot)s,
       i.source_key, i.origin, i.mapping, %(run)s
FROM incoming_state i WHERE i.n = ANY(%(kept)s)
ON CONFLICT (system, object, key) DO UPDATE SET
    subject = excluded.subject, data = excluded.data, as_of = excluded.as_of, series = excluded.series,
    snapshot = excluded.snapshot, source_key = excluded.source_key, absent = false,
    origin = CASE WHEN s.data = excluded.data AND NOT s.absent THEN s.origin ELSE excluded.origin END,
    mapping = excluded.mapping, run = excluded.run
"""


def apply(
    connection: Connection,
    system: str,
    object: str,
    states: Sequence[State],
    *,
    series: str,
    snapshot: int | None,
    run: str,
) -> list[Judged]:
    """Keep what is newer than what is known; a judgement for each state, in order. Keys must be unique."""
    if not states:
        return []
    rows = ((n, s.key, s.subject, s.data, s.as_of, s.source_key, s.origin, s.mapping) for n, s in enumerate(states))
    stage(connection, "incoming_state", STAGE, rows)
    found = connection.execute(JUDGE, {"system": system, "object": object}).fetchall()
    judged = [Judged(states[n], verdict, before) for n, before, verdict in found]
    kept = [n for n, _, verdict in found if verdict != "superseded"]
    connection.execute(
        KEEP,
        {"system": system, "object": object, "series": series, "snapshot": snapshot, "run": run, "kept": kept},
    )
    return judged


def of_series(connection: Connection, system: str, object: str, series: str) -> dict[str, tuple[str, str, bool]]:
    """What is known of a series: source key -> (key, subject, absent)."""
    rows = connection.execute(
        "SELECT source_key, key, subject, absent FROM source_state WHERE system = %s AND object = %s AND series = %s",
        (system, object, series),
    )
    return {source_key: (key, subject, absent) for source_key, key, subject, absent in rows}


def touched_since_complete(connection: Connection, system: str, object: str, series: str) -> set[str]:
    """Source keys whose word is not the last complete snapshot's: newer, or missing from it.

    Their lines are mapped again even where they equal that snapshot's.
    """
    rows = connection.execute(
        """SELECT s.source_key FROM source_state s JOIN series e USING (system, object, series)
           WHERE s.system = %(system)s AND s.object = %(object)s AND s.series = %(series)s
             AND (s.absent OR s.as_of > e.as_of)
           UNION SELECT source_key FROM quarantine
           WHERE system = %(system)s AND object = %(object)s AND state = 'open' AND source_key IS NOT NULL""",
        {"system": system, "object": object, "series": series},
    )
    return {row[0] for row in rows}


def mark_absent(
    connection: Connection, system: str, object: str, keys: Sequence[str], *, zero: str | None, run: str
) -> None:
    """These keys are missing from a complete snapshot; where ``zero`` names a field, that field becomes 0."""
    connection.execute(
        """UPDATE source_state SET absent = true, run = %(run)s,
               data = CASE WHEN %(zero)s::text IS NULL THEN data ELSE jsonb_set(data, ARRAY[%(zero)s], '0') END
           WHERE system = %(system)s AND object = %(object)s AND key = ANY(%(keys)s)""",
        {"run": run, "zero": zero, "system": system, "object": object, "keys": list(keys)},
    )


def positive(connection: Connection, system: str, object: str, series: str, field: str) -> tuple[int, int]:
    """How many keys a series has, and how many of them have ``field`` above zero: what a guard compares with."""
    row = connection.execute(
        """SELECT count(*), count(*) FILTER (WHERE (data ->> %s)::numeric > 0) FROM source_state
           WHERE system = %s AND object = %s AND series = %s AND NOT absent""",
        (field, system, object, series),
    ).fetchone()
    return (row[0], row[1]) if row else (0, 0)


def subjects(connection: Connection, object: str) -> list[tuple[str, dict[str, Any]]]:
    """Every subject of ``object`` with the data of one of its records that says most (a GTIN, a name)."""
    rows = connection.execute(
        """SELECT DISTINCT ON (subject) subject, data FROM source_state WHERE object = %s
           ORDER BY subject, (data ? 'gtin') DESC, (data ? 'name') DESC, as_of DESC""",
        (object,),
    )
    return rows.fetchall()


def resting_on(connection: Connection, system: str, object: str, series: str) -> list[str]:
    """Subjects with open events on keys of a series: a newer as-of may contain those events."""
    rows = connection.execute(
        """SELECT DISTINCT v.subject FROM event v
           JOIN source_state s ON s.object = %(object)s AND s.key = v.key
           WHERE NOT v.contained AND s.system = %(system)s AND s.series = %(series)s""",
        {"system": system, "object": object, "series": series},
    )
    return [row[0] for row in rows]
