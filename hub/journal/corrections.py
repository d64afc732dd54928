"""Healing what is in quarantine: entries in the order of replay, corrections beside the original, lookup entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from hub.journal.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which open entries: of one cause, by number, of one system, or all where nothing is said."""

    fingerprint: str | None = None
    ids: tuple[int, ...] = ()
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open entry, as much of it as says who heals it."""

    id: int
    flow: str
    system: str
    object: str
    side: str
    read_as: str  # the vendor's object


def chosen(connection: Connection, choice: Chosen) -> list[Waiting]:
    """The entries in the order of replay: per key by the moment that they speak of, then by arrival."""
    rows = connection.execute(
        """SELECT id, flow, system, object, side, coalesce(record ->> 'object', '') AS read_as FROM quarantine
           WHERE state = 'open' AND (%(fingerprint)s::text IS NULL OR fingerprint = %(fingerprint)s)
             AND (%(ids)s::bigint[] = '{}' OR id = ANY(%(ids)s))
             AND (%(system)s::text IS NULL OR system = %(system)s)
           ORDER BY flow, system, side, object, read_as, coalesce(source_key, key, ''), as_of NULLS FIRST, id""",
        {"fingerprint": choice.fingerprint, "ids": list(choice.ids), "system": choice.system},
    )
    return [Waiting(*row) for row in rows]


def locked(connection: Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Those of ``ids`` that are still open, in that order, with their last correction; nobody else decides on them."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """SELECT q.*, c.raw AS corrected, c.kinds AS corrected_kinds FROM quarantine q
               LEFT JOIN LATERAL (SELECT raw, kinds FROM correction WHERE quarantine = q.id ORDER BY id DESC LIMIT 1) c
                   ON true
               WHERE q.id = ANY(%(ids)s) AND q.state = 'open'
               ORDER BY array_position(%(ids)s::bigint[], q.id) FOR UPDATE OF q""",
            {"ids": list(ids)},
        ).fetchall()


def open_causes(connection: Connection, system: str, object: str, raws: Sequence[str]) -> set[tuple[str, str]]:
    """(payload, fingerprint) of every open entry of these payloads."""
    rows = connection.execute(
        """SELECT raw, fingerprint FROM quarantine
           WHERE state = 'open' AND system = %s AND object = %s AND raw = ANY(%s)""",
        (system, object, list(raws)),
    )
    return set(rows.fetchall())


def move(connection: Connection, id: int, *, path: str, reason: str, cause: str, fingerprint: str, by: str) -> None:
    """What an entry was refused for is over, and the next thing is wrong with it."""
    connection.execute(
        """UPDATE quarantine SET path = %s, reason = %s, cause = %s, fingerprint = %s, mapping = %s,
                                 last_seen = clock_timestamp() WHERE id = %s""",
        (path, reason, cause, fingerprint, by, id),
    )


def overtaken(
    connection: Connection, system: str, object: str, newest: Mapping[str, tuple[int, datetime | None]]
) -> int:
    """A record of each of these keys was replayed, (its number, the moment it speaks of): open entries that speak of
    an earlier one need nobody any more; where a moment is not known, those that arrived before it.
    """
    return connection.execute(
        """UPDATE quarantine q SET state = 'superseded', decided_at = clock_timestamp()
           FROM unnest(%s::text[], %s::bigint[], %s::timestamptz[]) AS n (source_key, id, as_of)
           WHERE q.system = %s AND q.object = %s AND q.state = 'open' AND q.side = 'read'
             AND q.source_key = n.source_key AND q.id <> n.id
             AND CASE WHEN q.as_of <> n.as_of THEN q.as_of < n.as_of ELSE q.id < n.id END""",
        (list(newest), [id for id, _ in newest.values()], [moment for _, moment in newest.values()], system, object),
    ).rowcount


def behind(connection: Connection, system: str, object: str, series: str, as_of: datetime, keys: Sequence[str]) -> None:
    """Lines replayed out of a snapshot that is no longer the last: the last one does not speak for them."""
    connection.execute(
        """UPDATE source_state s SET detached = true FROM series e
           WHERE e.system = s.system AND e.object = s.object AND e.series = s.series AND e.as_of > s.as_of
             AND s.system = %s AND s.object = %s AND s.series = %s AND s.as_of = %s AND s.key = ANY(%s)""",
        (system, object, series, as_of, list(keys)),
    )


def snapshot_of(connection: Connection, system: str, object: str, identity: str) -> int | None:
    """The number of the accepted snapshot with this identity."""
    row = connection.execute(
        """SELECT id FROM snapshot
           WHERE system = %s AND object = %s AND identity = %s AND state IN ('accepted', 'superseded')""",
        (system, object, identity),
    ).fetchone()
    return int(row[0]) if row else None


def allow(connection: Connection, target: str, object: str, refused: Sequence[tuple[str, int]]) -> dict[str, str]:
    """Let (key, generation) that the target refused go out again: key -> subject of those that still are the latest."""
    rows = connection.execute(
        """UPDATE desired d SET refused = NULL FROM unnest(%s::text[], %s::bigint[]) AS m (key, generation)
           WHERE d.target = %s AND d.object = %s AND d.key = m.key AND d.generation = m.generation
             AND d.refused = m.generation RETURNING d.key, d.subject""",
        ([k for k, _ in refused], [g for _, g in refused], target, object),
    )
    return dict(rows.fetchall())


def known(
    connection: Connection, system: str, object: str, source_keys: Sequence[str], keys: Sequence[str]
) -> list[dict[str, Any]]:
    """The records of these keys that are known."""
    rows = connection.execute(
        """SELECT data FROM source_state
           WHERE system = %s AND object = %s AND (source_key = ANY(%s) OR key = ANY(%s))""",
        (system, object, list(source_keys), list(keys)),
    )
    return [row[0] for row in rows]


def unbound(connection: Connection, system: str) -> list[tuple[int, str]]:
    """(number, reason) of open entries that name an id of the system which was not bound to a key of ours."""
    return connection.execute(
        """SELECT id, reason FROM quarantine
           WHERE system = %s AND state = 'open' AND side = 'read' AND record IS NOT NULL
             AND reason LIKE 'no %% is bound to "%%" in this system'""",
        (system,),
    ).fetchall()


# --- corrections ---------------------------------------------------------------------------------------


def correct(
    connection: Connection, entry: int, raw: str, kinds: Mapping[str, str], fields: Sequence[str], who: str, why: str
) -> None:
    """Keep a corrected copy beside the original of ``entry``; ``raw`` leads to it in the vault."""
    connection.execute(
        "INSERT INTO correction (quarantine, raw, kinds, fields, who, why) VALUES (%s, %s, %s, %s, %s, %s)",
        (entry, raw, Jsonb(dict(kinds)), list(fields), who, why),
    )


def corrections_of(connection: Connection, entry: int) -> list[dict[str, Any]]:
    """Every correction of an entry, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT raw, fields, who, why, made_at FROM correction WHERE quarantine = %s ORDER BY id", (entry,)
        ).fetchall()


# --- lookup entries ------------------------------------------------------------------------------------


def entries(connection: Connection, system: str) -> dict[str, dict[str, Any]]:
    """What the lookups of a system's mappings have beside their files: table -> value there -> ours."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    rows = connection.execute("SELECT name, key, value FROM lookup_entry WHERE system = %s", (system,))
    for name, key, value in rows:
        found[name][key] = value
    return dict(found)


def add_entry(connection: Connection, system: str, name: str, key: str, value: str | int, who: str, why: str) -> None:
    """Add an entry, or replace the one that was added before."""
    connection.execute(
        """INSERT INTO lookup_entry (system, name, key, value, who, why) VALUES (%s, %s, %s, %s, %s, %s)
           ON CONFLICT (system, name, key) DO UPDATE
           SET value = excluded.value, who = excluded.who, why = excluded.why, added_at = clock_timestamp()""",
        (system, name, key, Jsonb(value), who, why),
    )


def remove_entry(connection: Connection, system: str, name: str, key: str) -> bool:
    """Take an entry back; False where there is none."""
    cursor = connection.execute(
        "DELETE FROM lookup_entry WHERE system = %s AND name = %s AND key = %s", (system, name, key)
    )
    return cursor.rowcount == 1


def listing(connection: Connection) -> list[dict[str, Any]]:
    """Every entry that was added, with who did so and why."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT system, name, key, value, who, why, added_at FROM lookup_entry ORDER BY system, name, key"
        ).fetchall()
