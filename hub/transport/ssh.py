"""SSH sign-in: a key on our side, a host key that is known beforehand on theirs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.connector import Connection
from hub.errors import ConfigError, HubError, SignInRefused, StopRun, TryLater
from hub.transport.redaction import redact

if TYPE_CHECKING:
    import paramiko

SECONDS = 15.0  # to connect, to sign in, and between two bytes


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
        return SignInRefused(f"{where} refuses the key of {connection.login}; check login and private_key_file")
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
