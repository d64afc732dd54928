"""Metafields: values that apps keep beside products and variants, with compare-and-set.

https://shopify.dev/docs/api/admin-graphql/2026-04/mutations/metafieldsSet and
https://shopify.dev/docs/apps/build/metafields/list-of-data-types
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.sandbox.clock import Clock
from hub.sandbox.faults.now import changed_meanwhile
from hub.sandbox.shop.tables import legacy_id, stored
from hub.sandbox.state import State

AT_ONCE = 25
FIRST = 37412094017750
OWNERS = {"Product": "shop_product", "ProductVariant": "shop_variant"}
APP_NAMESPACE = "app--128934"  # where values go that name no namespace

Error = dict[str, Any]


def _money(text: str) -> bool:
    value = json.loads(text)
    return (
        set(value) == {"amount", "currency_code"} and Decimal(value["amount"]) >= 0 and value["currency_code"] == "EUR"
    )


def _decimal(text: str) -> bool:
    return Decimal(text).is_finite()


TYPES: Mapping[str, Callable[[str], bool]] = {
    "money": _money,
    "number_decimal": _decimal,
    "number_integer": lambda text: re.fullmatch(r"-?\d+", text) is not None,
    "boolean": lambda text: text in ("true", "false"),
    "date_time": lambda text: re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text) is not None,
    "json": lambda text: json.loads(text) is not None,
    "single_line_text_field": lambda text: "\n" not in text,
    "multi_line_text_field": lambda text: True,
}


class Metafields:
    """Stateless over :class:`State`."""

    def __init__(self, state: State, clock: Clock) -> None:
        self.state = state
        self.clock = clock

    def of(self, owner: str, namespace: str | None = None) -> list[Any]:
        """The rows of an owner (a gid), in one namespace or all."""
        return self.state.rows(
            "SELECT * FROM shop_metafield WHERE owner = ? AND (? IS NULL OR namespace = ?) ORDER BY id",
            (owner, namespace, namespace),
        )

    def one(self, owner: str, namespace: str | None, key: str) -> Any | None:
        return self.state.row(
            "SELECT * FROM shop_metafield WHERE owner = ? AND namespace = ? AND key = ?",
            (owner, namespace or APP_NAMESPACE, key),
        )

    def set(self, entries: Sequence[Mapping[str, Any]]) -> tuple[list[Any], list[Error]]:
        """Write ``MetafieldsSetInput``, all or none: the rows written, or why not."""
        errors = [error for n, entry in enumerate(entries) if (error := self._refusal(n, entry))]
        if len(entries) > AT_ONCE:
            errors = [
                _error(None, "LESS_THAN_OR_EQUAL_TO", f"Exceeded the maximum metafields input limit of {AT_ONCE}.")
            ]
        if errors:
            return [], errors
        for entry in entries:
            self._write(entry)
        return [self.one(entry["ownerId"], entry.get("namespace"), entry["key"]) for entry in entries], []

    def delete(self, entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any] | None]:
        """Delete by owner, namespace and key; None in the place of what was not there."""
        return [entry if self._delete(entry) else None for entry in entries]

    def _delete(self, entry: Mapping[str, Any]) -> bool:
        cursor = self.state.execute(
            "DELETE FROM shop_metafield WHERE owner = ? AND namespace = ? AND key = ?",
            (entry["ownerId"], entry["namespace"], entry["key"]),
        )
        return cursor.rowcount == 1

    def _write(self, entry: Mapping[str, Any]) -> None:
        at = stored(self.clock.now())
        known = self.one(entry["ownerId"], entry.get("namespace"), entry["key"])
        last = self.state.row("SELECT max(id) AS last FROM shop_metafield")
        id = known["id"] if known else ((last and last["last"]) or FIRST) + 32768
        values = (entry.get("namespace") or APP_NAMESPACE, entry["key"], entry.get("type") or (known and known["type"]))
        self.state.execute(
            "INSERT OR REPLACE INTO shop_metafield VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (id, entry["ownerId"], *values, entry["value"], known["created_at"] if known else at, at),
        )

    def _refusal(self, n: int, entry: Mapping[str, Any]) -> Error | None:
        if not self._owner_exists(entry["ownerId"]):
            return _error(n, "INVALID", "Owner does not exist.", "ownerId")
        known = self.one(entry["ownerId"], entry.get("namespace"), entry["key"])
        type = entry.get("type") or (known["type"] if known else None)
        if type is None:
            return _error(n, "BLANK", "Type can't be blank", "type")
        if type not in TYPES or (known and known["type"] != type):
            return _error(n, "INVALID_TYPE", f"Type {type} is not allowed here", "type")
        if not _fits(type, entry["value"]):
            return _error(n, "INVALID_VALUE", f"Value is invalid for type {type}.", "value")
        held = compare_digest(known) if known else None
        if "compareDigest" in entry and (entry["compareDigest"] != held or changed_meanwhile()):
            return _error(n, "STALE_OBJECT", "The resource has been updated since it was loaded. Try again.", None)
        return None

    def _owner_exists(self, owner: str) -> bool:
        for type, table in OWNERS.items():
            if (id := legacy_id(owner, type)) is not None:
                return self.state.row(f"SELECT 1 FROM {table} WHERE id = ?", (id,)) is not None  # noqa: S608 - ours
        return False


def compare_digest(row: Any) -> str:
    """What stands for the present value."""
    return hashlib.sha256(f"{row['type']}\n{row['value']}".encode()).hexdigest()


def _fits(type: str, value: str) -> bool:
    try:
        return bool(value) and TYPES[type](value)
    except (ValueError, TypeError, KeyError, InvalidOperation):
        return False


def _error(n: int | None, code: str, message: str, name: str | None = None) -> Error:
    field = ["metafields"] if n is None else ["metafields", str(n)] + ([name] if name else [])
    return {"code": code, "message": message, "field": field, "elementIndex": n}
