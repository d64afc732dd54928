"""A mapping: from one vendor's object to canonical records, by the rules of one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hub.mapping.emit import Program
from hub.mapping.guarded import Misfit, guarded
from hub.mapping.paths import ABSENT, Route, walk
from hub.mapping.registry import Unfit, shown
from hub.mapping.rules import Listed
from hub.model import Record, Refused

Find = Callable[[str, str], str | None]


def nothing_bound(object: str, external_id: str) -> str | None:
    """The resolver of a mapping that is tried without a hub: it knows no system's ids."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """One version of the rules for one object of one vendor.

    ``target`` is the canonical object; ``hash`` is over the file and everything that it names, so
    that two mappings with the same hash make the same of every record.
    """

    name: str
    version: int
    source_object: str
    target: str
    target_version: int
    key: tuple[str, ...]
    hash: str
    path: Path
    each: Route | Listed | None = None
    each_optional: bool = False
    places: MappingOf[str, str] = field(default_factory=dict, repr=False)  # field -> file:line of its rule
    lookups: MappingOf[str, MappingOf[str, Any]] = field(default_factory=dict, repr=False)  # its tables, by name
    program: Program = field(repr=False)

    @property
    def label(self) -> str:
        """As the audit names it: ``soap_erp.stock_level/1``."""
        return f"{self.name}/{self.version}"

    def map(self, record: Record, lookups: Find = nothing_bound) -> list[Record | Refused]:
        """The canonical records in ``record``; none where ``when`` does not hold.

        ``lookups(object, external id)`` answers our key of what a system calls by that id. What is
        refused keeps the vendor's object and the raw data; its key is the canonical one wherever
        that could be made, else the record's own. Nothing that ``record.data`` holds raises.
        """
        data = record.data
        try:
            if not isinstance(data, MappingOf):
                raise Misfit(0, "", f"{shown(data)} is not an object with fields")
            if not self.program.wanted(data, (), lookups):
                return []
            if self.each is None:
                return [self._one(record, data, (), lookups)] if self.program.item_wanted(data, (), lookups) else []
            items = self._items(data, self.each)
        except Misfit as refusal:
            return [_refused(record, record.key, refusal)]
        return list(self._each(record, items, lookups))

    def _items(self, data: MappingOf[str, Any], each: Route | Listed) -> Sequence[Any]:
        """What ``each`` goes through."""
        try:
            found = guarded(each.function)(data) if isinstance(each, Listed) else walk(data, each.parts)
        except Unfit as reason:
            raise Misfit(0, str(each), str(reason)) from None
        if self.each_optional and (found is ABSENT or found is None):
            return ()
        if found is ABSENT:
            raise Misfit(0, str(each), f'there is no field "{each}"')
        if not isinstance(found, list | tuple):
            raise Misfit(0, str(each), f"{shown(found)} is not a list")
        return found

    def _each(self, record: Record, items: Sequence[Any], lookups: Find) -> Iterator[Record | Refused]:
        up = (record.data,)
        for index, item in enumerate(items):
            place = f"{self.each}[{index}]"
            try:
                if not isinstance(item, MappingOf):
                    raise Misfit(0, "", f"{shown(item)} is not an object with fields")
                if self.program.item_wanted(item, up, lookups):
                    yield self._one(record, item, up, lookups, place)
            except Misfit as refusal:
                yield _refused(record, record.key, refusal.within(place))

    def _one(
        self, record: Record, raw: Any, up: tuple[Any, ...], lookups: Find, place: str | None = None
    ) -> Record | Refused:
        try:
            data, time, version = self.program.make(raw, up, lookups)
            key = self._key(data)
        except Misfit as refusal:
            found = refusal if place is None else refusal.within(place)
            return _refused(record, self._key_alone(raw, up, lookups) or record.key, found)
        return self._record(record, key, data, time, version)

    def _record(
        self, record: Record, key: str, data: dict[str, Any], time: datetime | None, version: str | int | None
    ) -> Record:
        """A rule that names no time or version leaves the one that the connector gave."""
        return Record(
            object=self.target,
            key=key,
            data=data,
            event_time=record.event_time if time is None else time,
            source_version=record.source_version if version is None else version,
            origin=record.origin,
        )

    def _key(self, data: MappingOf[str, Any]) -> str:
        """The business key, its parts joined with ``@``."""
        parts = []
        for name in self.key:
            part = data.get(name)
            if not isinstance(part, str | int) or isinstance(part, bool):
                raise Misfit(0, name, f"is {shown(part)}, and the key needs it")
            parts.append(str(part))
        return "@".join(parts)

    def _key_alone(self, raw: Any, up: tuple[Any, ...], lookups: Find) -> str | None:
        """The key of a record whose other fields do not fit."""
        try:
            return self._key(self.program.key(raw, up, lookups))
        except Misfit:
            return None


def _refused(record: Record, key: str | None, refusal: Misfit) -> Refused:
    return Refused(
        object=record.object,
        key=key,
        data=record.data,
        path=refusal.path,
        reason=refusal.reason,
        origin=record.origin,
    )
