"""``hub up`` where it cannot run: one sentence that says what to do, exit code 2, nothing left behind."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support.booted import ROOT, free_port


def hub_up(home: Path, port: int | str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "HUB_"))}
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", "up"],
        env={**env, "HUB_HOME": str(home), "HUB_PORT": str(port), "COLUMNS": "500"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    assert len(lines) == 1, lines
    return lines[0]


def test_a_taken_port(open_tmp: Path) -> None:
    port = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + 4))
        said = sentence(hub_up(open_tmp / "home", port))
    assert f"port {port + 4} (shop) is taken by another program" in said
    assert "set HUB_PORT" in said


def test_a_port_that_is_no_port(open_tmp: Path) -> None:
    assert 'HUB_PORT is "http": give a number' in sentence(hub_up(open_tmp / "home", "http"))


def test_a_second_hub_in_the_same_folder(open_tmp: Path) -> None:
    home = open_tmp / "home"
    home.mkdir()
    with (home / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        said = sentence(hub_up(home, free_port()))
    assert f"the hub already runs in {home} (process 4711): stop it first" in said


def test_a_folder_that_cannot_be_made(open_tmp: Path) -> None:
    (open_tmp / "file").write_text("")
    said = sentence(hub_up(open_tmp / "file" / "home", free_port()))
    assert "cannot be made (Not a directory); set HUB_HOME" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(open_tmp: Path) -> None:
    home = open_tmp / "home"
    home.mkdir(mode=0o555)
    assert "may not be written by this user; set HUB_HOME" in sentence(hub_up(home, free_port()))
