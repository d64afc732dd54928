"""Channels: the same article costs the same everywhere unless a scope says otherwise; where it does not, why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hub.flow import prices
from hub.flow.causes import Cause, Difference
from hub.retail.price import Entry, Scope, Situation, price_in_force

if TYPE_CHECKING:
    from hub.flow.engine import Engine

Held = Mapping[str, Mapping[str, Mapping[str, Any]]]  # by target and SKU: the price that was found there
SKUS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """An article that costs one thing here and another there."""

    sku: str
    asked: Mapping[str, str]  # by channel, or store of a channel: the amount with its currency
    cause: Cause
    detail: str


def apart(engine: Engine, held: Held, differences: Sequence[Difference]) -> list[Apart]:
    """Every article that does not cost the same in all targets of the price flow and in all of their stores."""
    late = {(one.system, one.key): one for one in differences}
    asked = {
        sku: there for sku in sorted({s for prices in held.values() for s in prices}) if (there := places(held, sku))
    }
    unequal = [sku for sku, found in asked.items() if len(set(found.values())) > 1]
    found = []
    for start in range(0, len(unequal), SKUS_AT_ONCE):
        some = unequal[start : start + SKUS_AT_ONCE]
        entries = prices.entries_of(engine, some)
        found += [explained(engine, sku, asked[sku], entries[sku], late) for sku in some]
    return found


def places(held: Held, sku: str) -> dict[str, str]:
    """What the article costs in each target, and in those of its stores that ask something else."""
    found = {}
    for target, values in held.items():
        value = values.get(sku) or {}
        if value.get("amount"):
            found[target] = f"{value['amount']} {value['currency']}"
            found |= {
                f"{target} {place}": f"{n} {value['currency']}" for place, n in (value.get("overrides") or {}).items()
            }
    return found


def explained(
    engine: Engine,
    sku: str,
    asked: Mapping[str, str],
    entries: Sequence[Entry],
    late: Mapping[tuple[str, str], Difference],
) -> Apart:
    """The cause: a target that does not hold yet what it should, else the scopes of the entries that count."""
    for target in dict.fromkeys(name.partition(" ")[0] for name in asked):
        if one := late.get((target, sku)):
            return Apart(sku=sku, asked=asked, cause=one.cause, detail=f"{target}: {one.detail}")
    counts = {name: found for name, where in situations(engine, asked) if (found := counting(engine, entries, where))}
    scopes = {name: entry for name, entry in counts.items() if scope_in_words(entry.scope)}
    if len(counts) == len(asked) and len({entry.id for entry in counts.values()}) > 1 and scopes:
        said = [
            f"{name} asks by {entry.id} ({scope_in_words(entry.scope) or 'for all'})" for name, entry in counts.items()
        ]
        return Apart(sku=sku, asked=asked, cause=Cause.RULE, detail="; ".join(said))
    return Apart(sku=sku, asked=asked, cause=Cause.DRIFT, detail="no scope of any price explains it")


def situations(engine: Engine, asked: Mapping[str, str]) -> Iterator[tuple[str, Situation]]:
    """Who asks for the price at each place."""
    targets = engine.landscape.flows["price"].targets
    for name in asked:
        target, _, place = name.partition(" ")
        where = prices.situation_of(engine, targets[target].channel or "")
        yield name, replace(where, location=place) if place else where


def counting(engine: Engine, entries: Sequence[Entry], where: Situation) -> Entry | None:
    """The entry that makes the price there now."""
    found = price_in_force(entries, where, engine.clock.now())
    return (found.promotion or found.regular) if found else None


def scope_in_words(scope: Scope) -> str:
    """For whom an entry counts: ``list WEB, channels shop``; empty where it counts for all."""
    said = [f"list {scope.list}"] if scope.list else []
    for name in ("channels", "countries", "locations", "groups"):
        if values := getattr(scope, name):
            said.append(f"{name} {', '.join(sorted(values))}")
    return ", ".join(said)
