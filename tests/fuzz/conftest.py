"""One gateway for all attacks of a module."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import psycopg
import pytest
from support.fuzz.gateway import Door, door

_numbers = itertools.count(1)
LONG = os.environ.get("OMNIHUB_FUZZ") == "long"  # as `make fuzz` sets it


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("gateway")
    name = f"attacked_{os.getpid()}_{next(_numbers)}"
    with pytest.MonkeyPatch.context() as monkeypatch, psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        with door(folder, postgres.replace("/postgres?", f"/{name}?"), monkeypatch) as found:
            yield found
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What `make fuzz` is asked for: how many inputs each target took, and what became of them."""
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.stats.get(kind, ())]
    rows = [value for one in reports for name, value in getattr(one, "user_properties", ()) if name == "fuzz"]
    if not LONG or not rows:
        return
    line = "{:<22} {:>9} {:>9} {:>8} {:>6} {:>6} {:>8}"
    terminalreporter.write_line(line.format("target", "inputs", "refused", "crashes", "hangs", "leaks", "seconds"))
    totals = ["all", *(sum(row[n] for row in rows) for n in range(1, 7))]
    for name, *counts, seconds in [*sorted(rows), totals]:
        terminalreporter.write_line(line.format(name, *(f"{n:,}" for n in counts), f"{seconds:.0f}"))
