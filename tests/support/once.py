"""What takes long to make is made by the first of all workers that needs it; the others copy it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Any]) -> tuple[Path, Any]:
    """The folder ``name`` that ``make`` filled, and what it told (JSON), whoever called it."""
    base = factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, told = root / name, root / f"{name}.json"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            folder.mkdir()
            found = json.dumps(make(folder))
            told.write_text(found, encoding="utf-8")
    return folder, json.loads(told.read_text(encoding="utf-8"))
