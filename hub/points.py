"""Marked points between read and confirm, at which ``hub certify`` ends a process to see that nothing is lost.

They cost a comparison with None while nobody asked for one. A process is told by its environment, as in
``HUB_CERTIFY_KILL="attempt committed:3"``: at the third time it comes there it is killed as by a power cut.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

VARIABLE = "HUB_CERTIFY_KILL"

# By the process that comes there, in the order in which a record passes them.
WORKER = (
    "batch read", "batch applied", "batch committed", "source told", "release noted",
    "pushes taken", "pushes applied", "pushes committed",
    "derived", "enqueued", "derivation committed", "bound",
    "claimed", "attempt committed", "request leaves", "answer came", "call answered", "receipts written", "settled",
    "attempt taken over", "given back", "remote read", "read-back committed",
)  # fmt: skip
GATEWAY = ("push verified", "push stored", "push answered")

_armed: Callable[[str], None] | None = None


def reached(point: str) -> None:
    """This process comes to ``point``."""
    if _armed is not None:
        _armed(point)


def arm(text: str | None) -> None:
    """End this process at ``point:n``; with ``:pid`` behind it, end that process instead and go on. None disarms."""
    global _armed
    _armed = _end_at(text) if text else None


def _end_at(text: str) -> Callable[[str], None]:
    point, number, *other = text.split(":")
    if point not in WORKER + GATEWAY:
        raise ValueError(f'{VARIABLE} names no point: "{point}"')
    left = [int(number)]

    def come(here: str) -> None:
        if here == point:
            left[0] -= 1
            if left[0] == 0:
                os.kill(int(other[0]) if other else os.getpid(), signal.SIGKILL)

    return come


arm(os.environ.get(VARIABLE))
