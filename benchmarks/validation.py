"""Is it a stock level? jsonschema-rs behind our own check, against jsonschema, the reference implementation."""

from __future__ import annotations

from typing import Any

from benchmarks.mapping import FOLDER, records
from benchmarks.race import Comparison, race
from hub.mapping import load
from hub.schemas import Schemas

RECORDS = 50_000
REFERENCE_RECORDS = 2_000  # of the same kind; more would only take longer


def levels(count: int) -> list[dict[str, Any]]:
    mapping = load(FOLDER / "stock_level.v1.yaml")
    return [dict(made.data) for row in records(count) for made in mapping.map(row)]


def compare() -> Comparison:
    schema = Schemas(FOLDER.parents[1] / "canonical_schemas").get("stock_level")
    many = levels(RECORDS)
    few = many[:REFERENCE_RECORDS]
    wrong = [{**level, "on_hand": "1"} for level in few]
    if not all(schema.validate(level) is None and schema.reference.is_valid(level) for level in few):
        raise AssertionError("a level is refused")
    if any(schema.validate(level) is None or schema.reference.is_valid(level) for level in wrong):
        raise AssertionError("a wrong level is accepted")
    ways = {
        "hub.schemas (jsonschema-rs)": (RECORDS, lambda: [schema.validate(level) for level in many]),
        "jsonschema-rs alone": (RECORDS, lambda: [schema.accepts(level) for level in many]),
        "jsonschema": (REFERENCE_RECORDS, lambda: [schema.reference.is_valid(level) for level in few]),
    }
    return race("Validating stock levels", ways)
