"""From the bytes of a file to its scope and lines, or to the one place where its structure is broken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from connectors.sftp_files.lines import FIRST, FileLines, Heading
from connectors.sftp_files.options import Options
from hub.errors import Reject
from hub.model import Extent, Scope, Ticket
from hub.transport.redaction import quoted, redact
from hub.transport.times import local_time

_OTHER_DELIMITERS = ";,\t|"


class Broken(Reject):
    """The file as a whole cannot be trusted; ``line`` counts from 1, the path names the field."""

    def __init__(self, line: int, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A file whose structure holds."""

    scope: Scope
    lines: FileLines


def identity(name: str, as_of: str, digest: str) -> str:
    """Name, as-of and hash: the same three are the same snapshot (RETAIL.md, Stock)."""
    return f"{name}|{as_of}|{digest}"


def open_file(options: Options, name: str, raw: bytes) -> Opened:
    """Check the structure from both ends, then hand out the lines in between unread."""
    lines, ended = _split(options, raw)
    head = _fields(options, lines[0], options.header, 1, "header", ended or len(lines) > 1)
    columns = _columns(options, lines, ended)
    rows = _trailer(options, lines, ended)
    as_of = _as_of(options, head["as_of"])
    heading = Heading(
        name=name,
        columns=columns,
        series=head.get("series", "").strip(),
        as_of=head["as_of"],
        version=as_of.astimezone(UTC).isoformat(),
    )
    scope = Scope(
        extent=_extent(options, head["extent"]),
        series=heading.series,
        as_of=as_of,
        tickets=_tickets(head.get("tickets", "")),
        rows=rows,
        ended=bool(options.trailer),
        identity=identity(name, head["as_of"], sha256(raw).hexdigest()),
    )
    return Opened(scope=scope, lines=FileLines(options, heading, lines[2:-1] if options.trailer else lines[2:]))


def _split(options: Options, raw: bytes) -> tuple[list[str], bool]:
    """The lines, and whether the last one was ended; bytes that mean nothing become U+FFFD, to be found later."""
    if raw.startswith(b"\xef\xbb\xbf") and options.encoding != "utf-8":
        raise Broken(1, "", f"the file is UTF-8 with a byte order mark instead of {options.encoding}")
    # Not splitlines(): it breaks lines at characters that are text in some encodings.
    lines = raw.decode(options.encoding, "replace").replace("\r\n", "\n").split("\n")
    ended = lines[-1] == ""
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise Broken(1, "", "the file is empty")
    return lines, ended


def _fields(options: Options, text: str, layout: Sequence[str], line: int, what: str, ended: bool) -> dict[str, str]:
    """The values of a header or trailer by role."""
    fields = text.split(options.delimiter)
    if len(fields) == 1 and (other := _separated_by(text, options.delimiter, len(layout))):
        raise Broken(line, "", f"the fields are separated by {other!r} instead of {options.delimiter!r}")
    first = layout[0].removeprefix("=")
    if layout[0].startswith("=") and fields[0].strip() != first:
        raise Broken(
            line, "", f"the {what} is missing: line {line} begins with {quoted(fields[0])} instead of {first!r}"
        )
    if len(fields) != len(layout):
        if not ended:
            raise Broken(line, "", f"the file is cut in the middle of line {line}")
        raise Broken(line, "", f"the {what} has {len(fields)} fields instead of {len(layout)}")
    if not text.isprintable() or "\ufffd" in text:
        raise Broken(line, "", f"the {what} holds bytes that are not text in {options.encoding}")
    for number, (field, role) in enumerate(zip(fields, layout, strict=True), 1):
        if role.startswith("=") and field.strip() != role[1:]:
            raise Broken(line, f"field {number}", f"the {what} says {quoted(field)} instead of {role[1:]!r}")
    return {role: field for role, field in zip(layout, fields, strict=True) if not role.startswith("=")}


def _separated_by(text: str, delimiter: str, fields: int) -> str | None:
    others = [char for char in _OTHER_DELIMITERS if char != delimiter and text.count(char) >= min(fields, 2) - 1]
    return max(others, key=text.count) if others else None


def _columns(options: Options, lines: Sequence[str], ended: bool) -> tuple[str, ...]:
    if len(lines) < 2:
        raise Broken(1, "", "the file ends after line 1" if ended else "the file is cut in the middle of line 1")
    found = tuple(name.strip() for name in lines[1].split(options.delimiter))
    if len(found) == 1 and (other := _separated_by(lines[1], options.delimiter, len(options.columns))):
        raise Broken(2, "", f"the fields are separated by {other!r} instead of {options.delimiter!r}")
    if len(lines) == 2 and not ended:
        raise Broken(2, "", "the file is cut in the middle of line 2")
    for name in found:
        if name not in options.columns or found.count(name) > 1:
            word = "twice" if name in options.columns else "unknown"
            raise Broken(
                2, redact(name)[:40], f"the column {quoted(name)} is {word}; expected are {', '.join(options.columns)}"
            )
    if missing := [name for name in options.columns if name not in found]:
        raise Broken(2, missing[0], f"the column {missing[0]!r} is missing")
    return found


def _trailer(options: Options, lines: Sequence[str], ended: bool) -> int | None:
    """The rows that the trailer states, which must be there and agree."""
    if not options.trailer:
        return None
    last, text = len(lines), lines[-1]
    mark = options.trailer[0].removeprefix("=")
    if last < FIRST or text.split(options.delimiter)[0].strip() != mark:
        if ended:
            raise Broken(last, "", f"the trailer is missing: the file ends after line {last}")
        raise Broken(last, "", f"the file is cut in the middle of line {last}")
    stated = _fields(options, text, options.trailer, last, "trailer", ended).get("rows")
    if stated is None:
        return None
    if not re.fullmatch(r"\d{1,12}", stated.strip(), re.ASCII):
        raise Broken(last, "rows", f"the trailer's line count {quoted(stated)} is not a number")
    if int(stated) != last - FIRST:
        raise Broken(last, "rows", f"the trailer says {int(stated)} lines, there are {last - FIRST}")
    return int(stated)


def _extent(options: Options, text: str) -> Extent:
    if text.strip() not in options.extents:
        raise Broken(1, "extent", f"{quoted(text)} is none of {', '.join(options.extents)}")
    return options.extents[text.strip()]


def _as_of(options: Options, text: str) -> datetime:
    """With the zone's offset; of an hour that occurs twice, the earlier reading."""
    try:
        return local_time(text, options.as_of_format, options.zone)
    except ValueError as error:
        raise Broken(1, "as_of", str(error)) from None


def _tickets(text: str) -> dict[str, Ticket]:
    """``till:yyyymmdd:sequence``, separated by commas."""
    tickets: dict[str, Ticket] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"([^:]{1,32}):(\d{8}):(\d{1,12})", part, re.ASCII)
        try:
            day = datetime.strptime(match[2], "%Y%m%d").date() if match else None  # noqa: DTZ007  (a business day)
        except ValueError:
            day = None
        if match is None or day is None:
            raise Broken(1, "tickets", f"{quoted(part)} is not till:yyyymmdd:sequence")
        tickets[match[1]] = Ticket(business_day=day.isoformat(), sequence=int(match[3]))
    return tickets
