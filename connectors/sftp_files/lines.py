"""The lines of one file: raw until somebody asks for one, so that a million of them compare in a second."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from connectors.sftp_files.options import Options
from hub.model import Origin, Record, Refused

OBJECT = "stock_file"
FIRST = 3  # line 1 is the header, line 2 names the columns
# What decoding puts where bytes mean nothing, and the one character that no database keeps.
_UNREADABLE = re.compile("[\ufffd\x00]")
_LONGEST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What a line takes from the top of its file."""

    name: str
    columns: tuple[str, ...]
    series: str
    as_of: str  # as it stands in the header
    version: str  # the same in UTC, so that two files of one series can be ordered


class FileLines:
    """Records that are still lines; satisfies :class:`hub.model.Lines`."""

    def __init__(self, options: Options, heading: Heading, texts: Sequence[str]) -> None:
        self.options = options
        self.heading = heading
        self._lines = texts
        self._key_at = [heading.columns.index(name) for name in options.key]

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Record | Refused]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Record | Refused:
        """The record of a line, or why that line alone is refused."""
        text = self._lines[index]
        fields = text.split(self.options.delimiter)
        if fault := self._fault(text, fields):
            return self._refused(index, text, *fault)
        return Record(
            object=OBJECT,
            key=self._key(fields, text),
            data=self._data(fields),
            source_version=self.heading.version,
            origin=Origin(source=self.heading.name, line=index + FIRST),
        )

    def keys(self) -> Sequence[str]:
        """The lines' keys, trimmed and in upper case: stores type codes as they please."""
        return self._keys

    def texts(self) -> Sequence[str]:
        """The lines without their volatile columns."""
        return self._texts

    @cached_property
    def _keys(self) -> list[str]:
        delimiter, upto = self.options.delimiter, max(self._key_at) + 1
        if self._key_at == [0, 1]:  # the usual case, spelt out because it runs a million times
            parts = (text.split(delimiter, 2) for text in self._lines)
            return [
                f"{part[0].strip()}|{part[1].strip()}".upper() if len(part) > 1 else "!" + part[0] for part in parts
            ]
        return [self._key(text.split(delimiter, upto), text) for text in self._lines]

    @cached_property
    def _texts(self) -> Sequence[str]:
        kept = [n for n, name in enumerate(self.heading.columns) if name not in self.options.volatile]
        if len(kept) == len(self.heading.columns):
            return self._lines
        return [self._without_volatile(text, kept) for text in self._lines]

    def _without_volatile(self, text: str, kept: list[int]) -> str:
        fields = text.split(self.options.delimiter)
        whole = len(fields) == len(self.heading.columns)
        return self.options.delimiter.join(fields[n] for n in kept) if whole else text

    def _key(self, fields: Sequence[str], text: str) -> str:
        """Also of a line with too few or too many fields, as long as its first ones are there:
        a key that is known to be in the file is not missing from it.
        """
        if len(fields) <= max(self._key_at):
            return "!" + text
        return "|".join(fields[n].strip() for n in self._key_at).upper()

    def _data(self, fields: Sequence[str]) -> Mapping[str, str]:
        data = {"AS_OF": self.heading.as_of, **dict(zip(self.heading.columns, fields, strict=True))}
        if self.options.series_column is None:
            data["SERIES"] = self.heading.series
        return data

    def _fault(self, text: str, fields: Sequence[str]) -> tuple[str, str] | None:
        """Field and reason where the line cannot be read."""
        expected, found = len(self.heading.columns), len(fields)
        if found != expected:
            return "", f"the line has {found} fields instead of {expected}"
        if _UNREADABLE.search(text):
            bad = [name for name, field in zip(self.heading.columns, fields, strict=True) if _UNREADABLE.search(field)]
            return bad[0], f"holds bytes that are not text in {self.options.encoding}"
        column = self.options.series_column or ""
        if column and (said := fields[self.heading.columns.index(column)].strip()) != self.heading.series:
            return column, f"the line is of {said!r} in a file of {self.heading.series}"
        return None

    def _refused(self, index: int, text: str, path: str, reason: str) -> Refused:
        key = self.keys()[index]
        return Refused(
            object=OBJECT,
            key=None if key.startswith("!") or _UNREADABLE.search(key) else key,
            data={"line": text[:_LONGEST].replace("\x00", "\ufffd")},
            path=path,
            reason=reason,
            origin=Origin(source=self.heading.name, line=index + FIRST),
        )
