"""The verdict: what the targets hold and were told, against what the sources say, computed beside the hub.

    lost           a source says it, and the target does not hold it; or it was pushed, and nobody kept it
    doubled        a target holds it twice, or was told twice and took it twice; or nobody ever said it
    out of order   a target took an older value of something after a newer one

What the hub put away for a person, with a reason, is neither lost nor doubled: it is counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.certify import generations, goods, orders, pushes
from hub.certify.away import put_away

if TYPE_CHECKING:
    from hub.certify.played import Played

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Cases as sentences; ``compared`` counts what was held against its source, by what it is."""

    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    out_of_order: tuple[str, ...] = ()
    compared: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0  # put away for a person, with a reason

    @property
    def ok(self) -> bool:
        return not (self.lost or self.doubled or self.out_of_order)

    @property
    def cases(self) -> list[str]:
        """The first of each kind, for a person."""
        kinds = (("lost", self.lost), ("doubled", self.doubled), ("out of order", self.out_of_order))
        return [f"{name}: {case}" for name, cases in kinds for case in cases[:SHOWN]]


def verdict(played: Played) -> Verdict:
    """Everything compared; the hub must have settled."""
    away = put_away(played)
    compared: Counter[str] = Counter()
    lost: list[str] = []
    doubled: list[str] = []
    for kind, case in (*goods.cases(played, away, compared), *orders.cases(played, away, compared)):
        (doubled if kind == "doubled" else lost).append(case)
    lost += pushes.cases(played, compared)
    disorder = list(generations.out_of_order(played, compared))
    return Verdict(
        lost=tuple(lost), doubled=tuple(doubled), out_of_order=tuple(disorder), compared=dict(compared),
        waiting=len(away),
    )  # fmt: skip
