"""Held batches: what a guard stopped, what it would do in words, and who decided what about it and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from hub.journal.database import Connection

COLUMNS = (
    "id, flow, system, route, object, series, snapshot, source, as_of, rows, measured, plan, reason, state, run, "
    "held_at, decided_by, why, decided_at, asked, asked_at, put"
)
WAITING = ("held",)
UNFINISHED = ("gathering", "passed", "approved")


def begin(
    connection: Connection,
    *,
    flow: str,
    system: str,
    route: str,
    object: str,
    state: str,
    run: str,
    at: datetime,
    series: str = "",
    snapshot: int | None = None,
    source: str = "",
    as_of: datetime | None = None,
    rows: int = 0,
) -> int:
    """A new batch; answers its number."""
    row = connection.execute(
        """INSERT INTO held (flow, system, route, object, state, run, held_at, series, snapshot, source, as_of, rows)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
        (flow, system, route, object, state, run, at, series, snapshot, source, as_of, rows),
    ).fetchone()
    assert row is not None  # noqa: S101  RETURNING always answers
    return int(row[0])


def add_page(connection: Connection, held: int, payload: str, source: str, rows: int) -> None:
    """One page more, behind those that are there."""
    connection.execute(
        """INSERT INTO held_page (held, position, payload, source)
           SELECT %(held)s, count(*) + 1, %(payload)s, %(source)s FROM held_page WHERE held = %(held)s""",
        {"held": held, "payload": payload, "source": source},
    )
    connection.execute(
        "UPDATE held SET rows = rows + %s, source = CASE WHEN source = '' THEN %s ELSE source END WHERE id = %s",
        (rows, source, held),
    )


def pages(connection: Connection, held: int) -> list[tuple[int, str, str]]:
    """(position, payload, source) of the pages that are not applied yet, in order."""
    return connection.execute(
        "SELECT position, payload, source FROM held_page WHERE held = %s AND NOT taken ORDER BY position", (held,)
    ).fetchall()


def page_taken(connection: Connection, held: int, position: int) -> None:
    connection.execute("UPDATE held_page SET taken = true WHERE held = %s AND position = %s", (held, position))


def move(connection: Connection, held: int, state: str) -> None:
    connection.execute("UPDATE held SET state = %s WHERE id = %s", (state, held))


def stop(
    connection: Connection, held: int, *, object: str, measured: Mapping[str, Any], plan: str, reason: str, at: datetime
) -> None:
    """It waits for a person from now on."""
    connection.execute(
        """UPDATE held SET state = 'held', object = %s, measured = %s, plan = %s, reason = %s, held_at = %s
           WHERE id = %s""",
        (object, Jsonb(dict(measured)), plan, reason, at, held),
    )


def decide(connection: Connection, held: int, state: str, who: str, why: str, at: datetime) -> None:
    """Who decided what, why and when; a batch is decided once."""
    connection.execute(
        "UPDATE held SET state = %s, decided_by = %s, why = %s, decided_at = %s WHERE id = %s",
        (state, who, why, at, held),
    )


def forget(connection: Connection, held: int) -> None:
    """A reading that needs nobody: everything of it was applied."""
    connection.execute("DELETE FROM held WHERE id = %s", (held,))


def reattach(connection: Connection, held: int) -> None:
    """Before it is applied: keys that nothing newer has spoken for since may be as old again as its words are."""
    connection.execute(
        """UPDATE source_state s SET as_of = least(s.as_of, r.as_of) FROM held_record r JOIN held h ON h.id = r.held
           WHERE r.held = %s AND s.system = h.system AND s.object = r.object AND s.key = r.key AND s.detached""",
        (held,),
    )


def keep_records(connection: Connection, held: int, rows: Iterable[Sequence[Any]]) -> None:
    """(object, key, subject, source key, digest, as of) of what the batch would change."""
    columns = "held, object, key, subject, source_key, digest, as_of"
    with connection.cursor() as cursor, cursor.copy(f"COPY held_record ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row((held, *row))


def unfinished(connection: Connection, system: str, route: str) -> list[dict[str, Any]]:
    """Readings that are gathered, or decided and not yet wholly applied, oldest first."""
    return _rows(
        connection,
        """SELECT * FROM held h WHERE system = %s AND route = %s AND state = ANY(%s)
           AND (state <> 'approved' OR EXISTS (SELECT 1 FROM held_page p WHERE p.held = h.id AND NOT p.taken))
           ORDER BY id""",
        (system, route, list(UNFINISHED)),
    )


def known_words(
    connection: Connection, system: str, route: str, source_keys: Sequence[str]
) -> dict[tuple[str, str], str]:
    """By source key and digest, the words that are ``held`` or were ``rejected``: read once more, they are the same."""
    rows = connection.execute(
        """SELECT r.source_key, r.digest, h.state FROM held_record r JOIN held h ON h.id = r.held
           WHERE r.source_key = ANY(%s) AND h.system = %s AND h.route = %s AND h.snapshot IS NULL
             AND h.state IN ('held', 'rejected')""",
        (list(source_keys), system, route),
    )
    return {(source_key, digest): state for source_key, digest, state in rows}


OVERTAKEN = """
UPDATE held h SET state = 'superseded', decided_at = %(at)s
WHERE h.state = 'held' AND h.system = %(system)s AND h.route = %(route)s AND h.snapshot IS NULL
  AND NOT EXISTS (
    SELECT 1 FROM held_record r WHERE r.held = h.id
      AND NOT EXISTS (SELECT 1 FROM source_state s WHERE s.system = h.system AND s.object = r.object AND s.key = r.key
                      AND NOT s.detached AND s.as_of > r.as_of)
      AND NOT EXISTS (SELECT 1 FROM held_record n JOIN held m ON m.id = n.held
                      WHERE m.state = 'held' AND m.system = h.system AND m.id > h.id
                        AND n.object = r.object AND n.key = r.key AND n.as_of >= r.as_of))
RETURNING h.id, h.object, h.series, h.source
"""


def supersede_overtaken(connection: Connection, system: str, route: str, at: datetime) -> list[dict[str, Any]]:
    """Held readings of which every key has had a newer word since: they need nobody any more."""
    return _rows(connection, OVERTAKEN, {"system": system, "route": route, "at": at})


def supersede_series(
    connection: Connection, system: str, object: str, series: str, as_of: datetime, at: datetime, but: int | None = None
) -> list[dict[str, Any]]:
    """A newer complete snapshot of the series has come, accepted or held itself as number ``but``."""
    return _rows(
        connection,
        """UPDATE held SET state = 'superseded', decided_at = %(at)s WHERE system = %(system)s AND object = %(object)s
           AND series = %(series)s AND snapshot IS NOT NULL AND state = 'held' AND as_of <= %(as_of)s
           AND id IS DISTINCT FROM %(but)s
           RETURNING id, object, series, source""",
        {"system": system, "object": object, "series": series, "as_of": as_of, "at": at, "but": but},
    )


def waiting(connection: Connection, flow: str, systems: Sequence[str]) -> bool:
    """Whether something of ``flow`` from one of ``systems`` waits for a person."""
    row = connection.execute(
        "SELECT 1 FROM held WHERE flow = %s AND system = ANY(%s) AND state = 'held' LIMIT 1", (flow, list(systems))
    ).fetchone()
    return row is not None


def listing(connection: Connection, states: Sequence[str] = WAITING, limit: int = 1000) -> list[dict[str, Any]]:
    """Batches in one of ``states``, oldest first."""
    return _rows(
        connection, f"SELECT {COLUMNS} FROM held WHERE state = ANY(%s) ORDER BY id LIMIT %s", (list(states), limit)
    )


def of_run(connection: Connection, run: str) -> list[dict[str, Any]]:
    """What ``run`` stopped and nobody has decided about."""
    return _rows(connection, f"SELECT {COLUMNS} FROM held WHERE run = %s AND state = 'held' ORDER BY id", (run,))


def show(connection: Connection, held: int, *, alone: bool = False) -> dict[str, Any] | None:
    """One batch; with ``alone`` nobody else decides about it until the transaction ends."""
    found = _rows(connection, f"SELECT {COLUMNS} FROM held WHERE id = %s{' FOR UPDATE' if alone else ''}", (held,))
    return found[0] if found else None


def of_subjects(connection: Connection, object: str, subjects: Sequence[str]) -> dict[str, list[int]]:
    """By subject, the numbers of the held batches that would change something of it."""
    rows = connection.execute(
        """SELECT r.subject, array_agg(DISTINCT h.id ORDER BY h.id) FROM held_record r JOIN held h ON h.id = r.held
           WHERE h.state = 'held' AND r.object = %s AND r.subject = ANY(%s) GROUP BY r.subject""",
        (object, list(subjects)),
    )
    return dict(rows.fetchall())


def records(connection: Connection, held: int, limit: int) -> list[dict[str, Any]]:
    """The keys that a batch would change."""
    query = "SELECT object, key, source_key, as_of FROM held_record WHERE held = %s ORDER BY key LIMIT %s"
    return _rows(connection, query, (held, limit))


# Beside it a run of Airflow asks; one that has not said so since ``silent`` is gone.
UNASKED = "state = 'held' AND (asked IS NULL OR asked_at < %(silent)s)"


def unasked(connection: Connection, silent: datetime) -> list[str]:
    """Flows with a batch that waits for a person whom nobody asks."""
    rows = connection.execute(f"SELECT DISTINCT flow FROM held WHERE {UNASKED} ORDER BY flow", {"silent": silent})
    return [row[0] for row in rows]


def ask(connection: Connection, flow: str, run: str, now: datetime, silent: datetime) -> dict[str, Any] | None:
    """The batch that the Airflow run ``run`` asks about: its own, else the oldest that nobody asks about.

    Its ``put`` says whether this run has put the question already.
    """
    arguments = {"flow": flow, "run": run, "now": now, "silent": silent}
    own = f"UPDATE held SET asked_at = %(now)s WHERE asked = %(run)s RETURNING {COLUMNS}"
    free = f"""UPDATE held SET asked = %(run)s, asked_at = %(now)s, put = false WHERE id = (
                   SELECT id FROM held WHERE flow = %(flow)s AND {UNASKED} ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
               RETURNING {COLUMNS}"""
    found = _rows(connection, own, arguments) or _rows(connection, free, arguments)
    return found[0] if found else None


def put(connection: Connection, held: int) -> None:
    """The run that asks about it has put the question; whoever finds it may answer."""
    connection.execute("UPDATE held SET put = true WHERE id = %s", (held,))


def forget_older_than(connection: Connection, age: timedelta) -> int:
    """Remove decided batches past their time; the audit keeps who decided what."""
    return connection.execute(
        """DELETE FROM held WHERE state IN ('approved', 'rejected', 'superseded', 'failed')
           AND decided_at < clock_timestamp() - %s""",
        (age,),
    ).rowcount


def _rows(connection: Connection, query: str, arguments: Mapping[str, Any] | Sequence[Any]) -> list[dict[str, Any]]:
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, arguments).fetchall()
