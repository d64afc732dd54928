"""The one door in front of every HTTP system at which faults happen; without rules it is not felt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hub.sandbox.faults import now
from hub.sandbox.faults.answers import refusal
from hub.sandbox.faults.heard import Heard, hear
from hub.sandbox.faults.kinds import Kind
from hub.sandbox.faults.lines import LINE, reset
from hub.sandbox.faults.loops import Headers, looped
from hub.sandbox.faults.rules import Faults, Rule
from hub.sandbox.ledger import Ledger
from hub.sandbox.web import Reply, content_of

LONGEST = 5 * 2**20  # bytes of a request that are kept; every system refuses less
REFUSED = frozenset({Kind.TOO_MANY, Kind.BROKEN, Kind.SOAP_FAULT, Kind.EXPIRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the system behind the door answered."""

    status: int
    headers: Headers
    body: bytes


class Layer:
    """``app`` with faults; ``expire`` takes away the good token that a call came with, where tokens expire."""

    def __init__(self, app: Any, system: str, ledger: Ledger, expire: Callable[[str], None] | None = None) -> None:
        self._app = app
        self._system = system
        self._ledger = ledger
        self._expire = expire
        self._faults = Faults.of(ledger.state)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or self._faults.quiet(self._system):
            await self._app(scope, receive, send)
            return
        body = await _whole(receive)
        heard = hear(self._system, scope, body)
        rule = await asyncio.to_thread(self._faults.strike, self._system, heard.can_meet, heard.operation)
        call = _Call(self._app, scope, body, receive, send)
        if rule is None:
            await call.go_on()
        elif rule.kind in REFUSED and not (rule.kind is Kind.EXPIRED and self._expire):
            await self._refuse(call, heard, rule)
        elif rule.kind is Kind.RESET:
            await asyncio.to_thread(self._record, heard, rule, 0)
            await call.reset()
        else:
            with now.striking(rule.kind):
                await self._spoil(call, heard, rule)

    async def _refuse(self, call: _Call, heard: Heard, rule: Rule) -> None:
        reply = refusal(heard, rule.kind)
        await asyncio.to_thread(self._record, heard, rule, reply.recorded or reply.status)
        await call.answer(_answer(reply))

    async def _spoil(self, call: _Call, heard: Heard, rule: Rule) -> None:
        """The system carries it out, and writes it down under the fault's name; then something goes wrong."""
        if rule.kind is Kind.EXPIRED and self._expire:
            await asyncio.to_thread(self._expire, heard.token)
        if rule.kind in (Kind.EXPIRED, Kind.STALE):
            await call.go_on()
            return
        answer = await call.carried_out()
        if rule.kind is Kind.LOST_ANSWER:
            await call.hang(rule.delay)
            await call.reset()
        elif rule.kind is Kind.TRUNCATE and answer.body:
            await call.cut(answer)
        elif rule.kind is Kind.LOOP and answer.status == 200:
            headers, body = looped(heard, answer.headers, answer.body)
            await call.answer(Answer(status=200, headers=headers, body=body))
        else:
            await call.hang(rule.delay)
            await call.answer(answer)

    def _record(self, heard: Heard, rule: Rule, status: int) -> None:
        self._ledger.record(
            self._system,
            heard.method,
            heard.path,
            status=status,
            operation=heard.operation,
            write=heard.write,
            idempotency_key=heard.key,
            summary="not carried out",
            fault=rule.kind,
        )


class _Call:
    """One request and the ways to end it."""

    def __init__(self, app: Any, scope: Any, body: bytes, receive: Any, send: Any) -> None:
        self._app, self._scope, self._receive, self._send = app, scope, receive, send
        self._first: bytes | None = body

    async def go_on(self) -> None:
        await self._app(self._scope, self._again, self._send)

    async def carried_out(self) -> Answer:
        """Let the system answer, without telling the client."""
        said: list[Any] = []

        async def keep(message: Any) -> None:
            said.append(message)

        await self._app(self._scope, self._again, keep)
        start, *rest = said
        body = b"".join(part.get("body", b"") for part in rest)
        return Answer(status=start["status"], headers=list(start["headers"]), body=body)

    async def answer(self, answer: Answer) -> None:
        await self._begin(answer)
        await self._send({"type": "http.response.body", "body": answer.body})

    async def cut(self, answer: Answer) -> None:
        """Half of what the length promised, then the end of the connection."""
        await self._begin(answer)
        half = answer.body[: len(answer.body) // 2]
        await self._send({"type": "http.response.body", "body": half, "more_body": True})
        if (line := self._line()) is not None:
            line.close()
        await self._until_gone()

    async def hang(self, seconds: float) -> None:
        """Silence, for at most this long: until the client has enough, or the sandbox is stopped."""
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self._until_gone(), seconds)

    async def reset(self) -> None:
        if (line := self._line()) is not None:
            reset(line)
        await self._until_gone()

    async def _begin(self, answer: Answer) -> None:
        headers = [pair for pair in answer.headers if pair[0].lower() != b"content-length"]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _again(self) -> Any:
        """The body once more, then whatever else comes."""
        if self._first is None:
            return await self._receive()
        body, self._first = self._first, None
        return {"type": "http.request", "body": body, "more_body": False}

    def _line(self) -> Any:
        return (self._scope.get("extensions") or {}).get(LINE)


def _answer(reply: Reply) -> Answer:
    headers = {"content-type": "application/json; charset=utf-8", **{k.lower(): v for k, v in reply.headers.items()}}
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return Answer(status=reply.status, headers=pairs, body=content_of(reply.body))


async def _whole(receive: Any) -> bytes:
    """The body; what is too long for any system is not kept."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        if len(body) <= LONGEST:
            body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)
