"""The price in force: its inputs from the journal and its answer as desired values; the rule is hub.retail.price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hub.journal import price_history, words
from hub.journal.desired import Desired
from hub.retail.money import written
from hub.retail.omnibus import lowest_before
from hub.retail.price import Entry, InForce, Situation, entry_of, next_moment, overlaps, price_in_force
from hub.retail.product import Missing, Word, Words, says

if TYPE_CHECKING:
    from hub.config import TargetSettings
    from hub.flow.derive import Derived
    from hub.flow.engine import Engine

OBJECT = "price"  # what is delivered

History = Sequence[tuple[datetime, Decimal]]


def derive(engine: Engine, flow: str, subjects: Sequence[str]) -> Derived:
    """What every target of ``flow`` should ask for each SKU now, and when the clock alone changes that."""
    from hub.flow.derive import Derived

    entries = entries_of(engine, subjects)
    products = products_of(engine, subjects)
    derived = Derived()
    for target, settings in engine.landscape.flows[flow].targets.items():
        history = price_history.of(engine.journal, target, subjects)
        for sku in subjects:
            if entries[sku]:
                answer(engine, derived, target, settings, sku, products.get(sku), entries[sku], history.get(sku, ()))
    return derived


def entries_of(engine: Engine, skus: Sequence[str]) -> dict[str, list[Entry]]:
    """By SKU, every entry that its sources stand by."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for sku, said in words.of_subjects(engine.journal, OBJECT, skus).items():
        found[sku] = [entry_of(s.data) for s in said if not s.data.get("withdrawn")]
    return found


def products_of(engine: Engine, skus: Sequence[str]) -> dict[str, str]:
    """By SKU, the product that the owner of that field counts it to; those that nobody does are left out."""
    owners = engine.landscape.authority.get("product", {})
    found = {}
    for sku, said in words.of_keys(engine.journal, "variant", sorted(engine.landscape.systems), skus).items():
        try:
            product = says("product", Words(said=[Word(system=s.system, data=s.data) for s in said]), owners)
        except Missing:
            continue
        if product:
            found[sku] = str(product)
    return found


def situation_of(engine: Engine, channel: str) -> Situation:
    """Who asks for a price in ``channel``: anybody, for one piece, at no store in particular, tax included."""
    settings = engine.landscape.channels[channel]
    return Situation(
        channel=channel,
        country=settings.country,
        list=settings.price_list,
        currency=engine.landscape.retailer.currency,
    )


def answer(
    engine: Engine,
    derived: Derived,
    target: str,
    settings: TargetSettings,
    sku: str,
    product: str | None,
    entries: Sequence[Entry],
    history: History,
) -> None:
    """Add what ``target`` should ask for ``sku``, or what that waits for; an old price stays until a new one counts."""
    now = engine.clock.now()
    where = situation_of(engine, settings.channel or "")
    places = engine.landscape.select(settings.locations, stores_in(entries))
    wheres = [where, *(replace(where, location=place) for place in places)]
    moments = [m for w in wheres if (m := next_moment(entries, w, now)) is not None]
    if moments:
        derived.due[sku] = min([*moments, derived.due.get(sku, moments[0])])
    found = price_in_force(entries, where, now)
    if found is None or product is None:
        derived.waiting[sku, target] = [waits_for(sku, where, found)]
        return
    lowest = lowest_of(engine, found, history)
    value = value_of(found, lowest, overrides_of(entries, where, places, found, now), where.currency)
    derived.values.append(
        Desired(
            target=target,
            object=OBJECT,
            key=sku,
            subject=sku,
            parts={"sku": sku, "product": product},
            value=value,
            as_of=now,
            why=because(found, entries),
        )
    )


def stores_in(entries: Sequence[Entry]) -> set[str]:
    """The stores that some entry speaks of by name; all others ask the channel's price."""
    return {place for entry in entries for place in entry.scope.locations or ()}


def waits_for(sku: str, where: Situation, found: InForce | None) -> str:
    if found is None:
        return f"no price of {sku} counts now in {where.channel}"
    return f"no system says which product {sku} belongs to"


def lowest_of(engine: Engine, found: InForce, history: History) -> Decimal | None:
    """The lowest price of the 30 days before the reduction, while there is one."""
    if found.reduced_since is None:
        return None
    return lowest_before(history, found.reduced_since.astimezone(ZoneInfo(engine.landscape.retailer.zone)))


def overrides_of(
    entries: Sequence[Entry], where: Situation, places: Sequence[str], found: InForce, now: datetime
) -> dict[str, Decimal]:
    """What stores ask that ask something else than the channel."""
    there = {place: price_in_force(entries, replace(where, location=place), now) for place in places}
    return {place: price.amount for place, price in there.items() if price and price.amount != found.amount}


def value_of(found: InForce, lowest: Decimal | None, overrides: Mapping[str, Decimal], currency: str) -> dict[str, Any]:
    """Everything a target may hold of a price; what its vendor cannot hold is left out later."""
    return {
        "amount": written(found.amount, currency),
        "currency": currency,
        "compare_at": None if found.compare_at is None else written(found.compare_at, currency),
        "lowest_30": None if lowest is None else written(lowest, currency),
        "overrides": {place: written(amount, currency) for place, amount in sorted(overrides.items())},
    }


def because(found: InForce, entries: Sequence[Entry]) -> dict[str, Any]:
    """The entries behind a price, for the trace."""
    why: dict[str, Any] = {"regular": found.regular.id if found.regular else None}
    if found.promotion:
        why["promotion"] = found.promotion.id
    if found.reduced_since:
        why["reduced_since"] = found.reduced_since.isoformat()
    if found.due:
        why["until"] = found.due.isoformat()
    if both := overlaps(entries):
        why["overlapping"] = [
            f"{a.id} and {b.id} contradict each other from {b.valid_from.isoformat()} on; {b.id} counts"
            for a, b in both
        ]
    return why
