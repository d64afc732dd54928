"""Functions on times: every moment leaves with an offset, and a time that does not exist is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, cast
from zoneinfo import ZoneInfo

from hub.mapping.registry import BadArgument, Step, Unfit, a_text, function, shown

# Fixed widths: a text that was cut must not pass as another time.
_PARTS = {
    "%Y": "(?P<Y>[0-9]{4})",
    "%y": "(?P<y>[0-9]{2})",
    "%m": "(?P<m>[0-9]{2})",
    "%d": "(?P<d>[0-9]{2})",
    "%H": "(?P<H>[0-9]{2})",
    "%M": "(?P<M>[0-9]{2})",
    "%S": "(?P<S>[0-9]{2})",
    "%-m": "(?P<m>[0-9]{1,2})",
    "%-d": "(?P<d>[0-9]{1,2})",
    "%-H": "(?P<H>[0-9]{1,2})",
    "%f": "(?P<f>[0-9]{1,6})",
    "%z": "(?P<z>Z|[+-][0-9]{2}:?[0-9]{2})",
    "%%": "%",
}
_DIRECTIVE = re.compile(r"%-?.")
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_OFFSETS = timedelta(hours=18)


@function(
    "datetime",
    takes="text",
    gives="time",
    examples=[
        ("20261121223000", {"format": "%Y%m%d%H%M%S", "zone": "Europe/Paris"}, "2026-11-21T22:30:00+01:00"),
        ("25/10/2026 02:30", {"format": "%d/%m/%Y %H:%M", "zone": "Europe/Paris"}, "2026-10-25T02:30:00+02:00"),
        ("20260329023000", {"format": "%Y%m%d%H%M%S", "zone": "Europe/Paris"}, Unfit()),
    ],
)
def datetime_(format: str, *, zone: str | None = None) -> Step:
    """A moment from a text of fixed form; ``zone`` is the source's own, needed unless the form holds ``%z``.

    Parts: %Y %y %m %d %H %M %S %f %z, and %-d %-m %-H where one digit may stand. In the hour that a
    zone lives twice the earlier reading counts, unless a reading tells something new with it that would
    then be older than what is known; in the hour that it skips the time is refused.
    """
    pattern = _pattern(format)
    for part in ("d", "m"):
        if part not in pattern.groupindex:
            raise BadArgument(f"the form {shown(format)} holds no %{part}")
    if zone is None and "z" not in pattern.groupindex:
        raise BadArgument("a time without offset needs the zone of its source, as in zone: Europe/Paris")
    local = _local(zone or "UTC")

    @lru_cache(maxsize=4096)
    def parsed(text: str) -> datetime:
        match = pattern.fullmatch(text)
        if match is None:
            raise Unfit(f"{shown(text)} is not a time of the form {format}")
        naive, offset = _naive(match, text), match.groupdict().get("z")
        if offset:
            return _moment(naive, _offset(offset, text), text)
        return local(naive)

    return lambda value: parsed(a_text(value))


@function(
    "iso_datetime",
    takes="text",
    gives="time",
    examples=[
        ("2026-11-21T22:30:00.123Z", "2026-11-21T22:30:00.123000+00:00"),
        ("2026-11-21T16:30:00-05:00", "2026-11-21T16:30:00-05:00"),
        ("2026-11-21T22:30:00", {"zone": "Europe/Paris"}, "2026-11-21T22:30:00+01:00"),
        ("2026-11-21T22:30:00", Unfit()),
    ],
)
def iso_datetime(*, zone: str | None = None) -> Step:
    """A moment from ISO 8601 / RFC 3339; one without offset is refused unless the rule names its ``zone``."""
    local = _local(zone) if zone else None

    def step(value: Any) -> datetime:
        match = _ISO.fullmatch(a_text(value))
        if match is None:
            raise Unfit(f"{shown(value)} is not a time as ISO 8601 writes it")
        year, month, day, hour, minute, second, fraction, offset = match.groups()
        micro = int(fraction[:6].ljust(6, "0")) if fraction else 0
        naive = _real(value, int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micro)
        if offset:
            return _moment(naive, _offset(offset, value), value)
        if local is None:
            raise Unfit(f"{shown(value)} has no offset, and the mapping names no zone")
        return local(naive)

    return step


@function(
    "epoch",
    takes="integer",
    gives="time",
    examples=[(1795300200, {"unit": "seconds"}, "2026-11-21T22:30:00+00:00"), (10**30, {"unit": "seconds"}, Unfit())],
)
def epoch(unit: str) -> Step:
    """A moment from the seconds or milliseconds since 1970."""
    if unit not in ("seconds", "milliseconds"):
        raise BadArgument("counts seconds or milliseconds")
    start = datetime(1970, 1, 1, tzinfo=UTC)

    def step(value: Any) -> datetime:
        if value.__class__ is not int:
            raise Unfit(f"{shown(value)} is not a number of {unit}; integer belongs before it")
        try:
            return start + timedelta(**{unit: value})
        except OverflowError:
            raise Unfit(f"{shown(value)} is no time of this calendar") from None

    return step


@function(
    "date",
    takes="text",
    gives="text",
    examples=[
        ("20261121", {"format": "%Y%m%d"}, "2026-11-21"),
        ("2026-11-21", "2026-11-21"),
        ("20260230", {"format": "%Y%m%d"}, Unfit()),
    ],
)
def date_(format: str = "%Y-%m-%d") -> Step:
    """A calendar day as YYYY-MM-DD, from a text of the form given (ISO unless said otherwise)."""
    pattern = _pattern(format)

    def step(value: Any) -> str:
        match = pattern.fullmatch(a_text(value))
        if match is None:
            raise Unfit(f"{shown(value)} is not a day of the form {format}")
        return _naive(match, value).date().isoformat()

    return step


@function(
    "start_of_day",
    takes="text",
    gives="time",
    examples=[
        ("20261121", {"format": "%Y%m%d", "zone": "Europe/Paris"}, "2026-11-21T00:00:00+01:00"),
        ("2026-03-30", {"zone": "Europe/Paris"}, "2026-03-30T00:00:00+02:00"),
        ("2026-09-06", {"zone": "America/Santiago"}, "2026-09-06T01:00:00-03:00"),
        ("20260230", {"format": "%Y%m%d", "zone": "Europe/Paris"}, Unfit()),
    ],
)
def start_of_day(format: str = "%Y-%m-%d", *, zone: str) -> Step:
    """The first moment of a calendar day in ``zone``: midnight, or where the clocks skip it, what follows the gap."""
    return _day(format, zone, 0)


@function(
    "end_of_day",
    takes="text",
    gives="time",
    examples=[
        ("20261121", {"format": "%Y%m%d", "zone": "Europe/Paris"}, "2026-11-22T00:00:00+01:00"),
        ("2026-10-25", {"zone": "Europe/Paris"}, "2026-10-26T00:00:00+01:00"),
        ("2026-03-29", {"zone": "Europe/Paris"}, "2026-03-30T00:00:00+02:00"),
        ("9999-12-31", {"zone": "Europe/Paris"}, Unfit()),
    ],
)
def end_of_day(format: str = "%Y-%m-%d", *, zone: str) -> Step:
    """The first moment after a calendar day in ``zone``; for a last day that still counts, as price lists name it."""
    return _day(format, zone, 1)


def _day(format: str, zone: str, later: int) -> Step:
    """The first moment of the day that is ``later`` days after the one that is written."""
    pattern, tz = _pattern(format), _zone(zone)

    def step(value: Any) -> datetime:
        match = pattern.fullmatch(a_text(value))
        if match is None:
            raise Unfit(f"{shown(value)} is not a day of the form {format}")
        try:
            midnight = _naive(match, value).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=later)
            # fold 0: of a midnight that comes twice the first; one that is skipped lands behind the gap.
            found = midnight.replace(tzinfo=tz).astimezone(UTC).astimezone(tz)
        except OverflowError:
            raise Unfit(f"{shown(value)} is outside the calendar") from None
        return found.replace(tzinfo=_fixed(cast("timedelta", found.utcoffset())))

    return step


def _pattern(format: str) -> re.Pattern[str]:
    """A strict expression for ``format``."""
    parts, at = [], 0
    for found in _DIRECTIVE.finditer(format):
        if found[0] not in _PARTS:
            raise BadArgument(f"{found[0]} is not a part of a time; there are {' '.join(_PARTS)}")
        parts += [re.escape(format[at : found.start()]), _PARTS[found[0]]]
        at = found.end()
    try:
        pattern = re.compile("".join(parts) + re.escape(format[at:]))
    except re.error:
        raise BadArgument(f"the form {shown(format)} holds a part twice") from None
    if not {"Y", "y"} & set(pattern.groupindex):
        raise BadArgument(f"the form {shown(format)} holds no %Y")
    return pattern


def _naive(match: re.Match[str], text: str) -> datetime:
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    year = int(found["Y"]) if "Y" in found else 2000 + int(found["y"])
    rest = [int(found.get(part, first)) for part, first in (("m", 1), ("d", 1), ("H", 0), ("M", 0), ("S", 0))]
    return _real(text, year, *rest, int(found.get("f", "0").ljust(6, "0")))


def _real(text: str, *parts: int) -> datetime:
    """The naive time of these parts, if the calendar has it."""
    try:
        return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001  (its zone follows)
    except ValueError as error:
        raise Unfit(f"{shown(text)} does not exist: {error}") from None


@lru_cache(maxsize=64)
def _fixed(offset: timedelta) -> timezone:
    return timezone(offset)


def _offset(text: str, shown_as: str) -> timedelta:
    if text in ("Z", "z"):
        return timedelta(0)
    hours, minutes = int(text[1:3]), int(text[-2:])
    offset = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or offset > _OFFSETS:
        raise Unfit(f"{shown(shown_as)} has an offset that no zone uses")
    return -offset if text[0] == "-" else offset


def _moment(naive: datetime, offset: timedelta, text: str) -> datetime:
    """``naive`` with ``offset``; one that UTC cannot express is refused."""
    try:
        naive - offset
    except OverflowError:
        raise Unfit(f"{shown(text)} is outside the calendar") from None
    return naive.replace(tzinfo=_fixed(offset))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadArgument(f"there is no time zone {shown(name)}") from None


def _local(zone: str) -> Callable[[datetime], datetime]:
    """Gives naive times of ``zone`` their offset."""
    tz = _zone(zone)

    def step(naive: datetime) -> datetime:
        # PEP 495: in a gap the offset before the change (fold 0) is the smaller one, in a fold the greater.
        first = cast("timedelta", naive.replace(tzinfo=tz).utcoffset())
        second = cast("timedelta", naive.replace(tzinfo=tz, fold=1).utcoffset())
        if first < second:
            raise Unfit(f"{naive:%Y-%m-%d %H:%M:%S} does not exist in {zone}: the clocks went forward over it")
        moment = _moment(naive, first, naive.isoformat())
        return moment.replace(tzinfo=tz) if first > second else moment  # the zone knows the other reading

    return step


def as_text(moment: datetime) -> str:
    """A moment as canonical data hold it."""
    return moment.isoformat()


def as_version(moment: datetime) -> str:
    """A moment as text whose alphabetical order is its order in time."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
