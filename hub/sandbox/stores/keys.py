"""The keys of the SFTP server and its one client: made once, kept in files of mode 600."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.sandbox.state import State

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HOST, CLIENT = "sftp_host_key", "sftp_client_key"


def private(state: State, name: str) -> str:
    """The Ed25519 private key ``name`` in OpenSSH's format."""
    return state.secret(name, _generate)


def public(state: State, name: str) -> str:
    """Its public half: ``ssh-ed25519 AAAA...``."""
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_ssh_private_key(private(state, name).encode(), password=None)
    encoded = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return encoded.decode()


def _generate() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key: Ed25519PrivateKey = Ed25519PrivateKey.generate()
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ).decode()
