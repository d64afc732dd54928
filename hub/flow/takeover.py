"""Takeover: attempts without an answer, of processes that are gone, stand still or lost their line.

Repeated as themselves while their key lives, else read back, else left to a person; never regrouped. What a target
has accepted, to answer later, is asked for here as well.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hub.errors import HubError, TryLater, Unknown
from hub.flow import leash, owner, sending
from hub.flow.leash import LEASE
from hub.flow.outcome import Pass
from hub.flow.settlement import UNANSWERED_AGAIN
from hub.flow.understood import understood
from hub.journal import attempts, outbox, remotes
from hub.model import Accepted, Handle
from hub.points import reached

if TYPE_CHECKING:
    from hub.connector import Capability
    from hub.flow.engine import Engine

SENDS = 3  # of one attempt under its key, the first included
CLOCKS = timedelta(hours=2)  # by which a clock may have been set back since, or differ from the vendor's
WATCH = 2 * LEASE  # for a call of a process that lost its lease and may still run
WATCH_ENDS = timedelta(days=1)
ASK_AGAIN = timedelta(seconds=30)  # what was accepted and is not answered yet
ANSWERED_WITHIN = timedelta(days=1)
FOR_A_PERSON = (
    "nobody knows whether {target} carried this out: it keeps no key of a call and cannot be read back. Look there, "
    "then: hub attempt settle {number} --carried-out or --not-carried-out, with --why"
)


def settle_left_open(engine: Engine, current: Pass, target: str, object: str, capability: Capability) -> None:
    """Every attempt for ``object`` at ``target`` that nobody is at: settled, or left to who can settle it."""
    for number, holder in attempts.leased(engine.journal, target):
        if is_abandoned(engine, number, holder):
            attempts.end_lease(engine.journal, number, holder)
    while left := attempts.take_over(engine.journal, target, object, owner.me(), LEASE, engine.clock.now()):
        reached("attempt taken over")
        with engine.leash.holding(left["id"], left["sends"]):
            resolve(engine, current, target, left, capability)


def is_abandoned(engine: Engine, number: int, holder: str) -> bool:
    """Whether nobody waits for the answer any more: its process is gone, or lost the database in the middle."""
    return owner.is_gone(holder) or (holder == owner.me() and not leash.is_under_way(engine.journal, number))


def resolve(engine: Engine, current: Pass, target: str, left: Mapping[str, Any], capability: Capability) -> None:
    """Settle one, in the safest way that there is."""
    attempt = attempt_of(left)
    if not attempts.members_open(engine.journal, attempt.id):
        end_watch(engine, target, attempt, left, capability)
    elif left["holder"] == attempts.TARGET and left["age"] < ANSWERED_WITHIN:
        ask(engine, current, target, attempt)
    elif key_lives(capability, left):
        repeat(engine, current, target, attempt, left)
    elif capability.read_back is not None:
        time.sleep(min(capability.read_back.total_seconds(), 5.0))
        give_back(engine, current, target, attempt, left, "read back instead of sent again")
    else:
        leave_to_person(engine, current, target, attempt)


def attempt_of(left: Mapping[str, Any]) -> sending.Attempt:
    return sending.Attempt(
        id=left["id"], turn=left["sends"], key=left["idempotency_key"], object=left["object"], members=left["members"]
    )


def key_lives(capability: Capability, left: Mapping[str, Any]) -> bool:
    """Whether to repeat it: the vendor certainly still knows its key, whatever happened to the clocks since."""
    if capability.idempotency is None or left["holder"] == attempts.TARGET:
        return False
    if left["sends"] > SENDS and capability.read_back is not None:
        return False  # it can be asked in another way
    margin = min(CLOCKS, capability.idempotency / 2)
    return bool(-margin <= left["age"] < capability.idempotency - margin)


def repeat(
    engine: Engine, current: Pass, target: str, attempt: sending.Attempt, left: Mapping[str, Any]
) -> None:  # fmt: skip
    """The same attempt as itself: same members, same key.

    Only an answer settles it; where it cannot be read back either, it is repeated until its key is too old.
    """
    can_read = engine.target(target).capability(attempt.object).read_back is not None
    try:
        receipts = sending.call(engine, target, attempt)
    except Unknown as error:
        if can_read or attempt.turn < SENDS:  # else its lease keeps it until the next pass
            attempts.mark_unknown(engine.journal, attempt.id, attempt.turn, str(error), still_running(left))
        return
    except HubError as error:
        if can_read:
            give_back(engine, current, target, attempt, left, str(error))
        else:
            attempts.mark_unknown(engine.journal, attempt.id, attempt.turn, str(error), still_running(left))
        raise
    sending.settle(engine, current, target, attempt, receipts)


def still_running(left: Mapping[str, Any]) -> str | None:
    """The process that had it before, where its call may still be made: stopped, or on another machine."""
    holder: str = left["holder"]
    if left["state"] != "out" or holder in (owner.me(), attempts.TARGET) or owner.is_gone(holder):
        return None
    return holder


def give_back(
    engine: Engine, current: Pass, target: str, attempt: sending.Attempt, left: Mapping[str, Any], why: str
) -> None:
    """Nobody knows what became of it: its keys are read back, and what still differs is sent as something new.

    Where the process that sent it may still make its call, they are read back once more when it no longer can.
    """
    holder, keys = still_running(left), [m["key"] for m in attempt.members]
    with engine.journal.transaction():
        outbox.alone(engine.journal, target)
        if holder is None:
            mine = attempts.settle(engine.journal, attempt.id, attempt.turn, why) is not None
        else:
            mine = attempts.watch(engine.journal, attempt.id, attempt.turn, holder, WATCH)
        if not mine:
            return
        out, now = sending.still_out(engine, attempt), engine.clock.now()
        if left["state"] == "unknown":
            gone = outbox.put_behind(engine.journal, out, now, UNANSWERED_AGAIN, current.run)
        else:  # nothing is known against it: whoever sent it is gone
            gone = outbox.put_back(engine.journal, out, None, current.run)
        current.counts["coalesced"] += gone
        remotes.suspect(engine.journal, target, attempt.object, keys=keys)
        sending.tell(engine, current, target, attempt, "unknown", why)
    reached("given back")


def end_watch(
    engine: Engine, target: str, attempt: sending.Attempt, left: Mapping[str, Any], capability: Capability
) -> None:
    """Nothing of it is out any more; what its first sender may have done since is read, once that is gone."""
    if owner.runs(left["holder"]) and left["age"] < WATCH_ENDS:
        attempts.watch(engine.journal, attempt.id, attempt.turn, left["holder"], WATCH)
        return
    with engine.journal.transaction():
        outbox.alone(engine.journal, target)
        if attempts.settle(engine.journal, attempt.id, attempt.turn, "given back; its sender can no longer call"):
            remotes.suspect(engine.journal, target, attempt.object, keys=[m["key"] for m in attempt.members])


def leave_to_person(engine: Engine, current: Pass, target: str, attempt: sending.Attempt) -> None:
    said = FOR_A_PERSON.format(target=target, number=attempt.id)
    with engine.journal.transaction():
        outbox.alone(engine.journal, target)
        if attempts.leave_to_person(engine.journal, attempt.id, attempt.turn, said):
            outbox.doubt(engine.journal, sending.still_out(engine, attempt))
            sending.tell(engine, current, target, attempt, "waits for a person", said)
    engine.log.warning("%s: attempt %d: %s", target, attempt.id, said)


def ask(engine: Engine, current: Pass, target: str, attempt: sending.Attempt) -> None:
    """What became of that which the target accepted; what it does not answer yet is asked for again."""
    out = set(sending.still_out(engine, attempt))
    asked = [m for m in attempt.members if m["id"] in out and m.get(attempts.HANDLE)]
    handles = [Handle(id=m[attempts.HANDLE], key=m["key"]) for m in asked]
    try:
        with understood(target):
            receipts = list(engine.target(target).settle(handles))
    except HubError as error:
        wait = timedelta(seconds=error.delay) if isinstance(error, TryLater) and error.delay else ASK_AGAIN
        again = engine.clock.now() + wait
        attempts.leave_to_target(engine.journal, attempt.id, attempt.turn, {}, again, str(error))
        raise
    answered, later = {r.key for r in receipts}, engine.clock.now() + ASK_AGAIN
    receipts += [Accepted(key=h.key, handle=h, not_before=later) for h in handles if h.key not in answered]
    sending.settle(engine, current, target, attempt, receipts)
