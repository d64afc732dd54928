"""The pieces of an order that will never leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOST = 10_000  # pieces of one line: beyond that a person should look


def removed(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One entry for each piece that is neither shipped nor still to be shipped."""
    if order.get("cancelled_at"):
        return []
    return [entry for line in order["line_items"] for entry in _of(line, order)]


def _of(line: Mapping[str, Any], order: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if line.get("variant_id") is None or line.get("fulfillable_quantity") is None or line.get("gift_card"):
        return
    gone = int(line["quantity"]) - _shipped(line["id"], order) - int(line["fulfillable_quantity"])
    if gone > MOST:
        raise ValueError(f"line {line['id']} lost {gone} pieces at once, more than {MOST}")
    for piece in range(1, gone + 1):
        yield {"line": line["id"], "piece": piece, "variant_id": line["variant_id"], "sku": line.get("sku")}


def _shipped(line: Any, order: Mapping[str, Any]) -> int:
    return sum(
        int(item["quantity"])
        for shipment in order.get("fulfillments") or ()
        if shipment.get("status") in ("success", "open", "pending")
        for item in shipment.get("line_items") or ()
        if item.get("id") == line
    )
