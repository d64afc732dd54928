"""The small languages inside hub.yaml: durations, shares, patterns of names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(?:[0-9]+(?:ms|[smhdw]))+")
_PART = re.compile(r"([0-9]+)(ms|[smhdw])")
_PATTERN = re.compile(r"[A-Za-z0-9._/@*?-]+")
_CRON = re.compile(r"[0-9*/,A-Za-z-]+(?: [0-9*/,A-Za-z#-]+){4}")


def duration(written: Any) -> timedelta:
    """``5m``, ``36h``, ``1h30m``; a number without a unit is refused."""
    if isinstance(written, timedelta):
        return written
    if not isinstance(written, str) or not _DURATION.fullmatch(written):
        raise ValueError(f'"{written}" is not a duration; write a number with its unit, as in 90s, 5m, 36h or 2d')
    try:
        found = sum((timedelta(**{_UNITS[unit]: int(n)}) for n, unit in _PART.findall(written)), timedelta())
    except (ValueError, OverflowError):
        raise ValueError(f'"{written[:40]}" is longer than any time') from None
    if not found:
        raise ValueError(f'"{written}" lasts no time at all')
    return found


def share(written: Any) -> float:
    """``20%`` as 0.2."""
    text = written.removesuffix("%") if isinstance(written, str) and written.endswith("%") else ""
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?", text) or float(text) > 100:
        raise ValueError(f'"{written}" is not a share; write a percentage from 0% to 100%, as in 20%')
    return float(text) / 100


def change(written: Any) -> float:
    """``60%`` as 0.6; it may be above 100%, since a price can do more than double."""
    text = written.removesuffix("%") if isinstance(written, str) and written.endswith("%") else ""
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]+)?", text) or not float(text):
        raise ValueError(f'"{written}" is not a change; write a percentage above 0%, as in 60% or 150%')
    return float(text) / 100


def pattern(written: str) -> str:
    """A name in which ``*`` stands for any letters and ``?`` for one."""
    if not _PATTERN.fullmatch(written):
        raise ValueError(f'"{written}" is not a name or a pattern like ST*')
    return written


def cron(written: str) -> str:
    """Five fields of cron; Airflow reads their meaning."""
    if not _CRON.fullmatch(written):
        raise ValueError(f'"{written}" is not a schedule of five cron fields, as in "*/5 5-23 * * *"')
    return written


Duration = Annotated[timedelta, BeforeValidator(duration), PlainSerializer(lambda value: value.total_seconds())]
Share = Annotated[float, BeforeValidator(share)]
Change = Annotated[float, BeforeValidator(change)]
Pattern = Annotated[str, AfterValidator(pattern)]
Cron = Annotated[str, AfterValidator(cron)]


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether any of ``patterns`` is ``name`` or stands for it."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def best(patterns: Iterable[str], name: str) -> str | None:
    """The pattern that speaks of ``name`` most precisely: the name itself, else the one with the most letters."""
    found = [pattern for pattern in patterns if fnmatchcase(name, pattern)]
    return max(found, key=lambda p: (p == name, len(p) - p.count("*") - p.count("?"), p), default=None)


def select(patterns: Sequence[str], names: Iterable[str]) -> list[str]:
    """The names that ``patterns`` stand for, each once: in the order of the patterns, then by name."""
    there = sorted(names)
    return list(dict.fromkeys(name for pattern in patterns for name in there if fnmatchcase(name, pattern)))
