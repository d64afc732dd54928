"""A hub on a database server and a disk of its own, which a test may kill and fill."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support.scene import Scene, scene

from hub.local.postgres import Server

# Small enough for the disk of a test; a killed server must find everything again, so nothing is left to the system.
SETTINGS = {"max_wal_size": "64MB", "min_wal_size": "32MB", "autovacuum": "off", "fsync": "on"}
SOURCES = ("stores:", "tills:  {on", "shop:   {on")
DISK = 400  # MB


class Ground:
    """The server, and the room on its disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = Server(folder / "database", settings=SETTINGS)
        self.dsn = self.server.start()
        assert self.server.where.is_relative_to(folder), "the data is on another disk"

    def killed(self) -> bool:
        """Whether the server is gone, as after a power cut."""
        with suppress(subprocess.TimeoutExpired):
            assert self.server._process is not None
            self.server._process.wait(5)
        return not self.server.alive()

    def restart(self) -> None:
        self.server.stop()
        self.server = Server(self.folder / "database", settings=SETTINGS)
        self.server.start()

    def fill(self) -> None:
        """Not a byte is left."""
        with (self.folder / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(bytes(4096))

    def make_room(self) -> None:
        (self.folder / "ballast").unlink()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own in ``folder``; only the superuser of Linux can make one, elsewhere the test is skipped."""
    folder.mkdir(mode=0o711)
    options = f"size={DISK}m,mode=0711"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if os.geteuid() != 0 or made.returncode:
        pytest.skip("a disk of its own needs the right to mount one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    found = Ground(folder)
    try:
        yield found
    finally:
        found.server.stop()


@contextmanager
def only_erp_to_shop(folder: Path, ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The warehouse's stock goes to the shop, and that is all: a landscape that is settled in a second."""
    with scene(folder, ground.dsn, monkeypatch) as found:
        path = found.project / "hub.yaml"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        begin = next(n for n, line in enumerate(lines) if line == "  stock:\n")
        kept = [line for line in lines[begin:] if not line.strip().startswith((*SOURCES, "tills: {grain"))]
        path.write_text("".join(lines[:begin] + kept), encoding="utf-8")
        found.rewrite('{WH1: erp, "ST*": stores}', '{WH1: erp, "ST*": erp}')
        found.rewrite('sells_from: [WH1, "ST*"]', "sells_from: [WH1]")
        found.synchronise()
        yield found
