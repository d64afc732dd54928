"""One object of one target, read afresh and compared; what moves meanwhile is looked at again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hub.flow import carried, causes
from hub.flow.causes import Difference, Facts
from hub.flow.understood import understood
from hub.journal import agreement
from hub.model import Reference

if TYPE_CHECKING:
    from hub.connector import Capability
    from hub.flow.engine import Engine

KEYS_AT_ONCE = 50_000  # together, so that a target can be asked in the way that is cheapest for it
COMPARED_BY_CHANNEL = "price"  # of which what was found is kept, to compare the targets with one another
LOOKS = 3  # at keys that a running flow changed while they were read

Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """How many keys were read, what was held of them, and those that need explaining."""

    keys: int
    held: Mapping[str, Mapping[str, Any]]
    differences: Sequence[Difference]


def compare(engine: Engine, target: str, object: str, derived: str) -> Looked:
    """Every key that ``target`` should hold of ``object``, and what its derivation waits for."""
    capability = engine.target(target).capability(object)
    known = known_before(engine, target, object, derived)
    reasons = known.reasons
    held: dict[str, Mapping[str, Any]] = {}
    differences: list[Difference] = []
    keys, last = 0, ""
    while rows := rows_of(engine, known, derived, after=last):
        facts, some = compare_some(engine, known, derived, capability, rows)
        keys, differences = keys + len(facts.asked), differences + some
        held |= facts.held if object == COMPARED_BY_CHANNEL else {}
        last = next(reversed(rows))
        reasons = {subject: said for subject, said in reasons.items() if subject not in subjects_in(rows)}
    waits = [causes.of_waiting(known, subject) for subject in reasons]
    return Looked(keys=keys, held=held, differences=[*differences, *waits])


def compare_keys(engine: Engine, target: str, object: str, derived: str, keys: Sequence[str]) -> list[Difference]:
    """Those of ``keys`` that differ, and nothing else of the target."""
    known = known_before(engine, target, object, derived)
    rows = rows_of(engine, known, derived, keys=keys)
    return compare_some(engine, known, derived, engine.target(target).capability(object), rows)[1] if rows else []


def known_before(engine: Engine, target: str, object: str, derived: str) -> Facts:
    """What the journal knows of an object of a target before anything is asked."""
    return Facts(
        target=target,
        object=object,
        asked=set(),
        held={},
        refusals=agreement.refusals(engine.journal, target, object),
        reasons=agreement.waiting(engine.journal, derived, target),
        binds=engine.target(target).capability(object).binds,
        products=agreement.waiting(engine.journal, "complete_product", target),
    )


def compare_some(
    engine: Engine, known: Facts, derived: str, capability: Capability, rows: Rows
) -> tuple[Facts, list[Difference]]:
    """Some keys; those that moved while they were read are read again."""
    facts = looked_again(known, *look(engine, known, capability, rows))
    left = {key: row for key, row in rows.items() if causes.differs(facts, row)}
    for _ in range(LOOKS):
        moved = moved_since(left, rows_of(engine, known, derived, keys=list(left)))
        if not moved:
            break
        facts = looked_again(facts, *look(engine, known, capability, moved))
        left = {key: row for key, row in {**left, **moved}.items() if causes.differs(facts, row)}
    return facts, [causes.of(facts, row) for row in left.values()]


def subjects_in(rows: Rows) -> set[str]:
    return {row["subject"] for row in rows.values()}


def rows_of(engine: Engine, known: Facts, derived: str, *, keys: Sequence[str] | None = None, after: str = "") -> Rows:
    now = engine.clock.now()
    found = agreement.rows(
        engine.journal, known.target, known.object, derived, now, keys, after=after, limit=KEYS_AT_ONCE
    )
    return {row["key"]: row for row in found}


def moved_since(before: Mapping[str, Mapping[str, Any]], now: Rows) -> Rows:
    """Those of which the journal says something else than when they were read."""
    names = ("value", "confirmed", "confirmed_at", "delivery", "suspect", "due")
    return {key: row for key, row in now.items() if any(row[name] != before[key][name] for name in names)}


def looked_again(facts: Facts, asked: set[str], held: Mapping[str, Mapping[str, Any]]) -> Facts:
    """``facts`` with what a second look saw."""
    kept = {key: value for key, value in facts.held.items() if key not in asked}
    return replace(facts, asked=facts.asked | asked, held={**kept, **held})


def look(
    engine: Engine, known: Facts, capability: Capability, rows: Rows
) -> tuple[set[str], dict[str, dict[str, Any]]]:
    """The keys that could be asked for at the target, and what it holds of them."""
    target, object = known.target, known.object
    ids = carried.load(engine, target, capability, object, [(row["parts"], row["value"]) for row in rows.values()])
    references = [
        Reference(
            key=key,
            by={name: str(part) for name, part in row["parts"].items() if name != carried.PERSONAL},
            bindings=ids.of_parts(row["parts"]),
            value=row["value"],
            known=ids.of_value(object, row["value"]),
        )
        for key, row in rows.items()
    ]
    askable = [one for one in references if set(capability.binds) <= set(one.bindings)]
    if not askable:
        return set(), {}
    with understood(target):
        found = engine.target(target).find(object, askable)
    return {one.key for one in askable}, {one.key: dict(remote.value) for one, remote in found.items()}
