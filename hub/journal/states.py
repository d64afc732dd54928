"""State: the latest word of each system per key, ordered by the source's own time and never by arrival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from hub.journal import named
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
    or_later: datetime | None = None  # its source's time occurred twice, and may mean this one as well


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a record, and what stood there before it."""

    state: State
    verdict: Verdict
    before: dict[str, Any] | None


STAGE = (
    "n integer, key text, subject text, data jsonb, as_of timestamptz, source_key text, origin jsonb, mapping text,"
    " or_later timestamptz"
)

# What was heard last says otherwise and seems older: then it was written when the hour came for the second time.
READ_LATER = """
UPDATE incoming_state i SET as_of = i.or_later FROM source_state s
WHERE s.system = %(system)s AND s.object = %(object)s AND s.key = i.key
  AND i.as_of < s.as_of AND i.or_later >= s.as_of AND i.data <> s.data
"""

# A row that came with a complete snapshot is as new as that snapshot, unless the snapshot lacked it.
# A delta series has no snapshot: there each row has its own time alone.
JUDGE = """
SELECT i.n, s.data,
       CASE WHEN s.key IS NULL THEN 'new'
            WHEN i.as_of < greatest(s.as_of, CASE WHEN NOT s.detached AND e.snapshot IS NOT NULL THEN e.as_of END)
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
    snapshot = excluded.snapshot, source_key = excluded.source_key, detached = false,
    origin = CASE WHEN s.data = excluded.data AND NOT s.detached THEN s.origin ELSE excluded.origin END,
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
    rows = (
        (n, s.key, s.subject, s.data, s.as_of, s.source_key, s.origin, s.mapping, s.or_later)
        for n, s in enumerate(states)
    )
    stage(connection, "incoming_state", STAGE, rows)
    if any(s.or_later for s in states):
        connection.execute(READ_LATER, {"system": system, "object": object})
    found = connection.execute(JUDGE, {"system": system, "object": object}).fetchall()
    judged = [Judged(states[n], verdict, before) for n, before, verdict in found]
    kept = [n for n, _, verdict in found if verdict != "superseded"]
    connection.execute(
        KEEP,
        {"system": system, "object": object, "series": series, "snapshot": snapshot, "run": run, "kept": kept},
    )
    named.learn(connection, object, [one.state.data for one in judged if one.verdict == "new"])
    return judged


def of_series(
    connection: Connection, system: str, object: str, series: str, as_of: datetime | None = None
) -> dict[str, tuple[str, str, bool]]:
    """What is known of a series: source key -> (key, subject, detached); with ``as_of`` only what is not newer."""
    rows = connection.execute(
        """SELECT source_key, key, subject, detached FROM source_state
           WHERE system = %(system)s AND object = %(object)s AND series = %(series)s
             AND (%(as_of)s::timestamptz IS NULL OR as_of <= %(as_of)s)""",
        {"system": system, "object": object, "series": series, "as_of": as_of},
    )
    return {source_key: (key, subject, detached) for source_key, key, subject, detached in rows}


def touched_since_complete(connection: Connection, system: str, object: str, series: str) -> set[str]:
    """Source keys whose word is not the last complete snapshot's: newer, or missing from it.

    Their lines are mapped again even where they equal that snapshot's.
    """
    rows = connection.execute(
        """SELECT s.source_key FROM source_state s JOIN series e USING (system, object, series)
           WHERE s.system = %(system)s AND s.object = %(object)s AND s.series = %(series)s
             AND (s.detached OR s.as_of > e.as_of OR (s.as_of = e.as_of AND s.snapshot <> e.snapshot))
           UNION SELECT source_key FROM quarantine
           WHERE system = %(system)s AND object = %(object)s AND state = 'open' AND source_key IS NOT NULL""",
        {"system": system, "object": object, "series": series},
    )
    return {row[0] for row in rows}


DETACH = """
UPDATE source_state s SET detached = true, run = %(run)s,
    as_of = greatest(s.as_of, f.as_of), snapshot = CASE WHEN f.as_of > s.as_of THEN f.snapshot ELSE s.snapshot END,
    data = CASE WHEN %(zero)s::text IS NULL THEN s.data ELSE jsonb_set(s.data, ARRAY[%(zero)s], '0') END
FROM (
    SELECT s.key, e.as_of, e.snapshot FROM source_state s LEFT JOIN series e USING (system, object, series)
    WHERE s.system = %(system)s AND s.object = %(object)s AND NOT s.detached
      AND (s.source_key = ANY(%(source_keys)s) OR s.key = ANY(%(keys)s))
) f
WHERE s.system = %(system)s AND s.object = %(object)s AND s.key = f.key
"""


def detach(
    connection: Connection,
    system: str,
    object: str,
    *,
    source_keys: Sequence[str] = (),
    keys: Sequence[str] = (),
    zero: str | None = None,
    run: str,
) -> dict[str, str]:
    """The snapshot or page now read does not speak for these: they stay as their series last vouched for them.

    To be called before the series moves on. Where ``zero`` names a field, that field becomes 0. Named by
    source key, by key, or both; answers key -> subject of all that are known.
    """
    arguments = {
        "run": run,
        "zero": zero,
        "system": system,
        "object": object,
        "source_keys": list(source_keys),
        "keys": list(keys),
    }
    connection.execute(DETACH, arguments)
    rows = connection.execute(
        """SELECT key, subject FROM source_state WHERE system = %(system)s AND object = %(object)s
           AND (source_key = ANY(%(source_keys)s) OR key = ANY(%(keys)s))""",
        arguments,
    )
    return dict(rows.fetchall())


def data_of(connection: Connection, system: str, object: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What is known of ``keys``."""
    rows = connection.execute(
        "SELECT key, data FROM source_state WHERE system = %s AND object = %s AND key = ANY(%s)",
        (system, object, list(keys)),
    )
    return dict(rows.fetchall())


def detached(connection: Connection, system: str, object: str, keys: Sequence[str]) -> set[str]:
    """Those of ``keys`` that nothing vouches for at the moment."""
    rows = connection.execute(
        "SELECT key FROM source_state WHERE system = %s AND object = %s AND key = ANY(%s) AND detached",
        (system, object, list(keys)),
    )
    return {row[0] for row in rows}


def of_subjects(
    connection: Connection, system: str, object: str, subjects: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """What ``system`` says of ``subjects``, by subject."""
    rows = connection.execute(
        """SELECT subject, jsonb_agg(data ORDER BY key) FROM source_state
           WHERE system = %s AND object = %s AND subject = ANY(%s) GROUP BY subject""",
        (system, object, list(subjects)),
    )
    return dict(rows.fetchall())


def any_known(connection: Connection, system: str, objects: Sequence[str]) -> bool:
    """Whether ``system`` has said anything of ``objects`` yet."""
    row = connection.execute(
        "SELECT 1 FROM source_state WHERE system = %s AND object = ANY(%s) LIMIT 1", (system, list(objects))
    ).fetchone()
    return row is not None


def positive(
    connection: Connection, system: str, object: str, series: str, field: str, *, all: bool = False
) -> tuple[int, int]:
    """How many keys a series has, and how many of them have ``field`` above zero: what a guard compares with.

    Those that its last snapshot did not speak for only where ``all`` count.
    """
    row = connection.execute(
        """SELECT count(*), count(*) FILTER (WHERE (data ->> %s)::numeric > 0) FROM source_state
           WHERE system = %s AND object = %s AND series = %s AND (%s OR NOT detached)""",
        (field, system, object, series, all),
    ).fetchone()
    return (row[0], row[1]) if row else (0, 0)


def resting_on(connection: Connection, system: str, object: str, series: str) -> list[str]:
    """Subjects with open events on keys of a series: a newer as-of may contain those events."""
    rows = connection.execute(
        """SELECT DISTINCT v.subject FROM event v
           JOIN source_state s ON s.object = %(object)s AND s.key = v.key
           WHERE NOT v.contained AND s.system = %(system)s AND s.series = %(series)s""",
        {"system": system, "object": object, "series": series},
    )
    return [row[0] for row in rows]


def subjects_of_series(connection: Connection, system: str, object: str, series: str) -> list[str]:
    """Every subject of a series."""
    rows = connection.execute(
        "SELECT DISTINCT subject FROM source_state WHERE system = %s AND object = %s AND series = %s",
        (system, object, series),
    )
    return [row[0] for row in rows]


LEVELS = """
SELECT s.subject, s.system, s.data,
       CASE WHEN s.detached THEN s.as_of ELSE greatest(s.as_of, e.as_of) END AS as_of,
       s.detached OR e.as_of IS NULL OR s.as_of > e.as_of AS own_as_of,
       coalesce(n.tickets, '{}'::jsonb) AS tickets,
       EXISTS (SELECT 1 FROM quarantine q WHERE q.system = s.system AND q.object = s.object
               AND q.source_key = s.source_key AND q.state = 'open')
       OR EXISTS (SELECT 1 FROM quarantine q WHERE q.system = s.system AND q.object = s.object
               AND q.key = s.key AND q.state = 'open') AS quarantined
FROM source_state s
LEFT JOIN series e USING (system, object, series)
LEFT JOIN snapshot n ON n.id = CASE
    WHEN NOT s.detached AND e.snapshot IS NOT NULL AND e.as_of >= s.as_of THEN e.snapshot ELSE s.snapshot END
WHERE s.object = %(object)s AND s.subject = ANY(%(subjects)s)
"""


def dated(connection: Connection, object: str, subjects: Sequence[str]) -> list[dict[str, Any]]:
    """Each system's word on ``subjects`` with what vouches for it.

    Rows have subject, system, data, as_of, own_as_of (it does not move with its series), tickets and quarantined.
    """
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(LEVELS, {"object": object, "subjects": list(subjects)}).fetchall()


def of_key(connection: Connection, object: str, key: str) -> list[dict[str, Any]]:
    """Every system's word on ``key``, with the snapshot that vouches for it."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """SELECT s.system, s.data, s.as_of, s.detached, s.origin, s.mapping, s.run, s.series,
                      CASE WHEN s.detached THEN s.as_of ELSE greatest(s.as_of, e.as_of) END AS vouched_until,
                      n.source AS snapshot
               FROM source_state s LEFT JOIN series e USING (system, object, series)
               LEFT JOIN snapshot n ON n.id = coalesce(e.snapshot, s.snapshot)
               WHERE s.object = %s AND s.key = %s ORDER BY s.system""",
            (object, key),
        ).fetchall()


def holding(connection: Connection, object: str, field: str, value: str) -> list[tuple[str, dict[str, Any]]]:
    """(system, data) of records of ``object`` whose ``field`` is ``value``, the newest first."""
    return connection.execute(
        "SELECT system, data FROM source_state WHERE object = %s AND data ->> %s = %s ORDER BY as_of DESC, key",
        (object, field, value),
    ).fetchall()


def dated_of(
    connection: Connection, system: str, object: str, keys: Sequence[str]
) -> dict[str, tuple[dict[str, Any], datetime]]:
    """What is known of ``keys``, and of when."""
    rows = connection.execute(
        "SELECT key, data, as_of FROM source_state WHERE system = %s AND object = %s AND key = ANY(%s)",
        (system, object, list(keys)),
    )
    return {key: (data, as_of) for key, data, as_of in rows}
