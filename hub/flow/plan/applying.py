"""Applying a plan: the pass once more, committed and delivered only where it changes exactly what was planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub.connector import Source
from hub.errors import ConfigError, HubError, StopRun
from hub.flow import deliver, ingest, locks
from hub.flow.objects import DELIVERS
from hub.flow.once import SECONDS, said_together, trouble
from hub.flow.outcome import Outcome, Pass
from hub.flow.plan import repairs
from hub.flow.plan.changes import Change, loaded, moved, plain
from hub.flow.plan.draft import Draft, drafted
from hub.flow.plan.gathered import Gathered, gather, reading_alone, sources_of
from hub.journal import checkpoints, desired, plans
from hub.who import user

if TYPE_CHECKING:
    from hub.flow.engine import Engine

NAMED = 5  # of what moved, in the sentence that refuses


def apply(
    engine: Engine,
    number: int,
    digest: str | None = None,
    *,
    who: str | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Do what plan ``number`` says, all of it and nothing else, once; ``digest`` is what a file says that it is.

    Raises :class:`StopRun` naming what moved where the pass would change anything else now; nothing is changed then.
    """
    plan = applicable(engine, number, digest)
    by = who or user()
    if plan["kind"] == "repair":
        return repairs.apply(engine, plan, changes_of(engine, plan), by, report)
    flow, system = plan["flow"], plan["system"]
    engine.check_names(flow, system)
    systems = sources_of(engine, flow, system)
    with engine.running("apply", flow, system, list(engine.landscape.flows[flow].targets)) as current:
        with reading_alone(engine, flow, systems):
            told_of_before(engine, flow, systems)
            gathered = gather(engine, flow, system, report)
            report("comparing with the plan")
            draft = commit(engine, current, gathered, plan, by)
            tell_sources(engine, gathered, draft.unbound)
        deliver_all(engine, current, report)
        held = bool(plan["summary"]["held"])
        return engine.ended(current, f"plan {number} of {flow}", held=held)


def applicable(engine: Engine, number: int, digest: str | None = None) -> dict[str, Any]:
    """The plan's row; :class:`ConfigError` where there is none, :class:`StopRun` where its time has passed."""
    plan = plans.show(engine.journal, number)
    if plan is None:
        others = ", ".join(str(n) for n in plans.applicable(engine.journal, engine.clock.now()))
        raise ConfigError(f"there is no plan {number}; those that can be applied: {others or 'none'}")
    if digest is not None and digest != plan["digest"]:
        raise ConfigError(f"the file is another plan than number {number} of this hub")
    unused(plan, engine.clock.now())
    return plan


def unused(plan: Mapping[str, Any], now: datetime) -> None:
    if plan["applied_at"] is not None:
        raise StopRun(f"plan {plan['id']} was applied at {plan['applied_at']:%Y-%m-%d %H:%M:%S} UTC already")
    if plan["expires_at"] <= now:
        raise StopRun(f"plan {plan['id']} expired at {plan['expires_at']:%Y-%m-%d %H:%M:%S} UTC: make a new one")


def changes_of(engine: Engine, plan: Mapping[str, Any]) -> list[Change]:
    return loaded(engine.vault.open(engine.journal, plan["changes"]))


def told_of_before(engine: Engine, flow: str, systems: Sequence[str]) -> None:
    """Sources hear of what was committed before a crash, as at the beginning of every reading."""
    for system in systems:
        source = engine.systems[system]
        if isinstance(source, Source) and ingest.is_open(engine, system):
            for name in ingest.routes(engine, flow, system):
                ingest.release_left(engine, source, system, name)


def commit(engine: Engine, current: Pass, gathered: Gathered, plan: Mapping[str, Any], by: str) -> Draft:
    """The pass, committed with the plan's end where it is the same; what it counted is the run's."""
    planned, due = changes_of(engine, plan), plan["summary"]["due"]
    differs: list[str] = []

    def same(draft: Draft) -> bool:
        row = plans.locked(engine.journal, plan["id"])
        unused(row or plan, engine.clock.now())
        differs[:] = moved(left_of(engine, planned, due, draft), draft.changes)
        if differs:
            return False
        now = engine.clock.now()
        plans.mark_applied(engine.journal, plan["id"], at=now, by=by, run=current.run)
        return True

    draft = drafted(engine, current, gathered, same, due)
    if differs:
        raise StopRun(refusal(engine, plan, differs))
    current.counts = draft.current.counts
    current.touched = draft.current.touched
    return draft


def left_of(engine: Engine, planned: Sequence[Change], due: Mapping[str, Sequence[str]], draft: Draft) -> list[Change]:
    """``planned`` without what was due in any case and was derived by somebody else since, as planned."""
    others = {
        (DELIVERS[flow][derived], subject)
        for flow in DELIVERS
        for derived in DELIVERS[flow].keys() & due.keys()
        for subject in set(due[derived]) - draft.current.derived.get(derived, set())
    }
    theirs = [one for one in planned if one.place == "target" and (one.object, one.subject) in others]
    as_planned = {(one.system, one.object, one.key) for one in theirs if stands(engine, one)}
    return [one for one in planned if one not in theirs or (one.system, one.object, one.key) not in as_planned]


def stands(engine: Engine, one: Change) -> bool:
    """Whether a target is to hold now what was planned."""
    now = desired.values(engine.journal, one.system, one.object, [one.key]).get(one.key)
    return plain(now) == plain(one.after)


def refusal(engine: Engine, plan: Mapping[str, Any], differs: Sequence[str]) -> str:
    edited = ["hub.yaml was edited"] if plan["rules"] != engine.landscape.rules_hash else []
    named = [*edited, *differs[:NAMED]]
    more = f"; and {len(differs) - NAMED:,} more" if len(differs) > NAMED else ""
    return f"plan {plan['id']} is not applied, the world moved: {'; '.join(named)}{more}"


def tell_sources(engine: Engine, gathered: Gathered, unbound: Sequence[str]) -> None:
    """Each batch's own end, so that each file is archived; killed before it, the next reading does it.

    Of an ``unbound`` source nothing was taken.
    """
    for one in gathered.readings:
        source = engine.systems[one.system]
        if isinstance(source, Source) and one.system not in unbound:
            for batch in one.batches:
                source.release(batch.checkpoint)
            checkpoints.mark_released(engine.journal, one.system, one.name)


def deliver_all(engine: Engine, current: Pass, report: Callable[[str], None]) -> None:
    """To every target of the flow; one target's trouble does not stop another, and is raised at the end."""
    troubles: list[HubError] = []
    for target in current.targets:
        report(f"delivering to {target}")
        with trouble(troubles), locks.shared(engine.journal, f"deliver/{target}"):
            if ingest.is_open(engine, target):
                deliver.send_waiting(engine, current, target, SECONDS)
    if troubles:
        raise said_together(troubles)
