"""Watches the clock: when a moment has come at which something changes by itself, whoever delivers it is called.

A price becomes valid at midnight, a hold at the counter ends, stock goes stale: no message says so. A batch that a
guard holds calls for whoever asks a person.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import timedelta

from hub.flow import Engine

log = logging.getLogger("hub.gateway")

EVERY = 1.0
GRACE = timedelta(seconds=1)  # whoever marked it derives it himself, mostly within a second
AGAIN = 20.0  # seconds until a call that nobody seems to have heard is repeated
REOPEN = 15.0


def nobody(flow: str) -> None:
    """Where a person looks by himself."""


class Moments:
    """One thread that asks the journal once a second what is due, or held, and not taken.

    ``call`` takes a target for which something is due, ``ask`` a flow of which a batch waits for a person.
    """

    def __init__(
        self,
        opener: Callable[[], AbstractContextManager[Engine]],
        call: Callable[[str], None],
        ask: Callable[[str], None] = nobody,
    ) -> None:
        self._opener = opener
        self._call = call
        self._person = ask
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="moments", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=3)

    def _watch(self) -> None:
        """Keep an engine of this thread's own; whatever ends it, the next one goes on."""
        while not self._stop.is_set():
            try:
                with self._opener() as engine:
                    self._ask(engine)
            except Exception as error:  # noqa: BLE001 - a watcher that ended would be silence without a sound
                log.warning("watching the clock: %s", error)
                self._stop.wait(REOPEN)

    def _ask(self, engine: Engine) -> None:
        called: frozenset[tuple[Callable[[str], None], str]] = frozenset()
        waited = 0.0
        while not self._stop.wait(EVERY):
            due = frozenset((self._call, target) for target in engine.due(GRACE))
            due |= frozenset((self._person, flow) for flow in engine.unasked())
            waited += EVERY
            again = waited >= AGAIN
            self._ring(due if again else due - called)
            called, waited = due, 0.0 if again else waited

    @staticmethod
    def _ring(due: Iterable[tuple[Callable[[str], None], str]]) -> None:
        for call, name in sorted(due, key=lambda one: one[1]):
            call(name)
