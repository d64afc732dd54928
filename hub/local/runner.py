"""The flows without Airflow: one process that reads by the clock and by the bell, and delivers what is left.

``hub up --no-airflow`` runs it. It has no retries, no history and no sign-in to offer: those are Airflow's.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from hub.errors import HubError, TryLater
from hub.flow.breakers import CircuitOpen

if TYPE_CHECKING:
    from hub.flow import Engine, Outcome

log = logging.getLogger("hub.runner")

CHANNEL = "hub_arrived"
ARRIVED = "hub://arrived/"
WAITING = "hub://deliver/"
LOOK_EVERY = timedelta(minutes=1)
AFTER_FAILURE = 60.0
LISTEN_SECONDS = 0.5


@dataclass(slots=True)
class Runner:
    """What is due when, by (flow, source) and by target; monotonic seconds."""

    engine: Engine
    sources: dict[tuple[str, str], float] = field(default_factory=dict)
    targets: dict[str, float] = field(default_factory=dict)
    comparisons: dict[tuple[str, str], float] = field(default_factory=dict)  # of (flow, target): not again before

    def __post_init__(self) -> None:
        for name, flow in self.engine.landscape.flows.items():
            self.sources |= dict.fromkeys(((name, system) for system in flow.sources), 0.0)
            self.targets |= dict.fromkeys(flow.targets, 0.0)

    def hear(self, uris: Iterable[str]) -> None:
        """What rang is due now."""
        rung = set(uris)
        for flow, system in self.sources:
            if ARRIVED + system in rung:
                self.sources[flow, system] = 0.0
        for target in self.targets:
            if WAITING + target in rung:
                self.targets[target] = 0.0

    def step(self) -> None:
        """Do what is due: sources first, since they deliver along; then compare where a system answers again."""
        for (flow, system), due in list(self.sources.items()):
            if due <= time.monotonic():
                self.sources[flow, system] = self._after(self._ingest(flow, system), self._pace(flow, system))
        for target, due in list(self.targets.items()):
            if due <= time.monotonic():
                self.targets[target] = self._after(self._deliver(target), LOOK_EVERY.total_seconds())
        self._compare()

    def _compare(self) -> None:
        """One comparison that is due since a circuit has closed; what drifted is sent at once."""
        from hub.flow import recovery

        due = [one for one in recovery.waiting(self.engine) if self.comparisons.get(one, 0.0) <= time.monotonic()]
        for flow, target in due[:1]:
            self.comparisons[flow, target] = time.monotonic() + AFTER_FAILURE
            try:
                found = recovery.compare(self.engine, flow, target)
            except HubError as error:
                log.warning("comparing %s at %s: %s", flow, target, error)
            else:
                self.targets |= {target: 0.0} if found.repairable else {}

    def _ingest(self, flow: str, system: str) -> Outcome | HubError:
        try:
            outcome = self.engine.ingest(flow, system)
        except HubError as error:
            log.warning("%s from %s: %s", flow, system, error)
            return error
        self.targets |= dict.fromkeys(outcome.ring, 0.0)
        return outcome

    def _deliver(self, target: str) -> Outcome | HubError:
        try:
            outcome = self.engine.deliver(target)
        except HubError as error:
            log.warning("to %s: %s", target, error)
            return error
        self.targets |= dict.fromkeys(outcome.ring, 0.0)
        return outcome

    def _pace(self, flow: str, system: str) -> float:
        settings = self.engine.landscape.flows[flow].sources[system]
        return (settings.every or LOOK_EVERY).total_seconds()

    def _after(self, ended: Outcome | HubError, pace: float) -> float:
        """When it is due again: a target with something pending soon, what failed after a pause."""
        if isinstance(ended, CircuitOpen):
            return time.monotonic() + min(pace, max(1.0, self.engine.breakers.seconds_to(ended.probe_at)))
        if isinstance(ended, TryLater) and ended.delay is not None:
            return time.monotonic() + min(pace, ended.delay)
        if isinstance(ended, HubError):
            return time.monotonic() + min(pace, AFTER_FAILURE)
        return time.monotonic() + (1.0 if ended.pending else pace)


def main() -> int:
    """Run until SIGTERM ends the process; the journal makes any moment a good one."""
    import psycopg

    from hub.flow import Engine

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    dsn = os.environ["HUB_DATABASE_URL"]
    with psycopg.connect(dsn, autocommit=True) as bell, Engine.open(dsn=dsn) as engine:
        bell.execute(f"LISTEN {CHANNEL}")
        runner = Runner(engine)
        while True:
            runner.step()
            runner.hear(notice.payload for notice in bell.notifies(timeout=LISTEN_SECONDS))


if __name__ == "__main__":
    sys.exit(main())
