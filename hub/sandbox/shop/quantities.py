"""``inventorySetQuantities`` as Shopify's 2026-04 carries it out: compare-and-set, all or nothing, once per key.

Rules: https://shopify.dev/docs/apps/build/orders-fulfillment/inventory-management-apps/manage-quantities-states
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.sandbox.faults.now import changed_meanwhile
from hub.sandbox.shop.idempotency import Keys
from hub.sandbox.shop.inventory import Inventory, Level
from hub.sandbox.shop.tables import legacy_id, stored

LIMIT = 1_000_000_000
NAMES = ("available", "on_hand")
REASONS = frozenset({
    "correction", "cycle_count_available", "damaged", "movement_canceled", "movement_created", "movement_received",
    "movement_updated", "other", "promotion", "quality_control", "received", "reservation_created",
    "reservation_deleted", "reservation_updated", "restock", "safety_stock", "shrinkage",
})  # fmt: skip
URI = re.compile(r"(?!gid:)[a-z][a-z0-9+.-]*://\S+|gid://[^/\s]+/[^/\s]+/[^/\s]+", re.IGNORECASE)
MESSAGES = {
    "CHANGE_FROM_QUANTITY_STALE": "The changeFromQuantity value does not match persisted value.",
    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": "The same idempotency key cannot be used with different operation"
    " parameters.",
    "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED": "A previous request with this idempotency key failed."
    " Retry with a new idempotency key.",
    "INVALID_INVENTORY_ITEM": "The specified inventory item could not be found.",
    "INVALID_LOCATION": "The specified location could not be found.",
    "INVALID_NAME": "The quantity name must be either 'available' or 'on_hand'.",
    "INVALID_QUANTITY_NEGATIVE": "The quantity can't be negative.",
    "INVALID_QUANTITY_TOO_HIGH": "The total quantity can't be higher than 1,000,000,000.",
    "INVALID_QUANTITY_TOO_LOW": "The total quantity can't be lower than -1,000,000,000.",
    "INVALID_REASON": "The specified reason is invalid.",
    "INVALID_REFERENCE_DOCUMENT": "The specified reference document is invalid.",
    "ITEM_NOT_STOCKED_AT_LOCATION": "The specified inventory item is not stocked at the location.",
    "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR": "The combination of inventoryItemId and locationId must be unique.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserError:
    """Why nothing was changed, with the path into the arguments."""

    code: str
    field: Sequence[str] | None = None

    @property
    def message(self) -> str:
        return MESSAGES[self.code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``adjustment`` is None when nothing had to change, or when there are ``errors``."""

    adjustment: int | None = None
    errors: Sequence[UserError] = ()


class Quantities:
    """Sets quantities; call it inside a transaction."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.state = inventory.state
        self.keys = Keys(inventory.state, inventory.clock)

    def set(self, key: str, value: Mapping[str, Any]) -> Outcome:
        """Carry out one ``InventorySetQuantitiesInput`` under an idempotency key."""
        earlier = self.keys.earlier(key, value)
        if earlier is not None:
            errors = [UserError(code=earlier.error)] if earlier.error else []
            return Outcome(adjustment=earlier.made, errors=errors)
        outcome = self._first(value)
        self.keys.remember(key, value, outcome.adjustment, failed=bool(outcome.errors))
        return outcome

    def _first(self, value: Mapping[str, Any]) -> Outcome:
        errors = list(_head_errors(value))
        levels: list[Level | None] = []
        pairs: list[tuple[int | None, int | None]] = []
        for n, entry in enumerate(value["quantities"]):
            pair = legacy_id(entry["inventoryItemId"], "InventoryItem"), legacy_id(entry["locationId"], "Location")
            level = self.inventory.level(pair[0] or 0, pair[1] or 0)
            path = ("input", "quantities", str(n))
            errors += self._entry_errors(path, entry, pair, level, value["name"])
            if pair in pairs:
                errors.append(UserError(code="NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", field=path))
            pairs.append(pair)
            levels.append(level)
        if errors:
            return Outcome(errors=errors)
        return Outcome(adjustment=self._apply(value, [level for level in levels if level]))

    def _entry_errors(
        self,
        path: tuple[str, ...],
        entry: Mapping[str, Any],
        pair: tuple[int | None, int | None],
        level: Level | None,
        name: str,
    ) -> Iterator[UserError]:
        if not self._exists("shop_variant", "item_id", pair[0]):
            yield UserError(code="INVALID_INVENTORY_ITEM", field=(*path, "inventoryItemId"))
        elif not self._exists("shop_location", "id", pair[1]):
            yield UserError(code="INVALID_LOCATION", field=(*path, "locationId"))
        elif level is None:
            yield UserError(code="ITEM_NOT_STOCKED_AT_LOCATION", field=path)
        elif (expected := entry["changeFromQuantity"]) is not None and (
            expected != level.quantity(name) or changed_meanwhile()
        ):
            yield UserError(code="CHANGE_FROM_QUANTITY_STALE", field=(*path, "changeFromQuantity"))
        if (code := _size_error(entry["quantity"], name)) is not None:
            yield UserError(code=code, field=(*path, "quantity"))

    def _exists(self, table: str, column: str, id: int | None) -> bool:
        return self.state.row(f"SELECT 1 FROM {table} WHERE {column} = ?", (id,)) is not None  # noqa: S608 - ours

    def _apply(self, value: Mapping[str, Any], levels: list[Level]) -> int | None:
        """Change what differs; the id of the adjustment that says so, None when nothing differed."""
        changes: list[dict[str, Any]] = []
        deltas: list[tuple[int, int, int]] = []
        for level, entry in zip(levels, value["quantities"], strict=True):
            delta = entry["quantity"] - level.quantity(value["name"])
            if delta:
                deltas.append((level.item_id, level.location_id, delta))
                changes += _changes(level, delta)
        if not changes:
            return None
        self.inventory.shift(deltas)
        head = (stored(self.inventory.clock.now()), value["reason"], value.get("referenceDocumentUri"))
        cursor = self.state.execute(
            "INSERT INTO shop_adjustment (created_at, reason, reference, changes) VALUES (?, ?, ?, ?)",
            (*head, json.dumps(changes)),
        )
        return cursor.lastrowid


def _head_errors(value: Mapping[str, Any]) -> Iterator[UserError]:
    if value["name"] not in NAMES:
        yield UserError(code="INVALID_NAME", field=("input", "name"))
    if value["reason"] not in REASONS:
        yield UserError(code="INVALID_REASON", field=("input", "reason"))
    reference = value.get("referenceDocumentUri")
    if reference is not None and not URI.fullmatch(reference):
        yield UserError(code="INVALID_REFERENCE_DOCUMENT", field=("input", "referenceDocumentUri"))


def _size_error(quantity: int, name: str) -> str | None:
    if quantity > LIMIT:
        return "INVALID_QUANTITY_TOO_HIGH"
    if quantity < -LIMIT:
        return "INVALID_QUANTITY_TOO_LOW"
    return "INVALID_QUANTITY_NEGATIVE" if quantity < 0 and name == "on_hand" else None


def _changes(level: Level, delta: int) -> Iterator[dict[str, Any]]:
    """What an adjustment remembers: setting either quantity moves the other one along."""
    for name in NAMES:
        yield {
            "name": name,
            "delta": delta,
            "quantityAfterChange": level.quantity(name) + delta,
            "item_id": level.item_id,
            "location_id": level.location_id,
        }
