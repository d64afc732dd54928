"""What a stock snapshot contains: whether a movement is in its numbers already, comes on top, or is late.

A ticket sequence proves more than a clock: where the snapshot names the last ticket of a movement's
till, the till's own count decides and its clock may be wrong by hours. Otherwise the times decide,
and a movement that happened before the as-of but was recorded after it is *late*: nobody can know
whether the people who counted saw it, so the flow's ``late_events`` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from hub.model import Ticket

LatePolicy = Literal["apply", "ignore", "hold"]


class Cover(StrEnum):
    CONTAINED = "contained"  # in the snapshot's numbers already
    ON_TOP = "on top"  # happened after it: applied again
    LATE = "late"  # before it by its own time, and not provably in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a snapshot vouches for: everything up to ``as_of``, and each till up to its last ticket."""

    as_of: datetime
    tickets: Mapping[str, Ticket] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TillTicket:
    """Where a movement stands in its till's own count."""

    till: str
    ticket: Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Signed pieces at one location: ``occurred_at`` by the till's clock, ``recorded_at`` by its server's."""

    id: str
    delta: int
    occurred_at: datetime
    recorded_at: datetime
    ticket: TillTicket | None = None


def cover(movement: Movement, snapshot: Coverage) -> Cover:
    """Whether ``snapshot`` contains ``movement``."""
    last = snapshot.tickets.get(movement.ticket.till) if movement.ticket else None
    if movement.ticket and last:
        mine = movement.ticket.ticket
        contained = (mine.business_day, mine.sequence) <= (last.business_day, last.sequence)
        return Cover.CONTAINED if contained else Cover.ON_TOP
    if movement.occurred_at > snapshot.as_of:
        return Cover.ON_TOP
    return Cover.CONTAINED if movement.recorded_at <= snapshot.as_of else Cover.LATE
