"""The price in force as it is now, for whoever asks: a channel, a store of it, a customer group, a quantity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hub.flow.counter.refusal import Refusal
from hub.flow.prices import OBJECT, entries_of, lowest_of, situation_of, waits_for
from hub.journal import price_history
from hub.retail import money
from hub.retail.price import InForce, Situation, price_in_force

if TYPE_CHECKING:
    from hub.flow.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one piece costs; ``until`` is when the clock alone changes it.

    ``lowest_30`` is the lowest price that the channel was confirmed to ask in the 30 days before the reduction.
    """

    sku: str
    channel: str
    quantity: int
    amount: str
    currency: str
    tax_included: bool
    compare_at: str | None
    lowest_30: str | None
    entry: str
    until: datetime | None


def price(engine: Engine, sku: str, where: Situation) -> Price:
    """The price of ``sku`` in the situation ``where``."""
    found = price_in_force(entries_of(engine, [sku])[sku], where, engine.clock.now())
    counts = (found.promotion or found.regular) if found else None
    if found is None or counts is None:
        raise Refusal("unknown", waits_for(sku, where, None))
    return Price(
        sku=sku,
        channel=where.channel or "",
        quantity=where.quantity,
        amount=money.written(found.amount, counts.currency),
        currency=counts.currency,
        tax_included=counts.tax_included,
        compare_at=_written(found.compare_at, counts.currency),
        lowest_30=_written(lowest_30(engine, sku, where, found), counts.currency),
        entry=counts.id,
        until=found.due,
    )


def situation(
    engine: Engine, channel: str, *, quantity: int, location: str | None, group: str | None, country: str | None
) -> Situation:
    """Who asks, with what hub.yaml says of the channel."""
    anybody = situation_of(engine, channel)
    return replace(anybody, country=country or anybody.country, location=location, group=group, quantity=quantity)


def lowest_30(engine: Engine, sku: str, where: Situation, found: InForce) -> Decimal | None:
    """What the channel's own target was confirmed to ask before the reduction; None without one, or without a word."""
    flow = engine.landscape.flows.get(OBJECT)
    targets = [t for t, settings in flow.targets.items() if settings.channel == where.channel] if flow else []
    if not targets or found.reduced_since is None:
        return None
    return lowest_of(engine, found, price_history.of(engine.journal, targets[0], [sku]).get(sku, ()))


def _written(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else money.written(amount, currency)
