"""The outbox: the difference between what a target should hold and what it was confirmed to hold.

At most one delivery per key waits and at most one is out. A newer value takes the place of the one
that waits (coalesced); one that is out is left alone, and the newer value waits behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.journal.database import Connection
from hub.journal.staging import many_changed

# What the target will hold once what is out has arrived: that is what the desired value is compared with.
EXPECTED = """
SELECT d.target, d.object, d.key, d.subject, d.parts, d.generation, d.as_of,
       (r.key IS NULL AND o.id IS NULL) AS never_read, d.refused IS NOT DISTINCT FROM d.generation AS refused,
       -- what somebody changed there and may keep is not ours to compare, nor to send
       CASE WHEN coalesce(r.edits, '{{}}') = '{{}}' THEN d.value
            ELSE d.value - ARRAY(SELECT jsonb_object_keys(r.edits)) END AS value,
       CASE WHEN coalesce(r.edits, '{{}}') = '{{}}' THEN coalesce(o.value, r.value)
            ELSE coalesce(o.value, r.value) - ARRAY(SELECT jsonb_object_keys(r.edits)) END AS expected
FROM desired d
LEFT JOIN remote r USING (target, object, key)
LEFT JOIN delivery o ON o.target = d.target AND o.object = d.object AND o.key = d.key AND o.state <> 'pending'
WHERE d.target = %(target)s AND d.object = %(object)s
  AND (%(subjects)s::text[] IS NULL OR d.subject = ANY(%(subjects)s))
"""

COALESCE = (
    "WITH e AS ("
    + EXPECTED
    + """), gone AS (
    DELETE FROM delivery p USING e
    WHERE p.target = e.target AND p.object = e.object AND p.key = e.key AND p.state = 'pending'
      AND (p.value <> e.value OR (NOT e.never_read AND e.value = e.expected))
    RETURNING p.*
)
INSERT INTO delivery_log (id, target, object, key, subject, generation, value, state, reason, run, created_at)
SELECT id, target, object, key, subject, generation, value, 'coalesced', %(reason)s, %(run)s, created_at FROM gone
RETURNING key
"""
)

ENQUEUE = (
    "WITH e AS ("
    + EXPECTED
    + """)
INSERT INTO delivery (target, object, key, subject, aggregate, parts, generation, value, as_of, urgent, run)
SELECT target, object, key, subject, {aggregate}, parts, generation, value, as_of, %(urgent)s, %(run)s FROM e
WHERE (never_read OR value IS DISTINCT FROM expected) AND NOT refused AND {bound}
ON CONFLICT (target, object, key) WHERE state = 'pending' DO UPDATE
SET urgent = delivery.urgent OR excluded.urgent, generation = excluded.generation, as_of = excluded.as_of
RETURNING key, (xmax = 0) AS is_new
"""
)

BOUND = "EXISTS (SELECT 1 FROM binding b WHERE b.system = e.target AND b.object = '{0}' AND b.key = e.parts ->> '{0}')"


OUTBOX = 4_202  # space of advisory locks


def alone(connection: Connection, target: str) -> None:
    """Be the only one to change what ``target`` should hold, its outbox and what is known of it, until the
    transaction ends.

    Every transaction does this before it changes any of these: who settles a refusal has the outbox and then writes
    beside what should be there, so who wrote that first would wait for it for ever. Several targets are taken by name.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (OUTBOX, target))


def rediff(
    connection: Connection,
    target: str,
    object: str,
    binds: Sequence[str],
    aggregate: str = "key",
    *,
    subjects: Sequence[str] | None,
    urgent: bool,
    run: str,
    reason: str = "a newer value took its place",
) -> tuple[int, int]:
    """Bring the outbox in line with desired and confirmed values of ``subjects`` (None: all of the target's).

    Answers (enqueued, coalesced). A key without its bindings at the target is left waiting. ``binds``
    and ``aggregate`` are names from a connector's capability, which are identifiers.
    """
    arguments = {
        "target": target,
        "object": object,
        "subjects": None if subjects is None else list(subjects),
        "urgent": urgent,
        "run": run,
        "reason": reason,
    }
    bound = " AND ".join(BOUND.format(bind) for bind in binds if bind.isidentifier()) or "true"
    with connection.transaction():
        alone(connection, target)
        coalesced = connection.execute(COALESCE.format(), arguments).rowcount
        rows = connection.execute(ENQUEUE.format(bound=bound, aggregate=_aggregate(aggregate)), arguments).fetchall()
    many_changed(connection, "delivery", len(rows) + coalesced)
    return sum(1 for _, is_new in rows if is_new), coalesced


def _aggregate(name: str) -> str:
    """SQL that names the remote object a value lives in: its own, or the part of its key that is ``name``."""
    if name == "key" or not name.isidentifier():
        return "object || '/' || key"
    return f"'{name}/' || coalesce(parts ->> '{name}', key)"


PARTS = 4  # of 250 that were sent together and had no answer, 62 go out together, then 15, 3, and one

CLAIM = """
SELECT p.id, p.key, p.subject, p.parts, p.generation, p.value, p.as_of, p.unanswered FROM delivery p
WHERE p.target = %(target)s AND p.object = %(object)s AND p.state = 'pending'
  AND (p.not_before IS NULL OR p.not_before <= %(now)s)
  AND NOT EXISTS (SELECT 1 FROM delivery o
                  WHERE o.target = p.target AND o.aggregate = p.aggregate AND o.state <> 'pending')
  AND NOT EXISTS (SELECT 1 FROM remote r
                  WHERE r.target = p.target AND r.object = p.object AND r.key = p.key AND r.suspect)
  AND (%(unread)s OR EXISTS (SELECT 1 FROM remote r
                             WHERE r.target = p.target AND r.object = p.object AND r.key = p.key))
ORDER BY p.urgent DESC, p.id {order} LIMIT %(limit)s FOR UPDATE OF p SKIP LOCKED
"""


def claim(
    connection: Connection,
    target: str,
    object: str,
    now: datetime,
    limit: int,
    *,
    newest_first: bool = False,
    unread: bool = True,
) -> list[dict[str, Any]]:
    """Lock up to ``limit`` deliveries that may go out now, urgent ones first, then in their order.

    ``newest_first``: then against it. Left behind: an aggregate with something out already, a key whose remote
    value is in doubt, and without ``unread`` one that was never read at the target. What had no answer comes by
    itself, fewer and fewer together, until the one is alone that its target fails at.
    """
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        statement = CLAIM.format(order="DESC" if newest_first else "ASC")
        arguments = {"target": target, "object": object, "now": now, "limit": limit, "unread": unread}
        return _together(cursor.execute(statement, arguments).fetchall(), limit)


def _together(rows: list[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """Those of ``rows`` that go out with the first of them."""
    company = rows[0]["unanswered"] if rows else None
    same = [row for row in rows if row["unanswered"] == company]
    return same if company is None else same[: max(1, company // PARTS)]


def put_out(connection: Connection, ids: Sequence[int], attempt: int) -> None:
    connection.execute("UPDATE delivery SET state = 'out', attempt = %s WHERE id = ANY(%s)", (attempt, list(ids)))


def settle(connection: Connection, ids: Sequence[int], state: str, run: str, reason: str | None = None) -> int:
    """These are over: ``delivered``, ``coalesced`` or ``refused``."""
    return connection.execute(
        """WITH gone AS (DELETE FROM delivery WHERE id = ANY(%s) RETURNING *)
           INSERT INTO delivery_log (id, target, object, key, subject, generation, value, state, attempt, reason, run,
                                     created_at)
           SELECT id, target, object, key, subject, generation, value, %s, attempt, %s, %s, created_at FROM gone""",
        (list(ids), state, reason, run),
    ).rowcount


def put_back(connection: Connection, ids: Sequence[int], not_before: datetime | None, run: str) -> int:
    """These were not carried out: they wait again, or give way to a newer one that waits already (answers how many)."""
    return _put_back(connection, ids, run, "not_before = %(not_before)s", not_before=not_before)


def put_behind(connection: Connection, ids: Sequence[int], now: datetime, wait: timedelta, run: str) -> int:
    """As :func:`put_back`, of what had no answer: again at once, but when that happens once more, after ``wait``.

    One at which its target fails each time would else be the first each time, and keep all others.
    """
    noted = """unanswered = %(company)s,
               not_before = CASE WHEN unanswered IS NOT NULL THEN %(now)s + %(wait)s END"""
    return _put_back(connection, ids, run, noted, now=now, wait=wait, company=len(ids))


def _put_back(connection: Connection, ids: Sequence[int], run: str, changes: str, **arguments: object) -> int:
    superseded = connection.execute(
        """SELECT o.id FROM delivery o JOIN delivery p USING (target, object, key)
           WHERE o.id = ANY(%s) AND p.state = 'pending' AND p.id <> o.id""",
        (list(ids),),
    ).fetchall()
    gone = settle(connection, [row[0] for row in superseded], "coalesced", run, "a newer value took its place")
    connection.execute(
        f"UPDATE delivery SET state = 'pending', attempt = NULL, {changes} WHERE id = ANY(%(ids)s)",
        {**arguments, "ids": list(ids)},
    )
    return gone


def doubt(connection: Connection, ids: Sequence[int]) -> None:
    """These may have been carried out."""
    connection.execute("UPDATE delivery SET state = 'doubtful' WHERE id = ANY(%s)", (list(ids),))


def open_count(connection: Connection, targets: Sequence[str], objects: Sequence[str] | None = None) -> int:
    """Everything of ``targets`` (and ``objects``) that is not settled: pending, out and doubtful."""
    row = connection.execute(
        "SELECT count(*) FROM delivery WHERE target = ANY(%s) AND (%s::text[] IS NULL OR object = ANY(%s))",
        (list(targets), *[None if objects is None else list(objects)] * 2),
    ).fetchone()
    return int(row[0]) if row else 0


def sendable(connection: Connection, target: str, now: datetime, objects: Sequence[str] | None = None) -> bool:
    """Whether something of ``target`` (and ``objects``) waits that may go out now: somebody should be called."""
    row = connection.execute(
        """SELECT EXISTS (SELECT 1 FROM delivery WHERE target = %s AND state = 'pending'
                          AND (%s::text[] IS NULL OR object = ANY(%s)) AND (not_before IS NULL OR not_before <= %s))""",
        (target, *[None if objects is None else list(objects)] * 2, now),
    ).fetchone()
    return bool(row and row[0])


def subjects_older_than(connection: Connection, target: str, object: str, as_of: datetime) -> list[str]:
    """Subjects of waiting deliveries whose as-of is before ``as_of``."""
    rows = connection.execute(
        """SELECT DISTINCT subject FROM delivery
           WHERE target = %s AND object = %s AND state = 'pending' AND as_of < %s""",
        (target, object, as_of),
    )
    return [row[0] for row in rows]


def hold_back(connection: Connection, target: str, object: str, keys: Sequence[str], not_before: datetime) -> None:
    """Waiting deliveries of ``keys`` stay until ``not_before``."""
    connection.execute(
        """UPDATE delivery SET not_before = %s
           WHERE target = %s AND object = %s AND state = 'pending' AND key = ANY(%s)""",
        (not_before, target, object, list(keys)),
    )


def mark_refused(connection: Connection, target: str, object: str, keys: Sequence[tuple[str, int]]) -> None:
    """The target refused these (key, generation): they are not enqueued again until their value changes."""
    connection.execute(
        """UPDATE desired d SET refused = m.generation
           FROM unnest(%s::text[], %s::bigint[]) AS m (key, generation)
           WHERE d.target = %s AND d.object = %s AND d.key = m.key""",
        ([k for k, _ in keys], [g for _, g in keys], target, object),
    )
