"""The rules in hub.yaml are an input like any other: when they change, everything is derived again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hub.flow.objects import FLOW_OF, OBJECTS
from hub.journal import events, recompute, settings

if TYPE_CHECKING:
    from hub.flow.engine import Engine

KEY = "rules"
AUTHORITY = "authority"


def authority_of(engine: Engine) -> str:
    """Who is believed about what, as one comparable text."""
    return json.dumps(engine.landscape.authority, sort_keys=True, default=dict)


def are_current(engine: Engine) -> bool:
    """Whether this process knows the rules that count; one that read hub.yaml before an edit leaves deriving alone."""
    return settings.get(engine.journal, KEY) == engine.landscape.rules_hash


def notice(engine: Engine) -> bool:
    """Mark every derived object for recomputation where hub.yaml's rules are not those it was derived with."""
    now = engine.landscape.rules_hash
    if settings.get(engine.journal, KEY) == now:
        return False
    with engine.journal.transaction():
        if not settings.replace(engine.journal, KEY, now):
            return False  # another process noticed it first
        # Only another authority changes which snapshots may contain an event; everything else leaves that as it is.
        authority_changed = settings.replace(engine.journal, AUTHORITY, authority_of(engine))
        for name, canonical in OBJECTS.items():
            for derived, fields in canonical.derives.items():
                if FLOW_OF[derived] not in engine.landscape.flows:
                    continue
                if canonical.kind == "state" and fields == canonical.subject:
                    recompute.mark_all(engine.journal, derived, name, engine.clock.now())
                elif canonical.kind == "event" and authority_changed:
                    events.reopen_all(engine.journal, name)
    return True
