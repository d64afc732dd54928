"""Steps: what moved between two documents of one key, and whether it can have moved so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.flow.mapped import Mapped, refused_by_schema
from hub.flow.objects import CanonicalObject
from hub.journal import audit, states
from hub.model import Record
from hub.retail.checks import TRANSITIONS
from hub.retail.orders import transitions

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.mapping import Mapping

Read = tuple[Record, Record, "Mapping"]  # canonical, raw, by


def refuse_illegal(engine: Engine, system: str, mapped: Mapped) -> None:
    """Move records that say of a known key what cannot follow on it from ``mapped.records`` to ``mapped.refused``.

    A document that is older than the known one is not judged: it is superseded anyway. Of several documents
    of one key in a batch each is judged against the one before it.
    """
    for name, check in TRANSITIONS.items():
        records = mapped.records.get(name)
        if not records:
            continue
        known = states.dated_of(engine.journal, system, name, [str(made.key) for made, _, _ in records])
        legal: list[Read] = []
        for made, raw, mapping in records:
            before = known.get(made.key)
            newer = before is None or made.event_time is None or made.event_time >= before[1]
            objection = check(before[0], made.data) if before is not None and newer else None
            if objection is not None:
                mapped.refused.append((refused_by_schema(made, raw, objection), raw, mapping))
                continue
            legal.append((made, raw, mapping))
            if newer and made.event_time is not None:
                known[made.key] = (dict(made.data), made.event_time)
        mapped.records[name] = legal


def told(
    system: str, canonical: CanonicalObject, judged: Sequence[states.Judged], origin: dict[str, dict[str, Any]]
) -> list[audit.Entry]:
    """An audit entry for each step of a machine: payment_state pending -> paid."""
    if canonical.name not in TRANSITIONS:
        return []
    return [
        audit.Entry(
            step="transition", system=system, object=canonical.name, key=found.state.key, subject=found.state.subject,
            before={move.machine: move.before}, after={move.machine: move.after}, origin=origin[found.state.key],
        )
        for found in judged
        if found.verdict == "changed" and found.before is not None
        for move in transitions(found.before, found.state.data)
    ]  # fmt: skip
