"""No body over the limit is read to its end, whatever its header says, and none for ever."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT = 16 * 1024
SECONDS = 20.0  # for a whole body


class BodyLimit:
    """ASGI middleware: reading on after ``limit`` bytes is a 413, waiting on after :data:`SECONDS` a 408."""

    def __init__(self, app: ASGIApp, limit: int = LIMIT) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, whole, until = 0, False, asyncio.get_running_loop().time() + SECONDS

        async def counted() -> Message:
            nonlocal size, whole
            try:
                async with asyncio.timeout_at(None if whole else until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, f"the body took longer than {SECONDS:.0f} s") from None
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if size > self.limit:
                raise HTTPException(413, f"the body is over {self.limit} bytes")
            return message

        await self.app(scope, counted, send)
