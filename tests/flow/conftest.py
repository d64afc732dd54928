"""A fresh scene for a test, and one that a module of scenarios shares after its first synchronisation."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support.once import made_once
from support.scene import Scene, scene


@pytest.fixture
def fresh(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Nothing has been synchronised yet."""
    with scene(tmp_path, database, monkeypatch) as found:
        yield found


def larger_guard(found: Scene) -> None:
    """The stories sell more in an hour than a store in a day."""
    found.rewrite("to_zero: 5%", "to_zero: 20%")


def template(
    factory: pytest.TempPathFactory, postgres: str, name: str, synchronise: Callable[[Scene], Any]
) -> tuple[Path, datetime, Any]:
    """A retailer and a hub after ``synchronise``: the folder of both, when that was, and what it told.

    Its database is the template ``name``. What takes many seconds is done once, and copied.
    """

    def make(folder: Path) -> tuple[str, Any]:
        with pytest.MonkeyPatch.context() as monkeypatch, psycopg.connect(postgres, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
            with scene(folder, postgres.replace("/postgres?", f"/{name}?"), monkeypatch) as found:
                larger_guard(found)
                told = synchronise(found)
                found.vacuum()
                return found.clock.now().isoformat(), told

    folder, (moment, told) = made_once(factory, name, make)
    return folder, datetime.fromisoformat(moment), told


@contextmanager
def copied(factory: pytest.TempPathFactory, postgres: str, name: str, first: Path, moment: datetime) -> Iterator[Scene]:
    """A copy of a template, to live on from there."""
    folder = factory.mktemp(name)
    for part in ("sandbox", "home"):
        shutil.copytree(first / part, folder / part)
    database = f"copy_{os.getpid()}_{folder.name}"
    with pytest.MonkeyPatch.context() as monkeypatch, psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {database} TEMPLATE {name}")
        with scene(folder, postgres.replace("/postgres?", f"/{database}?"), monkeypatch, start=moment) as found:
            larger_guard(found)
            yield found
        admin.execute(f"DROP DATABASE {database} WITH (FORCE)")


@pytest.fixture(scope="session")
def first_stock(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> tuple[Path, datetime, dict[str, Any]]:
    """The first pass of stock: its folder, its time, and its counts with how it would have ended as a command."""

    def synchronise(found: Scene) -> dict[str, Any]:
        outcome = found.synchronise()
        return {**outcome.counts, "exit_code": outcome.exit_code}

    return template(tmp_path_factory, postgres, "settled", synchronise)


@pytest.fixture(scope="module")
def settled(
    tmp_path_factory: pytest.TempPathFactory, postgres: str, first_stock: tuple[Path, datetime, dict[str, Any]]
) -> Iterator[Scene]:
    """Stock was synchronised once; scenarios of a module share it and use articles of their own."""
    first, moment, _ = first_stock
    with copied(tmp_path_factory, postgres, "settled", first, moment) as found:
        yield found


@pytest.fixture(scope="session")
def first_pass(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> tuple[Path, datetime, dict[str, int]]:
    """The first pass of all flows of a whole retailer: its folder, its time, and what each flow left pending."""
    return template(
        tmp_path_factory, postgres, "whole",
        lambda found: {flow: outcome.pending for flow, outcome in found.everything().items()},
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, postgres: str, first_pass: tuple[Path, datetime, dict[str, int]]
) -> Iterator[Scene]:
    """The whole retailer after all flows were synchronised; a module's stories share it, each with its own things."""
    first, moment, _ = first_pass
    with copied(tmp_path_factory, postgres, "whole", first, moment) as found:
        yield found
