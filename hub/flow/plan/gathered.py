"""What a plan rests on: every source read to its end, and what targets answered about keys that are not bound yet.

Vendors are asked here, before the transaction begins: nobody waits for a vendor while it holds the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.connector import Source
from hub.errors import ConfigError
from hub.flow import bind, ingest, locks
from hub.flow.understood import batches, understood
from hub.journal import checkpoints
from hub.model import Batch, Checkpoint, Reference, Remote

if TYPE_CHECKING:
    from hub.flow.engine import Engine

Questions = Mapping[tuple[str, str], Sequence[Reference]]  # by target and bound object


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A vendor's object read from its checkpoint to its end, and not journalled."""

    system: str
    name: str
    since: Checkpoint | None
    batches: Sequence[Batch]


@dataclass(slots=True, kw_only=True)
class Gathered:
    """Readings in the order of a pass; ``found`` and ``asked`` by target and bound object."""

    systems: Sequence[str]
    readings: list[Reading] = field(default_factory=list)
    closed: dict[str, str] = field(default_factory=dict)  # system -> when it opens
    found: dict[tuple[str, str], dict[Reference, Remote]] = field(default_factory=dict)
    asked: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def of(self, system: str) -> list[Reading]:
        return [one for one in self.readings if one.system == system]


def gather(engine: Engine, flow: str, system: str | None, report: Callable[[str], None]) -> Gathered:
    """Read every open source of ``flow``, or ``system`` alone. Any trouble ends it: half a plan is none."""
    gathered = Gathered(systems=sources_of(engine, flow, system))
    for name in gathered.systems:
        report(f"reading {name}")
        if not ingest.is_open(engine, name):
            gathered.closed[name] = ingest.opens_at(engine, name)
            continue
        engine.breakers.admit(name)
        gathered.readings += [read(engine, name, object) for object in ingest.routes(engine, flow, name)]
    targets = engine.landscape.flows[flow].targets
    report("asking targets for new keys")
    ask(engine, gathered, unknown(engine, gathered, dict.fromkeys([*gathered.systems, *targets])))
    return gathered


def sources_of(engine: Engine, flow: str, system: str | None) -> list[str]:
    return [system] if system else list(engine.landscape.flows[flow].sources)


def read(engine: Engine, system: str, name: str) -> Reading:
    source = engine.systems[system]
    if not isinstance(source, Source):
        raise ConfigError(f"{system} cannot be read")
    since = checkpoints.load(engine.journal, system, name)
    return Reading(system=system, name=name, since=since, batches=list(batches(source, system, name, since)))


def overtaken(engine: Engine, gathered: Gathered) -> list[str]:
    """Systems that somebody else has read further since they were read here."""
    return list(
        dict.fromkeys(
            one.system
            for one in gathered.readings
            if checkpoints.load(engine.journal, one.system, one.name) != one.since
        )
    )


def unknown(engine: Engine, gathered: Gathered, systems: Mapping[str, None]) -> Questions:
    """Keys that these systems are written with, that are not bound there and were not asked for yet."""
    found: dict[tuple[str, str], Sequence[Reference]] = {}
    for system in systems:
        for object in bind.bound_objects(engine, system):
            asked = gathered.asked.get((system, object), set())
            new = [key for key in bind.unbound(engine, system, object) if key not in asked]
            if new:
                found[system, object] = bind.references(engine, object, new)
    return found


def ask(engine: Engine, gathered: Gathered, questions: Questions) -> None:
    """Put ``questions`` to the targets and keep what they answer."""
    for (target, object), references in questions.items():
        gathered.asked.setdefault((target, object), set()).update(one.key for one in references)
        if not ingest.is_open(engine, target):
            continue
        with understood(target):
            gathered.found.setdefault((target, object), {}).update(engine.target(target).find(object, references))


@contextmanager
def reading_alone(engine: Engine, flow: str, systems: Sequence[str]) -> Iterator[None]:
    """Be the only one who reads ``systems`` for ``flow``, as a pass is; in an order that all who need several share."""
    names = sorted(f"ingest/{system}/{name}" for system in systems for name in ingest.routes(engine, flow, system))
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(locks.exclusive(engine.journal, name))
        yield
