"""What the hub stands on, its database and its disk: trouble there is told in a sentence and passes with its cause."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from hub.errors import TryLater

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SOON = 5.0
ROOM_TAKES = 60.0  # seconds until somebody may have made room


@contextmanager
def standing() -> Iterator[None]:
    """A database that does not answer and a full disk become :class:`TryLater`: a batch is kept whole or not at all."""
    try:
        yield
    except psycopg.errors.DiskFull as error:
        raise TryLater(_full("the journal's database", _first(error)), ROOM_TAKES) from error
    except psycopg.OperationalError as error:
        raise TryLater(
            f"the journal's database did not answer as it should ({_first(error)}); the run is repeated", SOON
        ) from error
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise TryLater(_full(str(error.filename or "a file"), error.strerror or ""), ROOM_TAKES) from error


def _full(place: str, said: str) -> str:
    return f"the disk is full: no room for {place} ({said}); nothing of this batch was kept, it is repeated"


def _first(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
