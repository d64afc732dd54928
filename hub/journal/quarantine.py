"""Quarantine: refused records, kept whole, with the place and the sentence."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from hub.journal.database import Connection
from hub.journal.staging import stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One refused record: ``raw`` refers to it in the vault, ``fingerprint`` groups equal causes.

    ``side`` says who refused it: we, when it was read or before a message could be unpacked, or the target that it was
    sent to. ``record`` is what replaying needs beside the payload; None where there is nothing to replay.
    """

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
    side: Literal["read", "pushed", "sent"] = "read"
    record: Mapping[str, Any] | None = None
    as_of: datetime | None = None


NUMBERS = re.compile(r"\d+")
QUOTED = re.compile(r'"[^"]*"')
LOOKUP = re.compile(r'"?(.+?)"? is not in the lookup (\S+)')
UNBOUND = re.compile(r'no (\w+) is bound to "(.*)" in this system')
# Refusals that are about one value: what is missing is that one, so each value is a cause of its own.
OF_ONE_VALUE = re.compile(r" is bound to | is neither one of ")


def cause_of(path: str, reason: str) -> str:
    """What a refusal has in common with others: ``lookup color=BLEU``, or the field and the reason without values."""
    if found := LOOKUP.fullmatch(reason):
        return f"lookup {found[2]}={found[1]}"
    field = re.sub(r"\[\d+\]", "[]", path)
    alike = reason if OF_ONE_VALUE.search(reason) else NUMBERS.sub("#", QUOTED.sub('"…"', reason))
    return f"{field}: {alike}" if field else alike


def fingerprint(object: str, cause: str) -> str:
    """A short name for a cause, the same every time."""
    return hashlib.sha256(f"{object}|{cause}".encode()).hexdigest()[:12]


STAGE = (
    "object text, key text, source_key text, path text, reason text, cause text, fingerprint text, "
    "origin jsonb, raw text, mapping text, side text, record jsonb, as_of timestamptz"
)


def put(connection: Connection, flow: str, system: str, entries: Sequence[Entry], run: str) -> None:
    """Keep ``entries``; the same record refused for the same cause again is counted, not kept twice."""
    if not entries:
        return
    unique = {(e.object, e.fingerprint, e.raw): e for e in entries}.values()
    rows = (
        (
            e.object, e.key, e.source_key, e.path, e.reason, e.cause, e.fingerprint, e.origin, e.raw, e.mapping, e.side,
            dict(e.record) if e.record is not None else None, e.as_of,
        )
        for e in unique
    )  # fmt: skip
    stage(connection, "incoming_quarantine", STAGE, rows)
    connection.execute(
        """INSERT INTO quarantine AS q (flow, system, object, key, source_key, path, reason, cause, fingerprint, origin,
                                        raw, mapping, side, record, as_of, run)
           SELECT %s, %s, object, key, source_key, path, reason, cause, fingerprint, origin, raw, mapping, side, record,
                  as_of, %s
           FROM incoming_quarantine
           ON CONFLICT (system, object, fingerprint, raw) WHERE state = 'open' DO UPDATE
           SET seen = q.seen + 1, last_seen = clock_timestamp(), record = excluded.record, as_of = excluded.as_of""",
        (flow, system, run),
    )


def known(connection: Connection, system: str, raws: Sequence[str]) -> set[tuple[str, str]]:
    """(payload, object) of those of ``raws`` that lie in quarantine already."""
    rows = connection.execute(
        "SELECT raw, object FROM quarantine WHERE system = %s AND state = 'open' AND raw = ANY(%s)",
        (system, list(raws)),
    )
    return set(rows.fetchall())


SPOKEN_FOR = """
SELECT id, source_key, key, as_of FROM quarantine
WHERE system = %s AND object = %s AND state = 'open' AND side = %s AND (source_key = ANY(%s) OR key = ANY(%s))
"""


def lift(
    connection: Connection,
    system: str,
    object: str,
    source_keys: Sequence[str],
    keys: Sequence[str],
    *,
    as_of: Mapping[str, datetime] | None = None,
    side: Literal["read", "sent"] = "read",
) -> int:
    """A newer valid record of these keys has come: what was refused before is superseded by it.

    ``as_of`` tells the moments that the valid records speak of, by source key and by key: a record that was refused
    and is newer than that stays. What a target refused is lifted only by what it confirmed (``side``: sent).
    """
    found = connection.execute(SPOKEN_FOR, (system, object, side, list(source_keys), list(keys))).fetchall()
    spoken = as_of or {}
    ids = [
        id_
        for id_, source_key, key, moment in found
        if moment is None or moment <= (spoken.get(source_key) or spoken.get(key) or moment)
    ]
    return close(connection, ids, "superseded") if ids else 0


def close(
    connection: Connection, ids: Sequence[int], state: str, *, who: str | None = None, why: str | None = None
) -> int:
    """Open entries end as ``superseded``, ``replayed`` or ``discarded``; answers how many."""
    return connection.execute(
        """UPDATE quarantine SET state = %s, last_seen = clock_timestamp(), decided_by = %s, why = %s,
                                 decided_at = clock_timestamp()
           WHERE id = ANY(%s) AND state = 'open'""",
        (state, who, why, list(ids)),
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
                      array_agg(DISTINCT object) AS objects, min(reason) AS example,
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
