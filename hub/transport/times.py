"""Times as vendors write them: with an offset, or naive and of a declared zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hub.transport.redaction import quoted

AHEAD = timedelta(minutes=5)  # how far a vendor's clock may run before ours


def instant_of(text: str) -> datetime:
    """An RFC 3339 time; ValueError where it is none, lacks its offset, or is beyond the calendar in UTC."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    try:
        at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text} is beyond the calendar") from None
    return at


def version_of(text: str) -> str:
    """The same moment always as the same text, so that versions order as text whatever offset they came in."""
    return instant_of(text).astimezone(UTC).isoformat(timespec="microseconds")


def newest(versions: Iterable[str], now: datetime) -> str:
    """The newest of ``versions`` that is no time of the future, empty without any.

    From where the next reading goes on: one record with a wrong time would hide all that change before that.
    """
    latest = version_of((now + AHEAD).isoformat())
    return max((one for one in versions if one <= latest), default="")


def utc_text(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as every vendor takes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_time(text: str, pattern: str, zone: str) -> datetime:
    """A naive time of ``zone``; in an hour that occurs twice the earlier reading, ValueError in the gap."""
    try:
        naive = datetime.strptime(text, pattern)  # noqa: DTZ007  (the zone follows)
    except ValueError:
        raise ValueError(f"{quoted(text)} is not a date as in {pattern}") from None
    # strptime also takes months without leading zeros, which would be guessing.
    if naive.strftime(pattern) != text:
        raise ValueError(f"{quoted(text)} is not a date as in {pattern}")
    local = naive.replace(tzinfo=ZoneInfo(zone))
    if local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != naive:
        raise ValueError(f"{text} does not exist in {zone}: the clocks went forward")
    return local


def earlier(text: str, pattern: str, zone: str, by: timedelta) -> str:
    """A naive time moved back by ``by``, and by the repeated hour too where ``text`` may lie in it.

    A system that keeps naive times orders the second reading of that hour before the end of the first.
    """
    local = local_time(text, pattern, zone)
    first, second = local.utcoffset(), local.replace(fold=1).utcoffset()
    repeated = first - second if first is not None and second is not None else timedelta(0)
    return (local.replace(tzinfo=None) - by - repeated).strftime(pattern)
