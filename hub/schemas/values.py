"""What canonical data may hold beyond what JSON Schema says: real moments and days, and plain values only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")

_DEPTH = 32


def is_moment(text: str) -> bool:
    """RFC 3339, and a time that Python and PostgreSQL can hold: no leap second, nothing outside the calendar."""
    if not _MOMENT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


def is_day(text: str) -> bool:
    """A calendar day as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


FORMATS: Mapping[str, Callable[[str], bool]] = {"date-time": is_moment, "date": is_day}


def plainly(data: Any) -> bool:
    """A quick yes for the many records that are flat and ASCII; False says only that :func:`foreign` must look."""
    if data.__class__ is not dict:
        return False
    for name, value in data.items():
        kind = value.__class__
        if kind is str:
            if not value.isascii() or "\0" in value:
                return False
        elif kind is not int and kind is not bool and value is not None:
            return False
        if name.__class__ is not str or not name.isascii() or "\0" in name:
            return False
    return True


def foreign(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """What canonical data never hold: floats, values JSON has no word for, text PostgreSQL cannot store."""
    kind = value.__class__
    if depth > _DEPTH:
        yield path, f"is nested more than {_DEPTH} levels deep"
    elif kind is str:
        yield from _unstorable(value, path)
    elif kind is dict:
        for name, item in value.items():
            yield from _unstorable(name, path)
            yield from foreign(item, f"{path}.{name}" if path else str(name), depth + 1)
    elif kind is list:
        for index, item in enumerate(value):
            yield from foreign(item, f"{path}[{index}]", depth + 1)
    elif kind is not int and kind is not bool and value is not None:
        yield (
            path,
            f"is a {kind.__name__}; canonical data hold text, whole numbers, true, false, null, lists and objects",
        )


def _unstorable(text: Any, path: str) -> Iterator[tuple[str, str]]:
    if text.__class__ is not str:
        yield path, f"has a field whose name is no text: {text!r:.40}"
    elif "\0" in text:
        yield path, "holds the character NUL, which no database stores"
    elif not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):  # half of a character beyond U+FFFF
        yield path, "holds half a character (a lone surrogate)"
