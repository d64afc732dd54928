"""Explained: why what a target should hold is not what its source says; by reason, since a rule concerns thousands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.flow.causes import Cause, Difference
from hub.journal import agreement, held

if TYPE_CHECKING:
    from hub.flow.engine import Engine

STOCK = "stock_level"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A reason for which ``keys`` values of a target differ from the word of their source; ``example`` is one."""

    target: str
    object: str
    cause: Cause
    detail: str
    keys: int
    example: str


def of(engine: Engine, target: str, object: str) -> list[Explained]:
    """The reasons at one target, the most frequent first; a key may have several.

    Of stock, whose rules take pieces away. Prices that differ by scope are told article by article.
    """
    if object != STOCK:
        return []
    rows = agreement.departures(engine.journal, target, object)
    return [
        Explained(target=target, object=object, cause=Cause(cause), detail=detail, keys=keys, example=example)
        for cause, detail, keys, example in rows
    ]


def held_of(engine: Engine, flow: str, sources: Sequence[str]) -> list[Difference]:
    """What sources of ``flow`` said and a guard keeps from everybody until a person decides."""
    rows = [row for row in held.listing(engine.journal) if row["flow"] == flow and row["system"] in sources]
    return [
        Difference(
            system=row["system"], object=row["object"], key=row["series"] or row["source"], subject="",
            cause=Cause.GUARD, detail=f"{row['plan']}; {row['reason']} (hub held show {row['id']})",
        )
        for row in rows
    ]  # fmt: skip
