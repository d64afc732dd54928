"""The audit trail: append-only, one row for each step that changed something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from hub.journal.database import Connection

COLUMNS = "run, flow, step, system, object, key, subject, origin, mapping, before, after, answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One step of one key: what it was before, what it is after, and who said so."""

    step: str  # applied, superseded, quarantined, held, derived, sent, confirmed, conflict, refused, bound ...
    system: str
    object: str
    key: str
    subject: str = ""
    origin: Mapping[str, Any] | None = None
    mapping: str | None = None
    before: Any = None
    after: Any = None
    answer: str | None = None


def write(connection: Connection, run: str, flow: str | None, entries: Iterable[Entry]) -> None:
    """Append ``entries`` in their order, in the caller's transaction."""
    with connection.cursor() as cursor, cursor.copy(f"COPY audit ({COLUMNS}) FROM STDIN") as copy:
        for e in entries:
            copy.write_row(
                (
                    run,
                    flow,
                    e.step,
                    e.system,
                    e.object,
                    e.key,
                    e.subject,
                    _json(e.origin),
                    e.mapping,
                    _json(e.before),
                    _json(e.after),
                    e.answer,
                )
            )


def _json(value: Any) -> Jsonb | None:
    return None if value is None else Jsonb(value)


def timeline(connection: Connection, keys: list[str]) -> list[dict[str, Any]]:
    """Every step recorded for ``keys``, oldest first."""
    return _rows(connection, f"SELECT id, at, {COLUMNS} FROM audit WHERE key = ANY(%s) ORDER BY at, id", (keys,))


def of_run(connection: Connection, run: str, limit: int = 200) -> list[dict[str, Any]]:
    """The first ``limit`` steps that a run recorded: what was refused or doubted, what was confirmed, then the rest."""
    order = "step NOT IN ('refused', 'quarantined', 'held', 'missing', 'unknown', 'conflict'), step = 'derived', id"
    return _rows(
        connection, f"SELECT id, at, {COLUMNS} FROM audit WHERE run = %s ORDER BY {order} LIMIT %s", (run, limit)
    )


def _rows(connection: Connection, query: str, arguments: tuple[Any, ...]) -> list[dict[str, Any]]:
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, arguments).fetchall()
