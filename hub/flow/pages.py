"""Pages of a changed-since reading: weighed together before any is applied, where the flow's guards ask for it.

A reading of one page is weighed at once. One of several is gathered in the journal page by page, its checkpoint
moving on with it, and weighed when the last has come; then its pages are applied, a transaction each, or held. A
source of which nothing is known yet is not gathered: there is nothing to compare it with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hub.flow import guard, holding, intake, keep, packing, weighing
from hub.flow.mapped import Mapped, map_all
from hub.flow.objects import CanonicalObject
from hub.flow.outcome import Pass
from hub.journal import held, states
from hub.model import Batch, Record

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.mapping import Mapping

# A reading that broke off and was not taken up again is weighed as far as it came.
BROKE_OFF = timedelta(minutes=15)


@dataclass(slots=True)
class Weighed:
    """What the pages of a reading would do, and what the guards say to it."""

    measured: dict[str, guard.Measured] = field(default_factory=dict)
    objections: list[str] = field(default_factory=list)


def take(engine: Engine, current: Pass, system: str, route: str, batch: Batch, mappings: Sequence[Mapping]) -> None:
    """Journal a batch in the caller's transaction: applied, held, or put beside the pages that came before it."""
    objects = weighing.weighed(engine, mappings) if batch.scope.identity is None else []
    number = _gathering(engine, system, route) if objects else None
    if not objects or (number is None and _first(engine, current, system, route, objects)):
        intake.take(engine, current, system, batch, mappings)
        return
    page = _page(engine, current, system, route, batch)
    if number is None and not batch.more:
        take_weighed(engine, current, system, route, [page], mappings, objects)
        return
    if number is None:
        number = _begin(engine, current, system, route, objects)
    _add(engine, number, page)


def take_whole(
    engine: Engine, current: Pass, system: str, route: str, batch: Batch, mappings: Sequence[Mapping]
) -> None:
    """What came in one piece, as a message does, in the caller's transaction: applied, or held by itself."""
    objects = weighing.weighed(engine, mappings)
    if objects:
        take_weighed(engine, current, system, route, [_page(engine, current, system, route, batch)], mappings, objects)
    else:
        intake.take(engine, current, system, batch, mappings)


def take_all(
    engine: Engine, current: Pass, system: str, route: str, batches: Sequence[Batch], mappings: Sequence[Mapping]
) -> None:
    """A whole reading in the caller's transaction, weighed as :func:`take` and :func:`finish` would weigh it."""
    left = left_behind(engine, current, system, route, mappings)
    single = [batch for batch in batches if batch.scope.identity is not None]
    rest = [batch for batch in batches if batch.scope.identity is None]
    objects = weighing.weighed(engine, mappings)
    known = bool(left) or states.any_known(engine.journal, system, [o.name for o in objects])
    if single or not objects or not known:
        for batch in [*left, *batches]:
            intake.take(engine, current, system, batch, mappings)
    elif left or rest:
        pages = [*left, *(_page(engine, current, system, route, batch) for batch in rest)]
        take_weighed(engine, current, system, route, pages, mappings, objects)


def left_behind(engine: Engine, current: Pass, system: str, route: str, mappings: Sequence[Mapping]) -> list[Batch]:
    """Pages that an earlier reading gathered and nobody has weighed; those that may be applied already are applied."""
    found: list[Batch] = []
    for row in held.unfinished(engine.journal, system, route):
        for position, payload, _ in held.pages(engine.journal, row["id"]):
            page = packing.unpack(engine.vault.open(engine.journal, payload))
            if row["state"] == "gathering":
                found.append(page)
                continue
            intake.take(engine, current, system, page, mappings)
            held.page_taken(engine.journal, row["id"], position)
        if row["state"] != "approved":
            held.forget(engine.journal, row["id"])
    return found


def take_weighed(
    engine: Engine,
    current: Pass,
    system: str,
    route: str,
    pages: Sequence[Batch],
    mappings: Sequence[Mapping],
    objects: Sequence[CanonicalObject],
) -> None:
    """Pages that are all here: applied, or held together."""
    mapped = [_mapped(engine, system, page, mappings) for page in pages]
    found = weigh(engine, system, objects, mapped, sum(len(page.records) for page in pages))
    if found.objections:
        number = _begin(engine, current, system, route, objects)
        for page in pages:
            _add(engine, number, page)
        holding.hold_pages(engine, current, system, number, mapped, found.measured, found.objections)
        return
    for page, made in zip(pages, mapped, strict=True):
        intake.take(engine, current, system, page, mappings, mapped=made)


def weigh(
    engine: Engine, system: str, objects: Sequence[CanonicalObject], pages: Iterable[Mapped], rows: int
) -> Weighed:
    """Every object of a reading against the guards of its flow."""
    counts = {canonical.name: guard.Tally() for canonical in objects}
    for mapped in pages:
        for canonical in objects:
            made = mapped.records.get(canonical.name, [])
            counts[canonical.name] += weighing.tally(engine, system, canonical, made)
    found = Weighed()
    for canonical in objects:
        limits = weighing.limits(engine, canonical)
        measured = weighing.pages(engine, system, canonical, counts[canonical.name], rows, limits)
        found.measured[canonical.name] = measured
        found.objections += guard.objections(measured, limits)
    return found


def go_on(engine: Engine, current: Pass, system: str, route: str, mappings: Sequence[Mapping]) -> None:
    """Before a reading: what an earlier one left, because it broke off or its process was killed."""
    for row in held.unfinished(engine.journal, system, route):
        old = engine.clock.now() - row["held_at"] > BROKE_OFF
        if row["state"] != "gathering" or old:
            settle(engine, current, system, row, mappings)


def finish(engine: Engine, current: Pass, system: str, route: str, mappings: Sequence[Mapping]) -> None:
    """After a reading has come to its end: weigh what was gathered, and apply or hold it."""
    for row in held.unfinished(engine.journal, system, route):
        settle(engine, current, system, row, mappings)
    with engine.journal.transaction():
        rows = held.supersede_overtaken(engine.journal, system, route, engine.clock.now())
        holding.say_superseded(engine, current, system, rows)


def settle(engine: Engine, current: Pass, system: str, row: dict[str, Any], mappings: Sequence[Mapping]) -> None:
    """One gathered reading: judged once, then applied page by page; a kill in between costs nothing."""
    number, state = row["id"], row["state"]
    if state == "gathering":
        state = _judge(engine, current, system, number, row["rows"], mappings)
    if state in ("passed", "approved"):
        apply(engine, current, system, number, mappings)
    if state == "passed":
        held.forget(engine.journal, number)


def apply(engine: Engine, current: Pass, system: str, number: int, mappings: Sequence[Mapping]) -> None:
    """The pages of a reading that are not applied yet, a transaction each."""
    for position, payload, _ in held.pages(engine.journal, number):
        with engine.journal.transaction():
            intake.take(engine, current, system, packing.unpack(engine.vault.open(engine.journal, payload)), mappings)
            held.page_taken(engine.journal, number, position)
            keep.finish(engine, current)


def _judge(engine: Engine, current: Pass, system: str, number: int, rows: int, mappings: Sequence[Mapping]) -> str:
    """``passed``, or ``held`` with everything that belongs to it."""
    objects = weighing.weighed(engine, mappings)
    with engine.journal.transaction():
        found = weigh(engine, system, objects, _gathered(engine, system, number, mappings), rows)
        state = "held" if found.objections else "passed"
        if found.objections:
            pages = _gathered(engine, system, number, mappings)
            holding.hold_pages(engine, current, system, number, pages, found.measured, found.objections)
            keep.finish(engine, current)
        else:
            held.move(engine.journal, number, state)
    return state


def _gathered(engine: Engine, system: str, number: int, mappings: Sequence[Mapping]) -> Iterator[Mapped]:
    """One page after the other, so that a long reading does not have to fit into memory."""
    for _, payload, _ in held.pages(engine.journal, number):
        yield _mapped(engine, system, packing.unpack(engine.vault.open(engine.journal, payload)), mappings)


def _mapped(engine: Engine, system: str, page: Batch, mappings: Sequence[Mapping]) -> Mapped:
    return map_all(engine, system, list(page.records), page.scope, mappings)  # type: ignore[arg-type]


def _page(engine: Engine, current: Pass, system: str, route: str, batch: Batch) -> Batch:
    """A page without the words that wait for a person already, or were rejected, its payload in the vault."""
    raw = engine.vault.keep(engine.journal, "page", batch.raw) if batch.raw is not None else None
    records = [batch.records[n] for n in range(len(batch.records))]
    keys = [one.key for one in records if isinstance(one, Record)]
    known = held.known_words(engine.journal, system, route, keys)
    if known:
        states_of = {
            id(one): known.get((one.key, holding.digest_of(one))) for one in records if isinstance(one, Record)
        }
        current.counts["held"] += sum(1 for state in states_of.values() if state == "held")
        current.counts.judge("unchanged", sum(1 for state in states_of.values() if state == "rejected"))
        records = [one for one in records if not states_of.get(id(one))]
    return packing.lean(replace(batch, records=records), raw)


def _first(engine: Engine, current: Pass, system: str, route: str, objects: Sequence[CanonicalObject]) -> bool:
    """Whether this is the first reading of all, to its last page: it takes twice as long where it is gathered."""
    if not states.any_known(engine.journal, system, [o.name for o in objects]):
        current.first.add((system, route))
    return (system, route) in current.first


def _gathering(engine: Engine, system: str, route: str) -> int | None:
    rows = held.unfinished(engine.journal, system, route)
    return next((row["id"] for row in rows if row["state"] == "gathering"), None)


def _begin(engine: Engine, current: Pass, system: str, route: str, objects: Sequence[CanonicalObject]) -> int:
    return held.begin(
        engine.journal, flow=objects[0].flow, system=system, route=route, object=objects[0].name, state="gathering",
        run=current.run, at=engine.clock.now(),
    )  # fmt: skip


def _add(engine: Engine, number: int, page: Batch) -> None:
    payload = engine.vault.keep(engine.journal, holding.KIND, packing.pack(page))
    source = page.records[0].origin.source if len(page.records) else ""
    held.add_page(engine.journal, number, payload, source, len(page.records))
