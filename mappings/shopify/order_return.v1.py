"""What a refund of the shop says in several places at once."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

Data = Mapping[str, Any]
MARK = "omnihub:"  # a note that begins so was written by the hub


def event(refund: Data) -> str:
    """The id of the event: that of the original where the hub brought it here."""
    note = str(refund.get("note") or "").strip()
    if note.startswith(MARK):
        return note.removeprefix(MARK).split()[0]
    return f"SHOP-R{refund['id']}"


def refunded(refund: Data) -> str:
    """Money that went back; a refund that takes out pieces alone moves none."""
    done = [t for t in refund.get("transactions") or () if t.get("kind") == "refund" and t.get("status") == "success"]
    return _text(sum((_money(t["amount"]) for t in done), Decimal()))


def kind(refund: Data) -> str:
    lines = refund.get("refund_line_items") or ()
    if not lines:
        return "refund"
    return "cancellation" if all(line.get("restock_type") == "cancel" for line in lines) else "return"


def line_amount(line: Data) -> str:
    """As the customer paid it: the shop counts its tax in where prices contain it."""
    return _text(_money(line["subtotal"]))


def restocked(line: Data) -> bool:
    return line.get("restock_type") in ("return", "cancel", "legacy_restock")


def reason(refund: Data) -> str | None:
    note = str(refund.get("note") or "").strip()
    return note[:1000] if note and not note.startswith(MARK) else None


def _money(value: Any) -> Decimal:
    try:
        if isinstance(value, str | int | Decimal) and (found := Decimal(value)).is_finite():
            return found
    except InvalidOperation:
        pass
    raise ValueError(f"{value!r} is not an amount")


def _text(value: Decimal) -> str:
    """Two digits behind the point, or as many as there are."""
    return format(max(value, value.quantize(Decimal("0.01")), key=lambda v: -int(v.as_tuple().exponent)), "f")
