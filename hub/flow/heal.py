"""Healing quarantine: refused records are tried again, in order, as they are, corrected, or by a better lookup.

Nothing is overwritten: the original stays beside its correction, and who did what and why is in the audit trail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from hub.connector import Reopens
from hub.errors import ConfigError, StopRun
from hub.flow import derive, heal_read, ingest, keep, locks
from hub.flow.heal_fix import Fix, check
from hub.flow.outcome import Pass
from hub.journal import audit, corrections, outbox, quarantine
from hub.journal.corrections import Chosen, Waiting
from hub.model import Batch

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.mapping import Mapping as Rules

AT_ONCE = 500  # a transaction of about a second
DRY = "dry-run"  # the run that a rehearsal's rows name; they are rolled back

Report = Callable[[str], None]


@dataclass(slots=True)
class Still:
    """Records that are refused again, by why."""

    records: int
    reason: str  # of one of them
    number: int  # of the same


@dataclass(slots=True)
class Healed:
    """What became of the chosen records, or would."""

    dry: bool
    records: int = 0
    healed: int = 0
    superseded: int = 0  # a newer word of their key is known
    sent_again: int = 0  # the target decides
    held: int = 0  # lines of a file that can be read now, and that a guard holds
    still: dict[str, Still] = field(default_factory=dict)  # by cause
    runs: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)  # lookup entries, as table.value=ours in which system

    @property
    def refused(self) -> int:
        return sum(one.records for one in self.still.values())

    @property
    def exit_code(self) -> int:
        """1 where something is refused still, 3 where a file can be read now and waits for a person."""
        return 1 if self.refused else 3 if self.held else 0

    def refuse(self, number: int, cause: str, reason: str) -> None:
        found = self.still.setdefault(cause, Still(0, reason, number))
        found.records += 1

    @property
    def sentence(self) -> str:
        """For a person."""
        would = "would " if self.dry else ""
        said = [
            f"{count:,} {would}{words}"
            for count, words in (
                (self.healed, "heal" if self.dry else "healed"),
                (self.superseded, "be superseded by a newer word" if self.dry else "superseded by a newer word"),
                (self.sent_again, "be sent again" if self.dry else "sent again"),
                (self.refused, "still be refused" if self.dry else "still refused"),
            )
            if count
        ]
        guarded = f"; a guard {'would hold' if self.dry else 'holds'} {self.held:,} lines, see: hub held list"
        return f"{self.records:,} records: {', '.join(said) or 'nothing to do'}{guarded if self.held else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who heals or discards, and why."""

    who: str
    why: str


def fix(
    engine: Engine, choice: Chosen, repair: Fix, decision: Decision, *, dry: bool, report: Report = lambda _: None
) -> Healed:
    """Repair what the chosen records were refused for and replay them; nothing is kept where that heals none.

    Raises :class:`ConfigError` where the repair does not fit the records, StopRun where it heals none of them.
    """
    waiting = corrections.chosen(engine.journal, choice)
    if not waiting and not repair.lookups:
        raise ConfigError("no open record is chosen so; see: hub quarantine list")
    systems = sorted({one.system for one in waiting if one.side == "read"} or {choice.system or ""} - {""})
    repair = check(engine, repair, waiting, systems)
    report("trying")
    tried = attempt(engine, waiting, repair, decision, dry=True, report=report)
    tried.entries = [f"{table}.{key}={value} in {system}" for system, table, key, value in repair.entries]
    if dry:
        return tried
    if waiting and not tried.healed and not tried.superseded:
        first = next(iter(tried.still.values()), None)
        said = f"; number {first.number} is still refused: {first.reason}" if first else ""
        raise StopRun(f"this heals none of the {len(waiting):,} records, so nothing was changed{said}")
    keep_entries(engine, repair, decision)
    found = attempt(engine, waiting, repair, decision, dry=False, report=report)
    found.entries = tried.entries
    return found


def replay(engine: Engine, choice: Chosen, decision: Decision, *, dry: bool, report: Report = lambda _: None) -> Healed:
    """Try the chosen records again as they are, with their corrections: a mapping, a lookup or a target may be better.

    What a target refused is sent to it again.
    """
    waiting = corrections.chosen(engine.journal, choice)
    if not waiting:
        raise ConfigError("no open record is chosen so; see: hub quarantine list")
    return attempt(engine, waiting, Fix(), decision, dry=dry, report=report)


def discard(engine: Engine, choice: Chosen, decision: Decision) -> int:
    """Give the chosen records up, for a reason; they and their originals stay to be seen."""
    waiting = corrections.chosen(engine.journal, choice)
    if not waiting:
        raise ConfigError("no open record is chosen so; see: hub quarantine list")
    done = 0
    for flow, group in groupby(waiting, key=lambda one: one.flow):
        for chunk in chunks(list(group)):
            current = Pass(run="", flow=flow)
            with engine.journal.transaction():
                rows = corrections.locked(engine.journal, [one.id for one in chunk])
                heal_read.look_again(engine, current, rows)
                told = [heal_read.entry(row, "discarded", decision.who, decision.why) for row in rows]
                audit.write(engine.journal, "", flow, told)
                ids = [row["id"] for row in rows]
                done += quarantine.close(engine.journal, ids, "discarded", who=decision.who, why=decision.why)
                keep.finish(engine, current)
    return done


def keep_entries(engine: Engine, repair: Fix, decision: Decision) -> None:
    """Lookup entries count from now on, for these records and for all that come later."""
    if not repair.entries:
        return
    with engine.journal.transaction():
        for system, table, key, value in repair.entries:
            corrections.add_entry(engine.journal, system, table, key, value, decision.who, decision.why)
        told = [
            audit.Entry(
                step="lookup added", system=system, object="lookup", key=f"{table}.{key}", after={"value": value},
                answer=f"by {decision.who}: {decision.why}",
            )
            for system, table, key, value in repair.entries
        ]  # fmt: skip
        audit.write(engine.journal, "", None, told)
    engine.forget_mappings()


def remove_entry(engine: Engine, system: str, name: str, decision: Decision) -> None:
    """Take a lookup entry back; :class:`ConfigError` where there is none. ``name`` is table.value."""
    table, _, key = name.partition(".")
    with engine.journal.transaction():
        if not corrections.remove_entry(engine.journal, system, table, key):
            raise ConfigError(f"the lookups of {system} were given no entry {name}; see: hub quarantine lookups")
        told = audit.Entry(
            step="lookup removed", system=system, object="lookup", key=name,
            answer=f"by {decision.who}: {decision.why}",
        )  # fmt: skip
        audit.write(engine.journal, "", None, [told])
    engine.forget_mappings()


def attempt(
    engine: Engine, waiting: Sequence[Waiting], repair: Fix, decision: Decision, *, dry: bool, report: Report
) -> Healed:
    """Replay ``waiting`` in their order, in transactions of some hundred; a rehearsal is rolled back."""
    found = Healed(dry=dry)
    done = 0
    for (flow, system), group in groupby(waiting, key=lambda one: (one.flow, one.system)):
        trial = trial_of(engine, system, repair, decision)
        with passing(engine, found, flow, system, dry=dry) as current:
            for chunk in alike(list(group)):
                heal_some(engine, current, found, chunk, trial)
                done += len(chunk)
                report(f"{'tried' if dry else 'replayed'} {done:,} of {len(waiting):,}")
            found.held += current.counts["held"]
    return found


@contextmanager
def passing(engine: Engine, found: Healed, flow: str, system: str, *, dry: bool) -> Iterator[Pass]:
    """A run of its own for what one system told one flow, carried on to the targets; none for a rehearsal."""
    if dry:
        yield Pass(run=DRY, flow=flow)
        return
    settings = engine.landscape.flows.get(flow)  # None: hub.yaml has that flow no longer
    targets = list(settings.targets) if settings else []
    with engine.running("heal", flow, system, targets) as current:
        current.beside_others = True
        yield current
        if settings:
            derive.derive_touched(engine, current, keep.TOGETHER)
        ring = tuple(target for target in targets if not ingest.deliver_along(engine, current, target))
        subject, held = f"{flow} of {system} out of quarantine", bool(current.counts["held"])
        found.runs.append(engine.ended(current, subject, ring=ring, held=held).run)


def trial_of(engine: Engine, system: str, repair: Fix, decision: Decision) -> heal_read.Trial:
    """The repair with the mappings of ``system`` as they would be with it; these are read when they are needed."""
    more = repair.more(system)

    @cache
    def rules() -> Sequence[Rules]:
        if repair.version is not None:
            return engine.mappings_of_version(system, repair.version, more)
        return engine.fresh_mappings(system, more) if more else engine.mappings(system)

    @lru_cache(4)  # many lines of one file are refused together; it is opened once
    def reopened(ref: str, name: str) -> Batch:
        source = engine.systems[system]
        assert isinstance(source, Reopens)  # noqa: S101  heal_read asks only those
        return source.reopen(engine.vault.open(engine.journal, ref), name)

    return heal_read.Trial(repair=repair, rules=rules, reopened=reopened, who=decision.who, why=decision.why)


def heal_some(engine: Engine, current: Pass, found: Healed, chunk: Sequence[Waiting], trial: heal_read.Trial) -> None:
    """One transaction's worth of entries of one system, side and object."""
    one, dry = chunk[0], current.run == DRY
    alone = locks.exclusive(engine.journal, f"ingest/{one.system}/{one.read_as}") if one.read_as else nullcontext()
    with alone, engine.journal.transaction(force_rollback=dry):
        if one.side == "sent":
            outbox.alone(engine.journal, one.system)
        rows = corrections.locked(engine.journal, [each.id for each in chunk])
        found.records += len(rows)
        judged = heal_read.judge(engine, current, one, rows, trial)
        found.healed += len(judged.healed)
        found.superseded += len(judged.superseded)
        found.sent_again += len(judged.sent)
        for number, cause, reason in judged.refused:
            found.refuse(number, cause, reason)
        keep.finish(engine, current)
    if dry:
        current.touched.clear()


def heal_bound(engine: Engine, current: Pass, system: str) -> int:
    """Records that named an id which was not bound and is now: replayed without a person. Answers how many healed."""
    ids = heal_read.bound_now(engine, system)
    if not ids:
        return 0
    waiting = corrections.chosen(engine.journal, Chosen(ids=tuple(ids)))
    found = Healed(dry=False)
    trial = trial_of(engine, system, Fix(), Decision(who="the hub", why="its id is bound now"))
    for chunk in alike(waiting):
        heal_some(engine, current, found, chunk, trial)
    if found.healed:
        engine.log.info("%s: %d records in quarantine healed, since their ids are bound now", system, found.healed)
    return found.healed


def alike(waiting: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    """Runs of entries that are healed in the same way, cut where a transaction would be long."""
    for _, group in groupby(waiting, key=lambda one: (one.side, one.object, one.read_as)):
        yield from chunks(list(group))


def chunks(waiting: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    for begin in range(0, len(waiting), AT_ONCE):
        yield list(waiting[begin : begin + AT_ONCE])


def as_data(found: Healed) -> dict[str, Any]:
    """For programs."""
    still: list[Mapping[str, Any]] = [
        {"cause": cause, "records": one.records, "reason": one.reason, "number": one.number}
        for cause, one in found.still.items()
    ]
    return {
        "dry_run": found.dry,
        "records": found.records,
        "healed": found.healed,
        "superseded": found.superseded,
        "sent_again": found.sent_again,
        "held": found.held,
        "still_refused": found.refused,
        "still": still,
        "lookups": found.entries,
        "runs": found.runs,
    }
