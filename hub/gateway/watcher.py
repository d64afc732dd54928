"""Asks every watched source whether something is complete and waits, and rings when the answer is news."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from hub.connector import Watched
from hub.errors import HubError
from hub.flow import Engine

log = logging.getLogger("hub.gateway")

EVERY = 2.0  # seconds; with the bell and Airflow's start of a task, a file is taken within 5 s
WHILE_DOWN = 10.0
REOPEN = 15.0


class Watcher:
    """One thread for each watched source, so that one that hangs delays no other."""

    def __init__(self, opener: Callable[[], AbstractContextManager[Engine]], ring: Callable[[str], None]) -> None:
        self._opener = opener
        self._ring = ring
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        with self._opener() as engine:
            systems = sorted({system for _, system, _ in engine.watched()})
        for system in systems:
            thread = threading.Thread(target=self._watch, args=(system,), name=f"watch-{system}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=3)

    def _watch(self, system: str) -> None:
        """Keep an engine of this thread's own; whatever ends it, the next one goes on."""
        while not self._stop.is_set():
            try:
                with self._opener() as engine:
                    self._ask(system, engine)
            except Exception as error:  # noqa: BLE001 - a watcher that ended would be silence without a sound
                log.warning("watching %s: %s", system, error)
                self._stop.wait(REOPEN)

    def _ask(self, system: str, engine: Engine) -> None:
        source = engine.systems[system]
        if not isinstance(source, Watched):
            raise TypeError(f"{system} cannot be watched")
        rung: frozenset[str] = frozenset()
        down = False
        while not self._stop.wait(WHILE_DOWN if down else EVERY):
            try:
                names = frozenset(source.arrived())
            except HubError as error:
                if not down:
                    log.warning("%s: %s", system, error)
                down = True
                continue
            if down:
                log.warning("%s answers again", system)
            down = False
            if names - rung:
                self._ring(system)
            rung = names
