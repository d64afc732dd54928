"""Several ways to do one thing, run in turn, so that whatever else the machine does slows all of them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way and its best round; ``records`` is what a round works through, ``note`` what else is to be said."""

    name: str
    records: int
    seconds: float
    note: str = ""

    @property
    def per_second(self) -> float:
        return self.records / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``ways[0]`` is the engine's own."""

    title: str
    ways: tuple[Way, ...]

    def ratio(self, way: Way) -> float:
        """How many times as fast as ``way`` the engine's own is; below 1 it is slower."""
        return self.ways[0].per_second / way.per_second


def race(title: str, ways: Mapping[str, tuple[int, Callable[[], object]]], rounds: int = 3) -> Comparison:
    """Each way ``rounds`` times, taking turns; ``ways`` holds name -> (records of a round, what to run)."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, (_, run) in ways.items():
            best[name] = min(best[name], timed(run))
    return Comparison(
        title=title,
        ways=tuple(Way(name=name, records=ways[name][0], seconds=seconds) for name, seconds in best.items()),
    )


def timed(run: Callable[[], object]) -> float:
    """Seconds of one call, its garbage collected before and after but not meanwhile."""
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        run()
        return time.perf_counter() - began
    finally:
        gc.enable()
