"""The shop's memory, and the ids and times that it shows to the outside."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from hub.sandbox.clock import PARIS

TABLES = (
    """CREATE TABLE IF NOT EXISTS shop_location (
        id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, level_id INTEGER NOT NULL, name TEXT NOT NULL,
        city TEXT NOT NULL, created_at TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS shop_product (
        id INTEGER PRIMARY KEY, title TEXT NOT NULL, handle TEXT NOT NULL UNIQUE, status TEXT NOT NULL,
        body_html TEXT NOT NULL, vendor TEXT NOT NULL, product_type TEXT NOT NULL, tags TEXT NOT NULL,
        published_at TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS shop_product_by_update ON shop_product (updated_at, id)",
    """CREATE TABLE IF NOT EXISTS shop_option (
        id INTEGER PRIMARY KEY, product_id INTEGER NOT NULL, name TEXT NOT NULL, position INTEGER NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS shop_option_by_product ON shop_option (product_id, position)",
    """CREATE TABLE IF NOT EXISTS shop_option_value (
        id INTEGER PRIMARY KEY, option_id INTEGER NOT NULL, name TEXT NOT NULL, position INTEGER NOT NULL,
        UNIQUE (option_id, name))""",
    # options: the variant's values in the order of the product's options, as JSON
    """CREATE TABLE IF NOT EXISTS shop_variant (
        id INTEGER PRIMARY KEY, product_id INTEGER NOT NULL, item_id INTEGER NOT NULL UNIQUE, code TEXT NOT NULL UNIQUE,
        sku TEXT NOT NULL, barcode TEXT NOT NULL, options TEXT NOT NULL, price_cents INTEGER NOT NULL,
        compare_at_cents INTEGER, taxable INTEGER NOT NULL, policy TEXT NOT NULL, tracked INTEGER NOT NULL,
        grams INTEGER NOT NULL, position INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS shop_variant_by_product ON shop_variant (product_id, position)",
    "CREATE INDEX IF NOT EXISTS shop_variant_by_sku ON shop_variant (sku)",
    """CREATE TABLE IF NOT EXISTS shop_file (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, alt TEXT, mime TEXT, content BLOB NOT NULL,
        width INTEGER, height INTEGER, status TEXT NOT NULL, error TEXT, created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS shop_product_file (
        product_id INTEGER NOT NULL, file_id INTEGER NOT NULL, position INTEGER NOT NULL,
        PRIMARY KEY (product_id, file_id)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS shop_upload (
        key TEXT PRIMARY KEY, name TEXT NOT NULL, mime TEXT NOT NULL, size INTEGER, signature TEXT NOT NULL,
        created_at TEXT NOT NULL, content BLOB) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS shop_translation (
        resource TEXT NOT NULL, locale TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, digest TEXT NOT NULL,
        updated_at TEXT NOT NULL, PRIMARY KEY (resource, locale, key)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS shop_metafield (
        id INTEGER PRIMARY KEY, owner TEXT NOT NULL, namespace TEXT NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL,
        value TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, UNIQUE (owner, namespace, key))""",
    # on hand = available + committed: this shop keeps no other states
    """CREATE TABLE IF NOT EXISTS shop_level (
        item_id INTEGER NOT NULL, location_id INTEGER NOT NULL, available INTEGER NOT NULL,
        committed INTEGER NOT NULL DEFAULT 0, updated_at TEXT NOT NULL,
        PRIMARY KEY (item_id, location_id)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS shop_level_by_location ON shop_level (location_id, item_id)",
    """CREATE TABLE IF NOT EXISTS shop_order (
        id INTEGER PRIMARY KEY, number INTEGER NOT NULL UNIQUE, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
        cancelled_at TEXT, document TEXT NOT NULL, transactions TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS shop_order_by_update ON shop_order (updated_at, id)",
    # pieces promised to a line from a location; those of one order and location are one fulfilment order
    """CREATE TABLE IF NOT EXISTS shop_promise (
        id INTEGER PRIMARY KEY AUTOINCREMENT, order_id INTEGER NOT NULL, fulfillment_order_id INTEGER NOT NULL,
        line_id INTEGER NOT NULL, item_id INTEGER NOT NULL, location_id INTEGER NOT NULL, total INTEGER NOT NULL,
        remaining INTEGER NOT NULL, fulfilled INTEGER NOT NULL DEFAULT 0, updated_at TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS shop_promise_by_order ON shop_promise (order_id)",
    "CREATE INDEX IF NOT EXISTS shop_promise_by_fulfillment_order ON shop_promise (fulfillment_order_id)",
    """CREATE TABLE IF NOT EXISTS shop_fulfilled (
        fulfillment_id INTEGER NOT NULL, promise_id INTEGER NOT NULL, quantity INTEGER NOT NULL,
        PRIMARY KEY (fulfillment_id, promise_id)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS shop_adjustment (
        id INTEGER PRIMARY KEY AUTOINCREMENT, created_at TEXT NOT NULL, reason TEXT NOT NULL, reference TEXT,
        changes TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS shop_idempotency (
        key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, used_at TEXT NOT NULL, failed INTEGER NOT NULL,
        adjustment_id INTEGER) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS shop_subscription (
        id INTEGER PRIMARY KEY, topic TEXT NOT NULL, address TEXT NOT NULL, created_at TEXT NOT NULL,
        UNIQUE (topic, address))""",
)


def stored(moment: datetime) -> str:
    """How a moment lies in the tables: UTC, whole seconds, text that compares as time does; GraphQL shows it so."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parsed(text: str) -> datetime:
    """A moment from a request, with offset; raises ``ValueError`` for anything else. Shopify takes naive as UTC."""
    moment = datetime.fromisoformat(text.strip().strip("'\""))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def shown(text: str) -> str:
    """REST shows times in the shop's own zone: ``2026-11-22T03:00:00+01:00``."""
    return datetime.fromisoformat(text).astimezone(PARIS).isoformat(timespec="seconds")


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def gid(type: str, id: int) -> str:
    """``gid://shopify/InventoryItem/123``."""
    return f"gid://shopify/{type}/{id}"


def level_gid(level_id: int, item_id: int) -> str:
    """An inventory level's id names its item in the query, as Shopify's do."""
    return f"gid://shopify/InventoryLevel/{level_id}?inventory_item_id={item_id}"


def legacy_id(text: str, type: str) -> int | None:
    """The number in a gid of ``type``; None when it is none."""
    prefix, _, number = text.rpartition("/")
    return int(number) if prefix == f"gid://shopify/{type}" and number.isascii() and number.isdigit() else None


def cents(amount: object) -> int:
    """An amount of an input in cents, rounded as Shopify rounds; ``ValueError`` for what is none."""
    try:
        return int((Decimal(str(amount)) * 100).quantize(Decimal(1), ROUND_HALF_UP))
    except InvalidOperation:
        raise ValueError(f"{amount!r} is no amount") from None
