"""Repairs: a plan of what drifted in targets and how it is put right; applied to exactly these keys or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hub.errors import HubError, StopRun, TryLater
from hub.flow import compared, deliver, ingest, reconcile
from hub.flow.causes import Cause, Difference
from hub.flow.objects import DELIVERS, EDITABLE
from hub.flow.once import said_together, trouble
from hub.flow.outcome import NAMES, Outcome
from hub.flow.plan.changes import REPAIR, Change, moved
from hub.flow.plan.making import Plan, keep
from hub.flow.report import Reconciled, Report
from hub.journal import plans, runs

if TYPE_CHECKING:
    from hub.flow.engine import Engine


def make(engine: Engine, flow: str, found: Report) -> Plan | None:
    """A plan that puts right what ``found`` says has drifted; None where nothing has."""
    drifted = [one for target in found.targets for one in target.differences if one.cause.repairable]
    changes = [repair_of(engine, flow, one) for one in drifted]
    if not changes:
        return None
    with engine.running("plan", flow, None) as current:
        summary = summary_of(flow, changes)
        plan = keep(engine, current, "repair", None, summary, changes)
        runs.finish(engine.journal, current.run, "done", summary["counts"], f"plan {plan.number} of {plan.sentence}")
        return plan


def repair_of(engine: Engine, flow: str, one: Difference) -> Change:
    """What the target holds and will hold; where its flow leaves what was edited there, that is the answer."""
    policy = engine.landscape.flows[flow].targets[one.system].on_foreign_edit
    left = one.object in EDITABLE and one.cause is Cause.DRIFT and policy != "revert"
    holds = {name: both["holds"] for name, both in one.fields.items()}
    return Change(
        place="target", step=REPAIR, system=one.system, object=one.object, key=one.key, subject=one.subject,
        before=None if one.cause is Cause.GONE else holds,
        after={name: both["should"] for name, both in one.fields.items()},
        answer=f"stays as it was edited there (on_foreign_edit: {policy})" if left else None,
    )  # fmt: skip


def summary_of(flow: str, changes: Sequence[Change]) -> dict[str, Any]:
    """In words by target, in the form that every plan has."""
    targets = {name: of_target([one for one in changes if one.system == name]) for name in systems_of(changes)}
    said = ", ".join(f"{name}: {one['sentence']}" for name, one in targets.items())
    return {
        "sources": {},
        "targets": targets,
        "others": {},
        "held": [],
        "due": {},
        "counts": dict.fromkeys(NAMES, 0),
        "sentence": f"repairs of {flow}; {said}",
    }


def systems_of(changes: Sequence[Change]) -> list[str]:
    return sorted({one.system for one in changes})


def of_target(changes: Sequence[Change]) -> dict[str, Any]:
    left = sum(1 for one in changes if one.answer)
    counts = {"sent_again": len(changes) - left, "left": left}
    said = [f"{counts['sent_again']:,} read there once more and sent again"] if counts["sent_again"] else []
    said += [f"{left:,} left as edited there"] if left else []
    return {**counts, "sentence": "; ".join(said)}


def carry_out(engine: Engine, plan: Plan, found: Report, by: str) -> Report:
    """Apply a plan that was made of ``found`` a moment ago; how many values were sent is in the report's counts."""
    fixed = repaired(engine, plan.number, plan.flow, plan.changes, by)
    return replace(found, targets=[with_fixed(one, fixed) for one in found.targets])


def exit_code(found: Report) -> int:
    """1 where something is still on its way, or drifted and could not be repaired."""
    causes = [one.cause for target in found.targets for one in target.differences]
    explained = all(one.cause.settled or one.cause.repairable for one in found.apart)
    return 0 if explained and all(cause.settled or cause.repairable for cause in causes) else 1


def with_fixed(one: Reconciled, fixed: Mapping[str, int]) -> Reconciled:
    if not fixed.get(one.target):
        return one
    said = f"{one.sentence}; {fixed[one.target]:,} sent again"
    return replace(one, counts={**one.counts, "fixed": fixed[one.target]}, sentence=said)


def apply(
    engine: Engine, plan: Mapping[str, Any], planned: Sequence[Change], by: str, report: Callable[[str], None]
) -> Outcome:
    """Compare again, and repair where every key of the plan is as it was; other keys are left alone."""
    flow, number = plan["flow"], plan["id"]
    engine.check_names(flow)
    for target in systems_of(planned):
        if not ingest.is_open(engine, target):
            raise TryLater(f"{target} is closed until {ingest.opens_at(engine, target)}")
    now = []
    for target in systems_of(planned):
        report(f"reading {target}")
        now += [repair_of(engine, flow, one) for one in still_drifted(engine, flow, target, planned)]
    if differs := moved(planned, now):
        raise StopRun(f"plan {number} is not applied, the world moved: {'; '.join(differs[:5])}")
    report("repairing")
    with engine.running("apply", flow, None, systems_of(planned)) as current:
        fixed = repaired(engine, number, flow, planned, by, current.run)
        current.counts["enqueued"] += sum(fixed.values())
        current.counts["delivered"] += sum(fixed.values())
        return engine.ended(current, f"plan {number} of {flow}")


def still_drifted(engine: Engine, flow: str, target: str, planned: Sequence[Change]) -> list[Difference]:
    """The planned keys of ``target`` that differ now, for a reason that a repair removes; only these are read."""
    found: list[Difference] = []
    for derived, object in DELIVERS[flow].items():
        keys = [one.key for one in planned if (one.system, one.object) == (target, object)]
        found += compared.compare_keys(engine, target, object, derived, keys) if keys else []
    return [one for one in found if one.cause.repairable]


def repaired(
    engine: Engine, number: int, flow: str, changes: Sequence[Change], by: str, run: str | None = None
) -> dict[str, int]:
    """Put exactly these keys in doubt and deliver; how many values were sent, by target."""
    with engine.journal.transaction():
        row = plans.locked(engine.journal, number)
        if row is None or row["applied_at"] is not None:
            raise StopRun(f"plan {number} was applied by somebody else meanwhile")
        plans.mark_applied(engine.journal, number, at=engine.clock.now(), by=by, run=run or row["run"])
    sent: Counter[str] = Counter()
    troubles: list[HubError] = []
    for target in systems_of(changes):
        mine = [one for one in changes if one.system == target]
        reconcile.doubt(engine, target, {o: [c.key for c in mine if c.object == o] for o in {c.object for c in mine}})
        with trouble(troubles):
            outcome = deliver.deliver_flow(engine, flow, target, reconcile.SECONDS)
            sent[target] = outcome.counts["delivered"]
    if troubles:
        raise said_together(troubles)
    return dict(sent)
