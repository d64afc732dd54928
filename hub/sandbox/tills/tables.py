"""The tills' memory, and the ids, times and amounts that Square shows.

Moments lie in the tables as microseconds since 1970; what a till writes has whole milliseconds.
Quantities lie there as hundred-thousandths of a piece: Square takes up to five decimals.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

TABLES = (
    """CREATE TABLE IF NOT EXISTS till_location (
        id TEXT PRIMARY KEY, code TEXT NOT NULL UNIQUE, name TEXT NOT NULL, city TEXT NOT NULL,
        created_at INTEGER NOT NULL) WITHOUT ROWID""",
    # document is the CatalogObject without its version, time and variations
    """CREATE TABLE IF NOT EXISTS till_object (
        id TEXT PRIMARY KEY, type TEXT NOT NULL, item_id TEXT, code TEXT NOT NULL, position INTEGER NOT NULL,
        updated_at INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0, document TEXT NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS till_object_by_code ON till_object (type, code)",
    "CREATE INDEX IF NOT EXISTS till_object_by_item ON till_object (item_id)",
    # quantity = counted as of counted_at, less what was sold after it
    """CREATE TABLE IF NOT EXISTS till_count (
        location_id TEXT NOT NULL, variation_id TEXT NOT NULL, quantity INTEGER NOT NULL, counted INTEGER NOT NULL,
        counted_at INTEGER NOT NULL, calculated_at INTEGER NOT NULL,
        PRIMARY KEY (location_id, variation_id)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS till_sold (
        location_id TEXT NOT NULL, variation_id TEXT NOT NULL, occurred_at INTEGER NOT NULL,
        quantity INTEGER NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS till_sold_by_article ON till_sold (location_id, variation_id, occurred_at)",
    """CREATE TABLE IF NOT EXISTS till_order (
        id TEXT PRIMARY KEY, location_id TEXT NOT NULL, state TEXT NOT NULL, created_at INTEGER NOT NULL,
        closed_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, document TEXT NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS till_order_by_update ON till_order (updated_at, id)",
    """CREATE TABLE IF NOT EXISTS till_idempotency (
        key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, answer TEXT NOT NULL) WITHOUT ROWID""",
)
CURRENCY = "EUR"
PARTS = 100_000  # of a piece
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTVWXYZ"


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def whole_millis(moment: datetime) -> int:
    """Microseconds of ``moment`` cut to the millisecond."""
    return micros(moment) // 1000 * 1000


def rfc3339(at: int) -> str:
    """``2026-11-22T01:00:00.123Z``."""
    return (EPOCH + timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def parsed(text: object) -> int:
    """Microseconds of an RFC 3339 time; ``ValueError`` without an offset or when it is none."""
    if not isinstance(text, str) or (moment := datetime.fromisoformat(text)).tzinfo is None:
        raise ValueError(text)
    return micros(moment)


def parts(text: object) -> int:
    """Hundred-thousandths of a decimal string; ``ValueError`` for anything else or for more decimals."""
    try:
        value = Decimal(text) * PARTS if isinstance(text, str) else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or value != value.to_integral_value():
        raise ValueError(text)
    return int(value)


def quantity(value: int) -> str:
    """``5``, ``2.5``."""
    return format((Decimal(value) / PARTS).normalize(), "f")


def money(cents: int) -> dict[str, object]:
    return {"amount": cents, "currency": CURRENCY}


def square_id(length: int, *names: object, prefix: str = "") -> str:
    """An id as Square makes them: long, upper case and without meaning; the same names, the same id."""
    number = int.from_bytes(hashlib.sha256(":".join(map(str, names)).encode()).digest(), "big")
    letters = []
    for _ in range(length - len(prefix)):
        number, index = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[index])
    return prefix + "".join(letters)
