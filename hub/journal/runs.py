"""Runs: one row for each pass of a verb, with its counts and the sentence it ended with."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from hub.journal.database import Connection


def start(connection: Connection, kind: str, flow: str | None, system: str | None) -> str:
    """A new run's id: sortable by time, readable in a log."""
    run = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{kind}-{system or flow}-{secrets.token_hex(3)}"
    connection.execute("INSERT INTO run (id, kind, flow, system) VALUES (%s, %s, %s, %s)", (run, kind, flow, system))
    return run


def finish(connection: Connection, run: str, state: str, counts: Mapping[str, int], sentence: str) -> None:
    """Close a run as ``done``, ``held`` or ``failed``."""
    connection.execute(
        "UPDATE run SET state = %s, counts = %s, sentence = %s, ended_at = clock_timestamp() WHERE id = %s",
        (state, Jsonb(dict(counts)), sentence, run),
    )


def give_up(connection: Connection, age: timedelta) -> int:
    """Runs older than ``age`` that never ended are failed: their process was killed."""
    return connection.execute(
        """UPDATE run SET state = 'failed', ended_at = clock_timestamp(), sentence = 'its process ended before it did'
           WHERE state = 'running' AND started_at < clock_timestamp() - %s""",
        (age,),
    ).rowcount


def show(connection: Connection, run: str) -> dict[str, Any] | None:
    """The row of ``run``."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM run WHERE id = %s", (run,)).fetchone()


def recent(connection: Connection, limit: int = 50) -> list[dict[str, Any]]:
    """The latest runs, newest first."""
    from psycopg.rows import dict_row

    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM run ORDER BY started_at DESC LIMIT %s", (limit,)).fetchall()
