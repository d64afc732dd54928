"""Recovery: what is compared when a system answers again, since nobody saw what happened there meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hub.flow import ingest
from hub.flow.reconcile import reconcile_target
from hub.journal import breakers

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.flow.report import Reconciled

RING_AGAIN = timedelta(minutes=5)  # a comparison takes less; one that nobody began was not heard


def waiting(engine: Engine, flow: str | None = None) -> list[tuple[str, str]]:
    """(flow, target) of every comparison that is due since a circuit has closed; of ``flow`` alone with one."""
    return breakers.recovered(engine.journal, flow)


def to_ring(engine: Engine) -> list[str]:
    """Systems whose comparison somebody must be called for; they are not named again for some minutes."""
    return breakers.to_ring(engine.journal, engine.clock.now(), RING_AGAIN)


def compare(engine: Engine, flow: str, target: str) -> Reconciled:
    """The reconciliation of one target, after which none is due for it; what drifted is left to its next delivery.

    Raises what the reading raises; then it stays due, as it does where the target is closed.
    """
    since = breakers.since(engine.journal, flow, target)
    found = reconcile_target(engine, flow, target, fix=True, send=False)
    if since is not None and ingest.is_open(engine, target):
        breakers.compared(engine.journal, flow, target, since)
    return found
