"""Reconcile: what each target really holds against what it should hold; every difference with its cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from hub.errors import HubError
from hub.flow import causes, channels, claims, compared, deliver, explained, ingest
from hub.flow.causes import Difference
from hub.flow.objects import DELIVERS, delivered_by, objects_of
from hub.flow.once import said_together, trouble
from hub.flow.report import Reconciled, Report, sentence
from hub.journal import agreement, audit, outbox, remotes, runs

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.flow.outcome import Pass

SECONDS = 300.0  # for sending what --fix found, at one target


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
        apart=apart(engine, found) if flow == "price" else [],
        held=explained.held_of(engine, flow, list(engine.landscape.flows[flow].sources)),
        explained=[one for target in targets for o in delivered_by(flow) for one in explained.of(engine, target, o)],
    )


def apart(engine: Engine, found: Sequence[Reconciled]) -> list[channels.Apart]:
    """Articles that do not cost the same in every channel, as the targets were just found."""
    held = {one.target: one.held for one in found}
    return channels.apart(engine, held, [difference for one in found for difference in one.differences])


def reconcile_target(engine: Engine, flow: str, target: str, *, fix: bool = False, send: bool = True) -> Reconciled:
    """One target of ``flow``, as a run of its own. One that is closed is left alone.

    With ``fix`` what drifted is put in doubt, and sent at once; without ``send`` that is left to the next delivery.
    """
    with engine.running("reconcile", flow, target) as current:
        if not ingest.is_open(engine, target):
            closed = f"{target} is closed until {ingest.opens_at(engine, target)}"
            return ended(engine, current, target, [], 0, closed)
        looks = [compared.compare(engine, target, object, derived) for derived, object in DELIVERS[flow].items()]
        differences = [one for look in looks for one in look.differences]
        keep(engine, current, differences)
        fixed = repair(engine, current, target, differences, send=send) if fix else 0
        return ended(engine, current, target, looks, fixed)


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
    looks: Sequence[compared.Looked],
    fixed: int,
    closed: str | None = None,
) -> Reconciled:
    """Close the run with counts of its own and a sentence."""
    differences = [one for look in looks for one in look.differences]
    keys, different = sum(look.keys for look in looks), sum(1 for one in differences if one.fields)
    counts = {"compared": keys, "equal": keys - different, "different": different, "fixed": fixed}
    said = closed or sentence(current.flow, target, counts, differences)
    runs.finish(engine.journal, current.run, "done", counts, said)
    engine.log.info("%s", said)
    return Reconciled(
        target=target,
        run=current.run,
        counts=counts,
        differences=differences,
        sentence=said,
        held={key: value for look in looks for key, value in look.held.items()},
    )
