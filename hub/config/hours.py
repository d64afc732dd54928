"""Opening hours of a system, in the retailer's own time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\s*-\s*([01][0-9]|2[0-4]):([0-5][0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Windows of the day, start included and end not; one that ends before it starts goes over midnight."""

    windows: tuple[tuple[time, time], ...]

    def is_open(self, at: datetime, zone: str) -> bool:
        """Whether ``at`` lies in a window by the clocks of ``zone``."""
        now = at.astimezone(ZoneInfo(zone)).time()
        return any(
            start <= now and (now < end or end == time(0))
            if start < end or end == time(0)
            else now >= start or now < end
            for start, end in self.windows
        )

    def opens_at(self, at: datetime, zone: str) -> datetime:
        """The first moment from ``at`` on that is open, in UTC; ``at`` itself where it is."""
        if self.is_open(at, zone):
            return at.astimezone(UTC)
        local, tz = at.astimezone(ZoneInfo(zone)), ZoneInfo(zone)
        starts = (
            datetime.combine(local.date() + timedelta(days=day), start, tz).astimezone(UTC)
            for day in (0, 1, 2)
            for start, _ in self.windows
        )
        return min(start for start in starts if start > at)


def hours(written: Any) -> Hours:
    """``05:00-23:30``, or several windows with commas between them."""
    if isinstance(written, Hours):
        return written
    parts = [part.strip() for part in written.split(",")] if isinstance(written, str) else [""]
    return Hours(windows=tuple(_window(part, written) for part in parts))


def _window(text: str, written: Any) -> tuple[time, time]:
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise ValueError(f'"{written}" are not opening hours, as in "05:00-23:30"')
    from_hour, from_minute, to_hour, to_minute = map(int, found.groups())
    if to_hour == 24 and to_minute:
        raise ValueError(f'"{written}" end after the end of the day')
    start, end = time(from_hour, from_minute), time(to_hour % 24, to_minute)
    if start == end:
        raise ValueError(f'"{written}" start and end at the same time; leave "open" out for a system that never closes')
    return start, end
