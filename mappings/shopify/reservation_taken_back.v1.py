"""The pieces of an order that were in a parcel and stayed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def taken_back(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One entry for each line of each shipment that somebody cancelled."""
    articles = {line["id"]: line for line in order["line_items"] if line.get("variant_id") is not None}
    return [
        {
            "fulfillment": shipment["id"],
            "line": item["id"],
            "quantity": item["quantity"],
            "variant_id": articles[item["id"]]["variant_id"],
            "sku": articles[item["id"]].get("sku"),
            "location_id": shipment.get("location_id"),
            "at": shipment.get("updated_at") or shipment["created_at"],
        }
        for shipment in order.get("fulfillments") or ()
        if shipment.get("status") == "cancelled"
        for item in shipment.get("line_items") or ()
        if item["id"] in articles
    ]
