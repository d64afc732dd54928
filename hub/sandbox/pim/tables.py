"""The PIM's memory, and the times that Akeneo shows: whole seconds, in UTC as on its SaaS."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

TABLES = (
    # products and product models: what people edit, by the moment of the last edit (seconds since 1970)
    """CREATE TABLE IF NOT EXISTS pim_item (
        kind TEXT NOT NULL, code TEXT NOT NULL, uuid TEXT NOT NULL, parent TEXT, body TEXT NOT NULL,
        created INTEGER NOT NULL, updated INTEGER NOT NULL, PRIMARY KEY (kind, code)) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX IF NOT EXISTS pim_item_by_uuid ON pim_item (uuid)",
    # structure: channels, locales, attributes, their options, families, their variants, categories
    """CREATE TABLE IF NOT EXISTS pim_structure (
        kind TEXT NOT NULL, owner TEXT NOT NULL, code TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, owner, code)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS pim_token (
        token TEXT PRIMARY KEY, refresh TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID""",
)
NAMESPACE = uuid.UUID("5f0c9b0e-6d0e-4d0c-9f7e-3a4f0f6d2c11")


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def shown(at: int) -> str:
    """``2026-11-22T10:00:00+00:00``."""
    return datetime.fromtimestamp(at, UTC).isoformat()


def uuid_of(kind: str, code: str) -> str:
    """The same for the same code in every retailer, so that a test may name it."""
    return str(uuid.uuid5(NAMESPACE, f"{kind}:{code}"))
