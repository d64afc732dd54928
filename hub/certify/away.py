"""Put away: what waits for a person, with a reason, is neither lost nor doubled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from hub.certify.played import Played

COUPON = "the coupon "  # begins what only a person can decide of a whole order
QUARANTINED = "is in quarantine"  # said of the system whose word a product lacks
NOT_TOLD = " cannot be told: "  # follows the name of a parcel or a return that fits no line of its order


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAway:
    """By key: what is in quarantine, and for what each of the others waits."""

    refused: frozenset[str] = frozenset()
    waiting: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.refused | self.waiting.keys())

    def __contains__(self, key: object) -> bool:
        return key in self.refused or key in self.waiting

    def stopped(self, key: str) -> bool:
        """Whether all of ``key`` stands still for a record in quarantine: its own, or one that it cannot do without."""
        return key in self.refused or any(QUARANTINED in reason for reason in self.waiting.get(key, ()))

    def told(self, key: str, about: str) -> bool:
        """Whether a person was told why ``about``, which belongs to the order ``key``, is not at the other side.

        That the hub still waits, for a payment or for the order itself, tells nobody anything.
        """
        reasons = self.waiting.get(key, ())
        return key in self.refused or any(
            reason.startswith(COUPON) or (NOT_TOLD in reason and about in reason.partition(NOT_TOLD)[0])
            for reason in reasons
        )


def put_away(played: Played) -> PutAway:
    """What the journal says."""
    with psycopg.connect(played.dsn) as journal:
        refused = journal.execute("SELECT DISTINCT key FROM quarantine WHERE state = 'open' AND key IS NOT NULL")
        waiting: dict[str, list[str]] = {}
        for subject, reasons in journal.execute("SELECT subject, reasons FROM waiting"):
            waiting.setdefault(subject, []).extend(reasons)
        return PutAway(refused=frozenset(key for (key,) in refused), waiting=waiting)
