"""Bind: find the objects that a target already holds behind our keys, by SKU, GTIN or name, before anything is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub.flow import derive
from hub.flow.objects import DELIVERS, OBJECTS, delivered_by
from hub.flow.outcome import Outcome, Pass
from hub.flow.understood import understood
from hub.journal import audit, bindings, desired, named, settings
from hub.journal import waiting as missing
from hub.model import Reference, Remote
from hub.points import reached

if TYPE_CHECKING:
    from hub.connector import Capability
    from hub.flow.engine import Engine

ASK_AGAIN = timedelta(minutes=10)  # for keys that the target did not know when it was asked
IDENTIFIERS = ("sku", "gtin", "name", "location")


def bind(engine: Engine, flow: str, by: str = "sku") -> dict[str, Outcome]:
    """Ask every target of ``flow`` for all keys that are not bound there; ``by`` is tried first."""
    engine.check_names(flow)
    found = {}
    for target in engine.landscape.flows[flow].targets:
        with engine.running("bind", flow, target) as current:
            bound = bind_missing(engine, current, target, first=by, ask_again=True)
            found[target] = engine.ended(current, f"{target}: {bound} newly bound")
    return found


def ready(engine: Engine, current: Pass, system: str) -> bool:
    """Bind what is missing at ``system``; False where it is a target whose ids none of our keys has yet.

    Of all flows into it: what it is read for is told in its own ids, whichever flow asks.
    """
    bind_missing(engine, current, system)
    return bound(engine, system)


def bound(engine: Engine, system: str) -> bool:
    """Whether of everything that must be bound at ``system`` something is."""
    needed = dict.fromkeys(name for offers in capabilities(engine, system) for name in offers.binds)
    return all(bindings.any_of(engine.journal, system, object) for object in needed)


def capabilities(engine: Engine, target: str) -> list[Capability]:
    """What ``target`` offers for everything that is delivered to it; empty where it is no target."""
    delivered = [object for flow in engine.flows_into(target) for object in delivered_by(flow)]
    return [engine.target(target).capability(object) for object in delivered]


def bound_objects(engine: Engine, target: str) -> tuple[str, ...]:
    """What is looked for at ``target``: what deliveries to it need bound, and what they name where it is known."""
    names = [name for offers in capabilities(engine, target) for name in (*offers.binds, *offers.knows)]
    return tuple(name for name in dict.fromkeys(names) if name in named.NAMED_IN)


def bind_missing(engine: Engine, current: Pass, target: str, *, first: str = "sku", ask_again: bool = False) -> int:
    """Look for keys without a binding; those that the target did not know last time are asked for every ten minutes."""
    total = 0
    for object in bound_objects(engine, target):
        keys = unbound(engine, target, object)
        if keys and (ask_again or is_new_question(engine, target, object, keys)):
            with understood(target):
                found = engine.target(target).find(object, references(engine, object, keys, first))
            total += keep(engine, current, target, object, found)
    if total:
        for flow in engine.flows_into(target):
            derive.enqueue_for(engine, current, flow, target, None, urgent=False)
    if target in engine.landscape.flows[current.flow].targets:
        current.counts["waiting"] = max(current.counts["waiting"], waiting(engine, current.flow, target))
    return total


def waiting(engine: Engine, flow: str, target: str) -> int:
    """How many values for ``target`` wait until what they belong to is found there, or for something else."""
    needed = {object: engine.target(target).capability(object).binds for object in delivered_by(flow)}
    absent = {name: unbound(engine, target, name) for names in needed.values() for name in names}
    without = sum(
        desired.waiting(engine.journal, target, object, {n: absent[n] for n in names}, OBJECTS[object].subject[0])
        for object, names in needed.items()
    )
    return without + sum(missing.count(engine.journal, derived, target) for derived in DELIVERS[flow])


def unbound(engine: Engine, target: str, object: str) -> list[str]:
    """Our keys that ``target`` may hold and that are not bound there."""
    keys = named.unbound(engine.journal, target, object)
    if object != "location" or not keys:
        return keys
    places = {place for flow in engine.flows_into(target) for place in engine.landscape.places_of(flow, target, keys)}
    return [key for key in keys if key in places]


def references(engine: Engine, object: str, keys: Sequence[str], first: str = "sku") -> list[Reference]:
    """By what each of ``keys`` may be found in another system."""
    return [
        Reference(key=key, by=identifiers(data, first)) for key, data in named.described(engine.journal, object, keys)
    ]


def identifiers(data: Mapping[str, Any], first: str) -> dict[str, str]:
    """What may identify an object in another system, the preferred identifier first."""
    order = sorted(IDENTIFIERS, key=lambda name: name != first)
    return {name: str(data[name]) for name in order if data.get(name)}


def is_new_question(engine: Engine, target: str, object: str, wanted: Sequence[str]) -> bool:
    """Whether these keys were not asked for lately; remembers that they are now."""
    name, now = f"bind/{target}/{object}", engine.clock.now()
    keys = hashlib.sha256("\n".join(sorted(wanted)).encode()).hexdigest()[:16]
    asked = (settings.get(engine.journal, name) or "").split()
    if len(asked) == 2 and asked[0] == keys and now - datetime.fromisoformat(asked[1]) < ASK_AGAIN:
        return False
    settings.replace(engine.journal, name, f"{keys} {now.isoformat()}")
    return True


def keep(engine: Engine, current: Pass, target: str, object: str, found: Mapping[Reference, Remote]) -> int:
    """Bindings into the journal, each with what it was matched by."""
    by_key = {reference.key: remote for reference, remote in found.items()}
    with engine.journal.transaction():
        bound = bindings.save(engine.journal, target, object, by_key)
        entries = [
            audit.Entry(
                step="bound",
                system=target,
                object=object,
                key=key,
                subject=key,
                after={"external_id": by_key[key].binding.external_id, "matched": by_key[key].matched},  # type: ignore[union-attr]
            )
            for key in bound
        ]
        audit.write(engine.journal, current.run, current.flow, entries)
    reached("bound")
    return len(bound)
