"""A mapping's cases: what is given and what is expected, in a file beside it that a business analyst can read.

    - name: a warehouse row as the ERP pads it
      given: {ITMREF: "  ts0001-m-blu ", STOFCY: FR001, QTYSTU: "12.000"}
      expect: {sku: TS0001-M-BLU, location: WH1, on_hand: 12}
    - name: half a piece
      given: {ITMREF: TS0001-M-BLU, STOFCY: FR001, QTYSTU: "1,5"}
      rejects: {path: QTYSTU, reason: not a whole number}

``expect`` is a list where one record makes several; an item of it may be ``{rejects: …}``. ``key``,
``event_time`` and ``source_version`` are compared where a case gives them, and ``bindings``
(``{location: {"123": ST01}}``) stands for what the hub would know. ``reason`` may be a part of the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hub.errors import ConfigError
from hub.mapping.arguments import close
from hub.mapping.mapping import Mapping
from hub.marked import Document, read
from hub.model import Origin, Record, Refused

KEYS = ("name", "given", "expect", "rejects", "key", "event_time", "source_version", "bindings")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """How one case went; ``message`` says what differs, and ``made`` is what the mapping answered."""

    mapping: str
    name: str
    place: str
    ok: bool
    message: str = ""
    made: tuple[Record | Refused, ...] = ()


def cases_path(mapping: Mapping) -> Path:
    """Where the cases of ``mapping`` stand."""
    return mapping.path.with_suffix(".cases.yaml")


def run_cases(mapping: Mapping) -> list[CaseResult]:
    """Every case of ``mapping``, in the order of the file; none where there is no file."""
    path = cases_path(mapping)
    if not path.exists():
        return []
    document = read(path, f"{path.parent.name}/{path.name}")
    if not isinstance(document.value, list):
        raise ConfigError("cases are a list", document.place())
    return [
        _run(mapping, _checked(case, index, document), document.place(index))
        for index, case in enumerate(document.value)
    ]


def _checked(case: Any, index: int, document: Document) -> MappingOf[str, Any]:
    if not isinstance(case, dict):
        raise ConfigError("a case has a name, given, and expect or rejects", document.place(index))
    for name in case:
        if name not in KEYS:
            raise ConfigError(f'"{name}" means nothing in a case{close(name, KEYS)}', document.place(index, name))
    if "name" not in case or "given" not in case or ("expect" in case) == ("rejects" in case):
        raise ConfigError("a case has a name, given, and either expect or rejects", document.place(index))
    return case


def _run(mapping: Mapping, case: MappingOf[str, Any], place: str) -> CaseResult:
    bindings = case.get("bindings") or {}
    record = Record(object=mapping.source_object, key="case", data=case["given"], origin=Origin(source=place))
    made = mapping.map(record, lambda object, external: bindings.get(object, {}).get(external))
    message = _difference(case, made)
    return CaseResult(
        mapping=mapping.label, name=str(case["name"]), place=place, ok=not message, message=message, made=tuple(made)
    )


def _difference(case: MappingOf[str, Any], made: list[Record | Refused]) -> str:
    """What differs first; empty when nothing does."""
    expected = [{"rejects": case["rejects"]}] if "rejects" in case else case["expect"]
    expected = expected if isinstance(expected, list) else [expected]
    if len(expected) != len(made):
        return f"{len(made)} records came out instead of {len(expected)}: {[_seen(m) for m in made]}"
    for wanted, got in zip(expected, made, strict=True):
        if message := _one(wanted, got):
            return message
    return _beside(case, [m for m in made if isinstance(m, Record)])


def _one(wanted: Any, got: Record | Refused) -> str:
    if set(wanted) == {"rejects"}:
        wanted = wanted["rejects"]
        if isinstance(got, Record):
            return f"nothing was refused; {_seen(got)} came out"
        if got.path != wanted.get("path") or str(wanted.get("reason", "")) not in got.reason:
            return f"refused at {got.path}: {got.reason}; expected {wanted.get('path')}: {wanted.get('reason')}"
        return ""
    if isinstance(got, Refused):
        return f"refused at {got.path}: {got.reason}"
    differing = [name for name in {**wanted, **got.data} if not _same(wanted, got.data, name)]
    return "; ".join(f"{n} is {got.data.get(n, 'absent')!r}, expected {wanted.get(n, 'absent')!r}" for n in differing)


def _same(wanted: MappingOf[str, Any], got: MappingOf[str, Any], name: str) -> bool:
    """Absent, null and zero differ, and so do 1 and true."""
    return (name in wanted) == (name in got) and repr(wanted.get(name)) == repr(got.get(name))


def _beside(case: MappingOf[str, Any], made: list[Record]) -> str:
    """The key, event time and source version, where the case gives them."""
    for name in ("key", "event_time", "source_version"):
        if name not in case:
            continue
        wanted = case[name] if isinstance(case[name], list) else [case[name]]
        got = [getattr(record, name) for record in made]
        if wanted != [value.isoformat() if isinstance(value, datetime) else value for value in got]:
            return f"{name} is {[str(value) for value in got]}, expected {wanted}"
    return ""


def _seen(made: Record | Refused) -> str:
    return f"refused at {made.path}: {made.reason}" if isinstance(made, Refused) else f"{made.key}: {dict(made.data)}"
