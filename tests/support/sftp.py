"""A real SFTP server on loopback over a temporary folder, with keys made for the occasion."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from hub.connector import Connection


@dataclass
class Store:
    """The server's folder and how to reach it."""

    root: Path
    connection: Connection
    fingerprint: str

    def write(self, path: str, content: bytes) -> Path:
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target


class Folder(asyncssh.SFTPServer):
    """``on_read`` runs before each read, to play somebody who writes at the same time."""

    on_read: Callable[[], None] = staticmethod(lambda: None)

    def read(self, file_obj: Any, offset: int, size: int) -> Any:
        type(self).on_read()
        return super().read(file_obj, offset, size)


@contextmanager
def sftp_server(root: Path, *, port: int = 0, on_read: Callable[[], None] | None = None) -> Iterator[Store]:
    """Serves ``root`` to the one key in the connection."""
    home = root / "served"
    home.mkdir(exist_ok=True)
    host_key, user_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    (root / "id").write_bytes(user_key.export_private_key())
    (root / "id").chmod(0o600)
    served = type("Served", (Folder,), {"on_read": staticmethod(on_read)} if on_read else {})
    loop = asyncio.new_event_loop()
    peers: list[asyncssh.SSHServerConnection] = []

    class Remembering(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            peers.append(conn)

    async def listen() -> Any:
        return await asyncssh.listen(
            "127.0.0.1",
            port,
            server_factory=Remembering,
            server_host_keys=[host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(user_key.export_public_key().decode()),
            sftp_factory=lambda channel: served(channel, chroot=str(home).encode()),
        )

    server = loop.run_until_complete(listen())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        public = host_key.export_public_key().decode().strip()
        connection = Connection(
            id="stores",
            port=server.get_port(),
            login="hub",
            extra={"private_key_file": str(root / "id"), "host_key": " ".join(public.split()[:2])},
        )
        yield Store(home, connection, host_key.get_fingerprint())
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server, peers), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(server: Any, peers: list[asyncssh.SSHServerConnection]) -> None:
    server.close()
    for peer in peers:
        peer.abort()
        await peer.wait_closed()
    await server.wait_closed()
    await asyncio.sleep(0.01)
