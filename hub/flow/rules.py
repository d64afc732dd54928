"""The rules in hub.yaml are an input like any other: when they change, everything is derived again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hub.flow.objects import DELIVERS, OBJECTS
from hub.journal import events, recompute, settings

if TYPE_CHECKING:
    from hub.flow.engine import Engine

KEY = "rules"
AUTHORITY = "authority"


def authority_of(engine: Engine) -> str:
    """Who is believed about what, as one comparable text."""
    return json.dumps(engine.landscape.authority, sort_keys=True, default=dict)


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
        for derived in {d for flow in DELIVERS.values() for d in flow}:
            for name, canonical in OBJECTS.items():
                if canonical.derives == derived and canonical.kind == "state":
                    recompute.mark_all(engine.journal, derived, name, engine.clock.now())
                elif canonical.derives == derived and authority_changed:
                    events.reopen_all(engine.journal, name)
    return True
