"""What every test may ask for: a real PostgreSQL and a fresh, empty database in it."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
for _name in ("HUB_DATABASE_URL", "HUB_AIRFLOW_DATABASE_URL", "HUB_HOME", "HUB_PORT"):
    os.environ.pop(_name, None)  # a developer's own hub is not a test's business

# What a test leaves after a power cut does not matter; speed does.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
_numbers = itertools.count(1)


@pytest.fixture
def open_tmp() -> Iterator[Path]:
    """A temporary folder that other users may pass through, as a clone in an ordinary place is."""
    folder = Path(tempfile.mkdtemp(prefix="omnihub-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The DSN of this worker's own server; its database is for creating others."""
    from hub.local.postgres import Server

    folder = Path(tempfile.mkdtemp(prefix="omnihub-tests-"))
    folder.chmod(0o711)
    server = Server(folder / "home", settings=FAST)
    try:
        server.start()
        yield server.url("postgres")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """The DSN of a database of this test's own: empty at first, gone afterwards."""
    import psycopg

    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} STRATEGY wal_log")
        yield postgres.replace("/postgres?", f"/{name}?")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
