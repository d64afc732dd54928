"""The mutations on orders: fulfilments, refunds, cancellation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.sandbox.shop import accounts
from hub.sandbox.shop.accounts import Document, Transaction
from hub.sandbox.shop.acts import Back, Tracking
from hub.sandbox.shop.idempotency import Keys
from hub.sandbox.shop.outcomes import Error, Input, error
from hub.sandbox.shop.pages import View
from hub.sandbox.shop.promises import FIRST_LINE, Part
from hub.sandbox.shop.quantities import MESSAGES
from hub.sandbox.shop.requests import idempotency_key, told
from hub.sandbox.shop.tables import cents, legacy_id
from hub.sandbox.shop.views import Views
from hub.sandbox.web import Note

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from hub.sandbox.shop.shop import Shop

    Info = GraphQLResolveInfo[Any]


class OrderMutations:
    """Resolvers by the names of the root fields."""

    def __init__(self, shop: Shop, views: Views, note: Note) -> None:
        self._shop = shop
        self._views = views
        self._note = note

    # --- fulfilments ------------------------------------------------------------------------------

    def fulfillment_create(self, info: Info, fulfillment: Input, message: str | None = None) -> View:
        """One parcel from one location; every line must still be waiting for that many pieces."""
        parts: list[Part] = []
        errors = list(self._parts(fulfillment["lineItemsByFulfillmentOrder"], parts))
        if len({(promise.order_id, promise.location_id) for promise, _ in parts}) > 1:
            text = "All fulfillment orders must be of one order and assigned to the same location."
            errors.append(error(text, ["fulfillment", "lineItemsByFulfillmentOrder"]))
        self._note.summary = told("fulfilment", errors)
        if errors or not parts:
            return {"fulfillment": None, "userErrors": errors or [error("Nothing to fulfill", ["fulfillment"])]}
        entry = self._shop.acts.fulfil(parts[0][0].order_id, parts, _tracking(fulfillment), self._shop.clock.now())
        return {"fulfillment": self._views.orders.fulfillment_by_id(entry["id"]), "userErrors": []}

    def _parts(self, groups: Sequence[Input], parts: list[Part]) -> Iterator[Error]:
        for n, group in enumerate(groups):
            field = ["fulfillment", "lineItemsByFulfillmentOrder", str(n)]
            promises = self._shop.promises.group(legacy_id(group["fulfillmentOrderId"], "FulfillmentOrder") or 0)
            waiting = {FIRST_LINE + promise.id: promise for promise in promises if promise.remaining > 0}
            if not promises:
                yield error("Fulfillment order does not exist.", [*field, "fulfillmentOrderId"])
            elif not waiting:
                yield error("Fulfillment order is not in a fulfillable state.", [*field, "fulfillmentOrderId"])
            elif not group.get("fulfillmentOrderLineItems"):
                parts += [(promise, promise.remaining) for promise in waiting.values()]
            for m, line in enumerate(group.get("fulfillmentOrderLineItems") or [] if waiting else []):
                promise = waiting.get(legacy_id(line["id"], "FulfillmentOrderLineItem") or 0)
                if promise is None or not 0 < line["quantity"] <= promise.remaining:
                    text = "Invalid fulfillment order line item quantity requested."
                    yield error(text, [*field, "fulfillmentOrderLineItems", str(m), "quantity"])
                else:
                    parts.append((promise, line["quantity"]))

    def fulfillment_cancel(self, info: Info, id: str) -> View:
        number = legacy_id(id, "Fulfillment") or 0
        document = self._shop.orders.holding("fulfillments", number)
        entry = next((one for one in document["fulfillments"] if one["id"] == number), None) if document else None
        if document is None or entry is None or entry["status"] == "cancelled":
            text = "Fulfillment does not exist." if entry is None else "Fulfillment is cancelled already."
            return {"fulfillment": None, "userErrors": [error(text, ["id"])]}
        self._shop.acts.take_back(document["id"], number, self._shop.clock.now())
        return {"fulfillment": self._views.orders.fulfillment_by_id(number), "userErrors": []}

    def fulfillment_tracking_info_update(
        self, info: Info, fulfillmentId: str, trackingInfoInput: Input, notifyCustomer: bool | None = None
    ) -> View:
        number = legacy_id(fulfillmentId, "Fulfillment") or 0
        document = self._shop.orders.holding("fulfillments", number)
        if document is None:
            return {"fulfillment": None, "userErrors": [error("Fulfillment does not exist.", ["fulfillmentId"])]}
        tracking = _tracking({"trackingInfo": trackingInfoInput})
        self._shop.acts.track(document["id"], number, tracking, self._shop.clock.now())
        return {"fulfillment": self._views.orders.fulfillment_by_id(number), "userErrors": []}

    # --- refunds ----------------------------------------------------------------------------------

    def refund_create(self, info: Info, input: Input) -> View:
        """Once per idempotency key; money moves only along the transactions that are named."""
        key = idempotency_key(info)
        self._note.idempotency_key = key
        keys = Keys(self._shop.state, self._shop.clock)
        earlier = keys.earlier(key, input)
        if earlier is not None:
            errors = [error(MESSAGES[earlier.error], None)] if earlier.error else []
            return self._refunded(input, earlier.made, errors)
        made, errors = self._refund(input)
        keys.remember(key, input, made, failed=bool(errors))
        self._note.summary = told("refund", errors)
        return self._refunded(input, made, errors)

    def _refunded(self, input: Input, made: int | None, errors: Sequence[Error]) -> View:
        order = self._views.orders.by_id(legacy_id(input["orderId"], "Order") or 0)
        return {
            "order": order,
            "refund": self._views.orders.refund_by_id(made) if made else None,
            "userErrors": list(errors),
        }

    def _refund(self, input: Input) -> tuple[int | None, list[Error]]:
        document = self._shop.orders.get(legacy_id(input["orderId"], "Order") or 0)
        if document is None:
            return None, [error("Order does not exist", ["orderId"])]
        backs = [_back(entry) for entry in input.get("refundLineItems") or []]
        transactions = self._shop.orders.transactions(document["id"])
        shipping, paid = _shipping(document, input), list(_paid(transactions, input))
        errors = [*self._line_errors(document, backs), *_money_errors(document, transactions, input, shipping)]
        if not backs and not paid and not shipping:
            errors.append(error("Refund must have line items, shipping or transactions", None))
        if errors:
            return None, errors
        at, note = self._shop.clock.now(), input.get("note")
        entry = self._shop.acts.refund(document["id"], backs, at, amount=paid, shipping=shipping, note=note)
        return int(entry["id"]), []

    def _line_errors(self, document: Document, backs: Sequence[Back]) -> Iterator[Error]:
        lines = {line["id"]: line for line in document["line_items"]}
        for n, back in enumerate(backs):
            field, line = ["refundLineItems", str(n)], lines.get(back.line_id)
            if line is None:
                yield error("Line item does not exist", [*field, "lineItemId"])
            elif not 0 < back.quantity <= line["current_quantity"]:
                yield error("Quantity cannot refund more items than were purchased", [*field, "quantity"])
            elif back.restock == "cancel" and back.quantity > line["fulfillable_quantity"]:
                yield error("Quantity cannot cancel more items than are unfulfilled", [*field, "restockType"])
            elif back.restock == "return" and back.quantity > line["current_quantity"] - line["fulfillable_quantity"]:
                yield error("Quantity cannot return more items than were fulfilled", [*field, "restockType"])
            elif back.restock == "return" and self._views.location(back.location_id or 0) is None:
                yield error("Location is required to restock returned items", [*field, "locationId"])

    # --- cancellation -----------------------------------------------------------------------------

    def order_cancel(
        self,
        info: Info,
        orderId: str,
        reason: str,
        restock: bool,
        refund: bool | None = None,
        refundMethod: Input | None = None,
        notifyCustomer: bool | None = None,
        staffNote: str | None = None,
    ) -> View:
        """Shopify does it in a job; here it is over when the answer leaves."""
        id = legacy_id(orderId, "Order") or 0
        errors = _cancel_errors(self._shop.orders.get(id))
        self._note.summary = told("cancellation", errors)
        if errors:
            return {"job": None, "orderCancelUserErrors": errors}
        pay_back = bool(refund or (refundMethod or {}).get("originalPaymentMethodsRefund"))
        at = self._shop.clock.now()
        self._shop.acts.cancel(id, at, reason=reason.lower(), restock=restock, refund=pay_back, note=staffNote)
        return {"job": {"id": f"gid://shopify/Job/{id}", "done": False}, "orderCancelUserErrors": []}


def _tracking(fulfillment: Input) -> Tracking:
    given = fulfillment.get("trackingInfo") or {}
    number = given.get("number") or next(iter(given.get("numbers") or []), None)
    url = given.get("url") or next(iter(given.get("urls") or []), None)
    return Tracking(company=given.get("company"), number=number, url=url)


def _back(entry: Input) -> Back:
    return Back(
        line_id=legacy_id(entry["lineItemId"], "LineItem") or 0,
        quantity=entry["quantity"],
        restock=(entry.get("restockType") or "NO_RESTOCK").lower(),
        location_id=legacy_id(entry.get("locationId") or "", "Location"),
    )


def _shipping(document: Document, input: Input) -> int:
    given = input.get("shipping") or {}
    if given.get("fullRefund"):
        return accounts.shipping_cents(document) - accounts.shipping_back_cents(document)
    return cents(given["amount"]) if given.get("amount") else 0


def _paid(transactions: Sequence[Transaction], input: Input) -> Iterator[tuple[Transaction, int]]:
    """The payments that give money back; one whose parent is not named goes to the first of its gateway."""
    for entry in input.get("transactions") or []:
        parent = legacy_id(entry.get("parentId") or "", "OrderTransaction")
        for payment in transactions:
            if payment["kind"] in accounts.CLOSED_KINDS and (
                payment["id"] == parent or (parent is None and payment["gateway"] == entry["gateway"])
            ):
                yield payment, cents(entry["amount"])
                break


def _money_errors(
    document: Document, transactions: Sequence[Transaction], input: Input, shipping: int
) -> Iterator[Error]:
    wanted: list[Mapping[str, Any]] = list(input.get("transactions") or [])
    if any(entry["kind"] != "REFUND" for entry in wanted):
        yield error("Transactions must be of kind refund", ["transactions"])
    elif len(list(_paid(transactions, input))) < len(wanted):
        yield error("Parent transaction does not exist", ["transactions", "parentId"])
    elif not input.get("allowOverRefunding") and sum(cents(entry["amount"]) for entry in wanted) > (
        accounts.refundable_cents(transactions)
    ):
        yield error("Refund amount cannot be more than the amount that is left to refund", ["transactions"])
    if shipping > accounts.shipping_cents(document) - accounts.shipping_back_cents(document):
        yield error("Shipping amount is more than what is refundable", ["shipping", "amount"])


def _cancel_errors(document: Document | None) -> list[Error]:
    if document is None:
        return [error("Order does not exist", ["orderId"], "NOT_FOUND")]
    if document["cancelled_at"]:
        return [error("Order has already been cancelled", ["orderId"], "INVALID")]
    if any(entry["status"] == "success" for entry in document["fulfillments"]):
        return [error("Cannot cancel an order that has fulfilled items", ["orderId"], "INVALID")]
    return []
