"""Being asked to stop, by a signal that may come at any instruction and several times."""

from __future__ import annotations

import time

SLICE = 0.05


class Asked:
    """A flag that a signal handler may set.

    Not a ``threading.Event``: its lock is not re-entrant, so a handler that sets it while the main
    thread waits on it, or while another handler sets it, stands still for ever.
    """

    def __init__(self) -> None:
        self._asked = False

    def set(self) -> None:
        self._asked = True

    def is_set(self) -> bool:
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Sleep for ``seconds`` or until asked; whether asked."""
        until = time.monotonic() + seconds
        while not self._asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(SLICE, left))
        return self._asked
