"""Trace: everything the hub knows of one business key, over all systems, oldest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.errors import ConfigError, HubError
from hub.flow import causes, ownership
from hub.flow.carried import PERSONAL
from hub.flow.objects import DELIVERS, FLOWS, OBJECTS, CanonicalObject
from hub.journal import agreement, audit, desired, events, price_history, quarantine, states, stories, waiting

if TYPE_CHECKING:
    from hub.flow.engine import Engine

TOLD = ("known", "events", "targets", "waiting", "quarantine", "timeline")


def trace(engine: Engine, object: str, key: str) -> dict[str, Any]:
    """What each system says of ``key``, its events, what targets should and do hold, and every step on the way.

    Stock is told of one SKU at one place; ``SKU@`` is a SKU at no particular place. A price is told of a SKU, a
    product by its own code or that of any variant, an order with everything that happened to it. Raises ConfigError
    for an unknown object or a key nobody has heard of.
    """
    if object not in OBJECTS:
        raise ConfigError(f'no object "{object}"; there are {", ".join(sorted(OBJECTS))}')
    canonical = OBJECTS[object]
    key = key.strip().upper()
    found = _of_key(engine, canonical, key) if canonical.flow == "stock" else _of_subject(engine, canonical, key)
    if not any(found[part] for part in TOLD):
        raise ConfigError(f"nobody has spoken of {object} {key} yet")
    return found


def _of_key(engine: Engine, canonical: CanonicalObject, key: str) -> dict[str, Any]:
    """The story of one key."""
    if key.count("@") != len(canonical.key) - 1:
        raise ConfigError(f'the key of a {canonical.name} is {"@".join(p.upper() for p in canonical.key)}, not "{key}"')
    keys = [key] if "@" not in key else [key, f"{key.split('@')[0]}@"]
    found: dict[str, Any] = {
        "object": canonical.name,
        "key": key,
        "known": states.of_key(engine.journal, canonical.name, key),
        "events": events.of_key(engine.journal, keys),
        "targets": desired.of_key(engine.journal, key),
        "waiting": [],
        "quarantine": quarantine.of_key(engine.journal, keys),
        "timeline": audit.timeline(engine.journal, keys),
    }
    for row in found["known"]:
        authority = engine.landscape.authority_of(canonical.name, row["data"].get("location", ""))
        row |= {"object": canonical.name, "key": key, "not_used": [], "counts": authority in (None, row["system"])}
    return found


def _of_subject(engine: Engine, canonical: CanonicalObject, key: str) -> dict[str, Any]:
    """The story of what ``key`` belongs to: all prices of the article, the whole product, the whole order."""
    journal, family = engine.journal, FLOWS[canonical.flow]
    delivered = tuple(DELIVERS[canonical.flow].values())
    subjects = stories.subjects_of(journal, [*family, *delivered], key)
    subjects = subjects or stories.subjects_of(journal, [*family, *delivered], key.split("@")[0]) or [key.split("@")[0]]
    known = [_used(engine, row) for row in stories.states(journal, family, subjects)]
    happened = stories.events(journal, family, subjects)
    if canonical.flow == "order":
        happened = sorted([*happened, *_of_stock(engine, subjects, known)], key=lambda row: row["event_time"])
    keys = sorted({key, *subjects, *(row["key"] for row in [*known, *happened] if row["object"] in family)})
    objects = [*dict.fromkeys([*family, *delivered, canonical.flow, "sku"])]
    return {
        "object": canonical.name,
        "key": key,
        "subjects": subjects,
        "known": known,
        "events": happened,
        "targets": [_target(engine, *one) for one in stories.targets_of(journal, delivered, subjects)],
        "waiting": [row for row in waiting.of_subjects(journal, subjects) if row["object"] in DELIVERS[canonical.flow]],
        "bound": stories.bound(journal, keys),
        "prices": _prices(engine, subjects) if canonical.flow == "price" else {},
        "quarantine": stories.quarantine(journal, [*family, *delivered], keys, subjects),
        "timeline": stories.timeline(journal, objects, keys),
    }


def _used(engine: Engine, row: dict[str, Any]) -> dict[str, Any]:
    """A system's word, with the fields of which another one is the owner."""
    not_used = ownership.not_owned(engine, row["system"], row["object"], row["data"], None)
    return {**row, "not_used": not_used, "counts": True}


def _of_stock(engine: Engine, orders: Sequence[str], known: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What orders reserved, and the pieces that came and went for them."""
    lines = [line for row in known for line in row["data"].get("lines") or ()]
    return stories.events_of_orders(engine.journal, orders, sorted({line["sku"] for line in lines if "sku" in line}))


def _target(engine: Engine, target: str, object: str, key: str) -> dict[str, Any]:
    """What a target should hold, was confirmed to hold, and why the two differ where they do."""
    derived = next(d for delivers in DELIVERS.values() for d, name in delivers.items() if name == object)
    (row,) = agreement.rows(engine.journal, target, object, derived, engine.clock.now(), [key])
    binds = _binds(engine, target, object)
    ids = {one["object"]: one for one in stories.bound(engine.journal, _parts(row)) if one["system"] == target}
    facts = causes.Facts(
        target=target,
        object=object,
        asked={key} if set(binds) <= set(ids) else set(),
        held={key: row["confirmed"]} if row["confirmed"] else {},
        refusals=agreement.refusals(engine.journal, target, object),
        reasons={
            one["subject"]: one["reasons"] for one in waiting.of_subjects(engine.journal, [row["subject"]], derived)
        },
        binds=binds,
    )
    differs = causes.of(facts, row) if causes.differs(facts, row) else None
    return {
        **{name: row[name] for name in ("key", "value", "generation", "why", "confirmed_at", "suspect", "edits")},
        "target": target,
        "object": object,
        "remote": row["confirmed"],
        "cause": differs.cause.value if differs else None,
        "detail": differs.detail if differs else None,
    }


def _parts(row: Mapping[str, Any]) -> list[str]:
    return sorted({str(part) for name, part in row["parts"].items() if name != PERSONAL})


def _binds(engine: Engine, target: str, object: str) -> tuple[str, ...]:
    """What a delivery needs bound; nothing is known of a target that is not configured here."""
    try:
        return engine.target(target).capability(object).binds
    except HubError:
        return ()


def _prices(engine: Engine, skus: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """By target, the prices that it confirmed and since when."""
    flow = engine.landscape.flows.get("price")
    found = {target: price_history.of(engine.journal, target, skus) for target in (flow.targets if flow else ())}
    return {
        target: [
            {"sku": sku, "since": since, "amount": amount} for sku, rows in prices.items() for since, amount in rows
        ]
        for target, prices in found.items()
    }
