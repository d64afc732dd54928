"""The price in force as it is now, for whoever asks: a channel, a store of it, a customer group, a quantity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hub.flow.counter.refusal import Refusal
from hub.journal import counter, price_history
from hub.retail import money
from hub.retail.omnibus import lowest_before
from hub.retail.price import InForce, Situation, entry_of, price_in_force

if TYPE_CHECKING:
    from hub.flow.engine import Engine

OBJECT = "price"


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
    now = engine.clock.now()
    believed = engine.landscape.flows[OBJECT].sources if OBJECT in engine.landscape.flows else {}
    rows = counter.states_of(engine.journal, [OBJECT], [sku])
    told = [data for _, _, _, system, data, _ in rows if system in believed]
    if not told:
        raise Refusal("unknown", f"no system has told of a price of {sku}")
    found = price_in_force([entry_of(data) for data in told if not data.get("withdrawn")], where, now)
    counts = (found.promotion or found.regular) if found else None
    if found is None or counts is None:
        raise Refusal("unknown", f"{sku} has no price for {where.channel} now")
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


def _written(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else money.written(amount, currency)


def situation(
    engine: Engine, channel: str, *, quantity: int, location: str | None, group: str | None, country: str | None
) -> Situation:
    """Who asks, with what hub.yaml says of the channel."""
    settings = engine.landscape.channels[channel]
    return Situation(
        currency=engine.landscape.retailer.currency,
        channel=channel,
        country=country or settings.country,
        list=settings.price_list,
        location=location,
        group=group,
        quantity=quantity,
    )


def lowest_30(engine: Engine, sku: str, where: Situation, found: InForce) -> Decimal | None:
    """What the channel's own target was confirmed to ask before the reduction; None without one, or without a word."""
    flow = engine.landscape.flows.get("price")
    targets = [t for t, settings in flow.targets.items() if settings.channel == where.channel] if flow else []
    if found.reduced_since is None or not targets:
        return None
    began = found.reduced_since.astimezone(ZoneInfo(engine.landscape.retailer.zone))
    return lowest_before(price_history.of(engine.journal, targets[0], [sku]).get(sku, []), began)
