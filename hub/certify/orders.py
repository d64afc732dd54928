"""Orders, parcels and money: each sale once in the ERP, each parcel and each refund once at the other side.

A case that a person was told of is none, but only one of something that is missing: what is there twice is there
twice, whatever else the hub says of the same order. Nor does it help to wait for what its source has said already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hub.certify import commerce_truth as truth
from hub.certify.generations import accepted
from hub.certify.stock_truth import shop_orders

if TYPE_CHECKING:
    from hub.certify.away import PutAway
    from hub.certify.played import Played

Case = tuple[str, str]  # lost or doubled, and the sentence
Found = tuple[str, str, str, str]  # that, with the order and with what of it the case is about
UNPAID = {"financial_status": "pending"}  # what nobody knows of, too
OURS = "omnihub:"  # begins the note of a refund that the hub brought into the shop


def cases(played: Played, away: PutAway, compared: Counter[str]) -> Iterator[Case]:
    """What is wrong with orders and what belongs to them."""
    orders = {f"SHOP-{order['order_number']}": order for order in shop_orders(played.connections)}
    returns = list(truth.erp(played.connections, "ReadReturns", "CustomerReturn"))
    shipments = list(truth.erp(played.connections, "ReadShipments", "Shipment"))
    wanted = truth.sales(played.connections)
    for kind, case, key, about in (
        *sales(played, orders, wanted, compared),
        *parcels(played, orders, shipments, compared),
        *returns_at_erp(played, orders, returns, compared),
        *refunds_in_shop(played, orders, returns, compared),
    ):
        unpaid = key in orders and key not in wanted
        if kind == "doubled" or not (unpaid or away.told(key, about)):
            yield kind, case


def sales(
    played: Played, orders: Mapping[str, dict[str, Any]], wanted: Mapping[str, dict[str, Any]], compared: Counter[str]
) -> Iterator[Found]:
    """Every sale of shop and tills is in the ERP once, with every line and cent, and no other is."""
    book = [row["reference"] for row in played.retailer.state.rows("SELECT reference FROM erp_sale")]
    booked: dict[str, dict[str, Any]] = {}
    for found in documents(played.connections, sorted({*wanted, *book})):
        document = found["Document"][0]
        key = document["CUSORDREF"]
        if key in booked:
            yield "doubled", f"the ERP has two documents of {key}", key, key
        booked[key] = {
            "total": Decimal(document["TOTAMT"]),
            "cancelled": found["ORDSTA"] == "9",
            "lines": [(n["ITMREF"].upper(), int(Decimal(n["QTY"])), Decimal(n["PRI"])) for n in document["Line"]],
        }
    for key, sale in wanted.items():
        compared["sales"] += 1
        if key not in booked:
            if not sale["cancelled"]:  # one that was cancelled before the ERP heard of it is nothing to tell
                yield "lost", f"the ERP does not have {key}", key, key
        elif booked[key] != sale:
            said = {name: (value, booked[key][name]) for name, value in sale.items() if booked[key][name] != value}
            yield "lost", f"{key} at its channel and in the ERP: {said}", key, key
    for key in sorted(booked.keys() - wanted.keys()):
        if not booked[key]["cancelled"] and orders.get(key, UNPAID)["financial_status"] == "pending":
            yield "doubled", f"the ERP has {key}, for which nobody has paid", key, key


def documents(connections: truth.Connections, references: list[str]) -> Iterator[dict[str, Any]]:
    """The ERP's documents of these references."""
    for start in range(0, len(references), 50):
        wanted = references[start : start + 50]
        asked = "".join(f"<t:Reference><t:CUSORDREF>{r}</t:CUSORDREF></t:Reference>" for r in wanted)
        page = truth.erp_call(connections, f"<t:ReadSalesDocuments>{asked}</t:ReadSalesDocuments>")
        yield from (truth.cells(e) for e in page.iter(f"{{{truth.NAMESPACE}}}SalesDocument"))


def parcels(
    played: Played, orders: Mapping[str, dict[str, Any]], shipments: list[dict[str, Any]], compared: Counter[str]
) -> Iterator[Found]:
    """Every parcel that the ERP sent is told to the shop once, by its tracking number, and no other is told."""
    for shipment in shipments:
        key = shipment["CUSORDREF"]
        if key not in orders:
            continue
        compared["parcels"] += 1
        there = [f for f in orders[key]["fulfillments"] if f["status"] != "cancelled"]
        times = sum(1 for f in there if f["tracking_number"] == shipment["TRACK"])
        if times != 1:
            kind = "doubled" if times else "lost"
            said = f"the shop knows {times} times of parcel {shipment['TRACK']} of {key}"
            yield kind, said, key, shipment["SDHNUM"]
    sent = {shipment["TRACK"] for shipment in shipments}
    for call in accepted(played.retailer.ledger.writes("shop")):
        if call.operation == "fulfillmentCreate":
            track = call.detail["variables"]["fulfillment"]["trackingInfo"]["number"]
            if track not in sent:
                yield "doubled", f"the shop was told of parcel {track}, which nobody sent", "", track


def returns_at_erp(
    played: Played, orders: Mapping[str, dict[str, Any]], returns: list[dict[str, Any]], compared: Counter[str]
) -> Iterator[Found]:
    """What the shop refunded and the tills took back is in the ERP once, by the id that its origin gave it."""
    known = Counter(row["RETREF"] for row in returns if row.get("RETREF"))
    wanted = [*shop_refunds(orders), *till_returns(played.connections)]
    for id, key in wanted:
        compared["returns"] += 1
        if known[id] != 1:
            kind = "doubled" if known[id] else "lost"
            yield kind, f"the ERP knows {known[id]} times of the return {id} of {key}", key, id
    told = {id for id, _ in wanted}
    for row in returns:
        if row.get("RETREF") and row["RETREF"] not in told:
            yield "doubled", f"the ERP has a return {row['RETREF']} that nobody made", row["CUSORDREF"], row["RETREF"]


def shop_refunds(orders: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """(id, order) of what the shop itself refunded: goods that came back, or money."""
    for key, order in orders.items():
        for refund in order["refunds"]:
            lines = refund["refund_line_items"]
            never_left = bool(lines) and all(line["restock_type"] == "cancel" for line in lines)
            if not str(refund["note"] or "").startswith(OURS) and not never_left and not order["cancelled_at"]:
                yield f"SHOP-R{refund['id']}", key


def till_returns(connections: truth.Connections) -> Iterator[tuple[str, str]]:
    """(id, order) of what a till took back, of a ticket or of an order of the shop."""
    for order in truth.till_orders(connections, [p["id"] for p in truth.square(connections, "locations")["locations"]]):
        if order.get("returns") and order["state"] == "COMPLETED":
            yield f"TILLS-R{order['id']}", str((order.get("metadata") or {}).get("original_order") or "")


def refunds_in_shop(
    played: Played, orders: Mapping[str, dict[str, Any]], returns: list[dict[str, Any]], compared: Counter[str]
) -> Iterator[Found]:
    """What tills and ERP took back of an order of the shop is noted there once, and no money goes back twice."""
    theirs = [(id, key) for id, key in till_returns(played.connections) if key in orders]
    theirs += [(f"ERP-{r['RETNUM']}", r["CUSORDREF"]) for r in returns if not r.get("RETREF")]
    noted = {key: Counter(ours(order)) for key, order in orders.items()}
    for id, key in theirs:
        if key not in orders:
            continue
        compared["refunds"] += 1
        times = noted[key][id]
        if times != 1:
            kind = "doubled" if times else "lost"
            yield kind, f"the shop knows {times} times of the return {id} of {key}", key, id
    for key, ids in noted.items():
        for id in ids:
            if (id, key) not in theirs:
                yield "doubled", f"the shop has a refund of {key} for the return {id}, which nobody made", key, id
    for key, order in orders.items():
        paid = [Decimal(t["amount"]) for r in order["refunds"] for t in r["transactions"] if t["status"] == "success"]
        if sum(paid) > Decimal(order["total_price"]):
            yield "doubled", f"{sum(paid)} went back for {key}, which cost {order['total_price']}", key, key


def ours(order: Mapping[str, Any]) -> Iterator[str]:
    """The returns for which the hub has brought a refund into the shop."""
    for refund in order["refunds"]:
        note = str(refund["note"] or "")
        if note.startswith(OURS):
            yield note.removeprefix(OURS).split()[0]
