"""One boot of the whole hub for each module that asks for it."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.booted import Booted, boot, free_port


@pytest.fixture(scope="module")
def hub() -> Iterator[Booted]:
    folder = Path(tempfile.mkdtemp(prefix="omnihub-e2e-"))
    folder.chmod(0o711)
    running = boot(folder / "home", free_port())
    try:
        yield running
    finally:
        running.retailer.close()
        if running.process.poll() is None:
            running.process.send_signal(signal.SIGTERM)
            running.process.wait(60)
        if running.process.stdout:
            running.process.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)
