"""Translations: what of the shop's texts exists in which language, and whether it still fits.

https://shopify.dev/docs/apps/build/markets/manage-translated-content: a text is translated under the
digest of its present wording; when that changes, its translations are outdated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from hub.sandbox.clock import Clock
from hub.sandbox.shop.tables import legacy_id, stored
from hub.sandbox.state import State

PRIMARY = "fr"
LOCALES = {"fr": "French", "en": "English", "de": "German"}
MOST_KEYS = 100  # translations in one call
SOURCES = {
    "Product": (
        "SELECT title, nullif(body_html, '') AS body_html, handle, nullif(product_type, '') AS product_type"
        " FROM shop_product WHERE id = ?"
    ),
    "ProductOption": "SELECT name FROM shop_option WHERE id = ?",
    "ProductOptionValue": "SELECT name FROM shop_option_value WHERE id = ?",
    "MediaImage": "SELECT nullif(alt, '') AS alt FROM shop_file WHERE id = ?",
}
LISTED = {
    "PRODUCT": ("Product", "shop_product"),
    "PRODUCT_OPTION": ("ProductOption", "shop_option"),
    "PRODUCT_OPTION_VALUE": ("ProductOptionValue", "shop_option_value"),
    "MEDIA_IMAGE": ("MediaImage", "shop_file"),
}

Error = dict[str, Any]


class Texts:
    """Stateless over :class:`State`."""

    def __init__(self, state: State, clock: Clock) -> None:
        self.state = state
        self.clock = clock

    def content(self, resource: str) -> Mapping[str, str | None] | None:
        """What can be translated of ``resource`` (a gid), by key; None when there is no such thing."""
        for type, sql in SOURCES.items():
            if (id := legacy_id(resource, type)) is not None:
                row = self.state.row(sql, (id,))
                return dict(row) if row else None
        return None

    def of(self, resource: str, locale: str) -> list[dict[str, Any]]:
        """The translations of ``resource`` into ``locale``, by key."""
        rows = self.state.rows(
            "SELECT * FROM shop_translation WHERE resource = ? AND locale = ? ORDER BY key", (resource, locale)
        )
        present = (self.content(resource) or {}) if rows else {}
        return [_shown(row, present) for row in rows]

    def register(self, resource: str, entries: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[Error]]:
        """Store translations, all or none: those stored, or why not."""
        content = self.content(resource)
        if content is None:
            return [], [_error("RESOURCE_NOT_FOUND", "Resource does not exist", ["resourceId"])]
        errors = [error for n, entry in enumerate(entries) if (error := _refusal(n, entry, content))]
        if len(entries) > MOST_KEYS:
            errors = [_error("TOO_MANY_KEYS_FOR_RESOURCE", "Too many translation keys for the resource", None)]
        if errors:
            return [], errors
        at = stored(self.clock.now())
        self.state.insert(
            "INSERT OR REPLACE INTO shop_translation VALUES (?, ?, ?, ?, ?, ?)",
            [(resource, e["locale"], e["key"], e["value"], e["translatableContentDigest"], at) for e in entries],
        )
        keys = {(entry["locale"], entry["key"]) for entry in entries}
        found = [text for locale in LOCALES for text in self.of(resource, locale)]
        return [text for text in found if (text["locale"], text["key"]) in keys], []

    def remove(
        self, resource: str, keys: Sequence[str], locales: Sequence[str]
    ) -> tuple[list[dict[str, Any]], list[Error]]:
        """Forget translations: those that were there."""
        if self.content(resource) is None:
            return [], [_error("RESOURCE_NOT_FOUND", "Resource does not exist", ["resourceId"])]
        gone = [text for locale in locales for text in self.of(resource, locale) if text["key"] in keys]
        self.state.insert(
            "DELETE FROM shop_translation WHERE resource = ? AND locale = ? AND key = ?",
            [(resource, text["locale"], text["key"]) for text in gone],
        )
        return gone, []


def digest(text: str) -> str:
    """What stands for one wording of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _refusal(n: int, entry: Mapping[str, Any], content: Mapping[str, str | None]) -> Error | None:
    field, text = ["translations", str(n)], content.get(entry["key"])
    if entry["key"] not in content:
        return _error("INVALID_KEY_FOR_MODEL", f"Key {entry['key']} is not a valid translatable field", [*field, "key"])
    if entry["locale"] not in LOCALES or entry["locale"] == PRIMARY:
        return _error("INVALID_LOCALE_FOR_SHOP", "Locale is not a valid locale for the shop", [*field, "locale"])
    if not entry["value"].strip():
        return _error("BLANK", "Value can't be blank", [*field, "value"])
    if text is None or entry["translatableContentDigest"] != digest(text):
        place = [*field, "translatableContentDigest"]
        return _error("INVALID_TRANSLATABLE_CONTENT", "Translatable content hash is invalid", place)
    return None


def _shown(row: Any, present: Mapping[str, str | None]) -> dict[str, Any]:
    now = present.get(row["key"])
    outdated = now is None or digest(now) != row["digest"]
    return {
        **{name: row[name] for name in ("key", "locale", "value")},
        "outdated": outdated,
        "updatedAt": row["updated_at"],
    }


def _error(code: str, message: str, field: Sequence[str] | None) -> Error:
    return {"code": code, "message": message, "field": field}
