"""What the refunds of an order of the shop say in several places at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

Data = Mapping[str, Any]
MARK = "omnihub:"  # a note that begins so was written by the hub
AT_ONCE = timedelta(seconds=60)  # within which the shop writes a cancellation and the refund that belongs to it


def refunds(order: Data) -> list[dict[str, Any]]:
    """An entry for each refund that is an event of its own."""
    found = [one for one in order.get("refunds") or () if not _is_edit(one) and not _with_the_order(one, order)]
    return [_event(one) for one in found]


def _is_edit(refund: Data) -> bool:
    """Pieces that never left, and no money: the shop writes an edit that lowers a quantity so."""
    lines = refund.get("refund_line_items") or ()
    moved = bool(refund.get("transactions")) or _note(refund).startswith(MARK)
    return bool(lines) and not moved and _never_left(refund)


def _with_the_order(refund: Data, order: Data) -> bool:
    """Whether a refund belongs to the cancellation of the whole order."""
    if not order.get("cancelled_at") or not _never_left(refund):
        return False
    cancelled = datetime.fromisoformat(str(order["cancelled_at"]))
    return datetime.fromisoformat(str(refund["created_at"])) >= cancelled - AT_ONCE


def _never_left(refund: Data) -> bool:
    return all(line.get("restock_type") == "cancel" for line in refund.get("refund_line_items") or ())


def _event(refund: Data) -> dict[str, Any]:
    note = _note(refund)
    ours = note.startswith(MARK)
    lines = refund.get("refund_line_items") or ()
    return {
        "event": note.removeprefix(MARK).split()[0] if ours else f"SHOP-R{refund['id']}",
        "at": refund.get("processed_at") or refund["created_at"],
        "amount": _text(
            sum((_money(t["amount"]) for t in refund.get("transactions") or () if _went_back(t)), Decimal())
        ),
        "kind": "refund" if not lines else "cancellation" if _never_left(refund) else "return",
        "lines": [_line(line) for line in lines],
        "reason": None if ours else note[:1000],
    }


def _line(line: Data) -> dict[str, Any]:
    """What it cost as the customer paid it: the shop counts the tax in where prices contain it."""
    article = line.get("line_item") or {}
    return {
        "line": line["line_item_id"],
        "quantity": line["quantity"],
        "amount": _text(_money(line["subtotal"])),
        "restock": line.get("restock_type") in ("return", "cancel", "legacy_restock"),
        "location_id": line.get("location_id"),
        "sku": article.get("sku"),
        "variant_id": article.get("variant_id"),
    }


def _note(refund: Data) -> str:
    return str(refund.get("note") or "").strip()


def _went_back(transaction: Data) -> bool:
    return transaction.get("kind") == "refund" and transaction.get("status") == "success"


def _money(value: Any) -> Decimal:
    """An exact amount; a binary float has lost its digits."""
    try:
        if isinstance(value, str | int | Decimal) and (found := Decimal(value)).is_finite():
            return found
    except InvalidOperation:
        pass
    raise ValueError(f"{value!r} is not an amount")


def _text(value: Decimal) -> str:
    """Two digits behind the point, or as many as there are."""
    return format(max(value, value.quantize(Decimal("0.01")), key=lambda v: -int(v.as_tuple().exponent)), "f")
