"""HTTP and SFTP servers inside one event loop, each as a context that ends what it began."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from hub.sandbox.stores.system import Stores

HOST = "127.0.0.1"
GRACE = 1  # seconds for requests under way


@asynccontextmanager
async def http_server(app: Any, port: int, stop: asyncio.Event) -> AsyncIterator[int]:
    """Serve an ASGI application on loopback; raises ``OSError`` when the port is taken.

    It begins to end with ``stop``, not only with the block: several servers then end at the same time.
    """
    import uvicorn

    from hub.sandbox.faults.lines import Lines

    class Quiet(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Signals belong to whoever runs the process."""
            yield

    listening, lines = _listen(port), Lines(app)
    server = Quiet(
        uvicorn.Config(
            lines,
            http=lines.protocol(),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    )

    async def heed() -> None:
        await stop.wait()
        server.should_exit = True

    task, heeding = asyncio.create_task(server.serve(sockets=[listening])), asyncio.create_task(heed())
    try:
        while not server.started and not task.done():
            await asyncio.sleep(0.005)
        yield listening.getsockname()[1]
    finally:
        heeding.cancel()
        server.should_exit = True
        await task
        listening.close()


def _listen(port: int) -> socket.socket:
    """A socket of our own, so that a taken port is an error of ours and not uvicorn's exit."""
    # Named as TCP, or asyncio leaves Nagle on and every answer on a kept connection comes 40 ms late.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
    except OSError:
        listening.close()
        raise
    return listening


@asynccontextmanager
async def sftp_server(stores: Stores, port: int) -> AsyncIterator[int]:
    """Serve the stores' folder on loopback; clients still connected at the end are cut off."""
    from hub.sandbox.stores.server import listen

    clients: set[Any] = set()
    acceptor = await listen(stores, port, clients)
    try:
        yield acceptor.get_port()
    finally:
        acceptor.close()
        for client in list(clients):
            client.abort()
        await acceptor.wait_closed()
