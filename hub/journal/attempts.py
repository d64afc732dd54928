"""Attempts: what is about to be sent, committed before the call, so that a crash leaves a question and not a hole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from hub.journal.database import Connection


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


def settle(connection: Connection, attempt: int, answer: str) -> datetime | None:
    """The attempt is answered: when it was opened; None where somebody who took it over has settled it already."""
    row = connection.execute(
        """UPDATE attempt SET state = 'settled', answer = %s, settled_at = clock_timestamp()
           WHERE id = %s AND state <> 'settled' RETURNING created_at""",
        (answer, attempt),
    ).fetchone()
    return row[0] if row else None


def mark_unknown(connection: Connection, attempt: int, reason: str) -> None:
    """No answer came: nobody knows whether it was carried out."""
    connection.execute(
        """UPDATE attempt SET state = 'unknown', answer = %s, lease_until = clock_timestamp()
           WHERE id = %s AND state <> 'settled'""",
        (reason, attempt),
    )


def take_over(connection: Connection, target: str, owner: str, lease: timedelta) -> dict[str, Any] | None:
    """An attempt whose owner is gone or got no answer, now leased to ``owner``; the oldest first, or None."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """UPDATE attempt SET owner = %s, lease_until = clock_timestamp() + %s, sends = sends + 1
               WHERE id = (SELECT id FROM attempt WHERE target = %s AND state <> 'settled'
                           AND lease_until <= clock_timestamp() ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
               RETURNING id, object, idempotency_key, members, state, sends, clock_timestamp() - created_at AS age""",
            (owner, lease, target),
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
