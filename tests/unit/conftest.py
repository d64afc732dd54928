"""Property tests run on machines that do other things too, so a slow example is not a failure."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import settings

from hub.journal import connect, migrate
from hub.journal.database import Connection

settings.register_profile("omnihub", deadline=None)
settings.load_profile("omnihub")


@pytest.fixture(scope="module")
def journal_dsn(postgres: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated journal for a module; its tests keep apart by the names they use."""
    name = "journal_" + request.module.__name__.rpartition(".")[2]
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        dsn = postgres.replace("/postgres?", f"/{name}?")
        migrate(dsn)
        yield dsn
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def journal(journal_dsn: str) -> Iterator[Connection]:
    with connect(journal_dsn) as connection:
        yield connection
