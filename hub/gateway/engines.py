"""Open engines for threads that come and go: opening one costs more than storing a message."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, LifoQueue

from hub.flow import Engine

log = logging.getLogger("hub.gateway")


@dataclass(frozen=True, slots=True)
class _Open:
    engine: Engine
    manager: AbstractContextManager[Engine]
    landscape: float  # when hub.yaml was last written


class Engines:
    """A pool that grows with its threads; an engine that failed, or whose hub.yaml is old, is not used again."""

    def __init__(self, opener: Callable[[], AbstractContextManager[Engine]], landscape: Path) -> None:
        self._opener = opener
        self._landscape = landscape
        self._idle: LifoQueue[_Open] = LifoQueue()

    @contextmanager
    def one(self) -> Iterator[Engine]:
        """An engine for this thread alone, until the block ends."""
        mine = self._take()
        try:
            yield mine.engine
        finally:
            if mine.engine.journal.broken:
                self._close(mine)
            else:
                self._idle.put(mine)

    def close(self) -> None:
        while True:
            try:
                self._close(self._idle.get_nowait())
            except Empty:
                return

    def _take(self) -> _Open:
        written = self._landscape.stat().st_mtime
        while True:
            try:
                found = self._idle.get_nowait()
            except Empty:
                manager = self._opener()
                return _Open(manager.__enter__(), manager, written)
            if found.landscape == written:
                return found
            self._close(found)

    @staticmethod
    def _close(open_: _Open) -> None:
        try:
            open_.manager.__exit__(None, None, None)
        except Exception as error:  # noqa: BLE001 - a connection that is broken cannot be closed well
            log.debug("closing an engine: %s", error)
