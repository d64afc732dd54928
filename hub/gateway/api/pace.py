"""How fast each client may ask: a bucket of two seconds' worth, filled at the client's own pace.

The buckets live in this process: two gateways give a client twice its pace.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

SECONDS_AT_ONCE = 2.0


class Pace:
    """Buckets by client; for any number of threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[int, tuple[float, float]] = {}  # client -> tokens, when they were counted
        self._lock = threading.Lock()

    def wait(self, client: int, per_second: float) -> float:
        """Take one request out of the client's bucket: 0, or the seconds after which there is one again."""
        now, size = self._clock(), max(1.0, per_second * SECONDS_AT_ONCE)
        with self._lock:
            tokens, counted = self._left.get(client, (size, now))
            tokens = min(size, tokens + (now - counted) * per_second)
            taken = tokens >= 1.0
            self._left[client] = (tokens - 1.0 if taken else tokens, now)
        return 0.0 if taken else (1.0 - tokens) / per_second
