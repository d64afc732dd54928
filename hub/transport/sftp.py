"""Files over SFTP with a key to sign in and a host key that is known beforehand."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hub.connector import Budget, Connection
from hub.errors import ConfigError, HubError, StopRun, TryLater
from hub.transport.files import Entry
from hub.transport.redaction import protect, protect_extra, redact
from hub.transport.retry import NotNow, Outage, Pace, Retry

if TYPE_CHECKING:
    import paramiko

T = TypeVar("T")
SECONDS = 15.0  # to connect, to sign in, and between two bytes


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

        return self.retry.run(attempt, outage=self.outage, repeat=True)

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


def error_of(connection: Connection, what: str, error: Exception) -> HubError:
    """What paramiko or the socket said, as what happens next; anything else is passed on."""
    import paramiko

    where = f"{connection.id} ({connection.host}:{connection.port or 22})"
    if isinstance(error, paramiko.BadHostKeyException):
        return StopRun(
            f"{where} shows another host key than the one in the connection: {_fingerprint(error.key)}; "
            "somebody may stand in between. If its owner confirms the change, enter the new key as host_key"
        )
    if isinstance(error, paramiko.AuthenticationException):
        return StopRun(f"{where} refuses the key of {connection.login}; check login and private_key_file")
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return StopRun(f"{where} offers no key or cipher that fits the host_key of the connection: {error}")
    if isinstance(error, FileNotFoundError):
        return StopRun(f"{where} has no such folder or file (asked to {what})")
    if isinstance(error, PermissionError):
        return StopRun(f"{where} does not allow {connection.login} to {what}")
    if isinstance(error, paramiko.SSHException | EOFError | OSError):
        return TryLater(redact(f"{where} cannot be reached or hung up ({what}): {error or type(error).__name__}"))
    raise error


def sign_in(connection: Connection) -> paramiko.SSHClient:
    """A client that knows the server's key from ``extra["host_key"]`` and nothing else of the machine it runs on."""
    import paramiko

    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(_refuse(connection))
    port = connection.port or 22
    if known := connection.extra.get("host_key"):
        key = _host_key(str(known), connection)
        client.get_host_keys().add(_known_as(connection.host, port), key.get_name(), key)
    try:
        client.connect(
            connection.host,
            port,
            username=connection.login,
            pkey=private_key(connection),
            timeout=SECONDS,
            banner_timeout=SECONDS,
            auth_timeout=SECONDS,
            allow_agent=False,
            look_for_keys=False,
        )
    except BaseException:
        client.close()
        raise
    return client


def _host_key(text: str, connection: Connection) -> paramiko.PKey:
    import paramiko

    try:
        entry = paramiko.hostkeys.HostKeyEntry.from_line(f"host {text}")
    except (paramiko.SSHException, ValueError):
        entry = None
    if entry is None or entry.key is None:
        raise ConfigError("host_key is not a key such as ssh-ed25519 AAAA...", f"connection {connection.id}")
    return entry.key


def private_key(connection: Connection) -> paramiko.PKey:
    """The key in ``extra["private_key_file"]`` or ``extra["private_key"]``; its passphrase is the password."""
    import paramiko

    place = f"connection {connection.id}"
    text, path = connection.extra.get("private_key"), connection.extra.get("private_key_file")
    if not text and not path:
        raise ConfigError("has no private_key_file; sign-in by password is not offered", place)
    try:
        return _parsed(str(text) if text else Path(str(path)).expanduser().read_text(), connection.password)
    except FileNotFoundError:
        raise ConfigError(f"there is no file {path} (private_key_file)", place) from None
    except (paramiko.SSHException, ValueError, TypeError, OSError) as error:
        raise ConfigError(f"the private key cannot be read: {redact(str(error))}", place) from None


def _parsed(text: str, passphrase: str | None) -> paramiko.PKey:
    import paramiko

    last: Exception | None = None
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text), passphrase)
        except paramiko.SSHException as error:
            last = error
    raise last or ValueError("no key")


def _known_as(host: str, port: int) -> str:
    return host if port == 22 else f"[{host}]:{port}"


def _fingerprint(key: Any) -> str:
    return f"{key.get_name()} {key.fingerprint}"


def _refuse(connection: Connection) -> paramiko.MissingHostKeyPolicy:
    """The policy for a host whose key nobody vouched for."""
    import paramiko

    class Refuse(paramiko.MissingHostKeyPolicy):
        def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
            raise ConfigError(
                f"has no host_key for {hostname}, so the server cannot be trusted; it shows {_fingerprint(key)}: "
                "compare that with what its owner says, then enter its public key",
                f"connection {connection.id}",
            )

    return Refuse()


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
        while (left := before.size - buffer.tell()) and (chunk := file.read(min(left, 2**20))):
            buffer.write(chunk)
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
