"""The price in force: what one piece of an article costs at a moment, for a channel, place, group and quantity.

    regular     the most precise scope counts; of equal ones the entry that came into force last
    promotion   a reduction from it while it lasts: the highest priority, then the lowest amount

Site before customer group, group before quantity, quantity before channel, channel before country,
country before list: that is how precise a scope is. A promotion that is not below the regular price
reduces nothing and never makes anybody pay more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import combinations
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Who asks for a price: a channel in general, or one of its stores, a customer group, a quantity."""

    currency: str
    channel: str | None = None
    country: str | None = None
    list: str | None = None  # the price list that the channel follows; None: any
    location: str | None = None
    group: str | None = None
    quantity: int = 1
    tax_included: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """For whom an entry counts; None counts for all, an empty set for nobody."""

    channels: frozenset[str] | None = None
    countries: frozenset[str] | None = None
    list: str | None = None
    locations: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    min_quantity: int = 1

    def admits(self, where: Situation) -> bool:
        """Whether it speaks of ``where``."""
        return (
            (self.channels is None or where.channel in self.channels)
            and (self.countries is None or where.country in self.countries)
            and (self.list is None or where.list in (None, self.list))
            and (self.locations is None or where.location in self.locations)
            and (self.groups is None or where.group in self.groups)
            and where.quantity >= self.min_quantity
        )

    @property
    def precision(self) -> tuple[bool, bool, int, bool, bool, bool]:
        """How precisely it speaks, for comparison."""
        return (
            self.locations is not None,
            self.groups is not None,
            self.min_quantity,
            self.channels is not None,
            self.countries is not None,
            self.list is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a price list or one promotion, valid in ``[valid_from, valid_until)``."""

    id: str
    kind: Literal["regular", "promotion"]
    amount: Decimal
    currency: str
    tax_included: bool
    valid_from: datetime
    valid_until: datetime | None = None  # None: until further notice
    priority: int = 0
    scope: Scope = Scope()

    def counts_at(self, moment: datetime) -> bool:
        return self.valid_from <= moment and (self.valid_until is None or moment < self.valid_until)

    def admits(self, where: Situation) -> bool:
        """An amount in another currency, or with the tax where the channel's has none, is no price of the channel."""
        return (self.currency, self.tax_included) == (where.currency, where.tax_included) and self.scope.admits(where)

    def moments(self) -> Iterator[datetime]:
        """When it starts and when it ends."""
        yield self.valid_from
        if self.valid_until is not None:
            yield self.valid_until


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A price and where it comes from."""

    amount: Decimal
    regular: Entry | None
    promotion: Entry | None
    reduced_since: datetime | None  # when the reduction began, through however many promotions without a gap
    due: datetime | None  # the next moment at which an entry starts or ends

    @property
    def compare_at(self) -> Decimal | None:
        """The regular price, while a promotion counts."""
        return self.regular.amount if self.promotion and self.regular else None


def entry_of(data: Mapping[str, Any]) -> Entry:
    """A canonical ``price`` as an entry; withdrawn ones are the caller's to leave out."""
    until = data.get("valid_until")
    return Entry(
        id=data["entry"],
        kind=data["kind"],
        amount=Decimal(data["amount"]),
        currency=data["currency"],
        tax_included=data["tax_included"],
        valid_from=datetime.fromisoformat(data["valid_from"]),
        valid_until=datetime.fromisoformat(until) if until else None,
        priority=data.get("priority", 0),
        scope=_scope_of(data.get("scope", {})),
    )


def _scope_of(data: Mapping[str, Any]) -> Scope:
    sets = {name: frozenset(data[name]) for name in ("channels", "countries", "locations", "groups") if name in data}
    return Scope(list=data.get("list"), min_quantity=data.get("min_quantity", 1), **sets)


def price_in_force(entries: Iterable[Entry], where: Situation, now: datetime) -> InForce | None:
    """What one piece costs at ``now``; None where no entry speaks of it (see :func:`next_moment` for when one will)."""
    spoken = [e for e in entries if e.admits(where)]
    regular, promotion = _at(spoken, now)
    counts = promotion or regular
    if counts is None:
        return None
    return InForce(
        amount=counts.amount,
        regular=regular,
        promotion=promotion,
        reduced_since=_reduced_since(spoken, now) if promotion else None,
        due=next_moment(spoken, where, now),
    )


def next_moment(entries: Iterable[Entry], where: Situation, now: datetime) -> datetime | None:
    """The first moment after ``now`` at which an entry that speaks of ``where`` starts or ends."""
    return min((m for e in entries if e.admits(where) for m in e.moments() if m > now), default=None)


def _at(spoken: Sequence[Entry], moment: datetime) -> tuple[Entry | None, Entry | None]:
    """The regular price at ``moment`` and the promotion that reduces it."""
    there = [e for e in spoken if e.counts_at(moment)]
    regular = max(
        (e for e in there if e.kind == "regular"), key=lambda e: (e.scope.precision, e.valid_from, e.id), default=None
    )
    reductions = [e for e in there if e.kind == "promotion" and (regular is None or e.amount < regular.amount)]
    return regular, min(reductions, key=lambda e: (-e.priority, e.amount, e.id), default=None)


def _reduced_since(spoken: Sequence[Entry], now: datetime) -> datetime:
    """The start of the reduction that lasts at ``now``.

    Reductions that follow one another without a gap are one: the price before the first of them is the
    one to compare with (Directive 98/6/EC, article 6a(5); Code de la consommation, L112-1-1).
    """
    began = now
    for moment in sorted({m for e in spoken for m in e.moments() if m <= now}, reverse=True):
        if _at(spoken, moment)[1] is None:
            break
        began = moment
    return began


def overlaps(entries: Iterable[Entry]) -> list[tuple[Entry, Entry]]:
    """Regular entries that say two things of the same people at the same time: (earlier, the later that counts).

    An entry until further notice is meant to be followed by another; one with an end is not.
    """
    regular = sorted((e for e in entries if e.kind == "regular"), key=lambda e: (e.valid_from, e.id))
    return [(a, b) for a, b in combinations(regular, 2) if _same_people(a, b) and _both_at(a, b)]


def _same_people(a: Entry, b: Entry) -> bool:
    return (a.scope, a.currency, a.tax_included) == (b.scope, b.currency, b.tax_included)


def _both_at(earlier: Entry, later: Entry) -> bool:
    ends = earlier.valid_until
    return earlier.valid_from == later.valid_from or (ends is not None and later.valid_from < ends)
