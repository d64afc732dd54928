"""When a file that somebody else writes is complete, and what its name may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from hub.errors import Reject

_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file in a listing; ``modified`` in whole seconds since 1970, by the server's clock."""

    name: str
    size: int
    modified: int


def safe_name(name: str) -> str:
    """``name``, unless it could lead out of its folder or deceive whoever reads it.

    Names from outside never become paths: no separators, no dots alone, no control characters.
    """
    bad = (
        not name
        or name.startswith((".", "~"))
        or any(char in "/\\:" or not char.isprintable() for char in name)
        or len(name.encode()) > _LONGEST_NAME
    )
    if bad:
        raise Reject("name", f"{name!r} is not an acceptable file name")
    return name


def is_safe(name: str) -> bool:
    """Whether :func:`safe_name` would let it pass."""
    try:
        safe_name(name)
    except Reject:
        return False
    return True


def complete(
    entries: Sequence[Entry], pattern: str, *, done: str | None, settled: timedelta, now: datetime
) -> list[Entry]:
    """The files that match and are finished: their done-marker lies beside them, or,
    where no markers are written (``done=None``), nothing was written for ``settled``.
    """
    names = {entry.name for entry in entries}
    matching = [entry for entry in entries if fnmatchcase(entry.name, pattern) and is_safe(entry.name)]
    if done is not None:
        return [entry for entry in matching if not entry.name.endswith(done) and entry.name + done in names]
    return [entry for entry in matching if now.timestamp() - entry.modified >= settled.total_seconds()]


def archived_name(name: str, digest: str) -> str:
    """The unique name under which a file is kept: its own, with the start of its content's hash before the ending."""
    stem, dot, ending = safe_name(name).rpartition(".")
    return f"{stem}.{digest[:12]}.{ending}" if dot else f"{name}.{digest[:12]}"
