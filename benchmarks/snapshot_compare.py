"""A nightly file of which 2% changed: comparing raw lines and mapping what differs, against mapping every line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.race import Comparison, race
from benchmarks.stock_files import changed, stock_file, stock_lines
from connectors.sftp_files.layout import Opened, open_file
from connectors.sftp_files.options import Options
from hub.flow.compare import compare as compare_lines
from hub.mapping import load
from hub.model import Record, Refused
from hub.schemas import Schemas

LINES = 200_000
CHANGED = 0.02
PROJECT = Path(__file__).resolve().parents[1]


class Night:
    """Two nights' files of one store, and the ways to find what the second one changed."""

    def __init__(self, lines: int = LINES) -> None:
        self.options = Options.model_validate({"folder": "/out/stock", "archive": "/archive/stock"})
        self.mapping = load(PROJECT / "mappings" / "sftp_files" / "stock_level.v1.yaml")
        self.schema = Schemas(PROJECT / "canonical_schemas").get("stock_level")
        before = stock_lines(lines)
        self.before = stock_file(before, "20261120223000")
        self.after = stock_file(changed(before, CHANGED), "20261121223000")
        self.known = dict(self.mapped(self.open(self.before).lines))

    def open(self, raw: bytes) -> Opened:
        return open_file(self.options, "STOCK_0001_C.csv", raw)

    def mapped(self, records: Iterable[Record | Refused]) -> list[tuple[str, dict[str, Any]]]:
        """Canonical key and data of every record, validated."""
        made = [self.mapping.map(record)[0] for record in records if isinstance(record, Record)]
        return [
            (record.key, dict(record.data))
            for record in made
            if isinstance(record, Record) and self.schema.validate(record.data) is None
        ]

    def by_lines(self) -> dict[str, dict[str, Any]]:
        """The engine's way: both files as raw lines, then the mapping for those that differ."""
        new, old = self.open(self.after).lines, self.open(self.before).lines
        return dict(self.mapped(new[n] for n in compare_lines(new, old, ()).to_map))

    def by_mapping(self) -> dict[str, dict[str, Any]]:
        """The plain way: map every line, then compare with what is known (kept in memory, at no cost)."""
        found = self.mapped(self.open(self.after).lines)
        return {key: data for key, data in found if self.known.get(key) != data}


def compare() -> Comparison:
    night = Night()
    if night.by_lines() != night.by_mapping():
        raise AssertionError("the two ways do not find the same changes")
    ways = {"raw lines, then map 2%": (LINES, night.by_lines), "map every line": (LINES, night.by_mapping)}
    return race(f"A snapshot of {LINES:,} lines, {CHANGED:.0%} changed", ways, rounds=2)
