"""A refund as the shop wants it: pieces with where they lie now, and money back the way it came."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.shopify.answers import Data, gid, legacy_id
from connectors.shopify.order_documents import MARK
from hub.errors import Reject
from hub.model import Binding

PAID = ("SALE", "CAPTURE")


def refund_input(
    order: str, wanted: Mapping[str, Any], context: Data, places: Mapping[str, Binding], path: str
) -> dict[str, Any]:
    """The input of ``refundCreate`` for one event; ``context`` holds the order's transactions and lines.

    ``settled`` says that the money went back elsewhere (a till paid it out): then the shop only notes it.
    """
    unfulfilled = {legacy_id(line["id"]): line["unfulfilledQuantity"] for line in context["lineItems"]["nodes"]}
    lines = [_line(line, unfulfilled, places, f"{path}.lines[{n}]") for n, line in enumerate(wanted.get("lines") or ())]
    money = Decimal() if wanted.get("settled") else Decimal(wanted["amount"])
    return {
        "orderId": order,
        "note": f"{MARK}{wanted['id']}",
        "notify": False,
        "refundLineItems": lines,
        "transactions": _transactions(order, money, context["transactions"], f"{path}.amount"),
    }


def _line(
    line: Mapping[str, Any], unfulfilled: Mapping[str, int], places: Mapping[str, Binding], path: str
) -> dict[str, Any]:
    """Pieces that never left are cancelled, those that did come back to a place or to none."""
    found = {"lineItemId": gid("LineItem", line["line"]), "quantity": line["quantity"]}
    if not line.get("restock"):
        return {**found, "restockType": "NO_RESTOCK"}
    place = line.get("location")
    if place is not None and place not in places:
        raise Reject(f"{path}.location", f"the shop has no place that is known as {place}")
    kind = "CANCEL" if unfulfilled.get(str(line["line"]), 0) >= line["quantity"] else "RETURN"
    if place is None:
        return {**found, "restockType": kind if kind == "CANCEL" else "NO_RESTOCK"}
    return {**found, "restockType": kind, "locationId": places[place].external_id}


def _transactions(order: str, money: Decimal, transactions: Any, path: str) -> list[dict[str, Any]]:
    """Money back to the payments in their order, to each at most what is left of it."""
    found: list[dict[str, Any]] = []
    for one in transactions:
        if one["kind"] not in PAID or one["status"] != "SUCCESS" or money <= 0:
            continue
        back = min(money, _left(one, transactions))
        if back > 0:
            paid = {"orderId": order, "parentId": one["id"], "gateway": one["gateway"], "kind": "REFUND"}
            found.append({**paid, "amount": format(back, "f")})
            money -= back
    if money > 0:
        raise Reject(path, f"of the payments {format(money, 'f')} less is left than should go back")
    return found


def _left(payment: Data, transactions: Any) -> Decimal:
    back = [
        _amount(one)
        for one in transactions
        if one["kind"] == "REFUND" and one["status"] == "SUCCESS" and _parent(one) == payment["id"]
    ]
    return _amount(payment) - sum(back, Decimal())


def _parent(transaction: Data) -> str | None:
    return (transaction["parentTransaction"] or {}).get("id")


def _amount(transaction: Data) -> Decimal:
    return Decimal(str(transaction["amountSet"]["shopMoney"]["amount"]))
