"""The gateway's routes: ``POST /hooks/{system}``, ``GET /health``, and below ``/v1`` what tills and shop ask.

A message is verified over its raw body, stored in the inbox, and answered; ringing comes after the answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from hub.errors import ConfigError, Reject
from hub.flow import Engine
from hub.gateway.api import api, problems
from hub.gateway.api.desk import Desk
from hub.gateway.bell import Bell, Ringer
from hub.gateway.engines import Engines
from hub.gateway.moments import Moments
from hub.gateway.watcher import Watcher
from hub.model import Clock, Pushed
from hub.points import reached

if TYPE_CHECKING:
    from hub.connector import Connection

log = logging.getLogger("hub.gateway")

BODY_LIMIT = 2 * 2**20  # the largest order that a shop pushes is well under 1 MB
BODY_SECONDS = 20.0  # a sender that drips would keep its connection for ever
CLOSING = {"Connection": "close"}  # what is left of the body is not read


class TooLarge(Exception):
    """The body is over the limit; reading stopped there."""


class Gateway:
    """What the routes share for the life of the process."""

    def __init__(self, engines: Engines, bell: Bell) -> None:
        self.engines = engines
        self.bell = bell
        self.refused: Counter[str] = Counter()  # by system, since the gateway started

    async def hook(self, request: Request) -> JSONResponse:
        system = request.path_params["system"]
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(request)
            pushed = _pushed(system, request, body)
        except TooLarge:
            return JSONResponse({"error": f"the body is over {BODY_LIMIT} bytes"}, 413, CLOSING)
        except TimeoutError:
            return JSONResponse({"error": f"the body took longer than {BODY_SECONDS:.0f} s"}, 408, CLOSING)
        return await run_in_threadpool(self._store, pushed)

    def _store(self, pushed: Pushed) -> JSONResponse:
        """Store, then answer: what the answer promises is on disk."""
        try:
            with self.engines.one() as engine:
                if pushed.system not in engine.landscape.systems:
                    return JSONResponse({"error": "unknown system"}, 404)
                new = engine.receive(pushed)
        except Reject as error:
            self._count(pushed.system, error)
            return JSONResponse({"error": "the signature is wrong or too old"}, 401)
        except ConfigError as error:
            log.warning("%s", error)
            return JSONResponse({"error": "this system does not push"}, 404)
        except Exception as error:  # noqa: BLE001 - whatever failed, nothing was stored, and the sender may come again
            log.error("%s: a message could not be stored: %s", pushed.system, error)
            return JSONResponse({"error": "not stored, send it again"}, 503, {"Retry-After": "5"})
        return JSONResponse({"new": new}, background=BackgroundTask(self._ring, pushed.system, new))

    def _ring(self, system: str, new: bool) -> None:
        reached("push answered")
        if new:
            self.bell.ring(system)

    def _count(self, system: str, error: Reject) -> None:
        """Every refusal counts; a line is written for the first, the tenth, the hundredth: nobody fills our disk."""
        self.refused[system] += 1
        count = self.refused[system]
        if str(count).strip("0") == "1":
            log.warning("%s: a message was refused (%s since the start): %s", system, f"{count:,}", error)

    async def health(self, request: Request) -> JSONResponse:
        return await run_in_threadpool(self._health)

    def _health(self) -> JSONResponse:
        try:
            with self.engines.one() as engine:
                engine.journal.execute("SELECT 1")
        except Exception as error:  # noqa: BLE001 - every reason for not being well is the answer
            return JSONResponse({"journal": str(error).splitlines()[0] if str(error) else "down"}, 503)
        found = {"journal": "ok", "bell": "ok" if self.bell.well else "not heard"}
        return JSONResponse({**found, "refused": dict(self.refused)} if self.refused else found)


def application(
    project: Path,
    *,
    dsn: str | None = None,
    connections: Callable[[str], Connection] | None = None,
    ringer: Ringer | None = None,
    watch: bool = True,
    clock: Clock | None = None,
) -> Starlette:
    """The gateway of the landscape in ``project``; without ``ringer`` it stores and rings nobody."""
    opener: Callable[[], AbstractContextManager[Engine]]
    opener = partial(Engine.open, project, dsn=dsn, connections=connections, clock=clock)
    bell = Bell(ringer)
    gateway = Gateway(Engines(opener, project / "hub.yaml"), bell)
    desk = Desk(Engines(opener, project / "hub.yaml"), bell.ring)
    watcher = Watcher(opener, bell.ring)
    moments = Moments(opener, bell.call, bell.ask)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if watch:
            await run_in_threadpool(watcher.start)
            moments.start()
            desk.warm()
        yield
        await run_in_threadpool(watcher.close)
        await run_in_threadpool(moments.close)
        bell.close()
        gateway.engines.close()
        desk.engines.close()

    routes = [
        Route("/hooks/{system}", gateway.hook, methods=["POST"]),
        Route("/health", gateway.health, methods=["GET"]),
        Mount("/v1", api(desk)),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _nowhere})


async def _nowhere(_: Request, __: Exception) -> Response:
    """What no route takes, as a problem too: an address with a line end in it never reaches the counter."""
    return problems.answer("unknown", "there is nothing at this address")


def _pushed(system: str, request: Request, body: bytes) -> Pushed:
    return Pushed(
        system=system,
        path=request.url.path,
        url=str(request.url),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        received_at=datetime.now(UTC),
    )


async def _body(request: Request) -> bytes:
    """The raw body; never more than the limit is held."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_LIMIT:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)
