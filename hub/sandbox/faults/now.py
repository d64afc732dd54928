"""Which fault strikes the call that is being carried out: the ledger and the compare-and-sets ask here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

STALE = "stale-cas"
_fault: ContextVar[str | None] = ContextVar("fault", default=None)


@contextmanager
def striking(fault: str | None) -> Iterator[None]:
    """What is done inside, also in threads started from here, happens under ``fault``."""
    token = _fault.set(fault)
    try:
        yield
    finally:
        _fault.reset(token)


def fault() -> str | None:
    """The fault of this call; None for one that goes well."""
    return _fault.get()


def changed_meanwhile() -> bool:
    """Whether a compare-and-set is to find that somebody was faster, though nobody was."""
    return _fault.get() == STALE
