"""What an order comes to after payments, refunds and fulfilments: pure functions over its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.sandbox.shop.documents import CURRENCY, price_set, tax_cents
from hub.sandbox.shop.tables import cents, gid, money

Document = dict[str, Any]
Transaction = dict[str, Any]
CLOSED_KINDS = ("sale", "capture")


def settled(document: Document, transactions: Sequence[Transaction], at: str) -> Document:
    """The document with every status and current total as lines, refunds and transactions say."""
    goods = sum(net_cents(line) for line in document["line_items"]) - returned_cents(document)
    shipping = shipping_cents(document) - shipping_back_cents(document)
    total = goods + shipping
    tax = sum(tax_cents(_left(line, document)) for line in document["line_items"] if line["taxable"])
    current = {
        "current_subtotal_price": money(goods),
        "current_total_price": money(total),
        "current_total_discounts": money(_discounts_left(document)),
        "current_total_tax": money(tax + tax_cents(shipping)),
        "total_outstanding": money_signed(total - received(transactions) + given_back(transactions)),
    }
    sets = {f"{name}_set": price_set(amount) for name, amount in current.items() if name.startswith("current")}
    return {
        **document,
        **current,
        **sets,
        "financial_status": financial_status(document, transactions, total),
        "fulfillment_status": fulfillment_status(document["line_items"]),
        "payment_gateway_names": list(dict.fromkeys(one["gateway"] for one in transactions if one["kind"] != "refund")),
        "updated_at": at,
    }


def financial_status(document: Document, transactions: Sequence[Transaction], due: int) -> str:
    """Shopify's order.financial_status."""
    paid, back, held = received(transactions), given_back(transactions), authorized(transactions)
    if back > 0:
        return "refunded" if back >= paid else "partially_refunded"
    if paid >= due and paid > 0:
        return "paid"
    if paid > 0:
        return "partially_paid"
    if held > 0:
        return "authorized"
    return "voided" if document["cancelled_at"] or any(one["kind"] == "void" for one in transactions) else "pending"


def fulfillment_status(lines: Sequence[Mapping[str, Any]]) -> str | None:
    """None while nothing has left; a line that was taken off the order does not count."""
    sent = any(line["fulfillment_status"] for line in lines)
    waiting = any(line["fulfillable_quantity"] > 0 for line in lines)
    return ("partial" if waiting else "fulfilled") if sent else None


# --- money, in cents ------------------------------------------------------------------------------


def received(transactions: Sequence[Transaction]) -> int:
    return _sum(transactions, *CLOSED_KINDS)


def given_back(transactions: Sequence[Transaction]) -> int:
    return _sum(transactions, "refund")


def authorized(transactions: Sequence[Transaction]) -> int:
    """Held on a card and neither taken nor let go."""
    if _sum(transactions, "void"):
        return 0
    return max(0, _sum(transactions, "authorization") - _sum(transactions, "capture"))


def _sum(transactions: Sequence[Transaction], *kinds: str) -> int:
    good = [one for one in transactions if one["kind"] in kinds and one["status"] == "success"]
    return sum(cents(one["amount"]) for one in good)


def net_cents(line: Mapping[str, Any]) -> int:
    """What all pieces of a line cost after discounts."""
    off = sum(cents(share["amount"]) for share in line["discount_allocations"])
    return cents(line["price"]) * int(line["quantity"]) - off


def grown(document: Document, line_id: int, pieces: int) -> Document:
    """The document with more pieces in a line: the order's own totals contain them, as Shopify's totalPriceSet does
    ("before returns"; what it was at first is originalTotalPriceSet).
    """
    (line,) = (one for one in document["line_items"] if one["id"] == line_id)
    more = {name: line[name] + pieces for name in ("quantity", "current_quantity", "fulfillable_quantity")}
    after = {**line, **more}
    worth = net_cents(after) - net_cents(line)
    tax = tax_cents(net_cents(after)) - tax_cents(net_cents(line)) if line["taxable"] else 0
    if line["tax_lines"]:
        after["tax_lines"] = [{**line["tax_lines"][0], **_priced(cents(line["tax_lines"][0]["price"]) + tax)}]
    names = {"subtotal_price": worth, "total_line_items_price": worth, "total_price": worth, "total_tax": tax}
    totals = {name: money(cents(document[name]) + n) for name, n in names.items()}
    sets = {f"{name}_set": price_set(amount) for name, amount in totals.items()}
    lines = [after if one["id"] == line_id else one for one in document["line_items"]]
    return {**document, **totals, **sets, "line_items": lines}


def _priced(amount: int) -> dict[str, Any]:
    return {"price": money(amount), "price_set": price_set(money(amount))}


def part_cents(line: Mapping[str, Any], quantity: int) -> int:
    """What ``quantity`` of the pieces that are left cost; all parts together make the whole."""
    whole, all_of_it = net_cents(line), int(line["quantity"])
    gone = all_of_it - int(line["current_quantity"])
    return whole * (gone + quantity) // all_of_it - whole * gone // all_of_it


def returned_cents(document: Document) -> int:
    return sum(cents(one["subtotal"]) for refund in document["refunds"] for one in refund["refund_line_items"])


def _discounts_left(document: Document) -> int:
    """What codes take off the pieces that are left."""
    gross = sum(cents(line["price"]) * int(line["current_quantity"]) for line in document["line_items"])
    return gross - sum(_left(line, document) for line in document["line_items"])


def _left(line: Mapping[str, Any], document: Document) -> int:
    entries = [one for refund in document["refunds"] for one in refund["refund_line_items"]]
    return net_cents(line) - sum(cents(one["subtotal"]) for one in entries if one["line_item_id"] == line["id"])


def shipping_cents(document: Document) -> int:
    return sum(cents(line["price"]) for line in document["shipping_lines"])


def shipping_back_cents(document: Document) -> int:
    return -sum(
        cents(adjustment["amount"])
        for refund in document["refunds"]
        for adjustment in refund["order_adjustments"]
        if adjustment["kind"] == "shipping_refund"
    )


def refundable_cents(transactions: Sequence[Transaction]) -> int:
    return received(transactions) - given_back(transactions)


# --- parts of the document ------------------------------------------------------------------------


def transaction(document: Document, n: int, kind: str, gateway: str, amount: int, at: str, **more: Any) -> Transaction:
    """The ``n``-th transaction of an order (from 0)."""
    id = document["id"] + 1001 + 2 * n
    return {
        "id": id,
        "admin_graphql_api_id": gid("OrderTransaction", id),
        "order_id": document["id"],
        "kind": kind,
        "gateway": gateway,
        "status": "success",
        "amount": money(amount),
        "currency": CURRENCY,
        "parent_id": None,
        "authorization": None,
        "message": None,
        "created_at": at,
        "processed_at": at,
        "payment_id": f"{document['name']}.{n + 1}",
        "source_name": "web",
        "test": False,
        **more,
    }


def shares(transactions: Sequence[Transaction], amount: int) -> list[tuple[Transaction, int]]:
    """``amount`` over the payments that can give it back: the last one first, gift cards at the end."""
    found: list[tuple[Transaction, int]] = []
    paid = [one for one in transactions if one["kind"] in CLOSED_KINDS and one["status"] == "success"]
    for payment in sorted(paid, key=lambda one: (one["gateway"] == "gift_card", -one["id"])):
        back = _sum([one for one in transactions if one["parent_id"] == payment["id"]], "refund")
        part = min(amount - sum(taken for _, taken in found), cents(payment["amount"]) - back)
        if part > 0:
            found.append((payment, part))
    return found


def refund_line(
    refund: int, n: int, line: Mapping[str, Any], quantity: int, restock: str, place: int | None
) -> Document:
    """Pieces of a line in a refund, with what they cost."""
    amount = part_cents(line, quantity)
    tax = tax_cents(amount) if line["taxable"] else 0
    return {
        "id": refund * 16 + n,
        "line_item_id": line["id"],
        "line_item": dict(line),
        "quantity": quantity,
        "restock_type": restock,
        "location_id": place,
        "subtotal": money(amount),
        "subtotal_set": price_set(money(amount)),
        "total_tax": money(tax),
        "total_tax_set": price_set(money(tax)),
    }


def refund(document: Document, at: str, note: str | None, lines: Sequence[Document], shipping: int) -> Document:
    """A refund without its transactions."""
    id = document["id"] + 1 + 2 * len(document["refunds"])
    adjustment = {
        "id": id * 16 + 15,
        "order_id": document["id"],
        "refund_id": id,
        "amount": money_signed(-shipping),
        "amount_set": price_set(money_signed(-shipping)),
        "tax_amount": money_signed(-tax_cents(shipping)),
        "tax_amount_set": price_set(money_signed(-tax_cents(shipping))),
        "kind": "shipping_refund",
        "reason": "Shipping refund",
    }
    return {
        "id": id,
        "admin_graphql_api_id": gid("Refund", id),
        "order_id": document["id"],
        "created_at": at,
        "processed_at": at,
        "note": note,
        "user_id": None,
        "restock": any(line["restock_type"] != "no_restock" for line in lines),
        "refund_line_items": list(lines),
        "transactions": [],
        "order_adjustments": [adjustment] if shipping else [],
        "duties": [],
    }


def money_signed(amount: int) -> str:
    return f"-{money(-amount)}" if amount < 0 else money(amount)
