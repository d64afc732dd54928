"""Who asks, what they may, how fast; and an engine and a thread for the answer."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from hub.errors import HubError
from hub.flow import Engine
from hub.flow.counter.refusal import Refusal
from hub.flow.objects import OBJECTS
from hub.gateway.api.pace import Pace
from hub.gateway.api.problems import Problem
from hub.gateway.engines import Engines
from hub.journal import clients
from hub.journal.clients import SCOPES, Client

log = logging.getLogger("hub.gateway")

THREADS = 6  # more would wait for each other: an answer is mostly Python
QUEUE = 200  # who comes when so many wait is sent away at once
NOTED_EVERY = timedelta(minutes=1)

T = TypeVar("T")


class Desk:
    """The counter of the gateway: :meth:`ask` admits a client and answers it on a thread."""

    def __init__(
        self, engines: Engines, ring: Callable[[str], None], *, threads: int = THREADS, queue: int = QUEUE
    ) -> None:
        self.engines = engines
        self.ring = ring
        self.queue = queue
        self._pace = Pace()
        self._threads = CapacityLimiter(threads)
        self._noted: dict[int, datetime] = {}

    async def ask(self, key: str | None, scope: str, verb: Callable[[Engine, Client], T]) -> T:
        """What ``verb`` answers, where ``key`` opens ``scope``."""
        if self._threads.statistics().tasks_waiting >= self.queue:
            raise Problem("not-now", "too many requests wait already", retry_after=1)
        return await to_thread.run_sync(self._answer, key, scope, verb, limiter=self._threads)

    def warm(self) -> None:
        """Open engines for all threads in the background, so that nobody's first question waits for one."""
        threading.Thread(target=self._open_all, name="warm", daemon=True).start()

    def tell(self, engine: Engine, object: str) -> None:
        """Ring a source of the flow that carries ``object``: whoever reads it also derives what is marked."""
        flow = engine.landscape.flows.get(OBJECTS[object].flow)
        if flow is not None:
            by_event = [name for name, source in flow.sources.items() if source.on == "event"]
            self.ring(next(iter([*by_event, *flow.sources])))

    def _answer(self, key: str | None, scope: str, verb: Callable[[Engine, Client], T]) -> T:
        try:
            with self.engines.one() as engine:
                return verb(engine, self._admit(engine, key, scope))
        except (Problem, Refusal):
            raise
        except HubError as error:
            log.error("a question could not be answered: %s", error)
            raise Problem("not-now", "the journal does not answer", retry_after=5) from error
        except Exception as error:
            log.exception("a question could not be answered")
            raise Problem("not-now", "this could not be answered now", retry_after=5) from error

    def _admit(self, engine: Engine, key: str | None, scope: str) -> Client:
        client = clients.of_key(engine.journal, key) if key else None
        if client is None:
            raise Problem("no-key", "send the key of a client as: Authorization: Bearer ohk_...")
        if wait := self._pace.wait(client.id, client.per_second):
            raise Problem(
                "too-fast", f"{client.name} may ask {client.per_second:g} times a second", retry_after=math.ceil(wait)
            )
        if scope not in client.scopes:
            raise Problem("scope", f"{client.name} may not {SCOPES[scope]}; the scope for it is {scope}")
        self._note(engine, client)
        return client

    def _note(self, engine: Engine, client: Client) -> None:
        """Keep when a client last asked, to the minute."""
        now = engine.clock.now()
        if now - self._noted.get(client.id, datetime.min.replace(tzinfo=UTC)) >= NOTED_EVERY:
            self._noted[client.id] = now
            clients.used(engine.journal, client.id, now)

    def _open_all(self) -> None:
        try:
            self.engines.warm(int(self._threads.total_tokens))
        except Exception as error:  # noqa: BLE001 - whoever asks first opens one, and is told what is wrong
            log.warning("the counter is not warm: %s", error)
