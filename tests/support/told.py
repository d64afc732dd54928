"""Stories told side by side: each waits until time has passed for all, so that one pass of the hub serves them all.

A story is a generator: it does something, says ``yield`` where time passes and every flow is synchronised,
and goes on; ``yield moment`` waits for that time, at which a pass is made. What goes wrong in one of them
is its own test's failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from support.scene import Scene

Told = Iterator[datetime | None]
Story = Callable[[Scene], Told]
Troubles = Mapping[str, BaseException | None]
A_WHILE = timedelta(seconds=30)  # between two passes when nobody waits for a moment


class Stories:
    """Those of one module; ``@story`` makes a test of each, which asks for the fixture ``told``."""

    def __init__(self) -> None:
        self.by_name: dict[str, Story] = {}

    def __call__(self, story: Story) -> Callable[[Troubles], None]:
        self.by_name[story.__name__] = story

        @wraps(story)
        def test(told: Troubles) -> None:
            if (trouble := told[story.__name__]) is not None:
                raise trouble

        del test.__wrapped__  # or pytest would look for the story's own arguments
        return test

    def tell(self, scene: Scene, flows: Sequence[str] | None = None) -> Troubles:
        """All of them to their ends, with passes of ``flows``; by name what went wrong, None where nothing did."""
        troubles: dict[str, BaseException | None] = dict.fromkeys(self.by_name)
        going = {name: story(scene) for name, story in self.by_name.items()}
        waits: dict[str, datetime | None] = dict.fromkeys(going)
        while going:
            for name, story in [*going.items()]:
                until = waits[name]
                if until is None or until <= scene.clock.now():
                    waits[name], end = _go_on(story)
                    if end is not None:
                        del going[name], waits[name]
                        troubles[name] = None if isinstance(end, StopIteration) else end
            if going:
                _pass_time(scene, waits.values())
                scene.everything(0, flows)
        return troubles


def _go_on(story: Told) -> tuple[datetime | None, BaseException | None]:
    """What the story waits for now, and what ended it."""
    try:
        return next(story), None
    except StopIteration as end:
        return None, end
    except Exception as trouble:  # noqa: BLE001 - any is the failure of that story's test
        return None, trouble


def _pass_time(scene: Scene, waits: Any) -> None:
    """To the next moment that anybody waits for, a while at most where somebody waits for none."""
    moments = [moment for moment in waits if moment is not None and moment > scene.clock.now()]
    soon = [scene.clock.now() + A_WHILE] if None in waits else []
    scene.clock.moment = min([*moments, *soon], default=scene.clock.now())
