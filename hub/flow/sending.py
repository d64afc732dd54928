"""Sending: one attempt at a time. It is committed before the call; its receipts settle only what it sent."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub.errors import HubError, TryLater, Unknown
from hub.flow import carried, learned, owner
from hub.flow.objects import newest_first
from hub.flow.outcome import Pass
from hub.flow.settlement import Settlement, entry_of
from hub.flow.understood import understood
from hub.journal import attempts, audit, outbox, remotes
from hub.model import Binding, Delivery, Doubtful, Receipt
from hub.points import reached

if TYPE_CHECKING:
    from hub.connector import Capability
    from hub.flow.engine import Engine

LEASE = timedelta(seconds=120)  # longer than any call with all its retries


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one attempt."""

    members: int
    contradicted: bool  # a conflict or a doubt: the target must be read before more is sent


def send_next(engine: Engine, current: Pass, target: str, object: str, capability: Capability) -> Sent | None:
    """Claim one batch, commit it as an attempt, send it, settle its receipts; None when nothing may go out now.

    Raises TryLater and StopRun after putting the batch back: nothing of it was carried out.
    """
    with engine.journal.transaction():
        outbox.alone(engine.journal, target)
        claimed = outbox.claim(
            engine.journal, target, object, engine.clock.now(), capability.batch_size, newest_first=newest_first(object)
        )
        if not claimed:
            return None
        known = remotes.values(engine.journal, target, object, [row["key"] for row in claimed])
        ids = carried.load(engine, target, capability, object, [(row["parts"], row["value"]) for row in claimed])
        members = [member_of(row, object, known, ids) for row in claimed]
        key = secrets.token_urlsafe(18)
        attempt = attempts.open_attempt(
            engine.journal, target, object, members, key=key, owner=owner.me(), lease=LEASE, run=current.run
        )
        outbox.put_out(engine.journal, [m["id"] for m in members], attempt)
        reached("claimed")
    reached("attempt committed")
    return send(engine, current, target, object, attempt, key, members)


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


def send(
    engine: Engine,
    current: Pass,
    target: str,
    object: str,
    attempt: int,
    key: str,
    members: Sequence[dict[str, Any]],
) -> Sent:
    """Make the call and settle it; whatever happens, the attempt says so afterwards."""
    try:
        with understood(target, wrote=True):
            receipts = list(engine.target(target).write(object, [delivery_of(engine, m) for m in members], key))
    except Unknown as error:
        with engine.journal.transaction():
            outbox.alone(engine.journal, target)
            attempts.mark_unknown(engine.journal, attempt, str(error))
            outbox.doubt(engine.journal, still_ours(engine, attempt))
            tell(engine, current, target, object, members, "unknown", str(error))
        settle_left_open(engine, current, target, object, engine.target(target).capability(object))
        return Sent(len(members), True)
    except HubError as error:
        with engine.journal.transaction():
            outbox.alone(engine.journal, target)
            attempts.settle(engine.journal, attempt, str(error))
            wait = timedelta(seconds=error.delay or 0) if isinstance(error, TryLater) else timedelta()
            current.counts["coalesced"] += outbox.put_back(
                engine.journal,
                still_ours(engine, attempt),
                engine.clock.now() + wait if wait else None,
                current.run,
            )
        raise
    reached("call answered")
    return settle(engine, current, target, object, attempt, members, receipts)


def still_ours(engine: Engine, attempt: int) -> list[int]:
    """Deliveries that are out with this attempt; not those that somebody took over and gave back meanwhile."""
    return sorted(attempts.members_open(engine.journal, attempt))


def settle(
    engine: Engine,
    current: Pass,
    target: str,
    object: str,
    attempt: int,
    members: Sequence[dict[str, Any]],
    receipts: Sequence[Receipt],
) -> Sent:
    """Each receipt settles its own member; a member without one is in doubt."""
    answered = {r.key: r for r in receipts}
    contradicted = False
    with engine.journal.transaction():
        learned.foresee(engine, current, target, object, {m["key"]: m["parts"] for m in members})
        outbox.alone(engine.journal, target)
        sent_at = attempts.settle(engine.journal, attempt, summary(receipts))
        if sent_at is None:
            return Sent(len(members), True)  # somebody took it over while our lease had run out
        mine = attempts.members_open(engine.journal, attempt)
        settlement = Settlement(engine, current, target, object)
        for member in members:
            if member["id"] in mine:
                receipt = answered.get(member["key"]) or Doubtful(key=member["key"], reason="no receipt came")
                contradicted |= settlement.add(member, receipt)
        settlement.write(sent_at)
        reached("receipts written")
    reached("settled")
    return Sent(len(members), contradicted)


def settle_left_open(engine: Engine, current: Pass, target: str, object: str, capability: Capability) -> None:
    """Attempts without an answer: repeated as themselves while their key lives, else read back, never regrouped."""
    for number, holder in attempts.leased(engine.journal, target):
        if owner.is_gone(holder):
            attempts.end_lease(engine.journal, number, holder)
    while (left := attempts.take_over(engine.journal, target, owner.me(), LEASE)) is not None:
        reached("attempt taken over")
        alive = capability.idempotency is not None and left["age"] < capability.idempotency
        if alive and left["sends"] <= 3:
            repeat(engine, current, target, left)
        elif capability.read_back is not None:
            time.sleep(min(capability.read_back.total_seconds(), 5.0))
            give_back(engine, current, target, left, "read back instead of sent again")
        else:
            attempts.mark_unknown(engine.journal, left["id"], "neither key nor read-back: a person must look")
            return


def repeat(engine: Engine, current: Pass, target: str, left: Mapping[str, Any]) -> None:
    """The same attempt as itself: same members, same key."""
    write = engine.target(target).write
    try:
        with understood(target, wrote=True):
            members = [delivery_of(engine, m) for m in left["members"]]
            receipts = list(write(left["object"], members, left["idempotency_key"]))
    except Unknown as error:
        attempts.mark_unknown(engine.journal, left["id"], str(error))
        return
    except HubError as error:
        give_back(engine, current, target, left, str(error))
        raise
    settle(engine, current, target, left["object"], left["id"], left["members"], receipts)


def give_back(engine: Engine, current: Pass, target: str, left: Mapping[str, Any], why: str) -> None:
    """Nobody knows what became of it: its keys are read back, and what still differs is sent as something new."""
    with engine.journal.transaction():
        outbox.alone(engine.journal, target)
        attempts.settle(engine.journal, left["id"], why)
        mine = attempts.members_open(engine.journal, left["id"])
        current.counts["coalesced"] += outbox.put_back(engine.journal, sorted(mine), None, current.run)
        remotes.suspect(engine.journal, target, left["object"], keys=[m["key"] for m in left["members"]])
        tell(engine, current, target, left["object"], left["members"], "unknown", why)
    reached("given back")


def tell(
    engine: Engine,
    current: Pass,
    target: str,
    object: str,
    members: Sequence[Mapping[str, Any]],
    step: str,
    answer: str,
) -> None:
    entries = [entry_of(target, object, m, step, None, answer) for m in members]
    audit.write(engine.journal, current.run, current.flow, entries)


def summary(receipts: Sequence[Receipt]) -> str:
    """An attempt's answer in a line: how many of each kind."""
    kinds = [type(r).__name__.lower() for r in receipts]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
