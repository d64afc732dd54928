"""Housekeeping, once a day in whatever pass comes first: partitions made ahead, old raw payloads removed."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hub.journal import counter, held, inbox, plans, price_history, runs, settings
from hub.journal.database import ensure_partitions

if TYPE_CHECKING:
    from hub.flow.engine import Engine

log = logging.getLogger("hub.flow")
NAME = "housekeeping"
EVERY = timedelta(days=1)
ABANDONED = timedelta(hours=6)  # no pass runs that long: its process was killed
HELD = timedelta(days=2)  # no reservation at the counter lasts that long


def keep_house(engine: Engine) -> int:
    """Do it where it is due; answers how many payloads were removed. One process at a time does it."""
    now = engine.clock.now()
    last = settings.get(engine.journal, NAME)
    if last is not None and now - datetime.fromisoformat(last) < EVERY:
        return 0
    with engine.journal.transaction():
        if not settings.replace(engine.journal, NAME, now.isoformat()):
            return 0
        ensure_partitions(engine.journal)
        runs.give_up(engine.journal, ABANDONED)
        held.forget_older_than(engine.journal, engine.landscape.keep.raw)
        inbox.forget_older_than(engine.journal, engine.landscape.keep.raw)
        plans.forget_older_than(engine.journal, now - engine.landscape.keep.raw)
        price_history.forget(engine.journal, now - price_history.KEPT)
        counter.close_holds(engine.journal, now - HELD)
        removed = engine.vault.forget_older_than(engine.journal, engine.landscape.keep.raw)
    if removed:
        log.info("%d raw payloads older than %s days were removed", removed, engine.landscape.keep.raw.days)
    return removed
