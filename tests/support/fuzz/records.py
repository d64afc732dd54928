"""Records of every vendor object, through its mappings and the schema, as intake does it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from support.fuzz.target import Target
from support.fuzz.values import EDITS, HOSTILE, as_json, mutated

from hub.mapping import Mapping as Rules
from hub.mapping import load_folder
from hub.mapping.cases import cases_path
from hub.marked import read
from hub.model import Origin, Record, Refused
from hub.retail.checks import CHECKS
from hub.schemas import Schemas
from hub.transport.http import parse_json

ROOT = Path(__file__).resolve().parents[3]
VENDORS = tuple(sorted(folder.name for folder in (ROOT / "mappings").iterdir()))
LATEST = datetime(9999, 12, 31, tzinfo=UTC)


@cache
def rules(vendor: str) -> tuple[Rules, ...]:
    return tuple(load_folder(ROOT / "mappings" / vendor))


@cache
def schemas() -> Schemas:
    return Schemas(ROOT / "canonical_schemas")


@cache
def samples(vendor: str) -> tuple[tuple[str, Any], ...]:
    """Every record that a case of the vendor's mappings gives, with its object."""
    return tuple(
        (mapping.source_object, case["given"])
        for mapping in rules(vendor)
        for case in read(cases_path(mapping)).value
        if isinstance(case["given"], dict)
    )


def known(object: str, external_id: str) -> str | None:
    """A hub that knows the ids of half of what it is told."""
    return "ST01" if object == "location" else "TS0001-M-BLU" if len(external_id) % 2 else None


def mapped(vendor: str, records: Iterable[Record | Refused]) -> None:
    """Map and validate; what is accepted can be stored, and what is refused says why."""
    for record in records:
        assert record.origin.source
        if isinstance(record, Refused):
            assert record.reason
            continue
        for mapping in rules(vendor):
            if mapping.source_object == record.object:
                for made in mapping.map(record, known):
                    judged(mapping, made)


def judged(mapping: Rules, made: Record | Refused) -> None:
    """A record that every judge lets through is one that PostgreSQL and JSON can hold."""
    if isinstance(made, Refused):
        assert made.reason
        return
    if schemas().validate(mapping.target, made.data) or (CHECKS.get(mapping.target) or _nothing)(made.data):
        return
    text = json.dumps({"key": made.key, "data": made.data}, ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text
    assert made.event_time is None or made.event_time.astimezone(UTC) < LATEST
    assert isinstance(made.source_version, str | int | None)


def _nothing(_: Mapping[str, Any]) -> None:
    return None


def _take(vendor: str) -> Any:
    def take(given: tuple[int, Any, Any]) -> None:
        number, edits, whole = given
        object, sample = samples(vendor)[number % len(samples(vendor))]
        data = parse_json(as_json(mutated(sample, edits) if whole is None else whole), "an answer")
        mapped(vendor, [Record(object=object, key="k", data=data, origin=Origin(source="an answer", line=1))])

    return take


INPUTS = st.tuples(st.integers(0, 100), EDITS, st.none() | st.none() | st.none() | HOSTILE)
TARGETS = [Target(name=f"mapping {vendor}", inputs=INPUTS, take=_take(vendor), share=6) for vendor in VENDORS]
