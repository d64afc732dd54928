"""HTTP for the vendors' APIs: routes, the gate in front of them, and one line in the ledger for every call.

A call that is meant to change something is carried out and written down in one transaction: killed
at any moment, the ledger and the system tell the same story.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.sandbox.ledger import Ledger

if TYPE_CHECKING:
    from fastapi import FastAPI, Response
    from fastapi import Request as HttpRequest

MAX_BODY = 4 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, read whole."""

    method: str
    url: str  # as the caller addressed it, without the query: the base of links in the answer
    path: str
    params: Mapping[str, str]  # from the path
    query: Mapping[str, str]
    headers: Mapping[str, str]  # lower-case names
    body: bytes

    def json(self) -> Any:
        """The body as JSON; raises ``ValueError`` (of which JSON's own error is one) when it is not."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back; bytes go as they are, anything else as JSON, None as nothing.

    ``recorded`` replaces the status in the ledger where HTTP's own hides what happened.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    recorded: int | None = None


class Refusal(Exception):
    """The call is refused and changed nothing."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(f"{reply.status} {reply.body}")


@dataclass(slots=True, kw_only=True)
class Note:
    """What the ledger will say of a call; the handler fills it in as it finds out."""

    operation: str
    write: bool = False
    idempotency_key: str | None = None
    summary: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


Handler = Callable[[Request, Note], Reply]
Gate = Callable[[Request], Mapping[str, str]]  # lets a request in and answers headers for the reply, or raises Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of an API."""

    method: str
    path: str
    operation: str
    handler: Handler
    gate: Gate
    write: bool = False
    locks: Callable[[Request], bool] | None = None  # whether it may write, where only the body tells


class Web:
    """The HTTP side of one system."""

    def __init__(self, system: str, ledger: Ledger, routes: Sequence[Route], missing: Reply) -> None:
        self.system = system
        self.ledger = ledger
        self.routes = routes
        self.missing = missing

    def app(self) -> FastAPI:
        """The ASGI application; handlers run in threads, so that one slow query does not stop the others."""
        from fastapi import FastAPI

        app = FastAPI(openapi_url=None)
        for route in self.routes:
            app.add_api_route(route.path, self._endpoint(route), methods=[route.method], response_model=None)
        nowhere = Route(method="", path="/{path:path}", operation="", handler=self._nowhere, gate=lambda _: {})
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        app.add_api_route(nowhere.path, self._endpoint(nowhere), methods=methods, response_model=None)
        return app

    def _endpoint(self, route: Route) -> Callable[..., Any]:
        from fastapi import Request as HttpRequest
        from fastapi import Response

        async def endpoint(http: HttpRequest) -> Response:
            request = await _read(http)
            reply = await asyncio.to_thread(self.answer, route, request)
            content = content_of(reply.body)
            headers = {"content-type": "application/json; charset=utf-8", **reply.headers}
            return Response(content, status_code=reply.status, headers=headers)

        endpoint.__annotations__ = {"http": HttpRequest, "return": Response}  # FastAPI resolves names in the module
        return endpoint

    def answer(self, route: Route, request: Request) -> Reply:
        """Carry out one call and write it down."""
        note = Note(operation=route.operation, write=route.write)
        headers: Mapping[str, str] = {}
        locks = route.write or (route.locks is not None and route.locks(request))
        try:
            headers = route.gate(request)
            with self.ledger.state.transaction() if locks else nullcontext():
                reply = route.handler(request, note)
                self._record(request, note, reply)
        except Refusal as refusal:
            reply = refusal.reply
            self._record(request, note, reply)
        return Reply(status=reply.status, body=reply.body, headers={**headers, **reply.headers})

    def _record(self, request: Request, note: Note, reply: Reply) -> None:
        self.ledger.record(
            self.system,
            request.method,
            request.path,
            status=reply.recorded or reply.status,
            operation=note.operation,
            write=note.write,
            idempotency_key=note.idempotency_key,
            summary=note.summary,
            detail=note.detail,
        )

    def _nowhere(self, request: Request, note: Note) -> Reply:
        note.summary = "no such endpoint"
        raise Refusal(self.missing)


def content_of(body: Any) -> bytes:
    """The bytes of a reply's body."""
    if isinstance(body, bytes):
        return body
    return b"" if body is None else json.dumps(body, ensure_ascii=False).encode()


async def _read(http: HttpRequest) -> Request:
    body = bytearray()
    async for chunk in http.stream():
        if len(body) <= MAX_BODY:  # what is longer is cut off: no vendor's call is, and JSON cut short is refused
            body += chunk
    return Request(
        method=http.method,
        url=str(http.url.replace(query="")),
        path=http.url.path,
        params={name: str(value) for name, value in http.path_params.items()},
        query=dict(http.query_params),
        headers={name.lower(): value for name, value in http.headers.items()},
        body=bytes(body),
    )
