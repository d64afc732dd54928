"""By a person: what became of an attempt that its target can neither be asked for nor be sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.errors import ConfigError
from hub.flow.objects import DELIVERS
from hub.flow.outcome import Outcome, Pass
from hub.flow.settlement import entry_of
from hub.journal import attempts, audit, outbox, remotes

if TYPE_CHECKING:
    from hub.flow.engine import Engine


def settle(
    engine: Engine, number: int, *, carried_out: bool, who: str, why: str, keys: Sequence[str] = ()
) -> Outcome:  # fmt: skip
    """``who`` has looked at the target: attempt ``number`` (or its ``keys`` alone) was carried out there, or was not.

    What was is held there from now on; what was not is sent again. Raises ConfigError where it is not for a person.
    """
    found = attempts.open_ones(engine.journal, attempt=number)
    if not found or not found[0]["waits_for_person"]:
        raise ConfigError(f"no attempt {number} waits for a person; see: hub attempt list")
    if not why.strip():
        raise ConfigError("--why says what was seen at the target: it is kept with the decision")
    chosen = list(keys) or found[0]["keys"]
    if strange := [key for key in chosen if key not in found[0]["keys"]]:
        raise ConfigError(f"attempt {number} does not wait for {', '.join(strange)}; its keys are "
                          f"{', '.join(found[0]['keys'])}")  # fmt: skip
    target, object = found[0]["target"], found[0]["object"]
    with engine.running("attempt", flow_of(object), target, [target]) as current:
        said = f"{'carried out' if carried_out else 'not carried out'}, says {who}: {why}"
        with engine.journal.transaction():
            outbox.alone(engine.journal, target)
            write(engine, current, found[0], chosen, carried_out, said)
        what = "was carried out" if carried_out else "was not carried out and is sent again"
        ring = () if carried_out else (target,)
        return engine.ended(current, f"attempt {number} at {target}: {', '.join(chosen)} {what}", ring=ring)


def flow_of(object: str) -> str:
    """The flow that delivers ``object``."""
    return next(flow for flow, delivers in DELIVERS.items() if object in delivers.values())


def write(
    engine: Engine, current: Pass, attempt: Mapping[str, Any], keys: Sequence[str], carried_out: bool, said: str
) -> None:
    """The decision, in the caller's transaction."""
    journal, number = engine.journal, attempt["id"]
    out = attempts.members_open(journal, number)
    members = [m for m in attempts.members(journal, number) if m["key"] in keys and m["id"] in out]
    ids = [m["id"] for m in members]
    if carried_out:
        held = {m["key"]: ({**(m["previous"] or {}), **m["value"]}, m["generation"]) for m in members}
        current.counts["delivered"] += outbox.settle(journal, ids, "delivered", current.run, said)
        remotes.confirm(journal, attempt["target"], attempt["object"], held)
    else:
        current.counts["coalesced"] += outbox.put_back(journal, ids, None, current.run)
    step = "confirmed" if carried_out else "put back"
    entries = [entry_of(attempt["target"], attempt["object"], m, step, None, said) for m in members]
    audit.write(journal, current.run, current.flow, entries)
    if len(ids) == len(out):
        attempts.settle(journal, number, attempts.turn(journal, number), said)
