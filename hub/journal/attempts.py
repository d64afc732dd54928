"""Attempts: what is about to be sent, committed before the call, so that a crash leaves a question and not a hole.

An attempt is held by one process at a time, under a lease. Each taking of it is a *turn*: who has lost the lease
meanwhile comes with an old turn, and what it then says settles nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from hub.journal.database import Connection

FIRST = 1  # turn of the process that opened it
PERSON = "a person"  # holds what can be neither repeated nor read back
TARGET = "its target"  # holds what it has accepted and answers later
HANDLE = "handle"  # of a member: by what its target is asked what became of it


def open_attempt(
    connection: Connection,
    target: str,
    object: str,
    members: Sequence[dict[str, Any]],
    *,
    key: str,
    owner: str,
    lease: timedelta,
    run: str,
) -> int:
    """Record an attempt with its members exactly as they are sent; answers its number."""
    body = json.dumps(members, sort_keys=True, default=str)
    row = connection.execute(
        """INSERT INTO attempt (target, object, idempotency_key, body_hash, members, owner, lease_until, run)
           VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp() + %s, %s) RETURNING id""",
        (target, object, key, hashlib.sha256(body.encode()).hexdigest(), Jsonb(list(members)), owner, lease, run),
    ).fetchone()
    assert row is not None  # noqa: S101  RETURNING always answers
    return int(row[0])


def settle(
    connection: Connection, attempt: int, turn: int, answer: str, *, after_person: bool = False
) -> datetime | None:
    """The attempt is answered: when it was opened; None where somebody took it over after this ``turn``.

    ``after_person``: also where it was taken over only to be left to a person, who has not decided yet.
    """
    row = connection.execute(
        """UPDATE attempt SET state = 'settled', answer = %s, settled_at = clock_timestamp()
           WHERE id = %s AND state <> 'settled' AND (sends = %s OR %s AND owner = %s) RETURNING created_at""",
        (answer, attempt, turn, after_person, PERSON),
    ).fetchone()
    return row[0] if row else None


def mark_unknown(
    connection: Connection, attempt: int, turn: int, reason: str, holder: str | None = None
) -> datetime | None:
    """No answer came, so that anybody may take it over at once; answers as :func:`settle` does.

    ``holder`` had it before and may still run: it stays named, and the attempt out.
    """
    row = connection.execute(
        """UPDATE attempt SET answer = %(reason)s, lease_until = clock_timestamp(),
                  owner = coalesce(%(holder)s::text, owner),
                  state = CASE WHEN %(holder)s::text IS NULL THEN 'unknown' ELSE state END
           WHERE id = %(attempt)s AND state <> 'settled' AND sends = %(turn)s RETURNING created_at""",
        {"attempt": attempt, "turn": turn, "reason": reason, "holder": holder},
    ).fetchone()
    return row[0] if row else None


def leave_to_person(connection: Connection, attempt: int, turn: int, reason: str) -> bool:
    """Only a person can find out what became of it; nobody takes it over."""
    return _changed(
        connection,
        """UPDATE attempt SET state = 'unknown', answer = %(reason)s, owner = %(person)s, lease_until = 'infinity'
           WHERE id = %(attempt)s AND state <> 'settled' AND sends = %(turn)s""",
        attempt=attempt, turn=turn, reason=reason, person=PERSON,
    )  # fmt: skip


def leave_to_target(
    connection: Connection, attempt: int, turn: int, handles: Mapping[int, str], not_before: datetime, answer: str
) -> datetime | None:
    """Its target has accepted the members named in ``handles`` (by delivery) and is asked again at ``not_before``.

    That is a time of the engine's clock. Answers as :func:`settle` does.
    """
    row = connection.execute(
        """UPDATE attempt SET answer = %(answer)s, owner = %(target)s, lease_until = %(not_before)s,
               members = (SELECT jsonb_agg(CASE WHEN %(handles)s ? (m ->> 'id')
                                                THEN jsonb_set(m, ARRAY[%(handle)s], %(handles)s -> (m ->> 'id'))
                                                ELSE m END ORDER BY n)
                          FROM jsonb_array_elements(members) WITH ORDINALITY AS one (m, n))
           WHERE id = %(attempt)s AND state <> 'settled' AND sends = %(turn)s RETURNING created_at""",
        {
            "answer": answer, "target": TARGET, "not_before": not_before, "attempt": attempt, "turn": turn,
            "handle": HANDLE, "handles": Jsonb({str(id): handle for id, handle in handles.items()}),
        },
    ).fetchone()  # fmt: skip
    return row[0] if row else None


def watch(connection: Connection, attempt: int, turn: int, holder: str, until: timedelta) -> bool:
    """Its members are given back, but ``holder`` may still make its call: looked at again when that is over."""
    return _changed(
        connection,
        """UPDATE attempt SET owner = %(holder)s, lease_until = clock_timestamp() + %(until)s
           WHERE id = %(attempt)s AND state <> 'settled' AND sends = %(turn)s""",
        attempt=attempt, turn=turn, holder=holder, until=until,
    )  # fmt: skip


def renew(connection: Connection, attempt: int, turn: int, lease: timedelta) -> bool:
    """Hold it for another ``lease``; False where somebody took it over after this ``turn``."""
    return _changed(
        connection,
        """UPDATE attempt SET lease_until = clock_timestamp() + %(lease)s
           WHERE id = %(attempt)s AND state <> 'settled' AND sends = %(turn)s""",
        attempt=attempt, turn=turn, lease=lease,
    )  # fmt: skip


def _changed(connection: Connection, statement: str, **arguments: object) -> bool:
    return connection.execute(statement, arguments).rowcount == 1


TAKE_OVER = """
UPDATE attempt a SET owner = %(owner)s, lease_until = clock_timestamp() + %(lease)s, sends = a.sends + 1
FROM (SELECT id, owner AS holder FROM attempt
      WHERE target = %(target)s AND object = %(object)s AND state <> 'settled'
        AND lease_until <= CASE WHEN owner = %(later)s THEN %(now)s ELSE clock_timestamp() END
      ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) o
WHERE a.id = o.id
RETURNING a.id, a.object, a.idempotency_key, a.members, a.state, a.sends, o.holder,
          clock_timestamp() - a.created_at AS age
"""


def take_over(
    connection: Connection, target: str, object: str, owner: str, lease: timedelta, now: datetime
) -> dict[str, Any] | None:
    """An attempt whose holder is gone or got no answer, or that its target can be asked for ``now``; or None.

    It is leased to ``owner`` then, the oldest first. ``holder`` had it before; ``sends`` is the turn that begins.
    """
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            TAKE_OVER,
            {"owner": owner, "lease": lease, "target": target, "object": object, "later": TARGET, "now": now},
        ).fetchone()


def leased(connection: Connection, target: str) -> list[tuple[int, str]]:
    """Open attempts under a lease, with who holds it."""
    return connection.execute(
        "SELECT id, owner FROM attempt WHERE target = %s AND state <> 'settled' AND lease_until > clock_timestamp()",
        (target,),
    ).fetchall()


def end_lease(connection: Connection, attempt: int, owner: str) -> None:
    """``owner`` is gone: others need not wait for its lease to run out."""
    connection.execute(
        "UPDATE attempt SET lease_until = clock_timestamp() WHERE id = %s AND owner = %s", (attempt, owner)
    )


def members_open(connection: Connection, attempt: int) -> set[int]:
    """Deliveries of an attempt that are not settled yet."""
    return {r[0] for r in connection.execute("SELECT id FROM delivery WHERE attempt = %s", (attempt,)).fetchall()}


OPEN = """
SELECT a.id, a.target, a.object, a.state, a.owner, a.sends, a.answer, a.created_at, a.run,
       CASE WHEN isfinite(a.lease_until) THEN a.lease_until END AS until, a.owner = %(person)s AS waits_for_person,
       ARRAY(SELECT d.key FROM delivery d WHERE d.attempt = a.id ORDER BY d.key) AS keys
FROM attempt a WHERE a.state <> 'settled'
  AND (%(attempt)s::bigint IS NULL OR a.id = %(attempt)s)
  AND (%(targets)s::text[] IS NULL OR a.target = ANY(%(targets)s))
  AND (NOT %(only)s OR a.owner = %(person)s)
ORDER BY a.id
"""


def open_ones(
    connection: Connection,
    *,
    attempt: int | None = None,
    targets: Sequence[str] | None = None,
    for_person: bool = False,
) -> list[dict[str, Any]]:
    """Attempts without an answer, the oldest first; ``for_person``: only those that wait for one."""
    from psycopg.rows import dict_row

    arguments = {
        "attempt": attempt,
        "targets": None if targets is None else list(targets),
        "only": for_person,
        "person": PERSON,
    }
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(OPEN, arguments).fetchall()


def members(connection: Connection, attempt: int) -> list[dict[str, Any]]:
    """What was sent with an attempt."""
    row = connection.execute("SELECT members FROM attempt WHERE id = %s", (attempt,)).fetchone()
    return list(row[0]) if row else []


def turn(connection: Connection, attempt: int) -> int:
    """The present turn of an attempt, which nobody else begins while the transaction lasts; 0 where it is settled."""
    row = connection.execute(
        "SELECT sends FROM attempt WHERE id = %s AND state <> 'settled' FOR UPDATE", (attempt,)
    ).fetchone()
    return int(row[0]) if row else 0
