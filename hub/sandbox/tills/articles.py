"""What one article is at the tills, and how Square shows it, its item and the stores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.sandbox.clock import PARIS
from hub.sandbox.tills.tables import CURRENCY, rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One article; ``code`` is what the retailer calls it, ``price_cents`` is None where a cashier types the price."""

    id: str
    item_id: str
    code: str
    item_name: str
    name: str
    sku: str
    upc: str
    price_cents: int | None
    store_cents: Mapping[str, int]  # by location id, where a store has a price of its own
    updated_at: int

    @property
    def version(self) -> int:
        """Square's optimistic version: milliseconds."""
        return self.updated_at // 1000

    def price_at(self, location: str) -> int:
        """Cents that a cashier of the store asks; ``ValueError`` where nobody has set a price."""
        cents = self.store_cents.get(location, self.price_cents)
        if cents is None:
            raise ValueError(f"{self.code} has no price at the tills")
        return cents


def variation_of(row: Any, item: Mapping[str, Any]) -> Variation:
    """The article in a row of ``till_object``; ``item`` is the ``item_data`` above it."""
    data = json.loads(row["document"])["item_variation_data"]
    overrides = data.get("location_overrides") or []
    return Variation(
        id=row["id"],
        item_id=row["item_id"],
        code=row["code"],
        item_name=item["name"],
        name=data.get("name", ""),
        sku=data.get("sku", ""),
        upc=data.get("upc", ""),
        price_cents=(data.get("price_money") or {}).get("amount"),
        store_cents={o["location_id"]: o["price_money"]["amount"] for o in overrides if o.get("price_money")},
        updated_at=row["updated_at"],
    )


def document_of(row: Any, variations: Sequence[Any] = ()) -> dict[str, Any]:
    """A row of ``till_object`` as a ``CatalogObject``; an item carries ``variations``, rows as well."""
    document: dict[str, Any] = json.loads(row["document"])
    head = {
        "type": row["type"],
        "id": row["id"],
        "updated_at": rfc3339(row["updated_at"]),
        "version": row["updated_at"] // 1000,
        "is_deleted": bool(row["deleted"]),
    }
    if row["type"] == "ITEM":
        document["item_data"]["variations"] = [document_of(one) for one in variations]
    return {**head, **document}


def location_document(row: Any, merchant_id: str) -> dict[str, Any]:
    """A location as ``ListLocations`` shows it."""
    return {
        "id": row["id"],
        "name": row["name"],
        "address": {"locality": row["city"], "country": "FR"},
        "timezone": str(PARIS),
        "capabilities": ["CREDIT_CARD_PROCESSING"],
        "status": "ACTIVE",
        "created_at": rfc3339(row["created_at"]),
        "merchant_id": merchant_id,
        "country": "FR",
        "language_code": "fr-FR",
        "currency": CURRENCY,
        "business_name": "Maison Omni",
        "type": "PHYSICAL",
    }
