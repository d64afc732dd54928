"""Making a plan: the pass is gone through and rolled back; what it would have changed is kept under a number."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub.errors import TryLater
from hub.flow.outcome import Pass
from hub.flow.plan import words
from hub.flow.plan.changes import Change, digest, dumped
from hub.flow.plan.draft import Draft, drafted, due_in
from hub.flow.plan.gathered import Gathered, gather, overtaken
from hub.journal import plans, runs

if TYPE_CHECKING:
    from hub.flow.engine import Engine

LASTS = timedelta(hours=24)
READINGS = 3  # where somebody else reads the same sources meanwhile
KIND = "plan"  # of its changes in the vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would change, kept under ``number`` until ``expires_at``."""

    number: int
    kind: str  # pass, repair
    flow: str
    system: str | None
    digest: str
    sentence: str
    summary: Mapping[str, Any]
    changes: list[Change]
    expires_at: datetime

    @property
    def exit_code(self) -> int:
        """3 where a batch would be held for a person."""
        return 3 if self.summary.get("held") else 0


def make(engine: Engine, flow: str, system: str | None = None, report: Callable[[str], None] = lambda _: None) -> Plan:
    """What a pass of ``flow`` (of source ``system`` alone) would change; nothing is changed, and no source is told.

    Raises what keeps a source or a target from being asked: half a plan is none.
    """
    engine.check_names(flow, system)
    targets = list(engine.landscape.flows[flow].targets)
    with engine.running("plan", flow, system, targets) as current:
        gathered, draft = looked_ahead(engine, current, system, report)
        summary = words.summary(engine, gathered, draft)
        summary |= {"due": due_in(draft, draft.changes), "sentence": words.sentence(flow, summary)}
        plan = keep(engine, current, "pass", system, summary, draft.changes)
        runs.finish(engine.journal, current.run, "done", summary["counts"], f"plan {plan.number} of {plan.sentence}")
        return plan


def looked_ahead(
    engine: Engine, current: Pass, system: str | None, report: Callable[[str], None]
) -> tuple[Gathered, Draft]:
    """A draft that rests on what nobody has read further meanwhile."""
    for _ in range(READINGS):
        gathered = gather(engine, current.flow, system, report)
        report("going through it")
        late = overtaken(engine, gathered)
        if not late:
            with unsaid(engine):
                return gathered, drafted(engine, current, gathered, lambda _: False)
    raise TryLater(f"other processes read {', '.join(late)} all the time; try again", 10.0)


@contextmanager
def unsaid(engine: Engine) -> Iterator[None]:
    """What does not happen is not logged as if it did."""

    def nothing(_: logging.LogRecord) -> bool:
        return False

    engine.log.addFilter(nothing)
    try:
        yield
    finally:
        engine.log.removeFilter(nothing)


def keep(
    engine: Engine, current: Pass, kind: str, system: str | None, summary: Mapping[str, Any], changes: list[Change]
) -> Plan:
    """Under a number of its own, with all its changes in the vault."""
    now = engine.clock.now()
    name = digest(changes)
    with engine.journal.transaction():
        number = plans.keep(
            engine.journal, kind=kind, flow=current.flow, system=system, rules=engine.landscape.rules_hash, digest=name,
            summary=summary, changes=engine.vault.keep(engine.journal, KIND, dumped(changes)), run=current.run,
            made_at=now, expires_at=now + LASTS,
        )  # fmt: skip
    return Plan(
        number=number, kind=kind, flow=current.flow, system=system, digest=name, sentence=summary["sentence"],
        summary=summary, changes=changes, expires_at=now + LASTS,
    )  # fmt: skip
