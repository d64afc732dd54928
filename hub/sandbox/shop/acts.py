"""What happens to an order after it was placed: paid, sent, cancelled, refunded, edited."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hub.sandbox.shop import accounts
from hub.sandbox.shop.accounts import Document, Transaction
from hub.sandbox.shop.notices import Notices
from hub.sandbox.shop.orders import Orders
from hub.sandbox.shop.promises import Part, Promise
from hub.sandbox.shop.tables import cents, gid, shown, stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """Pieces of a line that are refunded; ``restock`` as REST writes it: cancel, return or no_restock."""

    line_id: int
    quantity: int
    restock: str = "no_restock"
    location_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """Who carries a parcel and under which number."""

    company: str | None = None
    number: str | None = None
    url: str | None = None


class Acts:
    """Each act is one transaction: document, promised pieces, levels and webhooks."""

    def __init__(self, orders: Orders, notices: Notices) -> None:
        self.orders = orders
        self.promises = orders.promises
        self.inventory = orders.promises.inventory
        self.notices = notices
        self.state = orders.state

    def _open(self, id: int) -> tuple[Document, list[Transaction]]:
        document = self.orders.get(id)
        if document is None:
            raise KeyError(id)
        return document, self.orders.transactions(id)

    # --- payments ---------------------------------------------------------------------------------

    def pay(self, id: int, at: datetime, amount: int | None = None, gateway: str | None = None) -> Document:
        """Take what is authorized, or receive money; ``amount`` in cents, without one all that is outstanding."""
        with self.state.transaction():
            document, transactions = self._open(id)
            due = cents(document["total_outstanding"])
            held = next((one for one in transactions if one["kind"] == "authorization"), None)
            kind = "capture" if held and accounts.authorized(transactions) else "sale"
            parent = held or next((one for one in transactions if one["status"] == "pending"), None)
            way = gateway or (parent["gateway"] if parent else "shopify_payments")
            more = {"parent_id": parent["id"] if parent else None}
            n, when = len(transactions), shown(stored(at))
            transactions.append(
                accounts.transaction(document, n, kind, way, due if amount is None else amount, when, **more)
            )
            document = self.orders.keep(document, transactions, at)
            self._tell("orders/paid" if document["financial_status"] == "paid" else None, document)
        return document

    # --- fulfilment -------------------------------------------------------------------------------

    def fulfil(self, id: int, parts: Sequence[Part], tracking: Tracking, at: datetime) -> Document:
        """Pieces leave one location in one parcel: the fulfilment as REST shows it."""
        with self.state.transaction():
            document, transactions = self._open(id)
            entry = _fulfillment(document, parts, tracking, shown(stored(at)))
            self.promises.fulfil(entry["id"], parts, stored(at))
            sent = {line["id"]: line["quantity"] for line in entry["line_items"]}
            changed = {
                **document,
                "line_items": [_sent(line, sent.get(line["id"], 0)) for line in document["line_items"]],
                "fulfillments": [*document["fulfillments"], entry],
            }
            document = self.orders.keep(changed, transactions, at)
            self._tell("orders/fulfilled" if document["fulfillment_status"] == "fulfilled" else None, document)
        return entry

    def take_back(self, order_id: int, fulfillment_id: int, at: datetime) -> Document:
        """Cancel a fulfilment: its pieces wait to be sent again."""

        def cancelled(entry: Document) -> Document:
            return {**entry, "status": "cancelled", "updated_at": shown(stored(at))}

        with self.state.transaction():
            document, transactions = self._open(order_id)
            back = {promise.line_id: -n for promise, n in self.promises.bring_back(fulfillment_id, stored(at))}
            lines = [_sent(line, back.get(line["id"], 0)) for line in document["line_items"]]
            entries = _with(document["fulfillments"], fulfillment_id, cancelled)
            document = self.orders.keep({**document, "line_items": lines, "fulfillments": entries}, transactions, at)
            self._tell(None, document)
        return next(one for one in document["fulfillments"] if one["id"] == fulfillment_id)

    def track(self, order_id: int, fulfillment_id: int, tracking: Tracking, at: datetime) -> Document:
        """Another carrier or number for a parcel."""
        with self.state.transaction():
            document, transactions = self._open(order_id)
            entries = _with(document["fulfillments"], fulfillment_id, lambda one: {**one, **_tracked(tracking)})
            document = self.orders.keep({**document, "fulfillments": entries}, transactions, at)
            self._tell(None, document)
        return next(one for one in document["fulfillments"] if one["id"] == fulfillment_id)

    # --- refunds, cancellation, edits -------------------------------------------------------------

    def refund(
        self,
        id: int,
        lines: Sequence[Back],
        at: datetime,
        *,
        amount: int | Sequence[tuple[Transaction, int]] | None = None,
        shipping: int = 0,
        note: str | None = None,
    ) -> Document:
        """Pay back: the refund as REST shows it.

        ``amount`` in cents, or given for each payment; without one what the pieces and the shipping cost.
        """
        with self.state.transaction():
            document, transactions = self._open(id)
            document, entry = self._taken_off(document, lines, shipping, note, at)
            due = sum(cents(one["subtotal"]) for one in entry["refund_line_items"]) + shipping
            wanted = min(due, accounts.refundable_cents(transactions)) if amount is None else amount
            paid = accounts.shares(transactions, wanted) if isinstance(wanted, int) else wanted
            document, transactions = _paid_back(document, transactions, entry["id"], paid, shown(stored(at)))
            document = self.orders.keep(document, transactions, at)
            told: Document = document["refunds"][-1]
            self.notices.send("refunds/create", told)
            self._tell(None, document)
        return told

    def cancel(
        self, id: int, at: datetime, *, reason: str = "customer", restock: bool = True, refund: bool = True,
        note: str | None = None, quiet: bool = False,
    ) -> Document:  # fmt: skip
        """Cancel an order and put its pieces back; cancelling it again changes nothing. ``KeyError``: no such order."""
        with self.state.transaction():
            document, transactions = self._open(id)
            if document["cancelled_at"] is not None:
                return document
            when = shown(stored(at))
            lines = _all_waiting(document, "cancel" if restock else "no_restock")
            shipping = accounts.shipping_cents(document) - accounts.shipping_back_cents(document) if refund else 0
            document, entry = self._taken_off(document, lines, shipping, note, at)
            amount = accounts.refundable_cents(transactions) if refund else 0
            paid = accounts.shares(transactions, amount)
            document, transactions = _paid_back(document, transactions, entry["id"], paid, when)
            if accounts.authorized(transactions):
                transactions = [*transactions, _void(document, transactions, when)]
            document = {**document, "cancelled_at": when, "closed_at": when, "cancel_reason": reason}
            document = self.orders.keep(document, transactions, at)
            if not quiet:
                self.notices.send("orders/cancelled", document)
        return document

    def edit(self, id: int, line_id: int, quantity: int, at: datetime) -> Document:
        """A person sets how many pieces of a line are left; fewer are taken off as Shopify does, as a refund
        without money, more are promised as new ones are.
        """
        with self.state.transaction():
            document, transactions = self._open(id)
            line = next(one for one in document["line_items"] if one["id"] == line_id)
            delta = quantity - line["current_quantity"]
            if delta < 0:
                document, _ = self._taken_off(
                    document, [Back(line_id=line_id, quantity=-delta, restock="cancel")], 0, None, at
                )
            elif delta > 0:
                item = next(promise for promise in self.promises.of(id) if promise.line_id == line_id).item_id
                self.promises.make(id, line_id, item, delta, stored(at))
                document = accounts.grown(document, line_id, delta)
            document = self.orders.keep(document, transactions, at)
            self.notices.send("orders/edited", _edit(document, line_id, delta, shown(stored(at))))
            self._tell(None, document)
        return document

    def _taken_off(
        self, document: Document, lines: Sequence[Back], shipping: int, note: str | None, at: datetime
    ) -> tuple[Document, Document]:
        """The document with a refund entry for ``lines``, their pieces being where ``restock`` says."""
        held = {line["id"]: line for line in document["line_items"]}
        refund_id = accounts.refund(document, "", None, [], 0)["id"]
        entries: list[Document] = []
        for back in lines:
            line = held[back.line_id]
            place, unsent = self._move(document["id"], line, back, at)
            entries.append(accounts.refund_line(refund_id, len(entries), line, back.quantity, back.restock, place))
            held[back.line_id] = _less(line, back.quantity, unsent)
        entry = accounts.refund(document, shown(stored(at)), note, entries, shipping)
        return {**document, "line_items": [*held.values()], "refunds": [*document["refunds"], entry]}, entry

    def _move(self, order: int, line: Document, back: Back, at: datetime) -> tuple[int | None, int]:
        """Where the pieces are put, and how many of them had not been sent: those lose their promise."""
        unsent = min(back.quantity, line["fulfillable_quantity"]) if back.restock != "return" else 0
        parts = self.promises.pick(order, back.line_id, unsent, back.location_id)
        self.promises.cancel(parts, stored(at), restock=back.restock == "cancel")
        if back.restock == "return" and back.location_id:
            promise = next(one for one in self.promises.of(order) if one.line_id == back.line_id)
            piece = replace(promise.piece(back.quantity), location_id=back.location_id)
            self.inventory.receive([piece], stored(at))
            return back.location_id, 0
        return (parts[0][0].location_id if parts and back.restock == "cancel" else None), unsent

    def _tell(self, topic: str | None, document: Document) -> None:
        """The special word for what happened, then ``orders/updated``, which every change sends."""
        if topic:
            self.notices.send(topic, document)
        self.notices.send("orders/updated", document)


def parts_of(promises: Sequence[Promise]) -> list[Part]:
    """All that has not been sent."""
    return [(promise, promise.remaining) for promise in promises if promise.remaining > 0]


def _all_waiting(document: Document, restock: str) -> list[Back]:
    waiting = {line["id"]: line["fulfillable_quantity"] for line in document["line_items"]}
    return [Back(line_id=id, quantity=n, restock=restock) for id, n in waiting.items() if n > 0]


def _with(entries: Sequence[Document], id: int, change: Callable[[Document], Document]) -> list[Document]:
    return [change(one) if one["id"] == id else one for one in entries]


def _sent(line: Document, quantity: int) -> Document:
    """A line after ``quantity`` of its pieces left; negative: they came back before they were delivered."""
    if quantity == 0:
        return line
    waiting = line["fulfillable_quantity"] - quantity
    gone = line["current_quantity"] - waiting
    status = None if gone <= 0 else "fulfilled" if waiting == 0 else "partial"
    return {**line, "fulfillable_quantity": waiting, "fulfillment_status": status}


def _less(line: Document, quantity: int, unsent: int) -> Document:
    current, waiting = line["current_quantity"] - quantity, line["fulfillable_quantity"] - unsent
    return {**line, "current_quantity": current, "fulfillable_quantity": waiting}


def _fulfillment(document: Document, parts: Sequence[Part], tracking: Tracking, at: str) -> Document:
    n = len(document["fulfillments"])
    id = document["id"] + 501 + 2 * n
    pieces: dict[int, int] = {}
    for promise, quantity in parts:
        pieces[promise.line_id] = pieces.get(promise.line_id, 0) + quantity
    lines = [{**line, "quantity": pieces[line["id"]]} for line in document["line_items"] if line["id"] in pieces]
    return {
        "id": id,
        "admin_graphql_api_id": gid("Fulfillment", id),
        "order_id": document["id"],
        "name": f"{document['name']}.{n + 1}",
        "status": "success",
        "service": "manual",
        "shipment_status": None,
        "location_id": parts[0][0].location_id,
        "created_at": at,
        "updated_at": at,
        **_tracked(tracking),
        "line_items": lines,
        "receipt": {},
    }


def _tracked(tracking: Tracking) -> Mapping[str, Any]:
    return {
        "tracking_company": tracking.company,
        "tracking_number": tracking.number,
        "tracking_numbers": [tracking.number] if tracking.number else [],
        "tracking_url": tracking.url,
        "tracking_urls": [tracking.url] if tracking.url else [],
    }


def _paid_back(
    document: Document,
    transactions: Sequence[Transaction],
    refund_id: int,
    paid: Sequence[tuple[Transaction, int]],
    at: str,
) -> tuple[Document, list[Transaction]]:
    """Order and payments after money went back over ``paid``: (payment, cents)."""
    new = [
        accounts.transaction(
            document, len(transactions) + n, "refund", payment["gateway"], amount, at, parent_id=payment["id"]
        )
        for n, (payment, amount) in enumerate(paid)
    ]
    refunds = _with(document["refunds"], refund_id, lambda one: {**one, "transactions": new})
    return {**document, "refunds": refunds}, [*transactions, *new]


def _void(document: Document, transactions: Sequence[Transaction], at: str) -> Transaction:
    held = next(one for one in transactions if one["kind"] == "authorization")
    n, amount = len(transactions), accounts.authorized(transactions)
    return accounts.transaction(document, n, "void", held["gateway"], amount, at, parent_id=held["id"])


def _edit(document: Document, line_id: int, delta: int, at: str) -> Document:
    """What ``orders/edited`` tells: https://shopify.dev/docs/api/admin-rest/2026-04/resources/webhook."""
    entry = [{"id": line_id, "delta": abs(delta)}]
    return {
        "order_edit": {
            "id": document["id"] + 801,
            "order_id": document["id"],
            "created_at": at,
            "committed_at": at,
            "notify_customer": False,
            "reason": None,
            "staff_note": None,
            "user_id": None,
            "app_id": None,
            "line_items": {"additions": entry if delta > 0 else [], "removals": entry if delta < 0 else []},
            "discounts": {"line_item": {"additions": [], "removals": []}},
            "shipping_lines": {"additions": [], "removals": []},
        }
    }
