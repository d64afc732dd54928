"""Quarantine: refused records, kept whole, with the place and the sentence."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.journal.database import Connection
from hub.journal.staging import stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One refused record: ``raw`` refers to it in the vault, ``fingerprint`` groups equal causes."""

    object: str
    key: str | None
    source_key: str | None
    path: str
    reason: str
    cause: str
    fingerprint: str
    origin: dict[str, Any]
    raw: str
    mapping: str | None


NUMBERS = re.compile(r"\d+")


def cause_of(path: str, reason: str) -> str:
    """What a refusal has in common with others: the field without its position, and the reason with its value."""
    field = re.sub(r"\[\d+\]", "[]", path)
    return f"{field}: {reason}" if field else NUMBERS.sub("#", reason)


def fingerprint(object: str, cause: str) -> str:
    """A short name for a cause, the same every time."""
    return hashlib.sha256(f"{object}|{cause}".encode()).hexdigest()[:12]


STAGE = (
    "object text, key text, source_key text, path text, reason text, cause text, fingerprint text, "
    "origin jsonb, raw text, mapping text"
)


def put(connection: Connection, flow: str, system: str, entries: Sequence[Entry], run: str) -> None:
    """Keep ``entries``; the same record refused for the same cause again is counted, not kept twice."""
    if not entries:
        return
    unique = {(e.object, e.fingerprint, e.raw): e for e in entries}.values()
    rows = (
        (e.object, e.key, e.source_key, e.path, e.reason, e.cause, e.fingerprint, e.origin, e.raw, e.mapping)
        for e in unique
    )
    stage(connection, "incoming_quarantine", STAGE, rows)
    connection.execute(
        """INSERT INTO quarantine AS q (flow, system, object, key, source_key, path, reason, cause, fingerprint, origin,
                                        raw, mapping, run)
           SELECT %s, %s, object, key, source_key, path, reason, cause, fingerprint, origin, raw, mapping, %s
           FROM incoming_quarantine
           ON CONFLICT (system, object, fingerprint, raw) WHERE state = 'open' DO UPDATE
           SET seen = q.seen + 1, last_seen = clock_timestamp()""",
        (flow, system, run),
    )


def lift(connection: Connection, system: str, object: str, source_keys: Sequence[str], keys: Sequence[str]) -> int:
    """A newer valid record of these keys has come: what was refused before is superseded by it."""
    return connection.execute(
        """UPDATE quarantine SET state = 'superseded', last_seen = clock_timestamp()
           WHERE system = %s AND object = %s AND state = 'open' AND (source_key = ANY(%s) OR key = ANY(%s))""",
        (system, object, list(source_keys), list(keys)),
    ).rowcount


def listing(connection: Connection, state: str | None = "open", limit: int = 1000) -> list[dict[str, Any]]:
    """Entries, newest first."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT * FROM quarantine WHERE (%(s)s::text IS NULL OR state = %(s)s) ORDER BY id DESC LIMIT %(n)s",
            {"s": state, "n": limit},
        ).fetchall()


def causes(connection: Connection) -> list[dict[str, Any]]:
    """Open entries grouped by cause: records, systems, first and last seen; the most frequent first."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """SELECT cause, fingerprint, count(*) AS records, array_agg(DISTINCT system) AS systems,
                      min(first_seen) AS first_seen, max(last_seen) AS last_seen
               FROM quarantine WHERE state = 'open' GROUP BY cause, fingerprint ORDER BY records DESC, cause"""
        ).fetchall()


def show(connection: Connection, id: int) -> dict[str, Any] | None:
    """One entry."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM quarantine WHERE id = %s", (id,)).fetchone()


def of_run(connection: Connection, run: str) -> list[dict[str, Any]]:
    """What a run put there."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM quarantine WHERE run = %s ORDER BY id LIMIT 200", (run,)).fetchall()


def of_key(connection: Connection, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Every entry of ``keys``, oldest first."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM quarantine WHERE key = ANY(%s) ORDER BY id", (list(keys),)).fetchall()
