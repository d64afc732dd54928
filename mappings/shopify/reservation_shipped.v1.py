"""The pieces of an order that have left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def shipped(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One entry for each line of each shipment that left, also of one that was taken back later.

    So that it is the same whichever states of the order were seen (reservation_taken_back says the rest).
    """
    articles = {line["id"]: line for line in order["line_items"] if line.get("variant_id") is not None}
    return [
        {
            "fulfillment": shipment["id"],
            "line": item["id"],
            "quantity": item["quantity"],
            "variant_id": articles[item["id"]]["variant_id"],
            "sku": articles[item["id"]].get("sku"),
            "location_id": shipment.get("location_id"),
            "at": shipment["created_at"],
        }
        for shipment in order.get("fulfillments") or ()
        if shipment.get("status") in ("success", "cancelled")
        for item in shipment.get("line_items") or ()
        if item["id"] in articles
    ]
