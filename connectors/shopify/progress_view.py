"""Of an order in the shop, what bears the hub's mark: in the order and shape of what is wanted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.shopify.answers import Data, amount, legacy_id
from connectors.shopify.order_documents import MARK
from hub.model import Binding, Remote


class Shipment:
    """Shipments of the shop that bear one number: one shipment of ours."""

    def __init__(self, tracking: Mapping[str, str]) -> None:
        self.ids: list[str] = []
        self.tracking = tracking
        self.lines: dict[str, int] = defaultdict(int)


def remote_of(order: Data, wanted: Mapping[str, Any]) -> Remote:
    """What bears our mark, in the order and shape of what is wanted; everything that does, where nothing is.

    An order that somebody cancelled in the shop is the shop's own news, and not ours.
    """
    held, refunds = shipments(order), {m: r for r in order["refunds"] if (m := mark_of(r))}
    cancelled = order["cancelledAt"] is not None
    wishes = wanted.get("fulfilments", [_as_it_is(mark, one) for mark, one in held.items()])
    value = {
        "cancelled": cancelled and bool(wanted.get("cancelled", True)),
        "fulfilments": [found for one in wishes if (found := _fulfilment(one, held))],
        "refunds": [
            _refund_of(refunds[one["id"]], one)
            for one in wanted.get("refunds", [{"id": mark} for mark in refunds])
            if one["id"] in refunds
        ],
    }
    return Remote(value=value, binding=Binding(external_id=order["id"]))


def mark_of(refund: Data) -> str | None:
    """The id of the event that a refund is a copy of."""
    note = str(refund["note"] or "").strip()
    return note.removeprefix(MARK).split()[0] if note.startswith(MARK) else None


def shipments(order: Data) -> dict[str, Shipment]:
    """By tracking number, those that stand."""
    found: dict[str, Shipment] = {}
    for one in order["fulfillments"]:
        info = next(iter(one["trackingInfo"]), None) or {}
        if one["status"] in ("CANCELLED", "ERROR", "FAILURE") or not info.get("number"):
            continue
        tracking = {name: info[name] for name in ("number", "company") if info.get(name)}
        shipment = found.setdefault(info["number"], Shipment(tracking))
        shipment.ids.append(one["id"])
        for item in one["fulfillmentLineItems"]["nodes"]:
            shipment.lines[legacy_id(item["lineItem"]["id"])] += item["quantity"] or 0
    return found


def tracking(wanted: Mapping[str, Any]) -> dict[str, str]:
    """What marks a shipment of ours in the shop."""
    found = {"number": str(wanted.get("tracking") or wanted["id"])}
    return {**found, "company": str(wanted["carrier"])} if wanted.get("carrier") else found


def _as_it_is(mark: str, held: Shipment) -> dict[str, Any]:
    return {"id": mark, "carrier": held.tracking.get("company"), "tracking": mark, "lines": ()}


def _fulfilment(wanted: Mapping[str, Any], held: Mapping[str, Shipment]) -> dict[str, Any] | None:
    mark = next((m for m in (wanted.get("tracking"), wanted["id"]) if m in held), None)
    if mark is None:
        return None
    found = {**wanted, "lines": _lines(wanted["lines"], held[mark].lines)}
    if "tracking" in wanted:
        found["tracking"] = mark if mark == wanted["tracking"] else None
    if "carrier" in wanted:
        found["carrier"] = held[mark].tracking.get("company")
    return found


def _lines(wanted: Sequence[Mapping[str, Any]], held: Mapping[str, int]) -> list[dict[str, Any]]:
    """In the order of what is wanted, then what else is there."""
    named = [str(one["line"]) for one in wanted]
    found = [{**one, "quantity": held[str(one["line"])]} for one in wanted if held.get(str(one["line"]))]
    return found + [{"line": line, "quantity": quantity} for line, quantity in held.items() if line not in named]


def _refund_of(refund: Data, wanted: Mapping[str, Any]) -> dict[str, Any]:
    money = refund["totalRefundedSet"]["shopMoney"]
    held: dict[str, int] = defaultdict(int)
    restocked: dict[str, bool] = {}
    for item in refund["refundLineItems"]["nodes"]:
        line = legacy_id(item["lineItem"]["id"])
        held[line] += item["quantity"]
        restocked[line] = item["restockType"] != "NO_RESTOCK"
    paid = amount(money["amount"])
    if wanted.get("settled") and Decimal(paid or 0) == 0:
        paid = wanted["amount"]  # the money went back elsewhere
    found = {**wanted, "amount": paid, "currency": money["currencyCode"]}
    lines = _lines(wanted.get("lines") or (), held)
    found["lines"] = [
        {**one, **({"restock": restocked[str(one["line"])]} if "restock" in one else {})} for one in lines
    ]
    return found
