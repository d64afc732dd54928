"""Open engines for threads that come and go: opening one costs more than storing a message."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, LifoQueue

from hub.errors import ConfigError
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
        self._complained = 0.0  # of the hub.yaml that was written then

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

    def warm(self, count: int) -> None:
        """Open ``count`` engines ahead of those who will ask."""
        written = self._landscape.stat().st_mtime
        for _ in range(count - self._idle.qsize()):
            self._idle.put(self._opened(written))

    def close(self) -> None:
        while True:
            try:
                self._close(self._idle.get_nowait())
            except Empty:
                return

    def _take(self) -> _Open:
        written = self._landscape.stat().st_mtime
        try:
            found = self._idle.get_nowait()
        except Empty:
            return self._opened(written)
        if found.landscape == written:
            return found
        try:
            fresh = self._opened(written)
        except ConfigError as error:  # a slip in an edit must not cost anybody's messages
            self._say_once(written, error)
            return found
        self._close(found)
        return fresh

    def _opened(self, written: float) -> _Open:
        manager = self._opener()
        return _Open(manager.__enter__(), manager, written)

    def _say_once(self, written: float, error: ConfigError) -> None:
        if self._complained != written:
            log.warning("going on with the landscape as it was: %s", error)
        self._complained = written

    @staticmethod
    def _close(open_: _Open) -> None:
        try:
            open_.manager.__exit__(None, None, None)
        except Exception as error:  # noqa: BLE001 - a connection that is broken cannot be closed well
            log.debug("closing an engine: %s", error)
