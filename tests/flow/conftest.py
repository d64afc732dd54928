"""A fresh scene for a test, and one that a module of scenarios shares after its first synchronisation."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from support.scene import Scene, scene


@pytest.fixture
def fresh(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Nothing has been synchronised yet."""
    with scene(tmp_path, database, monkeypatch) as found:
        yield found


@pytest.fixture(scope="session")
def first_synchronisation(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> tuple[Path, datetime]:
    """A retailer and a hub after the first synchronisation of stock: the folder of both, and when that was.

    Its database is the template ``settled``. What it takes seconds to do is done once, and copied.
    """
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as monkeypatch, psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("CREATE DATABASE settled")
        with scene(folder, postgres.replace("/postgres?", "/settled?"), monkeypatch) as found:
            larger_guard(found)
            found.synchronise()
            return folder, found.clock.now()


def larger_guard(found: Scene) -> None:
    """The stories sell more in an hour than a store in a day."""
    found.rewrite("to_zero: 5%", "to_zero: 20%")


@pytest.fixture(scope="module")
def settled(
    tmp_path_factory: pytest.TempPathFactory, postgres: str, first_synchronisation: tuple[Path, datetime]
) -> Iterator[Scene]:
    """Stock was synchronised once; scenarios of a module share it and use articles of their own."""
    first, moment = first_synchronisation
    folder = tmp_path_factory.mktemp("settled")
    for part in ("sandbox", "home"):
        shutil.copytree(first / part, folder / part)
    name = f"scene_{folder.name.replace('-', '_')}"
    with pytest.MonkeyPatch.context() as monkeypatch, psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE settled")
        with scene(folder, postgres.replace("/postgres?", f"/{name}?"), monkeypatch, start=moment) as found:
            larger_guard(found)
            yield found
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[tuple[Scene, Path]]:
    """All flows were synchronised once, and where the hub lives; for :func:`whole` alone."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as monkeypatch, psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("CREATE DATABASE whole")
        with scene(folder, postgres.replace("/postgres?", "/whole?"), monkeypatch) as found:
            found.rewrite("to_zero: 5%", "to_zero: 20%")
            found.everything()
            monkeypatch.undo()  # other modules have homes of their own in between
            yield found, folder / "home"
        admin.execute("DROP DATABASE whole WITH (FORCE)")


@pytest.fixture(scope="module")
def whole(day: tuple[Scene, Path]) -> Iterator[Scene]:
    """The whole retailer after all flows were synchronised; several modules share it, each with things of its own."""
    found, home = day
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("HUB_HOME", str(home))
        yield found
