"""Bindings: a system's own id for one of our keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from hub.journal.database import Connection
from hub.model import Binding, Remote


def by_key(connection: Connection, system: str, object: str) -> dict[str, Binding]:
    """Our key -> the system's id, for every bound key of ``object``."""
    rows = connection.execute(
        "SELECT key, external_id, extra FROM binding WHERE system = %s AND object = %s", (system, object)
    )
    return {key: Binding(external_id=external, extra=extra) for key, external, extra in rows}


def by_external_id(connection: Connection, system: str, object: str) -> dict[str, str]:
    """The system's id -> our key; ``sku.variant`` looks at the id of the variant that was kept beside the article's."""
    name, _, extra = object.partition(".")
    rows = connection.execute(
        """SELECT CASE WHEN %(extra)s = '' THEN external_id ELSE extra ->> %(extra)s END, key FROM binding
           WHERE system = %(system)s AND object = %(name)s""",
        {"extra": extra, "system": system, "name": name},
    )
    return {external_id: key for external_id, key in rows if external_id is not None}


def some(connection: Connection, system: str, object: str, keys: Sequence[str]) -> dict[str, Binding]:
    """The system's ids of those of ``keys`` that are bound."""
    rows = connection.execute(
        "SELECT key, external_id, extra FROM binding WHERE system = %s AND object = %s AND key = ANY(%s)",
        (system, object, list(keys)),
    )
    return {key: Binding(external_id=external, extra=extra) for key, external, extra in rows}


def key_of(connection: Connection, system: str, object: str, external_id: str) -> str | None:
    """Our key of what the system calls ``external_id``."""
    row = connection.execute(
        "SELECT key FROM binding WHERE system = %s AND object = %s AND external_id = %s", (system, object, external_id)
    ).fetchone()
    return str(row[0]) if row else None


def any_of(connection: Connection, system: str, object: str) -> bool:
    """Whether anything of ``object`` is bound at the system."""
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM binding WHERE system = %s AND object = %s)", (system, object)
    ).fetchone()
    return bool(row and row[0])


REBIND = """
INSERT INTO binding AS b (system, object, key, external_id, extra, matched) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (system, object, key) DO UPDATE
SET external_id = excluded.external_id, extra = excluded.extra, matched = excluded.matched, bound_at = clock_timestamp()
WHERE (b.external_id, b.extra) IS DISTINCT FROM (excluded.external_id, excluded.extra)
RETURNING key
"""


def confirm(connection: Connection, system: str, object: str, found: Mapping[str, Binding]) -> list[str]:
    """The system itself says that these are its ids now; answers the keys of which that was not known.

    An id that was another key's is taken from it: what lives under it now is this.
    """
    changed = []
    for key, binding in sorted(found.items()):
        connection.execute(
            "DELETE FROM binding WHERE system = %s AND object = %s AND external_id = %s AND key <> %s",
            (system, object, binding.external_id, key),
        )
        row = (system, object, key, binding.external_id, Jsonb(dict(binding.extra)), "confirmed")
        if connection.execute(REBIND, row).fetchone() is not None:
            changed.append(key)
    return changed


def forget(connection: Connection, system: str, object: str, keys: Sequence[str]) -> None:
    """The system no longer has these."""
    connection.execute(
        "DELETE FROM binding WHERE system = %s AND object = %s AND key = ANY(%s)", (system, object, list(keys))
    )


def save(connection: Connection, system: str, object: str, found: Mapping[str, Remote]) -> list[str]:
    """Bind each key to what was found; answers the keys that are bound now and were not before.

    An external id that another key holds already is left with it: two keys never share one remote object.
    """
    values: list[tuple[Any, ...]] = [
        (system, object, key, remote.binding.external_id, Jsonb(dict(remote.binding.extra)), remote.matched)
        for key, remote in found.items()
        if remote.binding is not None
    ]
    bound = []
    with connection.cursor() as cursor:
        for row in values:
            cursor.execute(
                """INSERT INTO binding (system, object, key, external_id, extra, matched)
                   VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
                row,
            )
            if cursor.rowcount:
                bound.append(str(row[2]))
    return bound
