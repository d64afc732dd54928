"""Deliver: what waits for a target goes out, in the vendor's batches, inside the account's budget, until it agrees."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hub.errors import ConfigError, HubError, StopRun, TryLater
from hub.flow import bind, derive, ingest, locks, news, readback, sending, takeover
from hub.flow.objects import DELIVERS, delivered_by
from hub.flow.outcome import Outcome, Pass
from hub.flow.understood import understood
from hub.journal import outbox, recompute

if TYPE_CHECKING:
    from hub.connector import Capability
    from hub.flow.engine import Engine

ROUNDS = 20  # of sending and being contradicted by the target, in one pass


def deliver(engine: Engine, target: str, seconds: float = 20.0) -> Outcome:
    """Send what waits for ``target``, of all flows; ends after ``seconds`` with what is left counted as pending.

    Several processes may deliver to one target at once. One flow's trouble does not keep the others from going out;
    it is raised after them: :class:`TryLater` when the target cannot take anything for longer than this pass may wait.
    """
    flows = engine.flows_into(target)
    if not flows:
        raise ConfigError(f"{target} is not the target of a flow; targets are {', '.join(all_targets(engine))}")
    until = time.monotonic() + seconds
    outcomes: list[Outcome] = []
    troubles: list[HubError] = []
    for number, flow in enumerate(flows):
        left = (until - time.monotonic()) / (len(flows) - number)  # each may use what those before it left
        try:
            outcomes.append(deliver_flow(engine, flow, target, max(1.0, left)))
        except HubError as error:
            troubles.append(error)
    if troubles:
        raise next((error for error in troubles if isinstance(error, StopRun)), troubles[0])
    ask_if_silent(engine, target)
    if len(outcomes) == 1:
        return outcomes[0]
    counts = {name: sum(o.counts[name] for o in outcomes) for name in outcomes[0].counts}
    ring = tuple(dict.fromkeys(name for o in outcomes for name in o.ring))
    said = [o.sentence for o in outcomes if not o.sentence.endswith("nothing new")] or [f"{target}: nothing new"]
    return replace(outcomes[0], counts=counts, sentence="; ".join(said), ring=ring)


def ask_if_silent(engine: Engine, target: str) -> None:
    """Nothing waited for a target whose circuit is open: the call that it is time for is a look at it."""
    if ingest.is_open(engine, target) and engine.breakers.is_open(target):
        with understood(target):
            engine.systems[target].check()
        engine.breakers.admit(target)


def deliver_flow(engine: Engine, flow: str, target: str, seconds: float) -> Outcome:
    with engine.running("deliver", flow, target, [target]) as current:
        if not ingest.is_open(engine, target):
            current.counts["waiting"] += outbox.open_count(engine.journal, [target], delivered_by(flow))
            return engine.ended(current, f"{target} is closed until {ingest.opens_at(engine, target)}")
        until = time.monotonic() + seconds
        derive.derive_due(engine, current, seconds=seconds / 2)  # the rest of the time is for what is sent
        with locks.shared(engine.journal, f"deliver/{target}"):
            send_waiting(engine, current, target, max(1.0, until - time.monotonic()))
        ring: tuple[str, ...] = (target,) if is_left(engine, flow, target) else ()
        ring += tuple(t for t in ingest.others_touched(engine, current) if t not in ring)
        return engine.ended(current, f"{flow} to {target}", ring=ring)


def is_left(engine: Engine, flow: str, target: str) -> bool:
    """Whether this pass ended before all was derived and sent that is due now."""
    now = engine.clock.now()
    due = any(recompute.due(engine.journal, name, now) for name in DELIVERS[flow])
    return due or outbox.sendable(engine.journal, target, now)


def all_targets(engine: Engine) -> list[str]:
    return sorted({t for flow in engine.landscape.flows.values() for t in flow.targets})


def send_waiting(engine: Engine, current: Pass, target: str, seconds: float) -> None:
    """Settle what an earlier pass left open, learn what the target knows, then send until nothing waits."""
    until = time.monotonic() + seconds
    engine.breakers.admit(target)
    bind.bind_missing(engine, current, target)
    derive.catch_up(engine, current, target)
    for object in delivered_by(current.flow):
        if time.monotonic() > until:
            return  # what is left is rung for
        capability = engine.target(target).capability(object)
        takeover.settle_left_open(engine, current, target, object, capability)
        agree(engine, current, target, object, capability, until)


def agree(engine: Engine, current: Pass, target: str, object: str, capability: Capability, until: float) -> None:
    """Rounds of reading back what is in doubt, deriving again, and sending the difference."""
    if capability.max_age is not None and outbox.open_count(engine.journal, [target], [object]):
        news.read(engine, current, target)  # a count that carries an as-of needs one
    for _ in range(ROUNDS):
        for _ in range(ROUNDS):
            told = readback.read_back(engine, current, target, object, capability)
            if not told and not news.due(engine, current, target):
                break
            news.read(engine, current, target)  # which may put more in doubt
        refresh_old(engine, current, target, object, capability)
        if not send_batches(engine, current, target, object, capability, until) or time.monotonic() > until:
            return


def send_batches(engine: Engine, current: Pass, target: str, object: str, capability: Capability, until: float) -> bool:
    """Batches until none is left; True when the target contradicted one and another round is needed."""
    while time.monotonic() < until:
        try:
            sent = sending.send_next(engine, current, target, object, capability)
        except TryLater as error:  # a circuit that has opened gives no delay: nobody stands and waits before it
            if error.delay is None or time.monotonic() + error.delay > until:
                raise
            time.sleep(error.delay)
            continue
        if sent is None:
            return False
        if sent.contradicted:
            return True
    return False


def refresh_old(engine: Engine, current: Pass, target: str, object: str, capability: Capability) -> None:
    """A value whose as-of is older than the vendor takes is derived again, with a new as-of."""
    if capability.max_age is None:
        return
    oldest = engine.clock.now() - capability.max_age / 2
    subjects = outbox.subjects_older_than(engine.journal, target, object, oldest)
    if subjects:
        marked = dict.fromkeys(subjects, False)
        recompute.mark(engine.journal, derived_name(current.flow, object), marked, engine.clock.now())
        derive.derive_due(engine, current)


def derived_name(flow: str, object: str) -> str:
    return next(name for name, delivered in DELIVERS[flow].items() if delivered == object)
