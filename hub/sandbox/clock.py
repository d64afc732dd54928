"""Time in the sandbox: one clock handed in, and the naive Paris times that its systems write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
COMPACT = "%Y%m%d%H%M%S"
NIGHT_FILE_AT = (22, 30)  # hour and minute, local, at which every store writes its complete file


class Clock(Protocol):
    """Where the time comes from; tests hand in one that they set."""

    def now(self) -> datetime: ...


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def naive_paris(moment: datetime) -> str:
    """``20261121223000``: local time without an offset, as ERP and stores write it."""
    return moment.astimezone(PARIS).strftime(COMPACT)


def from_naive_paris(text: str) -> datetime:
    """The moment behind a naive local time; raises ``ValueError`` for one that is not a date."""
    return datetime.strptime(text, COMPACT).replace(tzinfo=PARIS).astimezone(UTC)


def business_day(moment: datetime) -> str:
    """``2026-11-21``: the local day on which a till counts its tickets."""
    return moment.astimezone(PARIS).date().isoformat()


def last_night(before: datetime) -> datetime:
    """The latest night-file time that is at least an hour before ``before``."""
    local = before.astimezone(PARIS)
    hour, minute = NIGHT_FILE_AT
    night = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    while night > local - timedelta(hours=1):
        night -= timedelta(days=1)  # arithmetic on local wall time: 22:30 stays 22:30 over a DST change
    return night.astimezone(UTC)
