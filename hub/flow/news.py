"""News: a target that holds something else than was believed tells of events of its own, before it is written again.

That they are to be read is part of the transaction that found it: whoever sends next, also after a crash, reads first.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from hub.flow import derive, ingest
from hub.flow.outcome import Pass
from hub.journal import settings

if TYPE_CHECKING:
    from hub.flow.engine import Engine


def note(engine: Engine, current: Pass, target: str) -> None:
    """There are news of ``target``; in the transaction that found them, which holds its outbox alone."""
    if is_source(engine, current, target):
        settings.replace(engine.journal, _name(current, target), secrets.token_hex(4))


def due(engine: Engine, current: Pass, target: str) -> bool:
    """Whether nothing may be sent to ``target`` before its news are read."""
    return is_source(engine, current, target) and bool(settings.get(engine.journal, _name(current, target)))


def read(engine: Engine, current: Pass, target: str) -> None:
    """What happened at the target meanwhile: its own events, and what must be derived again with them."""
    noted = settings.get(engine.journal, _name(current, target))
    if is_source(engine, current, target):
        ingest.read(engine, current, target)
    derive.derive_due(engine, current)
    if noted:
        settings.forget(engine.journal, _name(current, target), noted)


def is_source(engine: Engine, current: Pass, target: str) -> bool:
    """Whether ``target`` tells what happens there, in the flow that is delivered to it."""
    return target in engine.landscape.flows[current.flow].sources


def _name(current: Pass, target: str) -> str:
    return f"news/{current.flow}/{target}"
