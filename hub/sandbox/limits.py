"""The vendors' limits, really enforced: a leaky bucket as Shopify describes it.

https://shopify.dev/docs/api/usage/limits: each call adds its cost, the bucket leaks at a steady
rate, and a call that would make it overflow is refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Bucket:
    """Holds ``capacity``, leaks ``per_second``; thread-safe.

    ``seconds`` is the real monotonic time unless a test hands in its own: a session clock that
    stands still must not stop the leak, or every client would wait for ever.
    """

    def __init__(self, capacity: float, per_second: float, seconds: Callable[[], float] = time.monotonic) -> None:
        self.capacity = capacity
        self.per_second = per_second
        self._seconds = seconds
        self._level = 0.0
        self._seen = seconds()
        self._lock = threading.Lock()

    def take(self, cost: float = 1.0) -> float:
        """0.0 when the call is let in; else the seconds after which it would be, and nothing is taken."""
        with self._lock:
            self._leak()
            missing = self._level + cost - self.capacity
            if missing > 1e-9:
                return missing / self.per_second
            self._level += cost
            return 0.0

    def give_back(self, cost: float) -> None:
        """A call that was cheaper than it asked for returns the difference."""
        with self._lock:
            self._leak()
            self._level = max(0.0, self._level - cost)

    @property
    def used(self) -> float:
        with self._lock:
            self._leak()
            return self._level

    @property
    def available(self) -> float:
        return self.capacity - self.used

    def _leak(self) -> None:
        now = self._seconds()
        self._level = max(0.0, self._level - (now - self._seen) * self.per_second)
        self._seen = now
