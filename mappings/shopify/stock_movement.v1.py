"""The pieces that came back to a place of the shop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MARK = "omnihub:"  # a note that begins so was written by the hub


def returned(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One entry for each refunded line whose pieces lie in stock again."""
    return [entry for refund in order.get("refunds") or () for entry in _of(refund)]


def _of(refund: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if str(refund.get("note") or "").strip().startswith(MARK):
        return
    for line in refund.get("refund_line_items") or ():
        if line.get("restock_type") not in ("return", "legacy_restock") or line.get("location_id") is None:
            continue
        article = line.get("line_item") or {}
        yield {
            "refund": refund["id"],
            "line": line["line_item_id"],
            "quantity": line["quantity"],
            "sku": article.get("sku"),
            "variant_id": article.get("variant_id"),
            "location_id": line["location_id"],
            "at": refund.get("processed_at") or refund["created_at"],
        }
