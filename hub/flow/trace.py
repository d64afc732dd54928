"""Trace: everything the hub knows of one business key, over all systems, oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.errors import ConfigError
from hub.flow.objects import OBJECTS
from hub.journal import audit, desired, events, quarantine, states

if TYPE_CHECKING:
    from hub.flow.engine import Engine


def trace(engine: Engine, object: str, key: str) -> dict[str, Any]:
    """What each system says of ``key``, its events, what targets should and do hold, and every step on the way.

    A part of the key may be left open: ``SKU@`` is a SKU at no particular place. Raises ConfigError for an
    unknown object or a key nobody has heard of.
    """
    if object not in OBJECTS:
        raise ConfigError(f'no object "{object}"; there are {", ".join(sorted(OBJECTS))}')
    canonical = OBJECTS[object]
    key = key.strip().upper()
    if key.count("@") != len(canonical.key) - 1:
        raise ConfigError(f'the key of a {object} is {"@".join(p.upper() for p in canonical.key)}, not "{key}"')
    keys = [key] if "@" not in key else [key, f"{key.split('@')[0]}@"]
    found: dict[str, Any] = {
        "object": object,
        "key": key,
        "known": states.of_key(engine.journal, object, key),
        "events": events.of_key(engine.journal, keys),
        "targets": desired.of_key(engine.journal, key),
        "quarantine": quarantine.of_key(engine.journal, keys),
        "timeline": audit.timeline(engine.journal, keys),
    }
    if not any(found[part] for part in ("known", "events", "targets", "quarantine", "timeline")):
        raise ConfigError(f"nobody has spoken of {object} {key} yet")
    for row in found["known"]:
        authority = engine.landscape.authority_of(object, row["data"].get("location", ""))
        row["counts"] = authority in (None, row["system"])
    return found
