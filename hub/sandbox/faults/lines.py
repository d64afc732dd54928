"""The connections of an HTTP server, which ASGI hides: to reset one, or to end one in the middle of an answer."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

LINE = "sandbox.line"
NO_LINGER = struct.pack("ii", 1, 0)  # close() then sends RST instead of FIN


def reset(transport: Any) -> None:
    """End an asyncio transport, or what offers the same, as a crash or a firewall does: RST, nothing in between."""
    if (plain := transport.get_extra_info("socket")) is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    transport.abort()


class Lines:
    """Who is connected to one server; hands each request's connection to its application."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._open: dict[Any, asyncio.Transport] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope.get("client"):
            scope.setdefault("extensions", {})[LINE] = self._open.get(tuple(scope["client"]))
        await self._app(scope, receive, send)

    def protocol(self) -> type[asyncio.Protocol]:
        """uvicorn's own, which also says who comes and goes."""
        from uvicorn.protocols.http.auto import AutoHTTPProtocol

        lines = self._open

        class Known(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
            def connection_made(self, transport: asyncio.Transport) -> None:
                super().connection_made(transport)
                self._peer = transport.get_extra_info("peername")
                lines[self._peer] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                lines.pop(self._peer, None)
                super().connection_lost(exc)

        return Known
