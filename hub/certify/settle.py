"""Settle: the kills are over for a while; passes go on until nothing is left to read, derive or send."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hub.errors import HubError, StopRun

if TYPE_CHECKING:
    from hub.certify.world import World
    from hub.flow import Engine

PATIENCE = 600.0  # seconds; the first synchronisation on a busy machine takes minutes
PAUSE = 1.0


def settle(world: World, patience: float = PATIENCE) -> float:
    """Pass after pass until one finds nothing to do; the seconds that took. :class:`StopRun` where it never ends."""
    began = time.monotonic()
    complaint = "something is always left to send"
    while time.monotonic() - began < patience:
        try:
            heard = all_heard(world)
            with world.engine() as engine:
                if quiet(engine) and heard:
                    return time.monotonic() - began
        except HubError as error:
            complaint = str(error)
        time.sleep(PAUSE)
    raise StopRun(f"not settled after {patience:.0f} s: {complaint}")


def all_heard(world: World) -> bool:
    """Whether everything that was pushed has arrived; what a dead gateway missed is pushed again now, not in hours."""
    if world.gateway is None:
        return True
    world.retailer.webhooks.hurry()
    return not world.retailer.webhooks.pending()


def quiet(engine: Engine) -> bool:
    """One pass of every flow; True where nothing was sent, and nothing is pending."""
    counts = [outcome.counts for outcome in engine.once().values()]
    return not any(found["pending"] + found["delivered"] + found["changed"] for found in counts)
