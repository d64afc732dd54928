"""What each target should hold beside what is known of it: the journal's side of a reconciliation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub.journal.attempts import PERSON
from hub.journal.database import Connection

ROWS = f"""
SELECT d.key, d.subject, d.parts, d.value, d.generation, d.why,
       d.refused IS NOT DISTINCT FROM d.generation AS refused,
       r.value AS confirmed, coalesce(r.suspect, false) AS suspect, r.confirmed_at, coalesce(r.edits, '{{}}') AS edits,
       p.state AS delivery, p.not_before, p.created_at AS waits_since,
       (SELECT answer FROM attempt a WHERE a.id = p.attempt AND a.owner = '{PERSON}') AS asks,
       EXISTS (SELECT 1 FROM recompute_open c
               WHERE c.object = %(derived)s AND c.subject = d.subject AND c.due <= %(now)s) AS due
FROM desired d
LEFT JOIN remote r USING (target, object, key)
LEFT JOIN (  -- once for all keys: looked for key by key, an outbox of 10,000 is read 10,000 times
    SELECT DISTINCT ON (key) target, object, key, state, not_before, created_at, attempt FROM delivery
    WHERE target = %(target)s AND object = %(object)s AND (%(keys)s::text[] IS NULL OR key = ANY(%(keys)s))
    ORDER BY key, state <> 'pending' DESC
) p USING (target, object, key)
WHERE d.target = %(target)s AND d.object = %(object)s AND d.key > %(after)s
  AND (%(keys)s::text[] IS NULL OR d.key = ANY(%(keys)s))
ORDER BY d.key LIMIT %(limit)s
"""


def rows(
    connection: Connection,
    target: str,
    object: str,
    derived: str,
    now: datetime,
    keys: Sequence[str] | None = None,
    *,
    after: str = "",
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Desired values of ``target`` (or those of ``keys``) with what was confirmed and what is under way, by key.

    ``due``: the derived object that it comes from will be computed again.
    """
    from psycopg.rows import dict_row

    arguments = {
        "target": target,
        "object": object,
        "derived": derived,
        "now": now,
        "keys": None if keys is None else list(keys),
        "after": after,
        "limit": limit,
    }
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(ROWS, arguments).fetchall()


def refusals(connection: Connection, target: str, object: str) -> dict[str, str]:
    """By key, the sentence with which ``target`` refused it."""
    found = connection.execute(
        """SELECT key, path || ': ' || reason FROM quarantine
           WHERE system = %s AND object = %s AND state = 'open' AND key IS NOT NULL ORDER BY id""",
        (target, object),
    )
    return dict(found.fetchall())


def waiting(connection: Connection, derived: str, target: str) -> dict[str, list[str]]:
    """By subject, what the derivation of ``derived`` waits for at ``target``."""
    found = connection.execute(
        "SELECT subject, reasons FROM waiting WHERE object = %s AND target = %s ORDER BY subject", (derived, target)
    )
    return dict(found.fetchall())


def refused_records(connection: Connection, flow: str, targets: Sequence[str]) -> list[dict[str, Any]]:
    """Open quarantine of a flow's sources: the records that are not in any value because they were refused."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """SELECT id, system, object, key, path, reason, origin FROM quarantine
               WHERE flow = %s AND state = 'open'
                 AND NOT (system = ANY(%s) AND origin ->> 'source' LIKE 'delivery to %%')
               ORDER BY id""",
            (flow, list(targets)),
        ).fetchall()


def contradictions(connection: Connection, object: str) -> list[tuple[str, str, dict[str, Any], str, dict[str, Any]]]:
    """Keys of which two systems say different things: (key, system, data, other system, its data), both ways round."""
    return connection.execute(
        """SELECT a.key, a.system, a.data, b.system, b.data
           FROM source_state a JOIN source_state b USING (object, key)
           WHERE object = %s AND a.system <> b.system AND a.data <> b.data ORDER BY a.key, a.system, b.system""",
        (object,),
    ).fetchall()


# Why a target may not sell as many pieces as its source counted: the numbers behind each value, by reason.
DEPARTURES = """
SELECT r.cause, r.detail, count(*), min(d.key) FROM desired d CROSS JOIN LATERAL (VALUES
    ('rule', 'safety stock ' || (d.why ->> 'safety_stock'), (d.why ->> 'safety_stock')::int > 0),
    ('rule', 'reserved for orders', (d.why ->> 'reserved')::int > 0),
    ('rule', 'pieces that cannot be sold', (d.why ->> 'unavailable')::int > 0),
    ('rule', 'nothing was told for longer than stale_after', (d.why ->> 'stale')::bool),
    ('rule', 'the channel does not sell from there', d.why ? 'not_sold_from'),
    ('rule', 'less than nothing is shown as 0', (d.why ->> 'level')::int < 0),
    ('in flight', 'sold or moved since the source counted', d.why ? 'movements_on_top' OR d.why ? 'late_movements'),
    ('quarantine', 'a newer line was refused (quarantined: ' || (d.why ->> 'quarantined') || ')', d.why ? 'quarantined')
) AS r (cause, detail, applies)
WHERE d.target = %s AND d.object = %s AND r.applies AND d.value ->> 'quantity' <> d.why ->> 'level'
GROUP BY r.cause, r.detail ORDER BY count(*) DESC, r.detail
"""


def departures(connection: Connection, target: str, object: str) -> list[tuple[str, str, int, str]]:
    """Reasons why values of ``target`` differ from their source's count: (cause, reason, keys, one of them)."""
    return connection.execute(DEPARTURES, (target, object)).fetchall()
