"""Clocks: the latest time that was seen is noted, so that a clock which is set back is noticed by the next pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hub.journal import clocks, remotes, settings

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.journal.database import Connection

NOTED_EVERY = timedelta(minutes=1)
TOLERANCE = timedelta(minutes=5)  # by which the clocks of several machines may differ

HIGHEST = "clock/highest"


def watch(engine: Engine) -> None:
    """Note the time; where a clock was set back, what waits by its old time waits by the new one."""
    _look(engine, "clock/hub", engine.clock.now(), clocks.hub_was_set_back)
    _look(engine, "clock/database", remotes.database_time(engine.journal), clocks.database_was_set_back)


def never_back(engine: Engine) -> datetime:
    """The present time; while a clock that was set back has not caught up, the latest that it ever showed.

    Orders words that carry no time of their own.
    """
    now, highest = engine.clock.now(), _noted(engine, HIGHEST)
    return now if highest is None or highest <= now + NOTED_EVERY else highest


def _look(
    engine: Engine, name: str, now: datetime, put_right: Callable[[Connection, datetime, datetime], None]
) -> None:
    last = _noted(engine, name)
    if last is None or now - last >= NOTED_EVERY:
        settings.replace(engine.journal, name, now.isoformat())
        if name == "clock/hub":
            ahead = now + NOTED_EVERY  # nobody notes anything before that
            if ahead > (_noted(engine, HIGHEST) or ahead - NOTED_EVERY):
                settings.replace(engine.journal, HIGHEST, ahead.isoformat())
    elif last - now > TOLERANCE:
        with engine.journal.transaction():
            settings.alone(engine.journal, name)
            if _noted(engine, name) != last:
                return  # another process has seen to it
            put_right(engine.journal, now, last + NOTED_EVERY)
            settings.replace(engine.journal, name, now.isoformat())
        engine.log.warning("%s was set back by %s; what waits by it was put right", name, last - now)


def _noted(engine: Engine, name: str) -> datetime | None:
    said = settings.get(engine.journal, name)
    return datetime.fromisoformat(said) if said else None


def other_reading(moment: datetime) -> datetime | None:
    """The later of two moments that a naive time of the repeated hour may mean; None where it can mean but one."""
    later = moment.replace(fold=1)
    return later.astimezone(UTC) if later.utcoffset() != moment.utcoffset() else None
