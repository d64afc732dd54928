"""Every case beside every mapping of the project, and what comes out is what its schema says."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.mapping import CaseResult, Mapping, cases_path, load_folder, run_cases
from hub.model import Record
from hub.schemas import Schemas

ROOT = Path(__file__).parents[2]
MAPPINGS = [mapping for folder in sorted((ROOT / "mappings").iterdir()) for mapping in load_folder(folder)]
CASES = [(mapping, case) for mapping in MAPPINGS for case in run_cases(mapping)]


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return Schemas(ROOT / "canonical_schemas")


@pytest.mark.parametrize("case", [c for _, c in CASES], ids=[f"{m.label}: {c.name}" for m, c in CASES])
def test_the_case_comes_out_as_expected(case: CaseResult) -> None:
    assert case.ok, f"{case.place}: {case.message}"


@pytest.mark.parametrize("mapping", MAPPINGS, ids=lambda m: m.label)
def test_every_mapping_has_cases_that_map_and_cases_that_refuse(mapping: Mapping) -> None:
    made = [record for case in run_cases(mapping) for record in case.made]
    assert any(isinstance(record, Record) for record in made), f"{cases_path(mapping)} holds nothing that maps"
    assert not all(isinstance(record, Record) for record in made), f"{cases_path(mapping)} holds nothing refused"


@pytest.mark.parametrize("mapping", MAPPINGS, ids=lambda m: m.label)
def test_what_a_mapping_makes_fits_its_canonical_schema(mapping: Mapping, schemas: Schemas) -> None:
    for case in run_cases(mapping):
        for record in case.made:
            if isinstance(record, Record):
                found = schemas.validate(record.object, record.data, mapping.target_version)
                assert found is None, f"{case.place}: {found}"
