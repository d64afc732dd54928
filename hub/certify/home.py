"""Where a certification takes place: a temporary folder, thrown away unless something was found."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL
from types import FrameType

log = logging.getLogger("hub.certify")

# Waits for its parent's end, and removes the folder until nothing in it comes back.
SWEEP = """
import os, shutil, sys, time
until = time.monotonic() + 20
while os.getppid() == int(sys.argv[2]) and time.monotonic() < until:
    time.sleep(0.05)
while os.path.exists(sys.argv[1]) and time.monotonic() < until:
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    time.sleep(0.2)
"""


@dataclass(slots=True)
class Home:
    """``keep`` says whether the folder stays."""

    path: Path
    keep: bool = False

    @property
    def kept(self) -> Path | None:
        """Where it is to be found afterwards."""
        return self.path if self.keep else None


@contextmanager
def home(prefix: str) -> Iterator[Home]:
    """A folder that the database's user may pass through; it is kept where the block says so, or fails.

    Ctrl-C or SIGTERM ends this process where it is, and with it all that it started; the folder goes too.
    """
    found = Home(Path(tempfile.mkdtemp(prefix=prefix)))
    found.path.chmod(0o711)
    try:
        with _stopped_at_once(found.path):
            yield found
    except Exception:
        found.keep = True
        log.warning("what was there is kept with its logs in %s", found.path)
        raise
    finally:
        if not found.keep:
            shutil.rmtree(found.path, ignore_errors=True)


@contextmanager
def _stopped_at_once(folder: Path) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        """What this process started ends after it and writes until then, so another one clears up."""
        command = [sys.executable, "-I", "-c", SWEEP, str(folder), str(os.getpid())]
        subprocess.Popen(command, start_new_session=True, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
        os._exit(130)

    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
