"""The soak: every system fails in every way it can, shoppers buy, several workers work; then everything must agree."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.certify.gauges import Gauges, Growth, deadlocks
from hub.certify.home import home
from hub.certify.settle import settle
from hub.certify.verdict import Verdict, verdict
from hub.certify.world import world as new_world

if TYPE_CHECKING:
    from hub.certify.world import World

EVERY = 5.0  # seconds between two looks at memory and connections
SETTLING = 600.0  # a circuit is asked again after five minutes at the latest


@dataclass(frozen=True, slots=True, kw_only=True)
class Soaked:
    """What a soak found. ``drift``: by flow and target, the differences that nothing explains."""

    seconds: float
    settled_after: float
    faults: Mapping[str, Mapping[str, int]]  # by system, by kind: calls that were struck
    happened: Mapping[str, int]  # what customers and staff did
    ended: int  # workers that ended by themselves, which none should
    drift: Mapping[str, int]
    growth: tuple[Growth, ...]
    deadlocks: int  # times that two processes waited for each other in the journal
    verdict: Verdict
    kept: Path | None = None  # where the world with its logs was kept, because something was found

    @property
    def ok(self) -> bool:
        quiet = not self.ended and not self.deadlocks and not any(self.drift.values())
        return quiet and not any(one.grows for one in self.growth) and self.verdict.ok


def soak_anew(project: Path, **options: Any) -> Soaked:
    """A soak of a world of its own, from a copy of ``project``; ``options`` as for :func:`soak`."""
    with home("omnihub-soak-") as place, new_world(project, place.path) as world:
        found = soak(world, **options)
        place.keep = not found.ok
    return replace(found, kept=place.kept)


def soak(
    world: World,
    *,
    minutes: float,
    rate: float = 0.05,
    workers: int = 2,
    customers: float = 30.0,
    report: Callable[[str], None] = lambda _: None,
) -> Soaked:
    """Let ``workers`` work for ``minutes`` while each fault strikes ``rate`` of all calls; then settle and compare.

    ``customers`` come a minute. Memory and connections of workers and gateway are measured all the while.
    """
    report("the first synchronisation, without faults")
    settle(world, SETTLING)
    since = world.retailer.ledger.last_id
    world.retailer.faults.add("all", "all", rate=rate)
    gauges = Gauges(world)
    began, ended = time.monotonic(), 0
    with shoppers(world, customers) as happened:
        for number in range(workers):
            world.start_worker(number)
        until = began + minutes * 60
        while (left := until - time.monotonic()) > 0:
            gauges.read()
            ended += replace_ended(world)
            report(f"{left / 60:.0f} min left: {sum(happened.values()):,} customers, {gauges.sentence}")
            time.sleep(min(EVERY, left))
    seconds = time.monotonic() - began
    world.end_workers()
    struck = world.retailer.faults.counts(since_id=since)
    world.retailer.faults.clear()
    report("the faults are over: settling")
    settled = settle(world, SETTLING)
    report("comparing")
    return Soaked(
        seconds=seconds, settled_after=settled, faults=struck, happened=dict(happened), ended=ended, drift=drift(world),
        growth=gauges.growth(), deadlocks=deadlocks(world.dsn), verdict=verdict(world),
    )  # fmt: skip


def replace_ended(world: World) -> int:
    """A worker in the place of each that has ended; how many that were."""
    gone = [number for number, process in enumerate(world.workers) if not process.is_alive()]
    for number in gone:
        world.workers[number] = world.start_worker(number)
        world.workers.pop()
    return len(gone)


def drift(world: World) -> dict[str, int]:
    """What ``hub reconcile`` of each flow finds at each target that neither rule nor person explains."""
    from hub.flow.reconcile import reconcile

    with world.engine() as engine:
        reports = [reconcile(engine, flow) for flow in engine.landscape.flows]
    return {
        f"{report.flow} at {one.target}": sum(1 for found in one.differences if not found.cause.settled)
        for report in reports
        for one in report.targets
    }


@contextmanager
def shoppers(world: World, customers: float) -> Iterator[Counter[str]]:
    """Customers who come by themselves while the block lasts; the counter says what they did so far."""
    from hub.sandbox.live import Shoppers

    stop, crowd = threading.Event(), Shoppers(world.retailer, customers)

    def come() -> None:
        while not stop.is_set():
            pause = crowd.step(stop)
            world.retailer.erp.back_office_step(stop)
            stop.wait(pause)

    thread = threading.Thread(target=come, name="shoppers")
    thread.start()
    try:
        yield crowd.happened
    finally:
        stop.set()
        thread.join()
