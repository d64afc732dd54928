"""Guards: a truncated or absurd snapshot must not empty the shop, so a person decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A snapshot beside what it would replace."""

    rows: int
    rows_before: int | None  # of the last accepted complete snapshot; None where there is none or it is no measure
    positive_before: int
    to_zero: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Largest shares that pass; changes of fewer than ``at_least`` lines always do."""

    fewer_rows: float | None
    to_zero: float | None
    at_least: int = 10


def objection(found: Measured, limits: Limits) -> str | None:
    """Why a snapshot is held, as a sentence with the numbers, or None."""
    if limits.fewer_rows is not None and found.rows_before:
        fewer = found.rows_before - found.rows
        if fewer >= limits.at_least and fewer / found.rows_before > limits.fewer_rows:
            return (
                f"{found.rows:,} lines, {fewer / found.rows_before:.0%} fewer than the {found.rows_before:,} "
                f"of the last accepted snapshot (guard fewer_rows: {limits.fewer_rows:.0%})"
            )
    if limits.to_zero is not None and found.positive_before:
        share = found.to_zero / found.positive_before
        if found.to_zero >= limits.at_least and share > limits.to_zero:
            return (
                f"{found.to_zero:,} of {found.positive_before:,} articles in stock fall to 0, {share:.0%} "
                f"(guard to_zero: {limits.to_zero:.0%})"
            )
    return None


def falls_to_zero(changes: Iterable[tuple[dict[str, Any] | None, dict[str, Any]]], field: str) -> int:
    """How many of (before, after) go from something to nothing."""
    return sum(1 for before, after in changes if before and before[field] > 0 >= after[field])
