"""What becomes of refused records that are tried again, by who refused them: we, or the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from hub.connector import Listener, Reopens
from hub.errors import StopRun
from hub.flow import derive, ingest, intake, keep, steps
from hub.flow.content import KIND as CONTENT
from hub.flow.heal_fix import Fix, corrected
from hub.flow.mapped import map_all, signature
from hub.flow.objects import OBJECTS, CanonicalObject
from hub.flow.outcome import Pass
from hub.flow.payload import kinds_of, packed, unpacked
from hub.flow.refusals import storable
from hub.journal import audit, bindings, corrections, inbox, quarantine, snapshots
from hub.journal.corrections import Waiting
from hub.model import Batch, Extent, Origin, Record, Refused, Scope

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.mapping import Mapping as Rules

Row = Mapping[str, Any]

NO_RECORD = "could not be read at all, so there is nothing to try again; it heals when the source sends it again"
NO_FIELDS = (
    "it could not be read, so it has no fields to correct; it heals when the source sends it again, or with replay"
)
NO_RULES = "no mapping of that name is there any more"
NO_VERSION = "there is no file of that version of the mapping that refused it"
SAME_VERSION = "that is the mapping which refused it"
NO_NEWER = "there is no newer mapping than the one that refused it"
NO_MESSAGE = "the message is no longer kept"


@dataclass(slots=True)
class Judged:
    """Entry numbers by what became of them; of those refused again also the cause and the reason."""

    healed: list[int] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    told: list[audit.Entry] = field(default_factory=list)

    def keep(self, row: Row, reason: str) -> None:
        """It cannot be tried: it stays as it is."""
        self.refused.append((row["id"], str(row["cause"]), reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """One record made again out of quarantine."""

    row: Row
    record: Record
    rules: Rules
    scope: Scope
    corrected: Mapping[str, Any] | None  # the data with this repair's corrections


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What entries of one chunk are tried with."""

    repair: Fix
    rules: Callable[[], Sequence[Rules]]
    reopened: Callable[[str, str], Batch]  # a file by its payload and its name
    who: str
    why: str


def judge(engine: Engine, current: Pass, one: Waiting, rows: Sequence[Row], trial: Trial) -> Judged:
    """Try ``rows``, all of one system, side and object, in the caller's transaction."""
    judged = Judged()
    if one.side == "sent":
        send_again(engine, current, one, rows, trial, judged)
    elif one.side == "pushed":
        unpack_again(engine, current, one, rows, trial, judged)
    elif one.object == CONTENT:
        fetch_again(engine, current, rows, trial, judged)
    else:
        read_again(engine, current, one, rows, trial, judged)
    close = quarantine.close
    close(engine.journal, [*judged.healed, *judged.sent], "replayed", who=trial.who, why=trial.why)
    close(engine.journal, judged.superseded, "superseded", who=trial.who, why=trial.why)
    audit.write(engine.journal, current.run, current.flow, judged.told)
    return judged


def entry(row: Row, step: str, who: str, why: str, **after: Any) -> audit.Entry:
    """What a person did with a record, and why; values stay in the vault."""
    return audit.Entry(
        step=step, system=row["system"], object=row["object"], key=row["key"] or row["source_key"] or "",
        origin=row["origin"], mapping=row["mapping"], after={"number": row["id"], **after}, answer=f"by {who}: {why}",
    )  # fmt: skip


# --- refused by a target, unpacked messages, pictures ---------------------------------------------------


def send_again(engine: Engine, current: Pass, one: Waiting, rows: Sequence[Row], trial: Trial, judged: Judged) -> None:
    """What the target refused goes out once more, unless something newer has taken its place."""
    refused = [(row["key"], row["record"]["generation"]) for row in rows if row["record"]]
    allowed = corrections.allow(engine.journal, one.system, one.object, refused)
    for row in rows:
        if row["key"] in allowed:
            judged.sent.append(row["id"])
            judged.told.append(entry(row, "replayed", trial.who, trial.why))
        else:
            judged.superseded.append(row["id"])
    if allowed:
        derive.enqueue_for(engine, current, one.flow, one.system, sorted(set(allowed.values())), urgent=True)


def unpack_again(
    engine: Engine, current: Pass, one: Waiting, rows: Sequence[Row], trial: Trial, judged: Judged
) -> None:
    """Messages that could not be unpacked: as if they had come now."""
    listener = engine.systems[one.system]
    for row in rows:
        origin = Origin(**row["origin"])
        request = inbox.again(engine.journal, engine.vault, one.system, int(origin.message or 0))
        if request is None or not isinstance(listener, Listener):
            judged.keep(row, NO_MESSAGE)
            continue
        found = ingest.unpacked(listener, request, origin)
        wrong = next((each for each in found if isinstance(each, Refused)), None)
        if wrong is not None:
            judged.keep(row, wrong.reason)
            continue
        ingest.take_message(engine, current, one.system, found)
        judged.healed.append(row["id"])
        judged.told.append(entry(row, "replayed", trial.who, trial.why))


def fetch_again(engine: Engine, current: Pass, rows: Sequence[Row], trial: Trial, judged: Judged) -> None:
    """A picture whose content was something else: its product is derived again, and its content fetched, when it is
    sent; whether it is right by now, nobody knows before.
    """
    judged.sent += [row["id"] for row in rows]
    judged.told += [entry(row, "replayed", trial.who, trial.why) for row in rows]
    look_again(engine, current, rows)


def look_again(engine: Engine, current: Pass, rows: Sequence[Row]) -> None:
    """What rests on the keys of refused records is derived again: they are in quarantine no longer."""
    for (system, object, side), some in groupby(rows, key=lambda row: (row["system"], row["object"], row["side"])):
        found = list(some)
        name = "media" if object == CONTENT else object
        if name not in OBJECTS or side != "read":
            continue
        sources = [row["source_key"] for row in found if row["source_key"]]
        # A picture is refused by its content's hash, and its asset is the key of the record that tells of it.
        keys = sources if object == CONTENT else [row["key"] for row in found if row["key"]]
        known = corrections.known(engine.journal, system, name, sources, keys)
        current.mark_records(OBJECTS[name], known, urgent=False)


# --- refused by us --------------------------------------------------------------------------------------


def read_again(engine: Engine, current: Pass, one: Waiting, rows: Sequence[Row], trial: Trial, judged: Judged) -> None:
    """Records through their mapping once more; per key in order, each snapshot's lines with their snapshot."""
    by_name = {rules.name: rules for rules in trial.rules()}
    made: list[Again] = []
    for row in rows:
        if row["record"] is None:
            again = reopened_again(engine, current, one, row, by_name, trial, judged)
        else:
            again = made_again(engine, row, by_name, trial.repair, judged)
        made += [again] if again is not None else []
    made.sort(key=lambda each: (each.rules.name, _moment(each.scope)))
    for _, some in groupby(made, key=lambda each: (each.rules.name, _moment(each.scope), each.scope)):
        take_again(engine, current, one, list(some), trial, judged)


def _moment(scope: Scope) -> tuple[str, str]:
    return (scope.as_of.isoformat() if scope.as_of else "", scope.series)


def made_again(engine: Engine, row: Row, by_name: Mapping[str, Rules], repair: Fix, judged: Judged) -> Again | None:
    """The record as the connector read it, with its last correction and this repair's; None where it cannot be."""
    kept = row["record"]
    rules = by_name.get(str(row["mapping"]).partition("/")[0])
    if rules is None:
        judged.keep(row, NO_VERSION if repair.version else NO_RULES)
        return None
    if (repair.newest or repair.version) and signature(rules) == row["mapping"]:
        judged.keep(row, NO_NEWER if repair.newest else SAME_VERSION)
        return None
    ref, kinds = (row["corrected"], row["corrected_kinds"]) if row["corrected"] else (row["raw"], kept["kinds"])
    data = unpacked(engine.vault.open(engine.journal, ref), kinds)
    fixed = corrected(data, repair, row) if repair.corrects else None
    record = Record(
        object=kept["object"],
        key=row["source_key"],
        data=data if fixed is None else fixed,
        event_time=datetime.fromisoformat(kept["event_time"]) if "event_time" in kept else None,
        source_version=kept.get("source_version"),
        origin=Origin(**row["origin"]),
    )
    return Again(row=row, record=record, rules=rules, scope=scope_of(kept), corrected=fixed)


def reopened_again(
    engine: Engine, current: Pass, one: Waiting, row: Row, by_name: Mapping[str, Rules], trial: Trial, judged: Judged
) -> Again | None:
    """What could not be read is read again as it arrived, since its system's options may fit by now.

    A line of a file that was taken is tried as a record of that file; a file that was refused whole is taken whole.
    """
    rules, kept = by_name.get(str(row["mapping"]).partition("/")[0]), row["origin"].get("raw")
    if not kept or rules is None or not isinstance(engine.systems[one.system], Reopens):
        judged.keep(row, NO_RECORD)
        return None
    try:
        batch = trial.reopened(kept, row["origin"]["source"])
    except StopRun as gone:
        judged.keep(row, str(gone))
        return None
    state = snapshots.state_of(engine.journal, one.system, one.object, batch.scope.identity or "")
    if batch.scope.extent is not Extent.DELTA and state in ("accepted", "superseded"):
        return line_again(engine, row, batch, rules, trial, judged)
    first = batch.records[0] if len(batch.records) else None
    if batch.scope.extent is Extent.DELTA and isinstance(first, Refused):
        judged.keep(row, f"{first.reason}; {NO_FIELDS}" if trial.repair.corrects else first.reason)
        return None
    if trial.repair.corrects:
        judged.keep(row, NO_FIELDS)
        return None
    intake.take(engine, current, one.system, batch, [rules])
    state = snapshots.state_of(engine.journal, one.system, one.object, batch.scope.identity or "")
    (judged.superseded if state == "superseded" else judged.healed).append(row["id"])
    step = "superseded" if state == "superseded" else "replayed"
    judged.told.append(entry(row, step, trial.who, trial.why))
    return None


def line_again(engine: Engine, row: Row, batch: Batch, rules: Rules, trial: Trial, judged: Judged) -> Again | None:
    """One line of a file whose other lines were taken."""
    found = record_at(batch, row["origin"].get("line"))
    if found is None:  # what was wrong was the file and no line of it, and it was taken since
        judged.superseded.append(row["id"])
        judged.told.append(entry(row, "superseded", trial.who, trial.why))
        return None
    if isinstance(found, Refused):
        judged.keep(row, f"{found.reason}; {NO_FIELDS}" if trial.repair.corrects else found.reason)
        return None
    origin = replace(found.origin, raw=row["origin"]["raw"])
    data = found.data
    if row["corrected"]:
        data = unpacked(engine.vault.open(engine.journal, row["corrected"]), row["corrected_kinds"])
    fixed = corrected(data, trial.repair, row) if trial.repair.corrects else None
    record = found.become(data=data if fixed is None else fixed, origin=origin)
    its = batch.scope
    scope = Scope(extent=Extent.COMPLETE, series=its.series, identity=its.identity, as_of=its.as_of)
    return Again(row=row, record=record, rules=rules, scope=scope, corrected=fixed)


def record_at(batch: Batch, line: int | None) -> Record | Refused | None:
    """What a file has on ``line``."""
    if line is None or not len(batch.records):
        return None
    near = line - (batch.records[0].origin.line or 0)
    places = [near] if 0 <= near < len(batch.records) else []
    places += [n for n in range(len(batch.records)) if n != near]
    return next((batch.records[n] for n in places if batch.records[n].origin.line == line), None)


def scope_of(kept: Mapping[str, Any]) -> Scope:
    """The snapshot that a refused line belongs to, or a delta."""
    if "identity" not in kept:
        return Scope(series=kept.get("series", ""))
    return Scope(
        extent=Extent.COMPLETE,
        series=kept.get("series", ""),
        identity=kept["identity"],
        as_of=datetime.fromisoformat(kept["as_of"]),
    )


def take_again(
    engine: Engine, current: Pass, one: Waiting, made: Sequence[Again], trial: Trial, judged: Judged
) -> None:
    """Map, apply, and settle each entry by what came of its own record."""
    scope = made[0].scope
    mapped = map_all(engine, one.system, [each.record for each in made], scope, [made[0].rules])
    steps.refuse_illegal(engine, one.system, mapped)
    verdicts: dict[int, set[str]] = {}
    for name, records in mapped.records.items():
        for record, verdict in kept_again(engine, current, one.system, OBJECTS[name], records, scope):
            verdicts.setdefault(id(record), set()).add(verdict)
    objections: dict[int, list[Refused]] = {}
    for refused, raw, _ in mapped.refused:
        objections.setdefault(id(raw), []).append(refused)
    known = corrections.open_causes(engine.journal, one.system, one.object, [each.row["raw"] for each in made])
    for each in made:
        settle(engine, current, each, verdicts.get(id(each.record), set()), objections.get(id(each.record), []),
               known, trial, judged)  # fmt: skip
    settled = {*judged.healed, *judged.superseded}
    newest = {each.record.key: (each.row["id"], each.row["as_of"]) for each in made if each.row["id"] in settled}
    if OBJECTS[one.object].kind == "state":
        corrections.overtaken(engine.journal, one.system, one.object, newest)


def kept_again(
    engine: Engine,
    current: Pass,
    system: str,
    canonical: CanonicalObject,
    records: Sequence[tuple[Record, Record, Rules]],
    scope: Scope,
) -> Iterator[tuple[Record, str]]:
    """Apply canonical records; (the record that each was made of, its verdict)."""
    if canonical.kind == "event":
        keep.keep_events(engine, current, system, canonical, records)
        yield from ((raw, "changed") for _, raw, _ in records)
        return
    number = None
    if scope.identity is not None:
        number = corrections.snapshot_of(engine.journal, system, canonical.name, scope.identity)
    found = keep.keep_states(engine, current, system, canonical, records, scope, number, replayed=True)
    verdicts = {one.state.key: one.verdict for one in found}
    applied = [key for key, verdict in verdicts.items() if verdict != "superseded"]
    if scope.identity is not None and scope.as_of is not None:
        corrections.behind(engine.journal, system, canonical.name, scope.series, scope.as_of, applied)
    keys = [canonical.key_of(record.data) for record, _, _ in records]
    last = {key: n for n, key in enumerate(keys)}
    for n, (key, (_, raw, _)) in enumerate(zip(keys, records, strict=True)):
        yield raw, verdicts[key] if last[key] == n else "superseded"


def settle(
    engine: Engine,
    current: Pass,
    each: Again,
    verdicts: set[str],
    objections: Sequence[Refused],
    known: set[tuple[str, str]],
    trial: Trial,
    judged: Judged,
) -> None:
    """One entry: healed, overtaken, refused for the same cause still, or for the next one."""
    row = each.row
    causes = {}
    for refused in objections:
        cause = quarantine.cause_of(storable(refused.path), storable(refused.reason))
        causes[quarantine.fingerprint(row["object"], cause)] = (cause, refused)
    if row["fingerprint"] in causes:
        cause, refused = causes[row["fingerprint"]]
        judged.refused.append((row["id"], cause, refused.reason))
        current.counts.judge("quarantined")
        return
    if each.corrected is not None:
        keep_correction(engine, each, trial, judged)
    others = {name: found for name, found in causes.items() if (row["raw"], name) not in known}
    if others:
        name, (cause, refused) = next(iter(others.items()))
        known.add((row["raw"], name))
        corrections.move(
            engine.journal, row["id"], path=storable(refused.path), reason=storable(refused.reason), cause=cause,
            fingerprint=name, by=signature(each.rules),
        )  # fmt: skip
        judged.refused.append((row["id"], cause, refused.reason))
        current.counts.judge("quarantined")
        return
    overtaken = verdicts == {"superseded"}
    (judged.superseded if overtaken else judged.healed).append(row["id"])
    step = "superseded" if overtaken else "replayed"
    judged.told.append(entry(row, step, trial.who, trial.why, by=signature(each.rules)))


def keep_correction(engine: Engine, each: Again, trial: Trial, judged: Judged) -> None:
    """The corrected copy beside the original, in the vault; the audit names the fields and not their values."""
    data = each.corrected or {}
    ref = engine.vault.keep(engine.journal, "refused", packed(data))
    fields = [*trial.repair.fields, *trial.repair.exact]
    corrections.correct(engine.journal, each.row["id"], ref, kinds_of(data), fields, trial.who, trial.why)
    judged.told.append(entry(each.row, "corrected", trial.who, trial.why, fields=fields, raw=ref))


# --- ids that are bound by now --------------------------------------------------------------------------


def bound_now(engine: Engine, system: str) -> list[int]:
    """Open entries that named an id of ``system`` which was not bound to a key of ours, and is now."""
    found: list[int] = []
    ids: dict[str, set[str]] = {}
    for number, reason in corrections.unbound(engine.journal, system):
        if (named := quarantine.UNBOUND.fullmatch(reason)) is None:
            continue
        if named[1] not in ids:
            bound = bindings.by_key(engine.journal, system, named[1]).values()
            ids[named[1]] = {str(each) for one in bound for each in (one.external_id, *one.extra.values())}
        if named[2] in ids[named[1]]:
            found.append(number)
    return found
