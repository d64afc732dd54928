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
    rows = rows_of(engine, target, object, derived)
    subjects = {row["subject"] for row in rows.values()}
    asked, held = look(engine, target, object, capability, rows)
    facts = Facts(
        target=target,
        object=object,
        asked=asked,
        held=held,
        refusals=agreement.refusals(engine.journal, target, object),
        reasons=agreement.waiting(engine.journal, derived, target),
        binds=capability.binds,
        products=agreement.waiting(engine.journal, "complete_product", target),
    )
    left = {key: row for key, row in rows.items() if causes.differs(facts, row)}
    for _ in range(LOOKS):
        moved = moved_since(left, rows_of(engine, target, object, derived, list(left)))
        if not moved:
            break
        facts = looked_again(facts, *look(engine, target, object, capability, moved))
        left = {key: row for key, row in {**left, **moved}.items() if causes.differs(facts, row)}
    waits = [causes.of_waiting(facts, subject) for subject in facts.reasons if subject not in subjects]
    explained = [causes.of(facts, row) for row in left.values()]
    return Looked(keys=len(facts.asked), held=facts.held, differences=[*explained, *waits])


def rows_of(engine: Engine, target: str, object: str, derived: str, keys: Sequence[str] | None = None) -> Rows:
    found = agreement.rows(engine.journal, target, object, derived, engine.clock.now(), keys)
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
    engine: Engine, target: str, object: str, capability: Capability, rows: Rows
) -> tuple[set[str], dict[str, dict[str, Any]]]:
    """The keys that could be asked for at ``target``, and what it holds of them."""
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
