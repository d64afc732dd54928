"""A plan in words: for each source what it says that is new, for each target what it would be sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.flow import guard, ingest
from hub.flow.objects import OBJECTS
from hub.flow.outcome import NAMES
from hub.flow.plan.changes import SEND, Change
from hub.flow.plan.draft import Draft
from hub.journal import snapshots
from hub.model import Extent

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.flow.plan.gathered import Gathered

SOURCE_COUNTS = ("read", "changed", "unchanged", "superseded", "quarantined", "held")


def summary(engine: Engine, gathered: Gathered, draft: Draft) -> dict[str, Any]:
    """Sources, targets, and what other flows get of it: {"sentence": ..., counts} by name; and what is held."""
    sources = {name: of_source(engine, gathered, draft, name) for name in gathered.systems}
    targets = {name: of_target(engine, draft, name) for name in draft.current.targets}
    return {
        "sources": sources,
        "targets": targets,
        "others": of_others(draft),
        "held": [f"{one['system']}: {held_in_words(one)}" for one in draft.held],
        "counts": {name: draft.current.counts[name] for name in NAMES},
    }


def of_source(engine: Engine, gathered: Gathered, draft: Draft, system: str) -> dict[str, Any]:
    """What one source says, as a guard would put it."""
    counts = {name: draft.counts[system][name] for name in SOURCE_COUNTS}
    mine = [one for one in draft.changes if one.place == "source" and one.system == system]
    if system in gathered.closed:
        return {**counts, "sentence": f"closed until {gathered.closed[system]}"}
    if system in draft.unbound:
        return {**counts, "sentence": "waits until what it holds is bound to our keys"}
    found = [one for one in draft.held if one["system"] == system]
    absent = sum(1 for one in mine if one.step == "missing")
    policy = engine.landscape.flows[draft.current.flow].sources[system].missing
    measured = guard.Measured(
        rows=counts["read"]
        + counts["held"]
        - (absent if policy == "hold" else 0),  # absent ones are held, and no lines
        tally=tally(mine),
        absent=absent,
        policy=policy,
        usual=None if found else usual_lines(engine, gathered, system),
    )
    said = [guard.words(measured)]
    said += [f"{counts[name]:,} {name}" for name in ("superseded", "quarantined") if counts[name]]
    said += [held_in_words(one) for one in found]
    numbers = {"lines": measured.rows, "new": measured.tally.new, "to_zero": measured.tally.to_zero, "absent": absent}
    return {**counts, **numbers, "sentence": "; ".join(said)}


def usual_lines(engine: Engine, gathered: Gathered, system: str) -> float | None:
    """What the complete snapshots that were read mostly have together; None where anything else was read too."""
    total = 0.0
    for one in gathered.of(system):
        objects = [m.target for m in ingest.readers(engine, system, one.name)]
        for batch in one.batches:
            complete = batch.scope.extent is Extent.COMPLETE and len(objects) == 1
            usual = snapshots.usual_rows(engine.journal, system, objects[0], batch.scope) if complete else None
            if usual is None:
                return None
            total += usual
    return total or None


def held_in_words(row: Mapping[str, Any]) -> str:
    """A batch that a guard would stop: what it would do, and why that is too much."""
    return f"{row['source']} held for a person ({row['plan']}), since {row['reason']}"


def tally(changes: Sequence[Change]) -> guard.Tally:
    """What a source's words do, each object by the number that a guard weighs of it."""
    found = guard.Tally()
    applied = [one for one in changes if one.step == "applied" and one.object in OBJECTS]
    for name in dict.fromkeys(one.object for one in applied):
        words = [guard.Change(key=o.key, before=o.before, after=o.after) for o in applied if o.object == name]
        found += guard.tally(words, OBJECTS[name].measured)
    return found


def _n(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def of_target(engine: Engine, draft: Draft, target: str) -> dict[str, Any]:
    """What one target of the flow would be sent."""
    sends = [one for one in draft.changes if one.step == SEND and one.system == target]
    mine = [one for one in sends if one.object in objects_of(draft)]
    new = sum(1 for one in mine if not one.before)
    counts = {
        "changed": len(mine) - new,
        "new": new,
        "waiting_already": max(0, draft.queued[target] - len(mine)),
        "read_first": draft.read_first[target],
        "waiting": draft.waiting[target],
    }
    words = {
        "changed": ("changes", "change"),
        "new": ("is new there", "are new there"),
        "waiting_already": ("waits to be sent already", "wait to be sent already"),
        "read_first": ("is read there first", "are read there first"),
        "waiting": ("waits for a binding or something else", "wait for a binding or something else"),
    }
    said = [_n(counts[name], *both) for name, both in words.items() if counts[name]]
    if not ingest.is_open(engine, target):
        said.append(f"closed until {ingest.opens_at(engine, target)}")
    return {**counts, "sentence": "; ".join(said) or "nothing to send"}


def objects_of(draft: Draft) -> tuple[str, ...]:
    from hub.flow.objects import delivered_by

    return delivered_by(draft.current.flow)


def of_others(draft: Draft) -> dict[str, int]:
    """What was read is other flows' too: how many values each target gets of them, by their own deliveries."""
    mine = objects_of(draft)
    sends = [one for one in draft.changes if one.step == SEND and one.object not in mine]
    return dict(Counter(f"{one.object} to {one.system}" for one in sends))


def sentence(flow: str, summary: Mapping[str, Any]) -> str:
    """The whole plan in a line."""
    read = sum(one.get("lines", 0) for one in summary["sources"].values())
    changed = sum(one["changed"] for one in summary["sources"].values())
    sent = {name: one["changed"] + one["new"] for name, one in summary["targets"].items()}
    said = [f"{read:,} records read, {changed:,} change"]
    said += [f"{count:,} to {target}" for target, count in sent.items() if count]
    said += [f"{len(summary['held'])} held for a person"] if summary["held"] else []
    return f"{flow}: {'; '.join(said)}"
