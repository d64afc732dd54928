"""Snapshots and the series they continue: as-of, identity, tickets, and what a guard holds."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from hub.journal.database import Connection
from hub.model import Scope


def state_of(connection: Connection, system: str, object: str, identity: str) -> str | None:
    """``accepted``, ``held``, ``superseded`` or ``refused`` where this very snapshot was seen before."""
    row = connection.execute(
        "SELECT state FROM snapshot WHERE system = %s AND object = %s AND identity = %s", (system, object, identity)
    ).fetchone()
    return row[0] if row else None


def record(
    connection: Connection,
    system: str,
    object: str,
    scope: Scope,
    *,
    source: str,
    rows: int,
    mapping: str | None,
    state: str,
    reason: str | None,
    run: str,
) -> int:
    """Remember a snapshot and what became of it; answers its number."""
    tickets = {till: asdict(ticket) for till, ticket in scope.tickets.items()}
    row = connection.execute(
        """INSERT INTO snapshot (system, object, series, extent, as_of, identity, source, rows, tickets, raw, mapping,
                                 state, reason, run)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
        (
            system,
            object,
            scope.series,
            scope.extent.value,
            scope.as_of,
            scope.identity,
            source,
            rows,
            Jsonb(tickets),
            scope.raw,
            mapping,
            state,
            reason,
            run,
        ),
    ).fetchone()
    assert row is not None  # noqa: S101  RETURNING always answers
    return int(row[0])


def supersede_held(connection: Connection, system: str, object: str, scope: Scope, *, but: int | None = None) -> int:
    """A newer snapshot of the series has come: what was held before it, except ``but``, needs nobody."""
    return connection.execute(
        """UPDATE snapshot SET state = 'superseded' WHERE system = %s AND object = %s AND series = %s
           AND state = 'held' AND as_of <= %s AND id IS DISTINCT FROM %s""",
        (system, object, scope.series, scope.as_of, but),
    ).rowcount


def advance(
    connection: Connection, system: str, object: str, series: str, as_of: datetime, snapshot: int | None
) -> tuple[bool, datetime | None]:
    """The source vouches for the series up to ``as_of``: (it does so now, up to when it did before).

    Nothing moves where it had vouched for a later time already; of two snapshots as of the same moment the
    later one counts, and is what the next is compared with.
    """
    before = connection.execute(
        "SELECT as_of FROM series WHERE system = %s AND object = %s AND series = %s FOR UPDATE",
        (system, object, series),
    ).fetchone()
    moved = connection.execute(
        """INSERT INTO series AS s (system, object, series, as_of, snapshot) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (system, object, series) DO UPDATE SET as_of = excluded.as_of,
           snapshot = coalesce(excluded.snapshot, s.snapshot) WHERE s.as_of < excluded.as_of
              OR (s.as_of = excluded.as_of AND s.snapshot <> excluded.snapshot)""",
        (system, object, series, as_of, snapshot),
    )
    return moved.rowcount == 1, before[0] if before else None


def as_of(connection: Connection, system: str, object: str, series: str) -> datetime | None:
    """Up to when the source vouches for a series."""
    row = connection.execute(
        "SELECT as_of FROM series WHERE system = %s AND object = %s AND series = %s", (system, object, series)
    ).fetchone()
    return row[0] if row else None


def last_complete(connection: Connection, system: str, object: str, series: str) -> dict[str, Any] | None:
    """The accepted complete snapshot that a series rests on: id, as_of, rows, raw, source, mapping."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """SELECT n.id, n.as_of, n.rows, n.raw, n.source, n.mapping
               FROM series s JOIN snapshot n ON n.id = s.snapshot
               WHERE s.system = %s AND s.object = %s AND s.series = %s""",
            (system, object, series),
        ).fetchone()


def decide(connection: Connection, number: int, state: str, mapping: str | None, run: str) -> None:
    """A held snapshot is ``accepted`` with the mapping that applies it now, or ``refused`` for good."""
    connection.execute(
        "UPDATE snapshot SET state = %s, mapping = coalesce(%s, mapping), run = %s WHERE id = %s",
        (state, mapping, run, number),
    )


def usual_rows(connection: Connection, system: str, object: str, scope: Scope) -> float | None:
    """Mean lines of the complete snapshots of the series in the seven days before ``scope``; None without any."""
    row = connection.execute(
        """SELECT avg(rows)::float FROM snapshot WHERE system = %s AND object = %s AND series = %s
           AND state = 'accepted' AND extent = 'complete' AND as_of < %s AND as_of >= %s - interval '7 days'""",
        (system, object, scope.series, scope.as_of, scope.as_of),
    ).fetchone()
    return row[0] if row else None


def turned_stale(
    connection: Connection, object: str, ages: list[timedelta], since: datetime, now: datetime
) -> list[str]:
    """Subjects of series that passed one of ``ages`` after ``since`` and up to ``now``: the clock changed them."""
    rows = connection.execute(
        """SELECT DISTINCT s.subject FROM source_state s WHERE s.object = %(object)s
           AND (s.system, s.series) IN (
               SELECT e.system, e.series FROM series e, unnest(%(ages)s::interval[]) AS a (age)
               WHERE e.object = %(object)s AND e.as_of + a.age > %(since)s AND e.as_of + a.age <= %(now)s)""",
        {"object": object, "ages": ages, "since": since, "now": now},
    )
    return [row[0] for row in rows]


def read_until(connection: Connection, system: str) -> datetime | None:
    """The latest moment up to which a system has vouched for anything."""
    row = connection.execute("SELECT max(as_of) FROM series WHERE system = %s", (system,)).fetchone()
    return row[0] if row else None
