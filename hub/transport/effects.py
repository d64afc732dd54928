"""What calls do at the other side, and which of them were answered during a write that takes several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum

from hub.errors import HubError, Unknown


class Effect(StrEnum):
    """What a call does at the other side, which decides whether it may be repeated."""

    NONE = "none"  # it only reads: repeated freely
    KEYED = "keyed"  # it writes under an idempotency key: repeated as itself
    ONCE = "once"  # it writes without protection: never repeated here


_answered: ContextVar[list[Effect] | None] = ContextVar("answered", default=None)


def answered(effect: Effect) -> None:
    """A call with this effect was answered."""
    calls = _answered.get()
    if calls is not None and effect is not Effect.NONE:
        calls.append(effect)


@contextmanager
def together() -> Iterator[None]:
    """Around a write: what fails after a call of it that wrote and was answered leaves the whole in doubt.

    A sign-in that is refused, or a rate limit, says nothing about the calls before it: the error that leaves is then
    :class:`~hub.errors.Unknown`. A connector that knows which of its calls went well says so with receipts instead.
    """
    calls: list[Effect] = []
    token = _answered.set(calls)
    try:
        yield
    except Unknown:
        raise
    except HubError as error:
        if calls:
            raise Unknown(f"{error}; the same write had {len(calls)} calls answered before") from error
        raise
    finally:
        _answered.reset(token)
