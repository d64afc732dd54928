"""Bindings: a system's own id for one of our keys."""

from __future__ import annotations

from collections.abc import Mapping
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
