"""Keeping: mapped records become states and events, refused ones go to quarantine, what rests on them is marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub.flow import clocks, ownership, refusals, rejects, steps
from hub.flow.mapped import Mapped, origin_row, signature
from hub.flow.objects import DELIVERS, FLOW_OF, OBJECTS, CanonicalObject, first_of
from hub.flow.outcome import Pass
from hub.journal import audit, events, outbox, quarantine, recompute, remotes, snapshots, states
from hub.model import Record, Scope

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.mapping import Mapping

# A source that brings file after file derives once, at its end; others leave what is not urgent to it for so long.
# Measured: 24 store files in Airflow were derived by whoever came by, and the first synchronisation took twice as long.
TOGETHER = timedelta(seconds=5)


def keep(engine: Engine, current: Pass, system: str, mapped: Mapped, scope: Scope, *, snapshot: int | None) -> None:
    """Apply what was mapped and put away what was refused; mark what must be derived again."""
    steps.refuse_illegal(engine, system, mapped)
    rejects.watch(engine, current, system, mapped, scope)
    for name, records in mapped.records.items():
        canonical = OBJECTS[name]
        if canonical.kind == "state":
            keep_states(engine, current, system, canonical, records, scope, snapshot)
        else:
            keep_events(engine, current, system, canonical, records)
            lift_events(engine, system, canonical, mapped)
    refusals.put_away(engine, current, system, mapped, scope)


def keep_states(
    engine: Engine,
    current: Pass,
    system: str,
    canonical: CanonicalObject,
    records: Sequence[tuple[Record, Record, Mapping]],
    scope: Scope,
    snapshot: int | None,
    *,
    replayed: bool = False,
) -> Sequence[states.Judged]:
    """Newer words replace older ones; of several lines with one key the last counts and the case is reported.

    What was ``replayed`` out of quarantine lifts nothing by itself: whoever replays knows which entries it settles.
    """
    last: dict[str, states.State] = {}
    repeated: list[states.State] = []
    now = clocks.never_back(engine)
    for record, raw, mapping in records:
        state = state_of(canonical, record, raw, mapping, scope, now)
        if not replayed:
            state = or_later(state, record, scope, now)
        if state.key in last:
            repeated.append(last.pop(state.key))
        last[state.key] = state
    judged = states.apply(
        engine.journal, system, canonical.name, list(last.values()),
        series=scope.series, snapshot=snapshot, run=current.run,
    )  # fmt: skip
    entries = [
        audit_of(system, canonical, s, "superseded", None, "a later line of the same key counts") for s in repeated
    ]
    for found in judged:
        if found.verdict in ("new", "changed"):
            entries.append(audit_of(system, canonical, found.state, "applied", found.before, None))
            if fields := ownership.not_owned(engine, system, canonical.name, found.state.data, found.before):
                owners = ownership.sentence(engine, fields)
                entries.append(audit_of(system, canonical, found.state, "not owner", None, owners))
        elif found.verdict == "superseded":
            entries.append(audit_of(system, canonical, found.state, "superseded", found.before, "a newer one is known"))
        current.counts.judge("changed" if found.verdict == "new" else found.verdict)
    current.counts.judge("superseded", len(repeated))
    entries += steps.told(system, canonical, judged, {s.key: s.origin for s in last.values()})
    audit.write(engine.journal, current.run, current.flow, entries)
    lifted = replayed or lift(engine, system, canonical, records, scope)
    moved = [f for f in judged if f.verdict in ("new", "changed")]
    known = [f for f in judged if f.verdict != "superseded"] if lifted or snapshot else []
    words = [f.state.data for f in [*moved, *known]] + [f.before for f in moved if f.before]
    current.mark_records(canonical, words, urgent=canonical.urgent)
    doubt(engine, current, system, canonical, [f.state.data for f in moved])
    return judged


def lift(
    engine: Engine,
    system: str,
    canonical: CanonicalObject,
    valid: Sequence[tuple[Record, Record, Mapping]],
    scope: Scope,
) -> int:
    """Valid words on these keys have come: those that were refused before them need nobody any more."""
    moments: dict[str, datetime] = {}
    keys = [canonical.key_of(record.data) for record, _, _ in valid]
    for key, (_, raw, _) in zip(keys, valid, strict=True):
        if (moment := refusals.moment_of(raw, scope)) is not None:
            moments |= {name: max(moment, moments.get(name, moment)) for name in (key, raw.key)}
    sources = list({raw.key for _, raw, _ in valid})
    return quarantine.lift(engine.journal, system, canonical.name, sources, list(set(keys)), as_of=moments)


def lift_events(engine: Engine, system: str, canonical: CanonicalObject, mapped: Mapped) -> None:
    """The vendor's own record was read again and now is valid whole: its refusal is over. An event lifts no other."""
    refused = {raw.key for _, raw, by in mapped.refused if raw and by and by.target == canonical.name}
    whole = {raw.key for _, raw, _ in mapped.records[canonical.name]} - refused
    if whole:
        quarantine.lift(engine.journal, system, canonical.name, sorted(whole), [])


def state_of(
    canonical: CanonicalObject, record: Record, raw: Record, mapping: Mapping, scope: Scope, now: datetime
) -> states.State:
    """A canonical record as a row; a snapshot's as-of is the time of all its lines."""
    as_of = scope.as_of if scope.identity and scope.as_of else record.event_time
    return states.State(
        key=canonical.key_of(record.data),
        subject=canonical.subject_of(record.data),
        data=dict(record.data),
        as_of=as_of or now,
        source_key=raw.key,
        origin=origin_row(raw.origin),
        mapping=signature(mapping),
    )


def or_later(state: states.State, record: Record, scope: Scope, now: datetime) -> states.State:
    """With the later reading of a time of the repeated hour, where that has come: a page tells what holds now."""
    later = clocks.other_reading(record.event_time) if record.event_time and not scope.identity else None
    return replace(state, or_later=later) if later is not None and later <= now else state


def keep_events(
    engine: Engine,
    current: Pass,
    system: str,
    canonical: CanonicalObject,
    records: Sequence[tuple[Record, Record, Mapping]],
) -> None:
    """Each event once. Where the system that tells it is a target too, what it holds there is read back."""
    found: dict[str, events.Event] = {}
    for record, raw, mapping in records:
        event = event_of(canonical, record, raw, mapping)
        found.setdefault(event.id, event)
    new = events.append(engine.journal, system, canonical.name, list(found.values()), current.run)
    current.counts.judge("changed", len(new))
    current.counts.judge("unchanged", len(records) - len(new))
    entries = [audit_of(system, canonical, e, "applied", None, None) for e in found.values() if e.id in new]
    audit.write(engine.journal, current.run, current.flow, entries)
    happened = [e.data for e in found.values() if e.id in new]
    current.mark_records(canonical, happened, urgent=True)
    doubt(engine, current, system, canonical, happened)


def doubt(
    engine: Engine, current: Pass, system: str, canonical: CanonicalObject, words: Sequence[dict[str, Any]]
) -> None:
    """Something happened at a system that is a target too: what it holds there is read back."""
    for derived, fields in canonical.derives.items():
        flow = engine.landscape.flows.get(FLOW_OF[derived])
        if flow is not None and system in flow.targets:
            subjects = {first_of(data, fields) for data in words}
            current.doubted.setdefault((system, DELIVERS[FLOW_OF[derived]][derived]), set()).update(subjects)
    if canonical.name == "order_return":
        doubt_stock(engine, current, system, words)


def doubt_stock(engine: Engine, current: Pass, system: str, returns: Sequence[dict[str, Any]]) -> None:
    """What a target puts back on its own shelf with a refund, also with one that we brought, is not in our number."""
    flow = engine.landscape.flows.get("stock")
    back = {line["sku"] for data in returns for line in data["lines"] if line.get("restock")}
    if flow is not None and system in flow.targets and back:
        current.mark("availability", back, urgent=True)
        current.doubted.setdefault((system, "stock_level"), set()).update(back)


def event_of(canonical: CanonicalObject, record: Record, raw: Record, mapping: Mapping) -> events.Event:
    data = dict(record.data)
    return events.Event(
        id=str(data["id"]),
        key=canonical.key_of(data),
        subject=canonical.subject_of(data),
        data=data,
        event_time=datetime.fromisoformat(data[canonical.moment or "occurred_at"]),
        origin=origin_row(raw.origin),
        mapping=signature(mapping),
    )


def vouch(
    engine: Engine, current: Pass, system: str, canonical: CanonicalObject, scope: Scope, *, snapshot: int | None
) -> None:
    """The source vouches for a later time: look again at what rests on it, and at everything if it had been stale."""
    if scope.as_of is None:
        return
    moved, before = snapshots.advance(engine.journal, system, canonical.name, scope.series, scope.as_of, snapshot)
    if not moved or "availability" not in canonical.derives or canonical.kind != "state":
        return
    now = engine.clock.now()
    was_stale = before is not None and any(before + age <= now for age in engine.landscape.stale_ages())
    look = states.subjects_of_series if was_stale else states.resting_on
    current.mark_subjects(canonical, look(engine.journal, system, canonical.name, scope.series))


def finish(engine: Engine, current: Pass) -> None:
    """The last step of a transaction that journals: what was marked on the way, in an order that all processes share.

    First the subjects to derive, then the targets to doubt; nobody holds the second while waiting for the first.
    """
    now = engine.clock.now()
    for derived in sorted(current.marked):
        if FLOW_OF[derived] in engine.landscape.flows and current.marked[derived]:
            recompute.mark(engine.journal, derived, current.marked[derived], now + TOGETHER, now)
            current.touched[FLOW_OF[derived]] = None
    for target, object in sorted(current.doubted):
        outbox.alone(engine.journal, target)
        remotes.suspect(engine.journal, target, object, subjects=sorted(current.doubted[target, object]))
    current.marked.clear()
    current.doubted.clear()


def audit_of(
    system: str,
    canonical: CanonicalObject,
    row: states.State | events.Event,
    step: str,
    before: Any,
    answer: str | None,
) -> audit.Entry:
    return audit.Entry(
        step=step,
        system=system,
        object=canonical.name,
        key=row.key,
        subject=row.subject,
        origin=row.origin,
        mapping=row.mapping,
        before=before,
        after=row.data,
        answer=answer,
    )
