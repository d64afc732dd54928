"""Kills: processes die, the retailer's day goes on, and what has ended is started again."""

from __future__ import annotations

import random
import time
from collections import Counter
from signal import SIGKILL
from typing import TYPE_CHECKING

from hub.certify.life import Life
from hub.certify.plan import ONLY_AT_FIRST, RANDOM, Kill, gateway_kills, worker_kills

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

    from hub.certify.world import World

PATIENCE = 12.0  # seconds that a worker may take to come to its point; then it dies where it is
AT_FIRST = 90.0  # to one that is passed in the first synchronisation alone: everything is read before it
LATEST = 2.0  # seconds of a worker's or a database's life that ends at any moment
ROUNDS = 2  # of everything, in which a worker comes to its point or does not
BESIDE = 0.25  # how often another worker is there too, and dies at the same moment
CUSTOMERS = (1, 3)


class Attack:
    """One run of kills over ``world``; ``done`` counts them by place."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed
        self.done: Counter[str] = Counter()
        self._draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._life = Life(world.retailer, seed)
        self._next = worker_kills(random.Random(seed + 1))  # noqa: S311
        self._gateways = gateway_kills(random.Random(seed + 2))  # noqa: S311
        self._doomed: Kill | None = None  # what the gateway that runs now is to die of
        self._doom_gateway()

    @property
    def kills(self) -> int:
        return sum(self.done.values())

    @property
    def happened(self) -> Counter[str]:
        return self._life.happened

    def strike(self) -> None:
        """Something happens at the retailer, a worker begins, and it or its database dies; so may the gateway."""
        kill = next(self._next)
        self._life.happen(self._draw.randint(*CUSTOMERS))
        getattr(self, f"_kill_{kill.victim}")(kill)
        self._see_to_gateway()
        self.world.revive()

    def rest(self) -> None:
        """A gateway that nobody is after, so that all that waits can arrive."""
        self._doomed = None
        if self.world.gateway is not None:
            self.world.end_gateway()
            self.world.start_gateway()

    def _kill_worker(self, kill: Kill) -> None:
        """One that has passed everything ``ROUNDS`` times without coming to its point ends by itself, uncounted."""
        at = None if kill.point == RANDOM else f"{kill.point}:{kill.number}"
        worker = self._begin(at)
        other = self._begin(None) if self._draw.random() < BESIDE else None
        patience = AT_FIRST if kill.point in ONLY_AT_FIRST else PATIENCE
        worker.join(patience if at else self._draw.uniform(0.0, LATEST))
        reached = not worker.is_alive() and worker.exitcode == -SIGKILL
        if reached or worker.is_alive():
            self.done[kill.place if at and reached else f"worker: {RANDOM}"] += 1
        self._end(worker)
        if other is not None:
            self.done[f"worker: {RANDOM}"] += other.is_alive()
            self._end(other)

    def _kill_database(self, kill: Kill) -> None:
        at = None if kill.point == RANDOM else f"{kill.point}:{kill.number}:{self.world.server.pid}"
        worker = self._begin(at)
        until = time.monotonic() + (PATIENCE if at else self._draw.uniform(0.0, LATEST))
        while time.monotonic() < until and self.world.server.alive() and worker.is_alive():
            time.sleep(0.02)
        reached = at is not None and not self.world.server.alive()
        self.world.kill_database()
        worker.join(1.0)  # most of them end by themselves; one that does not is no use without a database
        self.world.revive()
        self._end(worker)
        self.done[kill.place if reached else f"database: {RANDOM}"] += 1

    def _begin(self, at: str | None) -> ForkServerProcess:
        return self.world.start_worker(self._draw.randrange(2**32), at, ROUNDS if at else None)

    def _end(self, worker: ForkServerProcess) -> None:
        worker.kill()
        worker.join()
        self.world.workers.remove(worker)

    # --- the gateway dies of what is pushed, beside the workers -----------------------------------

    def _doom_gateway(self) -> None:
        if self.world.gateway is None:
            return
        self._doomed = next(self._gateways)
        self.world.end_gateway()
        at = None if self._doomed.point == RANDOM else f"{self._doomed.point}:{self._doomed.number}"
        self.world.start_gateway(at)

    def _see_to_gateway(self) -> None:
        gateway = self.world.gateway
        if gateway is None:
            return
        if self._doomed is None:
            self._doom_gateway()
            return
        if self._doomed.point == RANDOM and gateway.is_alive() and self._draw.random() < 0.3:
            gateway.kill()
            gateway.join()
        if not gateway.is_alive():
            self.done[self._doomed.place] += 1
            self._doom_gateway()
