"""Files over SFTP with a key to sign in and a host key that is known beforehand."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from hub.connector import Budget, Connection
from hub.errors import HubError, StopRun, TryLater
from hub.transport.effects import Effect
from hub.transport.files import Entry
from hub.transport.redaction import protect, protect_extra
from hub.transport.retry import NotNow, Outage, Pace, Retry
from hub.transport.ssh import SECONDS, error_of, sign_in

if TYPE_CHECKING:
    import paramiko

T = TypeVar("T")


class Changed(NotNow):
    """The file changed while it was read: whoever writes it is not finished."""


class Sftp:
    """One account on one server; connects when first used and again after a failure.

    ``connect`` makes a signed-in client and is the one thing to fake.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        budget: Budget | None = None,
        retry: Retry | None = None,
        connect: Callable[[Connection], paramiko.SSHClient] | None = None,
    ) -> None:
        protect(connection.password)
        protect_extra(connection.extra)
        self.connection = connection
        self.retry = retry or Retry()
        self.pace = Pace(budget, system=connection.id)
        self.outage = Outage(connection.id)
        self._connect = connect or sign_in
        self._ssh: paramiko.SSHClient | None = None
        self._client: paramiko.SFTPClient | None = None

    def list(self, folder: str) -> list[Entry]:
        """The regular files in ``folder``, links left out: one could point anywhere."""
        found = self._do(f"list {folder}", lambda client: client.listdir_attr(folder))
        return [
            Entry(name=item.filename, size=item.st_size or 0, modified=item.st_mtime or 0)
            for item in found
            if item.st_mode is None or stat.S_ISREG(item.st_mode)
        ]

    def stat(self, path: str) -> Entry | None:
        """The file at ``path``; None where there is none."""
        return self._do(f"look at {path}", lambda client: _stat(client, path))

    def read(self, path: str, *, limit: int) -> bytes:
        """The whole file. :class:`Changed` when it is not the same after reading as before, or gone;
        a :class:`~hub.errors.StopRun` above ``limit`` bytes.
        """
        return self._do(f"read {path}", lambda client: _read(client, path, limit))

    def move(self, path: str, target: str) -> bool:
        """Rename, over what is there; False when ``path`` is gone already. Its last folder is made when missing."""
        return self._do(f"move {path}", lambda client: _move(client, path, target))

    def close(self) -> None:
        """Hang up; the next call connects again."""
        for part in (self._client, self._ssh):
            if part is not None:
                part.close()
        self._client = self._ssh = None

    def _do(self, what: str, action: Callable[[paramiko.SFTPClient], T]) -> T:
        """Every action here may be repeated: reading changes nothing, and a move that happened is not there to do."""

        def attempt() -> T:
            self.pace.take(1)
            with self._errors(what):
                return action(self._signed_in())

        return self.retry.run(attempt, outage=self.outage, effect=Effect.NONE)

    def _signed_in(self) -> paramiko.SFTPClient:
        if self._client is None:
            self._ssh = self._connect(self.connection)
            self._client = self._ssh.open_sftp()
            channel = self._client.get_channel()
            if channel is not None:
                channel.settimeout(SECONDS)
        return self._client

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except HubError as error:
            if isinstance(error, TryLater) and not isinstance(error, NotNow):
                self.close()
            raise
        except Exception as error:
            found = error_of(self.connection, what, error)
            if isinstance(found, TryLater):
                self.close()
            raise found from error


def _stat(client: paramiko.SFTPClient, path: str) -> Entry | None:
    try:
        found = client.lstat(path)
    except FileNotFoundError:
        return None
    return Entry(name=path.rsplit("/", 1)[-1], size=found.st_size or 0, modified=found.st_mtime or 0)


def _read(client: paramiko.SFTPClient, path: str, limit: int) -> bytes:
    before = _stat(client, path)
    if before is None:
        raise Changed(f"{path} is gone")
    if before.size > limit:
        raise StopRun(f"{path} has {before.size} bytes, more than the limit of {limit}")
    buffer = io.BytesIO()
    with client.open(path, "rb") as file:
        file.prefetch(before.size)
        # Never past the size that was asked for in advance: what is written meanwhile is not waited for.
        while left := before.size - buffer.tell():
            wanted = min(left, 2**20)
            chunk = file.read(wanted)
            buffer.write(chunk)
            if len(chunk) < wanted:
                break  # the end came early: paramiko would wait in vain for the rest that was prefetched
    after = _stat(client, path)
    if after != before or buffer.tell() != before.size:
        raise Changed(f"{path} changed while it was read; it is taken when it is finished")
    return buffer.getvalue()


def _move(client: paramiko.SFTPClient, path: str, target: str) -> bool:
    if _stat(client, path) is None:
        return False
    folder = target.rpartition("/")[0]
    if folder and _stat(client, folder) is None:
        client.mkdir(folder)
    try:
        client.posix_rename(path, target)
    except OSError as error:
        if error.errno is not None or "nsupported" not in str(error):
            raise
        client.rename(path, target)  # a server without the extension; refuses an existing name
    return True
