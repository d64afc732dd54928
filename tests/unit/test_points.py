"""Marked points: every one that is listed is in the code, and a process that is told to die at one does."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub import points

ROOT = Path(__file__).resolve().parents[2]
COME_BY = """
from hub.points import reached
for number in range(1, 6):
    print(number, flush=True)
    reached("settled")
    reached("claimed")
"""


def test_every_listed_point_is_marked_in_the_code_once_and_no_other_is() -> None:
    files = [path for path in (ROOT / "hub").rglob("*.py") if path.name != "points.py"]
    marked = [name for path in files for name in re.findall(r'\breached\("([^"]+)"\)', path.read_text("utf-8"))]
    assert sorted(marked) == sorted([*points.WORKER, *points.GATEWAY])


@pytest.mark.parametrize(("kill", "last"), [("settled:3", "3"), ("claimed:1", "1"), ("", "5"), ("settled:6", "5")])
def test_a_process_dies_at_its_point_and_at_no_other(kill: str, last: str) -> None:
    ended = subprocess.run([sys.executable, "-c", COME_BY], env={points.VARIABLE: kill}, capture_output=True, text=True)
    assert ended.stdout.split()[-1] == last
    assert ended.returncode == (-signal.SIGKILL if last != "5" else 0)


def test_another_process_dies_in_its_place() -> None:
    victim = subprocess.Popen(["sleep", "60"])
    try:
        points.arm(f"settled:1:{victim.pid}")
        points.reached("settled")
        assert victim.wait(5) == -signal.SIGKILL
    finally:
        points.arm(None)
        victim.kill()


def test_a_point_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match='names no point: "the end"'):
        points.arm("the end:1")
