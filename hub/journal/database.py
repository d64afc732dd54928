"""Connections to the journal, its migrations, its day partitions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads

from hub.errors import ConfigError, TryLater

HEAD = "0011"
MIGRATING = 4_201_001  # advisory lock: two processes that start together migrate once

Connection = psycopg.Connection[TupleRow]


_EXACT = json.JSONDecoder(parse_float=Decimal)


def _loads(text: str | bytes) -> Any:
    """JSON from the journal keeps every digit: a number with a point becomes Decimal."""
    return _EXACT.decode(text if isinstance(text, str) else str(text, "utf-8"))


def connect(dsn: str) -> Connection:
    """An autocommitting connection; transactions are opened by ``with connection.transaction()``."""
    try:
        connection = psycopg.connect(dsn, autocommit=True, application_name="omnihub", connect_timeout=10)
    except psycopg.OperationalError as error:
        raise TryLater(f"the journal's database does not answer: {_first_line(error)}", 5.0) from error
    set_json_loads(_loads, connection)
    connection.execute("SET TimeZone = 'UTC'")
    # A process that is killed while it waits for a lock must not keep its place in the line.
    connection.execute("SET client_connection_check_interval = '2s'")
    return connection


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def migrate(dsn: str) -> None:
    """Bring the journal to this version; does nothing, and quickly, where it is already."""
    with connect(dsn) as connection:
        version = _version(connection)
        if version != HEAD:
            if version is not None and version > HEAD:
                raise ConfigError(f"the journal is of version {version}, newer than this hub ({HEAD}): update the hub")
            connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATING,))
            try:
                _upgrade(dsn)
            finally:
                connection.execute("SELECT pg_advisory_unlock(%s)", (MIGRATING,))
        ensure_partitions(connection)


def _version(connection: Connection) -> str | None:
    exists = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if exists is None or exists[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _upgrade(dsn: str) -> None:
    """Alembic runs each migration in one transaction with its record."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    engine.dispose()


def ensure_partitions(connection: Connection, days: int = 3) -> None:
    """The day partitions of audit and delivery_log for today and the next days (UTC).

    Made ahead, since a row that fell into the default partition would keep its day from being made.
    """
    today = datetime.now(UTC).date()
    for table in ("audit", "delivery_log"):
        for ahead in range(days):
            day = today + timedelta(days=ahead)
            name = f"{table}_{day:%Y%m%d}"
            found = connection.execute("SELECT to_regclass(%s)", (name,)).fetchone()
            if found and found[0] is not None:
                continue
            statement = sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})")
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATING,))
                connection.execute(
                    statement.format(
                        sql.Identifier(name),
                        sql.Identifier(table),
                        sql.Literal(f"{day}T00:00:00Z"),
                        sql.Literal(f"{day + timedelta(days=1)}T00:00:00Z"),
                    )
                )
