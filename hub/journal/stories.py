"""What is known of something that has many keys: an article's prices, a product and its variants, an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg.rows import dict_row

from hub.journal.database import Connection


def subjects_of(connection: Connection, objects: Sequence[str], name: str) -> list[str]:
    """The subjects that ``name`` belongs to: it is one itself, or the key of a state of one."""
    rows = connection.execute(
        """SELECT DISTINCT subject FROM source_state
           WHERE object = ANY(%(objects)s) AND (key = %(name)s OR subject = %(name)s)
           UNION SELECT subject FROM event WHERE object = ANY(%(objects)s) AND subject = %(name)s
           UNION SELECT subject FROM desired WHERE object = ANY(%(objects)s) AND subject = %(name)s
           UNION SELECT subject FROM waiting WHERE subject = %(name)s""",
        {"objects": list(objects), "name": name},
    )
    return sorted(row[0] for row in rows)


def states(connection: Connection, objects: Sequence[str], subjects: Sequence[str]) -> list[dict[str, Any]]:
    """Every system's word on ``subjects``, and on the keys that one of them names."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """WITH own AS (SELECT object, key FROM source_state
                            WHERE object = ANY(%(objects)s) AND subject = ANY(%(subjects)s))
               SELECT s.system, s.object, s.key, s.subject, s.data, s.as_of, s.detached, s.origin, s.mapping, s.run,
                      s.series, CASE WHEN s.detached THEN s.as_of ELSE greatest(s.as_of, e.as_of) END AS vouched_until,
                      n.source AS snapshot
               FROM source_state s LEFT JOIN series e USING (system, object, series)
               LEFT JOIN snapshot n ON n.id = coalesce(e.snapshot, s.snapshot)
               WHERE (s.object, s.key) IN (SELECT object, key FROM own)
               ORDER BY array_position(%(objects)s::text[], s.object), s.key, s.system""",
            {"objects": list(objects), "subjects": list(subjects)},
        ).fetchall()


def events(connection: Connection, objects: Sequence[str], subjects: Sequence[str]) -> list[dict[str, Any]]:
    """Every event of ``subjects``, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT * FROM event WHERE object = ANY(%s) AND subject = ANY(%s) ORDER BY event_time, id",
            (list(objects), list(subjects)),
        ).fetchall()


def events_of_orders(connection: Connection, orders: Sequence[str], skus: Sequence[str]) -> list[dict[str, Any]]:
    """Reservations and movements of ``skus`` that name one of ``orders``, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """SELECT * FROM event
               WHERE object IN ('reservation', 'stock_movement') AND subject = ANY(%s) AND data ->> 'order' = ANY(%s)
               ORDER BY event_time, id""",
            (list(skus), list(orders)),
        ).fetchall()


def quarantine(
    connection: Connection, objects: Sequence[str], keys: Sequence[str], subjects: Sequence[str]
) -> list[dict[str, Any]]:
    """Refused records of ``keys``, and of keys that begin with one of ``subjects``, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """SELECT * FROM quarantine
               WHERE object = ANY(%s) AND (key = ANY(%s) OR source_key = ANY(%s) OR split_part(key, '@', 1) = ANY(%s))
               ORDER BY id""",
            (list(objects), list(keys), list(keys), list(subjects)),
        ).fetchall()


def timeline(connection: Connection, objects: Sequence[str], keys: Sequence[str]) -> list[dict[str, Any]]:
    """Every step recorded for ``keys`` of ``objects``, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """SELECT id, at, run, flow, step, system, object, key, subject, origin, mapping, before, after, answer
               FROM audit WHERE key = ANY(%s) AND object = ANY(%s) ORDER BY at, id""",
            (list(keys), list(objects)),
        ).fetchall()


def targets_of(connection: Connection, objects: Sequence[str], subjects: Sequence[str]) -> list[tuple[str, str, str]]:
    """(target, object, key) of everything that targets should hold of ``subjects``."""
    return connection.execute(
        "SELECT target, object, key FROM desired WHERE object = ANY(%s) AND subject = ANY(%s) ORDER BY target, key",
        (list(objects), list(subjects)),
    ).fetchall()


def bound(connection: Connection, keys: Sequence[str]) -> list[dict[str, Any]]:
    """What each system calls ``keys``."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """SELECT system, object, key, external_id, matched, bound_at FROM binding
               WHERE key = ANY(%s) ORDER BY system, object, key""",
            (list(keys),),
        ).fetchall()
