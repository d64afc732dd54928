"""The SFTP server: sign-in by key only, a jail that links do not lead out of, and every call in the ledger."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any

import asyncssh

from hub.sandbox.faults import Kind
from hub.sandbox.faults.files import Wire
from hub.sandbox.ledger import Ledger
from hub.sandbox.stores import keys
from hub.sandbox.stores.system import LOGIN, Stores

DONE = 0
READS_ONLY = asyncssh.FXF_READ


async def listen(stores: Stores, port: int, clients: set[asyncssh.SSHServerConnection]) -> asyncssh.SSHAcceptor:
    """Serve the stores' folder on loopback; port 0 takes a free one, ``clients`` are those connected."""
    return await asyncssh.listen(
        "127.0.0.1",
        port,
        server_factory=lambda: Door(stores, clients),
        server_host_keys=[asyncssh.import_private_key(keys.private(stores.state, keys.HOST))],
        sftp_factory=lambda channel: Jail(channel, stores),
        allow_scp=False,
        password_auth=False,
        kbdint_auth=False,
        host_based_auth=False,
        agent_forwarding=False,
        x11_forwarding=False,
        login_timeout=20,
    )


class Door(asyncssh.SSHServer):
    """Lets in the one known name with the one known key."""

    def __init__(self, stores: Stores, clients: set[asyncssh.SSHServerConnection]) -> None:
        self._clients = clients
        self._ledger = stores.ledger
        self._allowed = asyncssh.import_public_key(keys.public(stores.state, keys.CLIENT))

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._clients.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clients.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        known: bool = username == LOGIN and key == self._allowed
        fault = None if not known or Wire(self._ledger, None).signs_in() else Kind.EXPIRED
        if not known or fault:
            summary = "the key is refused" if fault else "unknown key"
            denied = asyncssh.FX_PERMISSION_DENIED
            self._ledger.record("stores", "SIGNIN", "", status=denied, operation="SIGNIN", summary=summary, fault=fault)
        return known and fault is None


class Jail(asyncssh.SFTPServer):
    """The stores' folder as ``/``."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], stores: Stores) -> None:
        super().__init__(channel, chroot=os.fsencode(stores.folder))
        self._root = os.fsencode(stores.folder.resolve())
        self._ledger: Ledger = stores.ledger
        self._desk = stores.desk
        self._wire = Wire(stores.ledger, channel.get_connection())

    def map_path(self, path: bytes) -> bytes:
        """asyncssh's own chroot follows links out of the folder; this one refuses them."""
        local: bytes = super().map_path(path)
        real = os.path.realpath(local)
        if real != self._root and not real.startswith(self._root + b"/"):
            raise asyncssh.SFTPPermissionDenied("the path leads out of the folder")
        return local

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
        write = pflags != READS_ONLY
        return self._told("PUT" if write else "GET", path, write, lambda: super(Jail, self).open(path, pflags, attrs))

    def open56(self, path: bytes, desired_access: int, flags: int, attrs: asyncssh.SFTPAttrs) -> Any:
        write = bool(desired_access & (asyncssh.ACE4_WRITE_DATA | asyncssh.ACE4_APPEND_DATA))
        method = "PUT" if write else "GET"
        return self._told(method, path, write, lambda: super(Jail, self).open56(path, desired_access, flags, attrs))

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        self._desk.arrive()

        async def entries() -> list[asyncssh.SFTPName]:
            return [entry async for entry in super(Jail, self).scandir(path)]

        for entry in await self._told("LIST", path, False, entries):
            yield entry

    def read(self, file_obj: object, offset: int, size: int) -> Any:
        """Less than there is where a transfer ends early."""
        return super().read(file_obj, offset, self._wire.part(file_obj, offset, size))

    def close(self, file_obj: object) -> Any:
        self._wire.closed(file_obj)
        return super().close(file_obj)

    def rename(self, oldpath: bytes, newpath: bytes) -> Any:
        """Refuses an existing name, as the protocol says."""
        return self._told("RENAME", oldpath, True, lambda: super(Jail, self).rename(oldpath, newpath), newpath)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> Any:
        """Replaces an existing name."""
        action = lambda: super(Jail, self).posix_rename(oldpath, newpath)  # noqa: E731
        return self._told("POSIX_RENAME", oldpath, True, action, newpath)

    def remove(self, path: bytes) -> Any:
        return self._told("REMOVE", path, True, lambda: super(Jail, self).remove(path))

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> Any:
        return self._told("MKDIR", path, True, lambda: super(Jail, self).mkdir(path, attrs))

    def rmdir(self, path: bytes) -> Any:
        return self._told("RMDIR", path, True, lambda: super(Jail, self).rmdir(path))

    def symlink(self, oldpath: bytes, newpath: bytes) -> Any:
        raise asyncssh.SFTPOpUnsupported("links are not made here")

    def link(self, oldpath: bytes, newpath: bytes) -> Any:
        raise asyncssh.SFTPOpUnsupported("links are not made here")

    # --- the ledger -------------------------------------------------------------------------------

    async def _told(self, method: str, path: bytes, write: bool, action: Callable[[], Any], to: bytes = b"") -> Any:
        """Carry out one call, with the fault that strikes it, and write it down."""

        def note(status: int) -> None:
            summary = f"to {os.fsdecode(to)}" if to else ""
            self._ledger.record(
                "stores", method, os.fsdecode(path), status=status, operation=method, write=write, summary=summary
            )

        async def carried_out() -> Any:
            with _noting(note):
                found = action()
                return await found if isawaitable(found) else found

        return await self._wire.call(method, carried_out, note)


@contextmanager
def _noting(note: Callable[[int], None]) -> Iterator[None]:
    """Write the call down with the status that the client gets."""
    status = asyncssh.FX_FAILURE
    try:
        yield
        status = DONE
    except asyncssh.SFTPError as error:
        status = error.code
        raise
    except FileNotFoundError:
        status = asyncssh.FX_NO_SUCH_FILE
        raise
    except PermissionError:
        status = asyncssh.FX_PERMISSION_DENIED
        raise
    finally:
        note(status)
