"""Read-back: before a target is written, what is in doubt there is read, so that nothing of its own is overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.flow import derive
from hub.flow.outcome import Pass
from hub.flow.understood import understood
from hub.journal import bindings, outbox, remotes
from hub.model import Binding, Reference

if TYPE_CHECKING:
    from hub.connector import Capability
    from hub.flow.engine import Engine

KEYS_AT_ONCE = 50_000  # together, so that a target can be asked in the way that is cheapest for it


def read_back(engine: Engine, current: Pass, target: str, object: str, capability: Capability) -> bool:
    """Read every key in doubt; True when one holds something else than was believed: the target has news."""
    if capability.read_back is None:
        return False
    contradicted = False
    tables = {name: bindings.by_key(engine.journal, target, name) for name in capability.binds}
    while keys := remotes.to_read_back(engine.journal, target, object, KEYS_AT_ONCE):
        contradicted |= read_some(engine, current, target, object, keys, tables)
    return contradicted


def read_some(
    engine: Engine,
    current: Pass,
    target: str,
    object: str,
    keys: Sequence[tuple[str, dict[str, Any]]],
    tables: Mapping[str, Mapping[str, Binding]],
) -> bool:
    """Read ``keys`` and bring the outbox in line with what they hold."""
    began = remotes.database_time(engine.journal)
    references = [
        Reference(key=key, by={k: str(v) for k, v in parts.items()}, bindings=bound_parts(parts, tables))
        for key, parts in keys
    ]
    with understood(target):
        found = {r.key: dict(remote.value) for r, remote in engine.target(target).find(object, references).items()}
    with engine.journal.transaction():
        outbox.alone(engine.journal, target)
        believed = remotes.believed(engine.journal, target, object, [key for key, _ in keys])
        held = {key: (found.get(key, {}), 0) for key, _ in keys}
        remotes.confirm(engine.journal, target, object, held, read_at=began)
        derive.enqueue_for(engine, current, target, [str(parts["sku"]) for _, parts in keys], urgent=False)
    return any(key in believed and believed[key] != value for key, (value, _) in held.items())


def bound_parts(parts: Mapping[str, Any], tables: Mapping[str, Mapping[str, Binding]]) -> dict[str, Binding]:
    """The target's ids for each part of a key that has one."""
    return {name: table[parts[name]] for name, table in tables.items() if parts.get(name) in table}
