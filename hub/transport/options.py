"""Types for connectors' options that people write by hand: durations, sizes and time zones."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZES = {"": 1, "B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def _duration(value: Any) -> Any:
    """``90s``, ``2m``, ``4h30m``, ``60d``; numbers are seconds."""
    if not isinstance(value, str):
        return value
    parts = re.findall(r"(\d+)\s*([smhd])", value)
    if not parts or re.sub(r"\d+\s*[smhd]|\s", "", value):
        raise ValueError(f'"{value}" is not a duration such as 90s, 2m or 4h30m')
    try:
        return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))
    except (ValueError, OverflowError):
        raise ValueError(f'"{value[:40]}" is longer than any time') from None


def _positive(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError("a duration cannot be negative")
    return value


def _size(value: Any) -> Any:
    """``2GiB``, ``500MB``; numbers are bytes."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+)\s*([A-Za-z]*)\s*", value)
    if not match or match[2].upper() not in _SIZES:
        raise ValueError(f'"{value}" is not a size such as 2GiB or 500MB')
    return int(match[1]) * _SIZES[match[2].upper()]


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f'"{value}" is not a time zone such as Europe/Paris') from None
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
Size = Annotated[int, BeforeValidator(_size)]
ZoneName = Annotated[str, AfterValidator(_zone)]
