"""Emptying HUB_HOME, or a part of it, without ever touching anything beside it."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import ConfigError
from hub.local.place import recorded_data

LOCK = "up.lock"  # held by whoever runs in a folder


def remove(folder: Path) -> list[Path]:
    """Remove everything in ``folder``, which stays; answers what was there. Refuses while a hub runs in it."""
    if not folder.is_dir():
        return []
    _refuse_while_running(folder)
    _refuse_a_strange_folder(folder)
    found = sorted([*folder.iterdir(), *_elsewhere(folder)])
    for path in found:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return found


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """While the block lasts, ``folder`` is not emptied."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"{folder} is in use already: stop the one that runs there first") from None
        yield


def _elsewhere(folder: Path) -> list[Path]:
    """The database's folder, where its user could not reach ``folder`` and it lives in another place."""
    data = recorded_data(folder)
    return [data] if data and data.exists() and not data.is_relative_to(folder) else []


def _refuse_while_running(folder: Path) -> None:
    for lock_file in (folder / LOCK, folder.parent / LOCK, folder / "sandbox" / LOCK):
        if lock_file.exists():
            with lock_file.open("a+") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    raise ConfigError(f"a hub runs in {lock_file.parent}: stop it first") from None


def _refuse_a_strange_folder(folder: Path) -> None:
    """HUB_HOME set to somebody's home by mistake must not cost them their files."""
    marks = ("up.lock", "postgres", "sandbox", "sandbox.db", "connections.json", "vault", "airflow")
    if any(folder.iterdir()) and not any((folder / mark).exists() for mark in marks):
        raise ConfigError(f"{folder} does not look like a HUB_HOME: nothing was removed")
