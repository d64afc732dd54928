"""Reconcile: what each target really holds against what it should hold; every difference with its cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.errors import HubError
from hub.flow import causes, claims, compared, deliver, ingest
from hub.flow.causes import Difference
from hub.flow.objects import DELIVERS, objects_of
from hub.flow.once import said_together, trouble
from hub.journal import agreement, audit, outbox, remotes, runs

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.flow.outcome import Pass

SECONDS = 300.0  # for sending what --fix found, at one target


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """One target of a flow after the comparison."""

    target: str
    run: str
    counts: Mapping[str, int]  # compared, equal, different; fixed: values that were sent because of it
    differences: Sequence[Difference]
    sentence: str

    @property
    def agrees(self) -> bool:
        """Nothing differs but what is known and waits for somebody or something."""
        return all(one.cause.settled for one in self.differences)

    @property
    def repairable(self) -> bool:
        return any(one.cause.repairable for one in self.differences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A flow reconciled: its targets, what was refused on the way in, and who contradicts whom."""

    flow: str
    targets: Sequence[Reconciled]
    refused: Sequence[Difference]
    claims: Sequence[claims.Claim]

    @property
    def exit_code(self) -> int:
        return 0 if all(target.agrees for target in self.targets) else 1


def reconcile(
    engine: Engine, flow: str, *, fix: bool = False, report: Callable[[str], None] = lambda _: None
) -> Report:
    """Every target of ``flow``, then its sources; one target's trouble does not stop another, and is raised at the end.

    Nothing is changed without ``fix``; with it, what drifted is read back and sent under the flow's own rules.
    """
    engine.check_names(flow)
    carried = objects_of(flow)
    found: list[Reconciled] = []
    troubles: list[HubError] = []
    targets = list(engine.landscape.flows[flow].targets)
    for target in targets:
        report(f"reading {target}")
        with trouble(troubles):
            found.append(reconcile_target(engine, flow, target, fix=fix))
    if troubles:
        raise said_together(troubles)
    return Report(
        flow=flow,
        targets=found,
        refused=[causes.of_refused(row) for row in agreement.refused_records(engine.journal, flow, targets)],
        claims=[claim for known in carried for claim in claims.of(engine, known.name)],
    )


def reconcile_target(engine: Engine, flow: str, target: str, *, fix: bool = False, send: bool = True) -> Reconciled:
    """One target of ``flow``, as a run of its own. One that is closed is left alone.

    With ``fix`` what drifted is put in doubt, and sent at once; without ``send`` that is left to the next delivery.
    """
    with engine.running("reconcile", flow, target) as current:
        if not ingest.is_open(engine, target):
            return ended(
                engine, current, target, 0, [], 0, f"{target} is closed until {ingest.opens_at(engine, target)}"
            )
        looks = [compared.compare(engine, target, object, derived) for derived, object in DELIVERS[flow].items()]
        differences = [one for look in looks for one in look.differences]
        keep(engine, current, differences)
        fixed = repair(engine, current, target, differences, send=send) if fix else 0
        return ended(engine, current, target, sum(look.keys for look in looks), differences, fixed)


def keep(engine: Engine, current: Pass, differences: Iterable[Difference]) -> None:
    """Into the audit trail what nobody knew before: it is part of the key's story."""
    entries = [
        audit.Entry(
            step="drifted",
            system=one.system,
            object=one.object,
            key=one.key,
            subject=one.subject,
            before=one.confirmed,
            after={name: both["holds"] for name, both in one.fields.items()},
            answer=one.detail,
        )
        for one in differences
        if one.cause.repairable
    ]
    if entries:
        with engine.journal.transaction():
            audit.write(engine.journal, current.run, current.flow, entries)


def repair(engine: Engine, current: Pass, target: str, differences: Iterable[Difference], *, send: bool) -> int:
    """What drifted is in doubt: a delivery reads it back, follows on_foreign_edit, and sends what it must."""
    by_object: dict[str, list[str]] = {}
    for one in differences:
        if one.cause.repairable:
            by_object.setdefault(one.object, []).append(one.key)
    if by_object:
        doubt(engine, target, by_object)
    if not by_object or not send:
        return 0
    return deliver.deliver_flow(engine, current.flow, target, SECONDS).counts["delivered"]


def doubt(engine: Engine, target: str, by_object: Mapping[str, Sequence[str]]) -> None:
    with engine.journal.transaction():
        outbox.alone(engine.journal, target)
        for object, keys in by_object.items():
            remotes.suspect(engine.journal, target, object, keys=keys)


def ended(
    engine: Engine,
    current: Pass,
    target: str,
    keys: int,
    differences: Sequence[Difference],
    fixed: int,
    closed: str | None = None,
) -> Reconciled:
    """Close the run with counts of its own and a sentence."""
    different = sum(1 for one in differences if one.fields)
    counts = {"compared": keys, "equal": keys - different, "different": different, "fixed": fixed}
    said = closed or sentence(current.flow, target, counts, differences)
    runs.finish(engine.journal, current.run, "done", counts, said)
    engine.log.info("%s", said)
    return Reconciled(target=target, run=current.run, counts=counts, differences=differences, sentence=said)


def sentence(flow: str, target: str, counts: Mapping[str, int], differences: Sequence[Difference]) -> str:
    """What the comparison found, for a person."""
    why = Counter(one.cause.value for one in differences).most_common()
    named = ", ".join(f"{count:,} {cause}" for cause, count in why)
    fixed = f"; {counts['fixed']:,} sent again" if counts["fixed"] else ""
    return (
        f"{flow} at {target}: {counts['equal']:,} of {counts['compared']:,} agree{f'; {named}' if named else ''}{fixed}"
    )


def as_data(report: Report) -> dict[str, Any]:
    """The report as a program reads it."""
    return {
        "flow": report.flow,
        "agrees": report.exit_code == 0,
        "targets": {
            one.target: {**one.counts, "causes": dict(Counter(d.cause.value for d in one.differences)), "run": one.run}
            for one in report.targets
        },
        "differences": [plain(d) for one in report.targets for d in one.differences],
        "refused": [plain(d) for d in report.refused],
        "claims": [
            {"object": c.object, "key": c.key, "system": c.system, "owner": c.owner, "fields": dict(c.fields)}
            for c in report.claims
        ],
    }


def plain(one: Difference) -> dict[str, Any]:
    return {
        "system": one.system,
        "object": one.object,
        "key": one.key,
        "cause": one.cause.value,
        "detail": one.detail,
        "fields": dict(one.fields),
    }
