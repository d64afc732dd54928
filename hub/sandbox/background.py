"""Work beside the servers: a thread that repeats a step until it is stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Background:
    """Calls ``step`` again and again; each answers the seconds to wait before the next.

    A step that raises is logged and tried again, so that one surprise does not end the shop's day.
    """

    def __init__(self, name: str, step: Callable[[threading.Event], float]) -> None:
        self.name = name
        self._step = step
        self._stop = threading.Event()
        # A daemon: a receiver that is slow to answer does not keep the sandbox from stopping.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience: float) -> None:
        """Ask it to end and wait at most ``patience`` seconds."""
        self._stop.set()
        self._thread.join(patience)

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            try:
                pause = self._step(self._stop)
            except Exception:
                log.exception("%s failed, trying again", self.name)
                pause = 1.0
