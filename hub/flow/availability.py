"""Availability's inputs from the journal and its answer as desired values; the rule is hub.retail.availability."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hub.errors import ConfigError
from hub.flow.objects import OBJECTS
from hub.journal import desired, events, snapshots, states
from hub.journal.desired import Desired
from hub.model import Ticket
from hub.retail.availability import (
    Available,
    Known,
    Level,
    OnHand,
    SellingRules,
    available_to_sell,
    on_hand_everywhere,
)
from hub.retail.coverage import Coverage, Movement, TillTicket
from hub.retail.reservations import Step, next_expiry

if TYPE_CHECKING:
    from hub.config import TargetSettings
    from hub.flow.derive import Derived
    from hub.flow.engine import Engine

OBJECT = "stock_level"  # what is delivered
DERIVED = "availability"


EventRow = tuple[str, str, dict[str, Any]]  # system, id, data


def derive(engine: Engine, flow: str, subjects: Sequence[str]) -> Derived:
    """What every target of ``flow`` should hold of each SKU, at every location that an authority has spoken of."""
    from hub.flow.derive import Derived

    rows = authoritative(engine, states.dated(engine.journal, "stock_level", subjects))
    movements = by_subject(events.open_of(engine.journal, "stock_movement", subjects))
    steps = by_subject(events.open_of(engine.journal, "reservation", subjects))
    derived = Derived(contained_object="stock_movement")
    news = {t: news_until(engine, flow, t) for t in engine.landscape.flows[flow].targets}
    told_before = {t: desired.keys_of(engine.journal, t, OBJECT, subjects) for t in news}
    for sku in subjects:
        known = known_of(engine, flow, rows[sku], movements[sku], steps[sku])
        lying = on_hand_everywhere(known)
        own = {r["data"]["location"] for r in rows[sku] if r["own_as_of"]}
        for target, settings in engine.landscape.flows[flow].targets.items():
            told = told_until(target, movements[sku], news[target])
            answer(engine, derived, target, settings, sku, known, lying, own, told, told_before[target])
        derived.contained += contained(lying, movements[sku])
    return derived


def by_subject(rows: Sequence[tuple[str, str, str, dict[str, Any]]]) -> dict[str, list[EventRow]]:
    found: dict[str, list[EventRow]] = defaultdict(list)
    for subject, system, id_, data in rows:
        found[subject].append((system, id_, data))
    return found


def authoritative(engine: Engine, rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """By SKU, only the rows of each location's authority; another claimant's are for reconciliation."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if engine.landscape.authority_of("stock_level", row["data"]["location"]) == row["system"]:
            found[row["subject"]].append(row)
    return found


def known_of(
    engine: Engine, flow: str, rows: Sequence[dict[str, Any]], movements: Sequence[EventRow], steps: Sequence[EventRow]
) -> Known:
    by_place: dict[str, list[Movement]] = defaultdict(list)
    for system, id_, data in movements:
        by_place[data["location"]].append(movement_of(system, id_, data))
    return Known(
        levels={row["data"]["location"]: level_of(engine, flow, row) for row in rows},
        movements=by_place,
        steps=[step_of(system, data) for system, _, data in steps],
    )


def level_of(engine: Engine, flow: str, row: dict[str, Any]) -> Level:
    source = engine.landscape.flows[flow].sources[row["system"]]
    return Level(
        on_hand=row["data"]["on_hand"],
        unavailable=row["data"].get("unavailable", 0),
        coverage=Coverage(as_of=row["as_of"], tickets={t: Ticket(**v) for t, v in row["tickets"].items()}),
        late_events=source.late_events,
        quarantined=row["quarantined"],
        when_quarantined=source.quarantined,
        told_of_orders=row["system"] if takes_on_orders(engine, row["system"]) else None,
    )


def takes_on_orders(engine: Engine, system: str) -> bool:
    """Whether the channels' orders are delivered to ``system``, and it says what it took on of them."""
    flows = engine.landscape.flows.values()
    if not any(name == system and t.value == "sales_order" for flow in flows for name, t in flow.targets.items()):
        return False
    try:
        return any(mapping.target == "reservation" for mapping in engine.mappings(system))
    except ConfigError:
        return True  # reading it says what is wrong; until then nothing that it may still hold is sold


def movement_of(system: str, id_: str, data: Mapping[str, Any]) -> Movement:
    ticket = data.get("ticket")
    return Movement(
        id=f"{system}/{id_}",
        delta=data["delta"],
        occurred_at=datetime.fromisoformat(data["occurred_at"]),
        recorded_at=datetime.fromisoformat(data["recorded_at"]),
        ticket=TillTicket(
            till=ticket["till"], ticket=Ticket(business_day=ticket["business_day"], sequence=ticket["sequence"])
        )
        if ticket
        else None,
    )


def step_of(system: str, data: Mapping[str, Any]) -> Step:
    return Step(
        system=system,
        order=data["order"],
        line=data["line"],
        kind=data["kind"],
        quantity=data["quantity"],
        location=data.get("location"),
        occurred_at=datetime.fromisoformat(data["occurred_at"]),
        expires_at=datetime.fromisoformat(data["expires_at"]) if data.get("expires_at") else None,
    )


NEVER = datetime.min.replace(tzinfo=UTC)


def news_until(engine: Engine, flow: str, target: str) -> datetime:
    """Up to when the target's own events have been read: now where it tells none, NEVER where it has not yet."""
    if target not in engine.landscape.flows[flow].sources:
        return engine.clock.now()
    try:
        mappings = engine.mappings(target)
    except ConfigError:
        return NEVER  # reading it says what is wrong; what is derived for the others does not wait for that
    stock = [m.target for m in mappings if m.target in OBJECTS and DERIVED in OBJECTS[m.target].derives]
    told = [snapshots.as_of(engine.journal, target, object, "") for object in stock]
    return min((t or NEVER for t in told), default=engine.clock.now())


def told_until(target: str, movements: Sequence[EventRow], news: datetime) -> Mapping[str, datetime]:
    """The as-of at each location: never before an event of the target's own that is in the number already.

    A page of events is journalled before the whole reading is vouched for; without this the target
    would apply that sale a second time on top of our count.
    """
    found: dict[str, datetime] = defaultdict(lambda: news)
    for system, _, data in movements:
        if system == target:
            place = data["location"]
            found[place] = max(found[place], datetime.fromisoformat(data["recorded_at"]))
    return found


def answer(
    engine: Engine,
    derived: Derived,
    target: str,
    settings: TargetSettings,
    sku: str,
    known: Known,
    lying: Mapping[str, OnHand],
    own_as_of: set[str],
    told: Mapping[str, datetime],
    told_before: Collection[str],
) -> None:
    """Add what ``target`` should hold of ``sku``, and when the clock alone changes that.

    A location from which the channel no longer sells may sell nothing; its last number must not stay.
    """
    now = engine.clock.now()
    if settings.value == "available":
        sellable = available_to_sell(known, lying, selling_rules(engine, settings.channel or "", sku, known), now)
        values = {place: (a.quantity, because(lying[place], known.levels[place], a)) for place, a in sellable.items()}
        left = [p for p in known.levels if p not in sellable and f"{sku}@{p}" in told_before]
        values |= {p: (0, {**because(lying[p], known.levels[p], None), "not_sold_from": True}) for p in left}
        dues = [a.due for place, a in sellable.items() if a.due and place in own_as_of]
        if expires := next_expiry(known.steps, now):
            dues.append(expires)
        if dues:
            derived.due[sku] = min([*dues, derived.due.get(sku, dues[0])])
    else:
        places = engine.landscape.select(settings.locations, known.levels)
        values = {p: (max(0, lying[p].quantity), because(lying[p], known.levels[p], None)) for p in places}
    derived.values += [
        Desired(
            target=target,
            object=OBJECT,
            key=f"{sku}@{place}",
            subject=sku,
            parts={"sku": sku, "location": place},
            value={"quantity": quantity},
            as_of=told[place],
            why=why,
        )
        for place, (quantity, why) in values.items()
    ]


def selling_rules(engine: Engine, name: str, sku: str, known: Known) -> SellingRules:
    """How the channel ``name`` sells ``sku``, at the locations that are known of it."""
    channel = engine.landscape.channels[name]
    places = engine.landscape.select(channel.sells_from, known.levels)
    return SellingRules(
        sells_from=places,
        safety_stock={place: channel.safety_stock_at(place, sku) for place in places},
        stale_after=channel.stale_after,
    )


def because(lying: OnHand, level: Level, available: Available | None) -> dict[str, Any]:
    """The numbers behind a value, for the trace."""
    found: dict[str, Any] = {"level": lying.level, "as_of": level.coverage.as_of.isoformat()}
    if lying.on_top:
        found["movements_on_top"] = list(lying.on_top)
    if lying.late:
        found["late_movements"] = {"policy": lying.late_policy, "ids": list(lying.late)}
    if level.quarantined:
        found["quarantined"] = level.when_quarantined
    return {**found, **(available.why() if available else {"on_hand": lying.quantity})}


def contained(lying: Mapping[str, OnHand], movements: Sequence[EventRow]) -> list[tuple[str, str]]:
    """(system, id) of movements that the authority's snapshot contains: they need never be looked at again."""
    inside = {id_ for found in lying.values() for id_ in found.contained}
    return [(system, id_) for system, id_, _ in movements if f"{system}/{id_}" in inside]
