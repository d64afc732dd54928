"""Orders: four machines that move by themselves, totals that add up, and when an order may go to the ERP.

A channel's document is a photograph: between two of them an order may have taken several steps, so a
move is legal when some way of legal steps leads there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hub.retail.money import CURRENCIES, decimals, exact

Objection = tuple[str, str]  # path, reason

# Each machine: state -> where one step leads. What has no step from it is the end.
MACHINES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "state": {
        "open": frozenset({"closed", "cancelled"}),
        "closed": frozenset({"open"}),  # a person takes it out of the archive
        "cancelled": frozenset(),
    },
    "payment_state": {
        "pending": frozenset({"authorized", "partially_paid", "paid", "voided"}),
        "authorized": frozenset({"partially_paid", "paid", "voided"}),
        "partially_paid": frozenset({"paid", "partially_refunded", "refunded", "voided"}),
        "paid": frozenset({"partially_paid", "partially_refunded", "refunded"}),  # an edit may raise the total
        "partially_refunded": frozenset({"refunded"}),
        "refunded": frozenset({"partially_refunded"}),  # an edit added a line that was paid for
        "voided": frozenset(),
    },
    "fulfilment_state": {  # a shipment may be called back, and an edit may add a line
        "unfulfilled": frozenset({"partial", "fulfilled"}),
        "partial": frozenset({"unfulfilled", "fulfilled"}),
        "fulfilled": frozenset({"partial", "unfulfilled"}),
    },
    "return_state": {
        "none": frozenset({"partial", "returned"}),
        "partial": frozenset({"returned"}),
        "returned": frozenset({"partial"}),  # an edit added a line
    },
}

# What the ERP may rely on: the money is there, promised, or was there. A ticket leaves the store fully paid.
PAID = frozenset({"paid", "partially_refunded", "refunded"})
RELEASED: Mapping[str, frozenset[str]] = {"order": PAID | {"authorized"}, "ticket": PAID}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One machine that stands elsewhere than before."""

    machine: str
    before: str
    after: str


def transitions(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Transition]:
    """The machines that moved between two documents of one order."""
    return [
        Transition(machine=name, before=before[name], after=after[name])
        for name in MACHINES
        if before[name] != after[name]
    ]


def legal(move: Transition) -> bool:
    """Whether some way of legal steps leads there."""
    steps, reached, look = MACHINES[move.machine], {move.before}, [move.before]
    while look:
        new = steps.get(look.pop(), frozenset()) - reached
        reached |= new
        look.extend(new)
    return move.after in reached


def illegal_transition(before: Mapping[str, Any], after: Mapping[str, Any]) -> Objection | None:
    """The first machine that cannot have moved so, and the sentence."""
    for move in transitions(before, after):
        if not legal(move):
            return move.machine, f'an order that is "{move.before}" never becomes "{move.after}"'
    return None


def awaits_payment(order: Mapping[str, Any]) -> str | None:
    """What an order or ticket waits for before it may go to the ERP, as a sentence; None when it may."""
    if order["payment_state"] in RELEASED[order["kind"]]:
        return None
    if order["payment_state"] == "partially_paid":
        return f"waits for payment: paid are {_paid(order)} of {order['total']} {order['currency']}"
    return "waits for payment"


def _paid(order: Mapping[str, Any]) -> Decimal:
    return sum((Decimal(p["amount"]) for p in order.get("payments", ()) if p["state"] == "captured"), Decimal(0))


def line_total(line: Mapping[str, Any]) -> Decimal:
    """What a line costs: pieces by price, less what was taken off."""
    return Decimal(line["quantity"]) * Decimal(line["unit_price"]) - Decimal(line.get("discount", "0"))


def order_total(order: Mapping[str, Any]) -> Decimal:
    """What the customer owes by the lines: with shipping, and with the tax where the prices do not contain it."""
    total = sum((Decimal(line["total"]) for line in order["lines"]), Decimal(order.get("shipping", "0")))
    return total if order.get("tax_included", True) else total + Decimal(order.get("tax", "0"))


def objection_to_order(order: Mapping[str, Any]) -> Objection | None:
    """What is wrong with an order beyond its schema: currency, decimals, lines, totals to the cent."""
    if order["currency"] not in CURRENCIES:
        return "currency", f"{order['currency']} is no currency of ISO 4217"
    return _inexact(order) or _wrong_line(order) or _wrong_total(order)


def _inexact(order: Mapping[str, Any]) -> Objection | None:
    """An amount with more decimals than the currency has."""
    currency = order["currency"]
    for path, amount in _amounts(order):
        if not exact(amount, currency):
            return path, f"{amount} has more decimals than {currency}, which has {decimals(currency)}"
    return None


def _amounts(order: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((name, order[name]) for name in ("shipping", "tax", "total") if name in order)
    for n, line in enumerate(order["lines"]):
        fields = ("unit_price", "discount", "tax", "total")
        yield from ((f"lines[{n}].{name}", line[name]) for name in fields if name in line)
    for part in ("discounts", "gift_cards", "payments"):
        yield from ((f"{part}[{n}].amount", found["amount"]) for n, found in enumerate(order.get(part, ())))


def _wrong_line(order: Mapping[str, Any]) -> Objection | None:
    seen: set[str] = set()
    for n, line in enumerate(order["lines"]):
        if line["line"] in seen:
            return f"lines[{n}].line", f"the line {line['line']} stands twice"
        seen.add(line["line"])
        if (total := line_total(line)) != Decimal(line["total"]):
            sum_ = f"{line['quantity']} x {line['unit_price']} - {line.get('discount', '0')} = {total}"
            return f"lines[{n}].total", f"{line['total']} does not add up: {sum_}"
    return None


def _wrong_total(order: Mapping[str, Any]) -> Objection | None:
    if (total := order_total(order)) == Decimal(order["total"]):
        return None
    tax = "" if order.get("tax_included", True) else ", plus tax,"
    return "total", f"{order['total']} does not add up: lines and shipping{tax} come to {total}"
