"""Repeating a call for seconds; minutes belong to Airflow.

tenacity is wrapped here and nowhere else: so many attempts, so much time in all, jitter between them,
and the vendor's own ``Retry-After`` where it gave one. Only a call that changes nothing, or that carries
an idempotency key, is repeated.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from hub.connector import Budget
from hub.errors import HubError, TryLater, Unknown
from hub.transport.effects import Effect, answered
from hub.transport.redaction import redact

log = logging.getLogger(__name__)
T = TypeVar("T")

_sleep: Callable[[float], None] = time.sleep


@contextmanager
def instant() -> Iterator[list[float]]:
    """Test mode: nothing sleeps; yields the pauses that would have been made, in seconds."""
    global _sleep
    pauses: list[float] = []
    before, _sleep = _sleep, pauses.append
    try:
        yield pauses
    finally:
        _sleep = before


def pause(seconds: float) -> None:
    """Sleep; the one place where a transport waits."""
    if seconds > 0:
        _sleep(seconds)


class NotNow(TryLater):
    """Later, and no outage: it answers, or was not asked. Never repeated here."""


class Limited(TryLater):
    """The vendor says that we call too often: repeated after its delay, and no outage."""


class BudgetSpent(NotNow):
    """The account's budget is used up for longer than a call may wait."""


class Pace:
    """Calls leave when the account's budget allows it; a wait above ``longest`` seconds is left to the engine."""

    def __init__(self, budget: Budget | None, *, system: str, longest: float = 10.0) -> None:
        self.budget = budget
        self.system = system
        self.longest = longest

    def take(self, cost: float) -> None:
        wait = self.budget.take(cost) if self.budget and cost else 0.0
        if wait > self.longest:
            self.give_back(cost)
            raise BudgetSpent(f"{self.system}: the account's budget is used up for {wait:.0f} s", delay=wait)
        pause(wait)

    def give_back(self, cost: float) -> None:
        """Return what a call did not use after all; a negative cost takes what it used beyond that."""
        if self.budget and cost:
            self.budget.take(-cost)

    def observe(self, available: float) -> None:
        """The vendor says what is left."""
        if self.budget:
            self.budget.observe(available)

    def rest(self, seconds: float) -> None:
        """The vendor wants no call for so long."""
        if self.budget:
            self.budget.rest(seconds)


class Outage:
    """One line when a system goes down and one when it answers again; nothing in between.

    Being limited is no outage: it is said once for as long as the transport lives.
    """

    def __init__(self, system: str) -> None:
        self.system = system
        self.down = False
        self.limited = False

    def failed(self, error: HubError) -> None:
        if isinstance(error, Limited):
            self._say_once(error)
            return
        if not self.down:
            log.warning("%s", redact(f"{error} (trying again)"))
        self.down = True

    def answered(self) -> None:
        if self.down:
            log.info("%s answers again", self.system)
        self.down = False

    def _say_once(self, error: Limited) -> None:
        if not self.limited:
            log.info("%s", redact(f"{error} (waiting; its budget in hub.yaml may promise more than it allows)"))
        self.limited = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """At most ``attempts`` tries within ``seconds``, waiting included; first pause about ``first`` seconds."""

    attempts: int = 4
    seconds: float = 20.0
    first: float = 0.3
    longest: float = 5.0

    def run(self, call: Callable[[], T], *, outage: Outage, effect: Effect) -> T:
        """Call until it answers; once the outcome of one try is unknown, only an answer settles it.

        A later refusal (rate limit, sign-in, even a reset) says nothing about what the earlier try
        did, so the error that leaves is then :class:`~hub.errors.Unknown`.
        """
        doubts: list[Unknown] = []
        try:
            answer = self._run(_watched(call, outage, doubts), repeat=effect is not Effect.ONCE)
        except Unknown:
            raise
        except HubError as error:
            if doubts:
                raise Unknown(f"{doubts[0]}; then: {error}") from error
            raise
        answered(effect)
        return answer

    def _run(self, call: Callable[[], T], repeat: bool) -> T:
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_before_delay

        retrying = Retrying(
            stop=stop_after_attempt(self.attempts if repeat else 1) | stop_before_delay(self.seconds),
            retry=retry_if_exception(_worth_repeating),
            wait=lambda state: self._wait(state.attempt_number, state.outcome.exception() if state.outcome else None),
            sleep=pause,
            reraise=True,
        )
        return retrying(call)

    def _wait(self, attempt: int, error: BaseException | None) -> float:
        if isinstance(error, TryLater) and error.delay is not None:
            return error.delay + 0.1 * _jitter()
        return (0.5 + 0.5 * _jitter()) * min(self.first * 2.0 ** (attempt - 1), self.longest)


def _jitter() -> float:
    return random.random()  # noqa: S311  (it keeps workers apart, it guards nothing)


def _worth_repeating(error: BaseException) -> bool:
    return isinstance(error, TryLater | Unknown) and not isinstance(error, NotNow)


def _watched(call: Callable[[], T], outage: Outage, doubts: list[Unknown]) -> Callable[[], T]:
    def watched() -> T:
        try:
            answer = call()
        except NotNow:
            raise
        except (TryLater, Unknown) as error:
            outage.failed(error)
            if isinstance(error, Unknown):
                doubts.append(error)
            raise
        outage.answered()
        return answer

    return watched
