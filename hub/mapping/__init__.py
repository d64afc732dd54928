"""From a vendor's words to canonical ones, by rules in YAML that compile once to plain functions."""

from __future__ import annotations

# Imported for what they register: the functions that a mapping may name.
from hub.mapping import codes, numbers, scoped, text, times  # noqa: F401
from hub.mapping.cases import CaseResult, cases_path, run_cases
from hub.mapping.load import load, load_folder
from hub.mapping.mapping import Mapping, nothing_bound
from hub.mapping.registry import FUNCTIONS, Function

__all__ = [
    "FUNCTIONS",
    "CaseResult",
    "Function",
    "Mapping",
    "cases_path",
    "load",
    "load_folder",
    "nothing_bound",
    "run_cases",
]
