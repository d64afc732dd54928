"""The whole hub as ``hub up`` boots it, for tests that watch it from outside."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from support.scene import HASTE, hurry

from hub.local import proc
from hub.local.site import ADMIN, PORTS, Site
from hub.sandbox.retailer import Retailer

ROOT = Path(__file__).parents[2]
# Without the sandbox's own shoppers, so that what a test sells is what it sees.
COMMAND = """
import sys
from pathlib import Path
from hub.local.site import Site
from hub.local.up import up
sys.exit(up(Site.of_environment(Path(sys.argv[1])), live=False))
"""
NEWS_SECONDS = 30.0  # a few on a machine of its own; it may run other tests
START_SECONDS = 240.0  # on a machine that runs other tests beside this one


@dataclass
class Booted:
    """A running hub: its process, its retailer, and Airflow's API as a signed-in person."""

    site: Site
    process: subprocess.Popen[str]
    retailer: Retailer
    seconds: float
    said: list[str] = field(default_factory=list)

    def api(self, path: str, method: str = "GET", **body: Any) -> Any:
        """One call of Airflow's public API."""
        url = self.site.url("airflow")
        sign_in = {"username": ADMIN, "password": self.site.passwords()[ADMIN]}
        token = requests.post(f"{url}/auth/token", json=sign_in, timeout=20).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(method, url + path, headers=headers, json=body or None, timeout=20)
        answer.raise_for_status()
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    def processes(self) -> list[proc.Seen]:
        """The supervisor's children with all that they started, and the database."""
        own = proc.look(self.process.pid)
        assert own
        children = [int(pid) for pid in Path(f"/proc/{own.pid}/task/{own.pid}/children").read_text().split()]
        return proc.in_sessions(children)

    def end(self, patience: float = 60.0) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience)


def eventually(condition: Callable[[], bool], seconds: float = NEWS_SECONDS) -> float:
    """The seconds until ``condition`` held; fails the test when it never did."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.1)
    return time.monotonic() - began


def free_port() -> int:
    """The first of six free ports in a row; by chance, so that tests beside this one find others."""
    for start in random.sample(range(20_000, 32_000, 10), 100):  # below the ports that Linux gives to clients
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for offset in range(len(PORTS)):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", start + offset))
            return start
    raise RuntimeError("no free ports")


def hurried(home: Path) -> Path:
    """A project beside ``home``, and a retailer in it, that do not wait for minutes for a vendor's budget."""
    project = home.with_name("project")
    project.mkdir()
    for name in ("connectors", "mappings", "canonical_schemas"):
        (project / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "dags", project / "dags")
    shutil.copy(ROOT / "hub.yaml", project / "hub.yaml")
    hurry(project, HASTE)
    Retailer(home / "sandbox", haste=HASTE).close()
    return project


def boot(home: Path, port: int) -> Booted:
    """Start the hub and wait until it says that it is ready."""
    site = Site(home=home, project=ROOT, port=port)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "HUB_", "PYTHONDONT"))}
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", COMMAND, str(ROOT)],
        env={**env, "HUB_HOME": str(home), "HUB_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    began, said = time.monotonic(), []
    assert process.stdout
    for line in process.stdout:
        said.append(line)
        if "Stop with Ctrl-C" in line:
            seconds = time.monotonic() - began
            return Booted(site, process, Retailer(home / "sandbox"), seconds, said)
        assert time.monotonic() - began < START_SECONDS, "".join(said)
    raise AssertionError("the hub ended: " + "".join(said))
