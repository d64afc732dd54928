"""Clients of the gateway: a name, what it may do, and the hash of its key.

A key is 160 bits of chance, so one round of SHA-256 is all that hiding it takes.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row, dict_row

from hub.errors import ConfigError
from hub.journal.database import Connection

# What a client may be allowed, and what that means.
SCOPES = {
    "read": "ask for availability and prices",
    "reserve": "reserve pieces and release them",
    "orders": "read orders, without what is personal in them",
    "personal": "read orders with customer, address and note",
    "coupons": "redeem coupons",
}
BY_DEFAULT = ("read", "reserve")
KEY = re.compile(r"ohk_[a-z2-7]{32}")
NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who asks."""

    id: int
    name: str
    scopes: frozenset[str]
    channel: str | None  # the channel that it asks for, unless it names another
    per_second: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "scopes", frozenset(self.scopes))

    @property
    def system(self) -> str:
        """The system under which its events are kept."""
        return f"gateway:{self.name}"


def add(connection: Connection, name: str, scopes: Sequence[str], channel: str | None, per_second: float) -> str:
    """Make a client and answer its key, which nobody can be told again."""
    _check(name, scopes, per_second)
    key = "ohk_" + b32encode(secrets.token_bytes(20)).decode().lower()
    added = connection.execute(
        """INSERT INTO client (name, key_hash, scopes, channel, per_second) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT DO NOTHING""",
        (name, hash_of(key), sorted(set(scopes)), channel, per_second),
    )
    if not added.rowcount:
        raise ConfigError(f"there is a client {name} already; for a new key take the old one back: hub client revoke")
    return key


def _check(name: str, scopes: Sequence[str], per_second: float) -> None:
    if not NAME.fullmatch(name):
        raise ConfigError(f'"{name}" is no name for a client: small letters, digits and -, at most 32 characters')
    for scope in scopes:
        if scope not in SCOPES:
            raise ConfigError(f'no scope "{scope}"; there are {", ".join(SCOPES)}')
    if not scopes:
        raise ConfigError("a client without a scope may do nothing; name one with --scope")
    if not per_second > 0:
        raise ConfigError("a client that may ask 0 times a second cannot ask")


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def of_key(connection: Connection, key: str) -> Client | None:
    """The client that ``key`` belongs to; None for a key that is unknown or was taken back."""
    if not KEY.fullmatch(key):
        return None
    with connection.cursor(row_factory=class_row(Client)) as cursor:
        return cursor.execute(
            "SELECT id, name, scopes, channel, per_second FROM client WHERE key_hash = %s AND revoked_at IS NULL",
            (hash_of(key),),
        ).fetchone()


def used(connection: Connection, client: int, at: datetime) -> None:
    """Note that a client asked at ``at``."""
    connection.execute("UPDATE client SET used_at = %s WHERE id = %s", (at, client))


def listing(connection: Connection) -> list[dict[str, Any]]:
    """Every client, those whose keys were taken back at the end."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """SELECT name, scopes, channel, per_second, created_at, used_at, revoked_at FROM client
               ORDER BY revoked_at IS NOT NULL, name, created_at"""
        ).fetchall()


def revoke(connection: Connection, name: str) -> None:
    """Take the key of ``name`` back: it opens nothing from the next request on."""
    row = connection.execute(
        "UPDATE client SET revoked_at = clock_timestamp() WHERE name = %s AND revoked_at IS NULL", (name,)
    )
    if not row.rowcount:
        raise ConfigError(f"there is no client {name} with a key; see: hub client list")
