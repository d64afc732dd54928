"""A write of several calls: what fails after one of them was answered leaves the whole in doubt."""

from __future__ import annotations

import pytest

from hub.errors import HubError, StopRun, TryLater, Unknown
from hub.transport.effects import Effect, answered, together


def write(*calls: Effect, error: HubError) -> None:
    """These calls are answered, the next one fails."""
    with together():
        for effect in calls:
            answered(effect)
        raise error


@pytest.mark.parametrize("error", [StopRun("refused the sign-in"), TryLater("too many calls", 3.0)])
def test_a_refusal_after_a_call_that_wrote_says_nothing_about_that_one(error: HubError) -> None:
    with pytest.raises(Unknown, match=f"{error}; the same write had 1 calls answered before"):
        write(Effect.NONE, Effect.KEYED, error=error)


@pytest.mark.parametrize("error", [StopRun("refused the sign-in"), TryLater("too many calls", 3.0), Unknown("cut off")])
def test_with_nothing_but_reading_before_it_says_what_it_says(error: HubError) -> None:
    with together():
        answered(Effect.ONCE)  # of another write
    with pytest.raises(type(error), match=f"^{error}$"):
        write(Effect.NONE, error=error)
