"""What every test may ask for: a real PostgreSQL and a fresh, empty database in it."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

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


@contextmanager
def server() -> Iterator[str]:
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


class Shared:
    """One server for all workers, run by the process that gives them their tests: they copy each other's databases."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.dsn: str | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        if self.dsn is None:
            self.dsn = self.stack.enter_context(server())
        node.workerinput["postgres"] = self.dsn

    def pytest_unconfigure(self) -> None:
        self.stack.close()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Shared())


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """The DSN of a real server; its database is for creating others."""
    shared = getattr(request.config, "workerinput", {}).get("postgres")
    with nullcontext(shared) if shared else server() as dsn:
        yield dsn


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """The DSN of a database of this test's own: empty at first, gone afterwards."""
    import psycopg

    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} STRATEGY wal_log")
        yield postgres.replace("/postgres?", f"/{name}?")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
