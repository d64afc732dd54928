"""Sending: one attempt at a time. It is committed before the call; its receipts settle only what it sent."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub.errors import HubError, TryLater, Unknown
from hub.flow import carried, learned, news, owner
from hub.flow.leash import LEASE
from hub.flow.objects import newest_first
from hub.flow.outcome import Pass
from hub.flow.settlement import Settlement, entry_of
from hub.flow.understood import understood
from hub.journal import attempts, audit, outbox, remotes
from hub.model import Binding, Delivery, Doubtful, Receipt
from hub.points import reached
from hub.transport.effects import together

if TYPE_CHECKING:
    from hub.connector import Capability
    from hub.flow.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is sent together, as whoever sends it now knows it."""

    id: int
    turn: int
    key: str
    object: str
    members: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one attempt."""

    members: int
    contradicted: bool  # a conflict or a doubt: the target must be read before more is sent


def send_next(engine: Engine, current: Pass, target: str, object: str, capability: Capability) -> Sent | None:
    """Claim one batch, commit it as an attempt, send it, settle its receipts; None when nothing may go out now.

    Raises TryLater and StopRun after putting the batch back: nothing of it was carried out.
    """
    with ExitStack() as stack:
        with engine.journal.transaction():
            outbox.alone(engine.journal, target)
            if news.due(engine, current, target):
                return Sent(0, True)
            attempt = open_next(engine, current, target, object, capability)
            if attempt is None:
                return None
            stack.enter_context(engine.leash.holding(attempt.id, attempt.turn))
            reached("claimed")
        reached("attempt committed")
        return send(engine, current, target, attempt)


def open_next(engine: Engine, current: Pass, target: str, object: str, capability: Capability) -> Attempt | None:
    """What may go out now, as an attempt that is out; in the caller's transaction.

    What a target can be asked for is read there before the first word of it is sent, by whichever process.
    """
    claimed = outbox.claim(
        engine.journal, target, object, engine.clock.now(), capability.batch_size,
        newest_first=newest_first(object), unread=capability.read_back is None,
    )  # fmt: skip
    if not claimed:
        return None
    known = remotes.values(engine.journal, target, object, [row["key"] for row in claimed])
    ids = carried.load(engine, target, capability, object, [(row["parts"], row["value"]) for row in claimed])
    members = [member_of(row, object, known, ids) for row in claimed]
    key = secrets.token_urlsafe(18)
    number = attempts.open_attempt(
        engine.journal, target, object, members, key=key, owner=owner.me(), lease=LEASE, run=current.run
    )
    outbox.put_out(engine.journal, [m["id"] for m in members], number)
    return Attempt(id=number, turn=attempts.FIRST, key=key, object=object, members=members)


def member_of(
    row: Mapping[str, Any], object: str, known: Mapping[str, Mapping[str, Any]], ids: carried.Ids
) -> dict[str, Any]:
    """One delivery exactly as it is sent, so that the attempt can be repeated as itself."""
    return {
        "id": row["id"],
        "key": row["key"],
        "subject": row["subject"],
        "generation": row["generation"],
        "parts": row["parts"],
        "value": row["value"],
        "previous": known.get(row["key"]) or None,
        "as_of": row["as_of"].isoformat(),
        "bindings": carried.as_json(ids.of_parts(row["parts"])),
        "known": {name: carried.as_json(found) for name, found in ids.of_value(object, row["value"]).items()},
    }


def delivery_of(engine: Engine, member: Mapping[str, Any]) -> Delivery:
    """A member of an attempt as the connector takes it; personal values join it only here."""
    value, previous = member["value"], member["previous"]
    return Delivery(
        key=member["key"],
        value={**carried.opened(engine, member["parts"]), **value},
        changed=frozenset(f for f in value if previous is None or previous.get(f) != value[f]),
        previous=previous,
        bindings={n: Binding(**b) for n, b in member["bindings"].items()},
        known={n: {k: Binding(**b) for k, b in found.items()} for n, found in member.get("known", {}).items()},
        as_of=datetime.fromisoformat(member["as_of"]),
        generation=member["generation"],
    )


def send(engine: Engine, current: Pass, target: str, attempt: Attempt) -> Sent:
    """Make the call and settle it; whatever happens, the attempt says so afterwards."""
    from hub.flow import takeover  # which repeats what this began

    try:
        receipts = call(engine, target, attempt)
    except Unknown as error:
        with engine.journal.transaction():
            outbox.alone(engine.journal, target)
            if attempts.mark_unknown(engine.journal, attempt.id, attempt.turn, str(error)):
                outbox.doubt(engine.journal, still_out(engine, attempt))
            else:
                came_late(engine, target, attempt)
            tell(engine, current, target, attempt, "unknown", str(error))
        offers = engine.target(target).capability(attempt.object)
        takeover.settle_left_open(engine, current, target, attempt.object, offers)
        return Sent(len(attempt.members), True)
    except HubError as error:
        with engine.journal.transaction():
            outbox.alone(engine.journal, target)
            if attempts.settle(engine.journal, attempt.id, attempt.turn, str(error)):
                put_back(engine, current, attempt, error)
        raise
    reached("call answered")
    return settle(engine, current, target, attempt, receipts)


def call(engine: Engine, target: str, attempt: Attempt) -> list[Receipt]:
    """The call itself, exactly as it is each time that it is made."""
    with understood(target, wrote=True), together():
        deliveries = [delivery_of(engine, member) for member in attempt.members]
        return list(engine.target(target).write(attempt.object, deliveries, attempt.key))


def put_back(engine: Engine, current: Pass, attempt: Attempt, error: HubError) -> None:
    """Nothing was carried out: what was sent waits again, for as long as the target asked for."""
    wait = timedelta(seconds=error.delay or 0) if isinstance(error, TryLater) else timedelta()
    not_before = engine.clock.now() + wait if wait else None
    current.counts["coalesced"] += outbox.put_back(
        engine.journal, still_out(engine, attempt), not_before, current.run
    )  # fmt: skip


def still_out(engine: Engine, attempt: Attempt) -> list[int]:
    """Deliveries that are out with this attempt; not those that somebody took over and gave back meanwhile."""
    return sorted(attempts.members_open(engine.journal, attempt.id))


def settle(
    engine: Engine, current: Pass, target: str, attempt: Attempt, receipts: Sequence[Receipt]
) -> Sent:  # fmt: skip
    """Each receipt settles its own member; a member without one is in doubt."""
    answered = {r.key: r for r in receipts}
    with engine.journal.transaction():
        learned.foresee(engine, current, target, attempt.object, {m["key"]: m["parts"] for m in attempt.members})
        outbox.alone(engine.journal, target)
        mine = attempts.members_open(engine.journal, attempt.id)
        settlement = Settlement(engine, current, target, attempt.object)
        contradicted = False
        for member in attempt.members:
            if member["id"] in mine:
                receipt = answered.get(member["key"]) or Doubtful(key=member["key"], reason="no receipt came")
                contradicted |= settlement.add(member, receipt)
        sent_at = close(engine, attempt, settlement, summary(receipts))
        if sent_at is None:
            came_late(engine, target, attempt)
            return Sent(len(attempt.members), True)
        settlement.write(sent_at)
        reached("receipts written")
    reached("settled")
    return Sent(len(attempt.members), contradicted)


def close(engine: Engine, attempt: Attempt, settlement: Settlement, answer: str) -> datetime | None:
    """The attempt is over, or stays open for what its target answers later or nobody can read back."""
    journal = engine.journal
    if settlement.accepted:
        handles = {id: receipt.handle.id for id, receipt in settlement.accepted.items()}
        again = min(receipt.not_before for receipt in settlement.accepted.values())
        soonest = engine.clock.now() + timedelta(seconds=1)
        return attempts.leave_to_target(journal, attempt.id, attempt.turn, handles, max(again, soonest), answer)
    if settlement.unsure:
        return attempts.mark_unknown(journal, attempt.id, attempt.turn, answer)
    return attempts.settle(journal, attempt.id, attempt.turn, answer, after_person=True)


def came_late(engine: Engine, target: str, attempt: Attempt) -> None:
    """Somebody took the attempt over while our lease had run out: what our call did there is read, not believed."""
    engine.log.warning("%s: attempt %d was taken over before its answer came: it is read back", target, attempt.id)
    if engine.target(target).capability(attempt.object).read_back is not None:
        remotes.suspect(engine.journal, target, attempt.object, keys=[m["key"] for m in attempt.members])


def tell(engine: Engine, current: Pass, target: str, attempt: Attempt, step: str, answer: str) -> None:
    entries = [entry_of(target, attempt.object, m, step, None, answer) for m in attempt.members]
    audit.write(engine.journal, current.run, current.flow, entries)


def summary(receipts: Sequence[Receipt]) -> str:
    """An attempt's answer in a line: how many of each kind."""
    kinds = [type(r).__name__.lower() for r in receipts]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
