"""Past a share of rejects the mapping is wrong and not the records: the flow stops before any of them is put away."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hub.errors import StopRun
from hub.flow import guard
from hub.flow.mapped import Mapped
from hub.flow.objects import OBJECTS
from hub.flow.outcome import Pass
from hub.flow.payload import packed
from hub.journal import quarantine
from hub.journal.vault import reference
from hub.model import Refused, Scope

if TYPE_CHECKING:
    from hub.config.settings import GuardSettings
    from hub.flow.engine import Engine


def watch(engine: Engine, current: Pass, system: str, mapped: Mapped, scope: Scope) -> None:
    """Raise :class:`StopRun` where too many records of this pass are refused; the batch's transaction goes with it.

    Counted by system and canonical object over the whole pass, without what lies in quarantine already (a source
    that repeats its last minutes repeats its bad records too) and without ids that are not bound yet.
    """
    fresh = refused_now(engine, system, mapped)
    for name in {*mapped.records, *fresh}:
        read, refused = current.judged.get((system, name), (0, 0))
        valid = len({id(raw) for _, raw, _ in mapped.records.get(name, ())})
        found = fresh.get(name, [])
        lines = scope.rows if scope.identity is not None and scope.rows else valid + len(found)
        read, refused = read + max(lines, len(found)), refused + len(found)
        limits = limits_of(engine, current, name)
        if found and limits.rejects is not None and refused >= limits.at_least and refused / read > limits.rejects:
            raise StopRun(sentence(engine, current, system, name, found, (read, refused, limits.rejects)))
        current.judged[system, name] = (read, refused)


def refused_now(engine: Engine, system: str, mapped: Mapped) -> dict[str, list[Refused]]:
    """By canonical object, what is refused for the first time."""
    refused = {
        (reference("refused", packed(one.data)), rules.target): one
        for one, _, rules in mapped.refused
        if rules is not None and not quarantine.UNBOUND.fullmatch(one.reason)
    }
    known = quarantine.known(engine.journal, system, [ref for ref, _ in refused]) if refused else set()
    found: dict[str, list[Refused]] = {}
    for (ref, name), one in refused.items():
        if (ref, name) not in known:
            found.setdefault(name, []).append(one)
    return found


def limits_of(engine: Engine, current: Pass, name: str) -> GuardSettings:
    """What the flow of an object allows; that of the pass where the object has none of its own."""
    flows = engine.landscape.flows
    return flows[OBJECTS[name].flow if OBJECTS[name].flow in flows else current.flow].guards


def sentence(
    engine: Engine, current: Pass, system: str, name: str, found: list[Refused], counted: tuple[int, int, float]
) -> str:
    """What stopped the flow, what it is refused for most often, and what to do."""
    read, refused, limit = counted
    ((cause, times),) = Counter(quarantine.cause_of(one.path, one.reason) for one in found).most_common(1)
    flow = OBJECTS[name].flow if OBJECTS[name].flow in engine.landscape.flows else current.flow
    return (
        f"{system}: {refused:,} of {read:,} records of {name} are refused, {guard.beyond(refused / read, limit)} "
        f"(guard rejects: {guard.percent(limit)}), most often for {cause} ({times:,} of them). So many say that the "
        f"mapping is wrong and not the records, so nothing of this reading was applied and it is read again. Correct "
        f"mappings/{engine.landscape.systems[system].mappings}, or give its lookup the entry (hub quarantine fix "
        f"--system {system} --set lookups.TABLE.VALUE=OURS); where the records are wrong, raise guards.rejects "
        f"of {flow}"
    )
