"""What of an order is told on: the whole sale to the ERP, and what became of it back to the channel.

Both are what the other side should hold now, and not messages: told twice they change nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hub.retail.money import written

Data = Mapping[str, Any]
SETTLED = ("authorized", "captured")  # payments that brought money, or promise it


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One canonical record and the system that told it first: a copy that the hub made elsewhere is still its own."""

    system: str
    data: Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What became of an order after it was placed, as every system but the channel tells it."""

    statuses: Sequence[Told] = ()
    fulfilments: Sequence[Told] = ()
    returns: Sequence[Told] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a target should hold, and what could not be told it, in sentences."""

    value: dict[str, Any]
    waits: tuple[str, ...] = ()


class Unplaced(Exception):
    """Pieces that no line of the order accounts for."""


def first_told(events: Iterable[Told]) -> list[Told]:
    """Each event once, by its id, as whoever told it first; ``events`` in the order in which they were learned."""
    found: dict[str, Told] = {}
    for told in events:
        found.setdefault(told.data["id"], told)
    return list(found.values())


# --- to the ERP -------------------------------------------------------------------------------------


def sales_order(order: Data, course: Course, before: Data | None = None) -> dict[str, Any]:
    """The sale as the ERP should hold it: every line and cent, what was paid, and all that came back, anywhere.

    Lines that an edit took out whole, price and all, are left out. What the ERP cancelled itself stays
    cancelled. ``before``: what it was told until now.
    """
    currency = order["currency"]
    return {
        "channel": order["channel"],
        "kind": order["kind"],
        "placed_at": moment(order["placed_at"]),
        "currency": currency,
        "lines": [_sold(line, currency) for line in order["lines"] if line["quantity"] or Decimal(line["total"])],
        "shipping": _money(order.get("shipping", "0"), currency),
        "discounts": [_discount(d, currency) for d in order.get("discounts", ())],
        "gift_cards": [_gift_card(g, currency) for g in order.get("gift_cards", ())],
        "tax": _money(order.get("tax", "0"), currency),
        "total": _money(order["total"], currency),
        "payments": _payments(order, before),
        "state": "cancelled" if is_cancelled(order, course) else "open",
        "returns": [_returned(told.data) for told in sorted_by_id(course.returns)],
    }


def is_cancelled(order: Data, course: Course) -> bool:
    """Whether the channel or the system that fulfils has cancelled it as a whole."""
    return order["state"] == "cancelled" or any(told.data["state"] == "cancelled" for told in course.statuses)


def moment(text: str) -> str:
    """A time as two systems can agree on it: UTC, whole seconds."""
    return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="seconds")


def sorted_by_id(returns: Iterable[Told]) -> list[Told]:
    """In an order that does not depend on who was read first."""
    return sorted(returns, key=lambda told: (moment(told.data["occurred_at"]), told.data["id"]))


def _money(amount: str, currency: str) -> str:
    return written(Decimal(amount), currency)


def _sold(line: Data, currency: str) -> dict[str, Any]:
    sold = {
        "line": line["line"],
        "sku": line["sku"],
        "quantity": line["quantity"],
        **{name: _money(line.get(name, "0"), currency) for name in ("unit_price", "discount", "tax", "total")},
    }
    return {**sold, "location": line["location"]} if line.get("location") else sold


def _discount(discount: Data, currency: str) -> dict[str, Any]:
    return {
        **{k: discount[k] for k in ("code", "title") if k in discount},
        "amount": _money(discount["amount"], currency),
    }


def _gift_card(card: Data, currency: str) -> dict[str, Any]:
    return {**{k: card[k] for k in ("id",) if k in card}, "amount": _money(card["amount"], currency)}


def _payments(order: Data, before: Data | None) -> list[dict[str, Any]]:
    """What brought money or promises it; as it was told before while it is the same money.

    A promise that is kept gets another id in most shops, often after the goods have left: no news for the books.
    """
    payments = [_payment(p, order["currency"]) for p in order.get("payments", ()) if p["state"] in SETTLED]
    told = [dict(p) for p in before.get("payments", ())] if before else payments
    return told if _sum(told) == _sum(payments) else payments


def _sum(payments: Sequence[Data]) -> Decimal:
    return sum((Decimal(p["amount"]) for p in payments), Decimal(0))


def _payment(payment: Data, currency: str) -> dict[str, Any]:
    known = {"id": payment["id"], "amount": _money(payment["amount"], currency)}
    known |= {"method": payment["method"]} if "method" in payment else {}
    return known | ({"at": moment(payment["at"])} if "at" in payment else {})


def _returned(data: Data) -> dict[str, Any]:
    return {
        "id": data["id"],
        "kind": data.get("kind", "return"),
        "amount": _money(data["amount"], data["currency"]),
        "lines": [_came_back(line) for line in data["lines"]],
    }


def _came_back(line: Data) -> dict[str, Any]:
    known = {"sku": line["sku"], "quantity": line["quantity"], "restock": line.get("restock", False)}
    return known | {name: line[name] for name in ("line", "location") if line.get(name)}


# --- back to the channel ----------------------------------------------------------------------------


def progress(order: Data, course: Course, target: str) -> Answer:
    """What ``target``, which sold the order, should hold of it beyond its own: shipments, refunds, a cancellation."""
    waits: list[str] = []
    value = {
        "cancelled": is_cancelled(order, course),
        "fulfilments": _shipped(order, course, target, waits),
        "refunds": _refunds(order, course, target, waits),
    }
    return Answer(value=value, waits=tuple(waits))


def is_empty(value: Data, order: Data) -> bool:
    """Whether there is nothing to tell the channel; its own cancellation it knows."""
    cancelled = value["cancelled"] and order["state"] != "cancelled"
    return not (cancelled or value["fulfilments"] or value["refunds"])


def _shipped(order: Data, course: Course, target: str, waits: list[str]) -> list[dict[str, Any]]:
    lines = Lines(order)
    found = []
    theirs = [t.data for t in course.fulfilments if t.system != target and t.data["state"] != "cancelled"]
    for data in sorted(theirs, key=lambda d: d["fulfilment"]):
        try:
            placed = lines.take(data["lines"])
        except Unplaced as unplaced:
            waits.append(f"the shipment {data['fulfilment']} cannot be told: {unplaced}")
            continue
        found.append(
            {
                "id": data["fulfilment"],
                "carrier": data.get("carrier"),
                "tracking": data.get("tracking"),
                "lines": [{"line": line, "quantity": quantity} for line, quantity, _ in placed],
            }
        )
    return found


def _refunds(order: Data, course: Course, target: str, waits: list[str]) -> list[dict[str, Any]]:
    lines = Lines(order)
    found = []
    for told in sorted_by_id(course.returns):
        data = told.data
        try:
            placed = lines.take(data["lines"])  # also the channel's own: those pieces cannot come back twice
        except Unplaced as unplaced:
            if told.system != target:
                waits.append(f"the return {data['id']} cannot be told: {unplaced}")
            continue
        if told.system != target:
            found.append(_refund(data, [_refunded(line, quantity, of) for line, quantity, of in placed]))
    return found


def _refund(data: Data, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """``settled``: the money is with the customer already, and must not go back twice."""
    refund = {
        "id": data["id"],
        "amount": _money(data["amount"], data["currency"]),
        "currency": data["currency"],
        "lines": lines,
    }
    return {**refund, "settled": True} if data.get("settled") else refund


def _refunded(line: str, quantity: int, of: Data) -> dict[str, Any]:
    restock = bool(of.get("restock", False))
    location = of.get("location") if restock else None
    return {"line": line, "quantity": quantity, "restock": restock, "location": location}


class Lines:
    """The pieces of an order's lines, each given out once."""

    def __init__(self, order: Data) -> None:
        self.left: dict[str, int] = {line["line"]: line["quantity"] for line in order["lines"]}
        self.of_sku: dict[str, list[str]] = defaultdict(list)
        for line in order["lines"]:
            self.of_sku[line["sku"]].append(line["line"])

    def take(self, pieces: Sequence[Data]) -> list[tuple[str, int, Data]]:
        """(line, quantity, piece) for all of ``pieces``, by their line where they name one, else by article.

        Raises :class:`Unplaced`, and gives out nothing, where the order has no such pieces left.
        """
        left, found = dict(self.left), []
        for piece in pieces:
            named = piece.get("line")
            wanted = piece["quantity"]
            for line in [named] if named in left else self.of_sku[piece["sku"]]:
                taken = min(wanted, left[line])
                if taken:
                    found.append((line, taken, piece))
                    left[line] -= taken
                    wanted -= taken
            if wanted:
                raise Unplaced(f"the order has {wanted} of {piece['sku']} less than that")
        self.left = left
        return found
