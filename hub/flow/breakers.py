"""Circuit breakers: a system that does not answer is left alone by everybody, and asked by one now and then.

Whatever the engine asks of a connector passes through here, because :class:`~hub.flow.systems.Systems` puts a guard
before each of its calls. Only silence counts: a system that refuses a record, or that says that we call too often,
has answered.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import Enum
from functools import wraps
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hub.errors import ConfigError, HubError, SignInRefused, TryLater, Unknown
from hub.journal import breakers
from hub.journal.breakers import Breaker, Pace
from hub.model import Accepted, Clock, Conflict, Done, Health, Rejected
from hub.transport.redaction import redact
from hub.transport.retry import Limited, NotNow

if TYPE_CHECKING:
    from hub.config import Landscape
    from hub.connector import Connector
    from hub.journal.database import Connection

log = logging.getLogger("hub.flow")

LONGEST = 300.0  # seconds between two probes
LEASE = timedelta(seconds=120)  # for one probe: as long as any call with all its retries
JITTER = 0.2  # so that the workers of several hubs do not ask at once
VERDICTS = (Done, Accepted, Conflict, Rejected)  # receipts that only a system that answers can give


class CircuitOpen(NotNow):
    """The system is left alone; nothing was asked of it. ``probe_at`` is when the next call may."""

    def __init__(self, message: str, probe_at: datetime) -> None:
        self.probe_at = probe_at
        super().__init__(message)


class Meaning(Enum):
    """What the end of a call says about the system."""

    ANSWER = "answer"
    SILENCE = "silence"
    NOTHING = "nothing"


class Breakers:
    """The breakers of a landscape, on a connection of their own: they count also where a batch is rolled back."""

    def __init__(
        self, connection: Connection, landscape: Landscape, clock: Clock, flows_into: Callable[[str], Sequence[str]]
    ) -> None:
        self._connection = connection
        self._landscape = landscape
        self._clock = clock
        self._flows_into = flows_into
        self._inside: list[str] = []  # systems with a call under way, one within the other
        self._told: BaseException | None = None  # the trouble of a system that another one needed

    # --- looking ------------------------------------------------------------------------------------

    def open_ones(self) -> dict[str, Breaker]:
        """The open breakers, by system."""
        return breakers.open_ones(self._connection)

    def is_open(self, system: str) -> bool:
        """Whether the circuit of ``system`` is open, also where it is time for somebody to ask."""
        return breakers.of(self._connection, system).is_open

    def is_shut(self, system: str) -> bool:
        """Whether nobody may call ``system`` now."""
        known = breakers.of(self._connection, system)
        return known.is_open and not self._due(known)

    def admit(self, system: str) -> None:
        """Raise :class:`CircuitOpen` where nobody may call ``system`` now, before anything is claimed for it."""
        known = breakers.of(self._connection, system)
        if known.is_open and not self._due(known):
            raise self._shut(known)

    def seconds_to(self, at: datetime) -> float:
        """From now to ``at``, on the clock by which circuits are timed."""
        return (at - self._clock.now()).total_seconds()

    def said(self, known: Breaker) -> str:
        """Since when, why, and when it is asked again, in a sentence."""
        return (
            f"{known.system} has not answered since {self._moment(known.failing_since)} ({known.reason}); it is left "
            f"alone, and one call asks again at {self._moment(known.probe_at)}"
        )

    # --- calling ------------------------------------------------------------------------------------

    def guard(self, connector: Connector, system: str) -> None:
        """From now on every call of ``connector`` that reaches its system passes through the breaker."""
        ways: dict[str, Callable[[str, Callable[..., Any]], Callable[..., Any]]] = {
            "read": self._one_by_one, "write": self._receipts, "settle": self._receipts, "find": self._found,
            "release": self._maybe, "fetch": self._plain, "arrived": self._plain, "check": self._health,
        }  # fmt: skip
        for name, way in ways.items():
            method = getattr(connector, name, None)
            if method is not None:
                setattr(connector, name, wraps(method)(way(system, method)))

    def close(self, system: str, answer: str) -> bool:
        """A person lets everybody call again; False where nobody was kept from it."""
        return self._answered(system, answer)

    def _one_by_one(self, system: str, read: Callable[..., Any]) -> Callable[..., Any]:
        """Each batch is a call; what is done between two of them is not."""

        def guarded(*arguments: Any, **named: Any) -> Iterator[Any]:
            batches: Iterator[Any] | None = None
            while True:
                with self._call(system):
                    batches = iter(read(*arguments, **named)) if batches is None else batches
                    batch = next(batches, None)
                if batch is None:
                    return
                yield batch

        return guarded

    def _receipts(self, system: str, write: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **named: Any) -> Iterator[Any]:
            with self._call(system) as say:
                receipts = list(write(*arguments, **named))
                if not any(isinstance(one, VERDICTS) for one in receipts):
                    say(Meaning.NOTHING)
            return iter(receipts)

        return guarded

    def _found(self, system: str, find: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(object: str, references: Sequence[Any]) -> Any:
            if not references:  # nobody is asked
                return find(object, references)
            with self._call(system):
                return find(object, references)

        return guarded

    def _plain(self, system: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **named: Any) -> Any:
            with self._call(system):
                return call(*arguments, **named)

        return guarded

    def _maybe(self, system: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """A call that asks some systems, and others nothing at all."""

        def guarded(*arguments: Any, **named: Any) -> Any:
            with self._call(system) as say:
                say(Meaning.NOTHING)
                return call(*arguments, **named)

        return guarded

    def _health(self, system: str, check: Callable[[], Health]) -> Callable[[], Health]:
        """Whoever looks at a system may: a person who has repaired it need not wait for the next probe."""

        def guarded() -> Health:
            known = breakers.of(self._connection, system)
            probing = known.is_open and self._due(known) and self._take(known)
            health = check()
            if health.ok:
                self._answered(system)
            elif probing:
                self._failed(system, health.detail, probing=True)
            return health

        return guarded

    @contextmanager
    def _call(self, system: str) -> Iterator[Callable[[Meaning], None]]:
        """Around one call: admitted or not, and what its end says; the block may say that a success says nothing."""
        if system in self._inside:  # a connector that calls itself
            yield lambda meaning: None
            return
        known = breakers.of(self._connection, system)
        probing = self._admitted(known)
        meant = [Meaning.ANSWER]
        self._inside.append(system)
        try:
            yield lambda meaning: meant.__setitem__(0, meaning)
        except HubError as error:
            self._ended(known, self._meaning(error), str(error), probing=probing)
            raise
        except BaseException:
            self._ended(known, Meaning.NOTHING, "", probing=probing)
            raise
        else:
            self._ended(known, meant[0], "", probing=probing)
        finally:
            self._inside.remove(system)
            if not self._inside:
                self._told = None

    def _admitted(self, known: Breaker) -> bool:
        """Whether this call is the probe; raises where it may not be made."""
        if not known.is_open:
            return False
        if self._due(known) and self._take(known):
            return True
        shut = self._shut(breakers.of(self._connection, known.system))
        if self._inside:
            self._told = shut
        raise shut

    def _take(self, known: Breaker) -> bool:
        return breakers.take_probe(self._connection, known, self._clock.now() + LEASE)

    def _due(self, known: Breaker) -> bool:
        """Whether one may ask; a moment further away than any probe is one of a clock that has been set back."""
        now = self._clock.now()
        at = known.probe_at or now
        return not now < at <= now + timedelta(seconds=LONGEST * (1 + JITTER))

    # --- judging ------------------------------------------------------------------------------------

    def _meaning(self, error: HubError) -> Meaning:
        """What an error says about the system that was called; not that of a system which it needed."""
        if self._told is not None and self._told in _chain(error):
            return Meaning.NOTHING
        if len(self._inside) > 1:
            self._told = error
        if isinstance(error, Limited):
            return Meaning.ANSWER
        if isinstance(error, NotNow | ConfigError):
            return Meaning.NOTHING
        return Meaning.SILENCE if isinstance(error, TryLater | Unknown | SignInRefused) else Meaning.ANSWER

    def _ended(self, known: Breaker, meaning: Meaning, reason: str, *, probing: bool) -> None:
        if meaning is Meaning.SILENCE:
            self._failed(known.system, reason, probing=probing)
        elif meaning is Meaning.ANSWER:
            if known.failures:  # as they were before the call; else there is nothing to forget
                self._answered(known.system)
        elif probing:
            breakers.postpone(self._connection, known.system, self._clock.now())

    def _failed(self, system: str, reason: str, *, probing: bool) -> None:
        jitter = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  (it keeps workers apart, it guards nothing)
        pace = self._pace(system)
        opened = breakers.failed(
            self._connection, system, redact(reason), self._clock.now(), pace, probing=probing, jitter=jitter
        )
        if opened is not None:
            log.warning("circuit opened: %s", self.said(opened))

    def _answered(self, system: str, answer: str = "it answers again") -> bool:
        flows = self._flows_into(system)
        closed = breakers.answered(self._connection, system, self._clock.now(), flows, answer)
        if closed is not None:
            log.warning("circuit closed: %s did not answer since %s", system, self._moment(closed.failing_since))
        return closed is not None

    def _pace(self, system: str) -> Pace:
        settings = self._landscape.systems[system].breaker
        return Pace(after=settings.after, first=settings.probe.total_seconds(), longest=LONGEST)

    def _shut(self, known: Breaker) -> CircuitOpen:
        return CircuitOpen(self.said(known), known.probe_at or self._clock.now())

    def _moment(self, at: datetime | None) -> str:
        zone = ZoneInfo(self._landscape.retailer.zone)
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}" if at else "now"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
