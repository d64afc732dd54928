"""What each target was last confirmed to hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from hub.journal.database import Connection
from hub.journal.staging import many_changed, stage

# A time that has not come yet is one from before the clock was set back: it is earlier than any that has.
CONFIRM = """
INSERT INTO remote AS r (target, object, key, value, generation)
SELECT %(target)s, %(object)s, key, value, generation FROM incoming_remote
ON CONFLICT (target, object, key) DO UPDATE SET
    value = excluded.value, confirmed_at = clock_timestamp(),
    suspect = r.suspect AND CASE
        WHEN %(asked_at)s::timestamptz IS NULL THEN false
        WHEN (r.suspect_at > clock_timestamp()) = (%(asked_at)s > clock_timestamp()) THEN r.suspect_at > %(asked_at)s
        ELSE %(asked_at)s > clock_timestamp() END,
    generation = greatest(r.generation, excluded.generation)
WHERE %(read_at)s::timestamptz IS NULL OR r.confirmed_at < %(read_at)s OR r.confirmed_at > clock_timestamp()
"""


def confirm(
    connection: Connection,
    target: str,
    object: str,
    values: Mapping[str, tuple[Mapping[str, Any], int]],
    read_at: datetime | None = None,
    sent_at: datetime | None = None,
) -> None:
    """The target holds these: key -> (value, generation it answers, 0 where it was only read).

    ``read_at``: when a reading began (the database's time); a receipt that came after it knows better, and what was
    in doubt stays so.
    ``sent_at``: when what is answered was sent. A doubt that arose after either is not answered by it.
    """
    if values:
        rows = ((key, dict(value), generation) for key, (value, generation) in values.items())
        stage(connection, "incoming_remote", "key text, value jsonb, generation bigint", rows)
        asked_at = read_at or sent_at
        connection.execute(CONFIRM, {"target": target, "object": object, "read_at": read_at, "asked_at": asked_at})
        many_changed(connection, "remote", len(values))


def overtaken(connection: Connection, target: str, object: str, keys: Sequence[str], read_at: datetime) -> set[str]:
    """Those of ``keys`` of which somebody was told what they hold after a reading had begun: it may be the older."""
    rows = connection.execute(
        """SELECT key FROM remote WHERE target = %s AND object = %s AND key = ANY(%s)
           AND confirmed_at >= %s AND confirmed_at <= clock_timestamp()""",
        (target, object, list(keys), read_at),
    )
    return {row[0] for row in rows}


def values(connection: Connection, target: str, object: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The last confirmed value of each of ``keys`` that has one and is not suspect."""
    rows = connection.execute(
        "SELECT key, value FROM remote WHERE target = %s AND object = %s AND key = ANY(%s) AND NOT suspect",
        (target, object, list(keys)),
    )
    return dict(rows.fetchall())


SUSPECT = """
UPDATE remote r SET suspect = true, suspect_at = clock_timestamp() FROM (
    SELECT unnest(%(keys)s::text[]) AS key
    UNION SELECT key FROM desired
    WHERE target = %(target)s AND object = %(object)s AND subject = ANY(%(subjects)s)
) k
WHERE r.target = %(target)s AND r.object = %(object)s AND r.key = k.key
"""


def suspect(
    connection: Connection, target: str, object: str, *, keys: Sequence[str] = (), subjects: Sequence[str] = ()
) -> None:
    """Something happened at the target: read these back before they are compared or written again."""
    if keys or subjects:
        connection.execute(
            SUSPECT, {"target": target, "object": object, "keys": sorted(keys), "subjects": sorted(subjects)}
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A key to read at a target, with what it is made of and what it should hold."""

    key: str
    subject: str
    parts: dict[str, Any]
    value: dict[str, Any]


def to_read_back(connection: Connection, target: str, object: str, limit: int) -> list[Asked]:
    """What to read at the target: keys in doubt, and ones never read for which a change waits."""
    rows = connection.execute(
        """SELECT d.key, d.subject, d.parts, d.value FROM desired d JOIN remote r USING (target, object, key)
           WHERE d.target = %(t)s AND d.object = %(o)s AND r.suspect
           UNION ALL
           SELECT p.key, p.subject, p.parts, p.value FROM delivery p
           WHERE p.target = %(t)s AND p.object = %(o)s AND p.state <> 'out'
             AND NOT EXISTS (SELECT 1 FROM remote r WHERE r.target = p.target AND r.object = p.object AND r.key = p.key)
           LIMIT %(n)s""",
        {"t": target, "o": object, "n": limit},
    ).fetchall()
    return [Asked(*row) for row in rows]


def in_doubt(connection: Connection, target: str, objects: Sequence[str]) -> bool:
    """Whether something of ours among ``objects`` is to be read back at the target."""
    row = connection.execute(
        """SELECT EXISTS (SELECT 1 FROM remote r JOIN desired d USING (target, object, key)
           WHERE r.target = %s AND r.object = ANY(%s) AND r.suspect)""",
        (target, list(objects)),
    ).fetchone()
    return row is not None and bool(row[0])


def edited(connection: Connection, target: str, object: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By key, the fields that somebody changed at the target and that are left so."""
    rows = connection.execute(
        "SELECT key, edits FROM remote WHERE target = %s AND object = %s AND key = ANY(%s) AND edits <> '{}'",
        (target, object, list(keys)),
    )
    return dict(rows.fetchall())


def leave(connection: Connection, target: str, object: str, key: str, edits: Mapping[str, Any]) -> None:
    """These fields of ``key`` are left as somebody set them at the target."""
    connection.execute(
        "UPDATE remote SET edits = %s WHERE target = %s AND object = %s AND key = %s",
        (Jsonb(dict(edits)), target, object, key),
    )


def believed(connection: Connection, target: str, object: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What each of ``keys`` was last known to hold, in doubt or not."""
    rows = connection.execute(
        "SELECT key, value FROM remote WHERE target = %s AND object = %s AND key = ANY(%s)",
        (target, object, list(keys)),
    )
    return dict(rows.fetchall())


def database_time(connection: Connection) -> datetime:
    """The clock that confirmations are stamped with."""
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None  # noqa: S101  a SELECT without FROM always answers
    found: datetime = row[0]
    return found
