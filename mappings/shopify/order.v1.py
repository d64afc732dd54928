"""What an order of the shop says in several places at once: pieces left after an edit, sums, states, money paid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

Data = Mapping[str, Any]
AT_ONCE = timedelta(seconds=60)  # within which the shop writes a cancellation and the refund that belongs to it

# A transaction's kind and status as a payment's state; a refund is no payment.
STATES = {
    ("authorization", "success"): "authorized",
    ("sale", "success"): "captured",
    ("capture", "success"): "captured",
    ("authorization", "pending"): "pending",
    ("sale", "pending"): "pending",
    ("capture", "pending"): "pending",
    ("authorization", "failure"): "failed",
    ("sale", "failure"): "failed",
    ("capture", "failure"): "failed",
    ("authorization", "error"): "failed",
    ("sale", "error"): "failed",
    ("capture", "error"): "failed",
}
WITHOUT_TRANSACTIONS = {
    "authorized": "authorized",
    "paid": "captured",
    "partially_paid": "captured",
    "partially_refunded": "captured",
    "refunded": "captured",
    "voided": "voided",
    "expired": "voided",
}


def pieces(line: Data, order: Data) -> int:
    """Pieces ordered, less those that an edit took out; refunded and cancelled ones were ordered all the same."""
    ordered = _count(line, "quantity")
    return max(0, ordered - sum(int(one["quantity"]) for one in _taken_out(line, order)))


def discount(line: Data, order: Data) -> str:
    """Everything taken off the line; the shop's own ``total_discount`` knows only reductions of the line itself."""
    shares = line.get("discount_allocations")
    whole = _sum(shares, "amount") if shares else _money(line.get("total_discount") or "0")
    gone = [int(one["quantity"]) * _money(line["price"]) - _money(one["subtotal"]) for one in _taken_out(line, order)]
    return _text(whole - sum(gone, Decimal()))


def tax(line: Data, order: Data) -> str:
    whole = _sum(line.get("tax_lines") or (), "price")
    return _text(whole - sum((_money(one.get("total_tax") or "0") for one in _taken_out(line, order)), Decimal()))


def line_total(line: Data, order: Data) -> str:
    return _text(_line_total(line, order))


def shipping(order: Data) -> str:
    """What is left to pay for shipping after discounts."""
    lines = [one for one in order.get("shipping_lines") or () if not one.get("is_removed")]
    return _text(sum((_shipping_price(one) for one in lines), Decimal()))


def total(order: Data) -> str:
    """The shop's own total; after an edit what is left of it, since the shop's total is that of before."""
    gone = [one for line in order["line_items"] for one in _taken_out(line, order)]
    extra = () if order.get("taxes_included", True) else gone
    whole = _money(order["total_price"]) - _sum(gone, "subtotal")
    return _text(whole - sum((_money(one.get("total_tax") or "0") for one in extra), Decimal()))


def total_tax(order: Data) -> str | None:
    if order.get("total_tax") is None:
        return None
    return _text(
        _money(order["total_tax"])
        - sum(
            (_money(one.get("total_tax") or "0") for line in order["line_items"] for one in _taken_out(line, order)),
            Decimal(),
        )
    )


def discounts(order: Data) -> list[dict[str, str]]:
    """Coupons by their code, then reductions that nobody had to enter."""
    found = [
        {"code": str(one["code"]), "amount": _text(_money(one["amount"]))}
        for one in order.get("discount_codes") or ()
        if one.get("code")
    ]
    for n, application in enumerate(order.get("discount_applications") or ()):
        if application.get("type") != "discount_code" and (title := application.get("title")):
            found.append({"title": str(title), "amount": _text(_allocated(order, n))})
    return found


def gift_cards(order: Data) -> list[dict[str, str]]:
    """What gift cards paid, where the shop tells its transactions."""
    return [
        {"id": str(one["id"]), "amount": _text(_money(one["amount"]))}
        for one in order.get("transactions") or ()
        if one.get("gateway") == "gift_card" and STATES.get((one.get("kind"), one.get("status"))) == "captured"
    ]


def payments(order: Data) -> list[dict[str, str]]:
    """Each payment by itself; a capture takes the place of the authorisation that it fulfils."""
    transactions = order.get("transactions")
    if not transactions:
        return _payment_of_the_order(order)
    done = {one.get("parent_id") for one in transactions if one.get("kind") == "capture" and _succeeded(one)}
    voided = {one.get("parent_id") for one in transactions if one.get("kind") == "void" and _succeeded(one)}
    found = []
    for one in transactions:
        state = STATES.get((one.get("kind"), one.get("status")))
        if state is None or one["id"] in done:
            continue
        found.append(_payment(one, "voided" if one["id"] in voided else state))
    return found


def state(order: Data) -> str:
    return "cancelled" if order.get("cancelled_at") else "closed" if order.get("closed_at") else "open"


def return_state(order: Data) -> str:
    """Pieces that came back; those cancelled before they left are no return."""
    back = sum(int(one["quantity"]) for one in _refund_lines(order) if one.get("restock_type") != "cancel")
    if order.get("cancelled_at") or not back:
        return "none"
    return "returned" if back >= sum(pieces(line, order) for line in order["line_items"]) else "partial"


def customer_name(order: Data) -> str | None:
    person = order.get("customer") or {}
    return " ".join(filter(None, (person.get("first_name"), person.get("last_name")))).strip() or None


# --- small things ---------------------------------------------------------------------------------


def _taken_out(line: Data, order: Data) -> list[Data]:
    """Refunded lines that are an edit: pieces that never left, and no money went back with them.

    The shop writes an edit that lowers a quantity so; a cancellation of the whole order looks alike, and is none.
    """
    return [
        one
        for refund in order.get("refunds") or ()
        if not refund.get("transactions") and not _with_the_order(refund, order)
        for one in refund.get("refund_line_items") or ()
        if one.get("line_item_id") == line["id"] and one.get("restock_type") == "cancel"
    ]


def _with_the_order(refund: Data, order: Data) -> bool:
    """Whether a refund belongs to the cancellation of the whole order."""
    if not order.get("cancelled_at"):
        return False
    cancelled = datetime.fromisoformat(str(order["cancelled_at"]))
    return datetime.fromisoformat(str(refund["created_at"])) >= cancelled - AT_ONCE


def _refund_lines(order: Data) -> Iterable[Data]:
    return [line for refund in order.get("refunds") or () for line in refund.get("refund_line_items") or ()]


def _line_total(line: Data, order: Data) -> Decimal:
    return pieces(line, order) * _money(line["price"]) - Decimal(discount(line, order))


def _shipping_price(line: Data) -> Decimal:
    if line.get("discounted_price") is not None:
        return _money(line["discounted_price"])
    return _money(line["price"]) - _sum(line.get("discount_allocations") or (), "amount")


def _allocated(order: Data, application: int) -> Decimal:
    lines = [*(order.get("line_items") or ()), *(order.get("shipping_lines") or ())]
    shares = [share for line in lines for share in line.get("discount_allocations") or ()]
    return _sum([one for one in shares if one.get("discount_application_index") == application], "amount")


def _payment_of_the_order(order: Data) -> list[dict[str, str]]:
    """Paid in one way, an order tells its payment by what is owed and what went back."""
    status = WITHOUT_TRANSACTIONS.get(str(order.get("financial_status")))
    if status is None:
        return []
    whole = _money(order["total_price"])
    amount = _received(order) if status == "captured" else whole
    methods = order.get("payment_gateway_names") or ["unknown"]
    method = "+".join(map(str, methods))[:64]
    return [{"id": str(order["id"]), "method": method, "amount": _text(amount), "state": status}]


def _received(order: Data) -> Decimal:
    owed = _money(order.get("total_outstanding") or "0")
    due = _money(order.get("current_total_price") or order["total_price"])
    back = [t for r in order.get("refunds") or () for t in r.get("transactions") or () if t.get("status") == "success"]
    return due - owed + _sum([t for t in back if t.get("kind") == "refund"], "amount")


def _payment(one: Data, status: str) -> dict[str, str]:
    found = {"id": str(one["id"])}
    if one.get("gateway"):
        found["method"] = str(one["gateway"])
    found |= {"amount": _text(_money(one["amount"])), "state": status}
    if at := one.get("processed_at") or one.get("created_at"):
        found["at"] = str(at)
    return found


def _succeeded(one: Data) -> bool:
    return one.get("status") == "success"


def _count(line: Data, name: str) -> int:
    value = line.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} is {value!r}, not a whole number")
    return value


def _sum(items: Iterable[Data], name: str) -> Decimal:
    return sum((_money(item[name]) for item in items), Decimal())


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
