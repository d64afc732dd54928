"""One system's trouble is told once: by the first task that meets it, however many flows the system is part of.

Six red tasks for one ERP that is down hide what else is wrong. The others end skipped, with the same sentence and
the name of the one that tells it and tries again. Another trouble has another sentence, and a task of its own; while
the circuit of a system is open there is one trouble, whatever its sentence says of the next probe.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hub.journal import settings

if TYPE_CHECKING:
    from hub.flow import Engine

# A teller tries again every two minutes at least; one that has not for so long was paused, and another takes over.
HEARD = timedelta(minutes=10)


def told_by(engine: Engine, system: str, dag: str, sentence: str) -> str | None:
    """The other DAG that tells this trouble already; None where ``dag`` is to tell it, which is remembered."""
    now = engine.clock.now()
    with engine.journal.transaction():
        settings.alone(engine.journal, _name(system))
        known = json.loads(settings.get(engine.journal, _name(system)) or "null")
        same = known is not None and (known["sentence"] == sentence or engine.breakers.is_open(system))
        if same and known["dag"] != dag and now - datetime.fromisoformat(known["at"]) < HEARD:
            return str(known["dag"])
        told = {"dag": dag, "sentence": sentence, "at": now.isoformat()}
        settings.replace(engine.journal, _name(system), json.dumps(told))
    return None


def over(engine: Engine, system: str) -> None:
    """The system answered."""
    if settings.get(engine.journal, _name(system)) not in (None, "null"):
        settings.replace(engine.journal, _name(system), "null")


def _name(system: str) -> str:
    return f"trouble/{system}"
