"""Read-back: before a target is written, what is in doubt there is read, so that nothing of its own is overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hub.flow import carried, derive, edits, learned, news, products
from hub.flow.outcome import Pass
from hub.flow.understood import understood
from hub.journal import outbox, remotes
from hub.model import Reference
from hub.points import reached

if TYPE_CHECKING:
    from hub.connector import Capability
    from hub.flow.engine import Engine

KEYS_AT_ONCE = 50_000  # together, so that a target can be asked in the way that is cheapest for it


def read_back(engine: Engine, current: Pass, target: str, object: str, capability: Capability) -> bool:
    """Read every key in doubt; True when the target has news: one holds something else than was believed.

    That a product is not shown yet is news as well: what it should hold depends on it.
    """
    if capability.read_back is None:
        return False
    contradicted = False
    while rows := remotes.to_read_back(engine.journal, target, object, KEYS_AT_ONCE):
        contradicted |= read_some(engine, current, target, object, rows, capability)
    return contradicted


def read_some(
    engine: Engine,
    current: Pass,
    target: str,
    object: str,
    rows: Sequence[remotes.Asked],
    capability: Capability,
) -> bool:
    """Read ``rows`` and bring the outbox in line with what they hold."""
    began = remotes.database_time(engine.journal)
    ids = carried.load(engine, target, capability, object, [(row.parts, row.value) for row in rows])
    references = [
        Reference(
            key=row.key,
            by={k: str(v) for k, v in row.parts.items() if k != carried.PERSONAL},
            bindings=ids.of_parts(row.parts),
            value=row.value,
            known=ids.of_value(object, row.value),
        )
        for row in rows
    ]
    with understood(target):
        found = {r.key: remote for r, remote in engine.target(target).find(object, references).items()}
    reached("remote read")
    keys = [row.key for row in rows]
    held = {key: (dict(found[key].value) if key in found else {}, 0) for key in keys}
    unseen = {
        row.key: row.subject for row in rows if object == products.OBJECT and products.is_unseen(held[row.key][0])
    }
    parts = {row.key: row.parts for row in rows}
    with engine.journal.transaction():
        products.look_again(engine, unseen.values())  # before the outbox: that is the order of all who need both
        learned.foresee(engine, current, target, object, parts)
        outbox.alone(engine.journal, target)
        for key in remotes.overtaken(engine.journal, target, object, keys, began):
            del held[key]  # a receipt knows better than what was read before it came; still in doubt, it is read again
        believed = remotes.believed(engine.journal, target, object, keys)
        edits.notice(engine, current, target, object, believed, {key: value for key, (value, _) in held.items()})
        remotes.confirm(engine.journal, target, object, held, read_at=began)
        learned.keep(engine, current, target, object, parts, {k: r for k, r in found.items() if k in held}, held)
        learned.gone(engine, target, object, capability, [key for key in held if key not in found])
        subjects = [row.subject for row in rows]
        derive.enqueue_for(engine, current, current.flow, target, subjects, urgent=False)
        contradicted = any(
            believed[key] != value if key in believed else key in unseen for key, (value, _) in held.items()
        )
        if contradicted:
            news.note(engine, current, target)
    reached("read-back committed")
    return contradicted
