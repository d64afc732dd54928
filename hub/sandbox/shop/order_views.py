"""Orders, fulfilment orders, fulfilments, refunds and payments as GraphQL objects, from the documents of REST."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.sandbox.shop import accounts
from hub.sandbox.shop.accounts import Document, Transaction
from hub.sandbox.shop.documents import price_set
from hub.sandbox.shop.order_parts import OrderParts, bag, bag_of, country, utc
from hub.sandbox.shop.pages import View, connection
from hub.sandbox.shop.promises import FIRST_LINE, Promise
from hub.sandbox.shop.tables import cents, gid

if TYPE_CHECKING:
    from hub.sandbox.shop.shop import Shop

Rows = list[tuple[tuple[int], View]]


class OrderViews:
    """``location`` and ``variant`` make the views of what an order mentions."""

    def __init__(
        self, shop: Shop, location: Callable[[int | None], View | None], variant: Callable[[int], View | None]
    ) -> None:
        self.shop = shop
        self.parts = OrderParts(variant, self.shop.catalog)
        self._location = location
        self._variant = variant

    def by_id(self, id: int) -> View | None:
        document = self.shop.orders.get(id)
        return self.order(document) if document else None

    def order(self, document: Document) -> View:
        def transactions() -> list[Transaction]:
            return self.shop.orders.transactions(document["id"])

        return {
            **self._head(document),
            **self._money(document, transactions),
            "shippingAddress": _address(document, "shipping_address"),
            "billingAddress": _address(document, "billing_address"),
            "retailLocation": None,
            "lineItems": lambda info, first=None, after=None: connection(self._lines(document), first, after),
            "shippingLines": lambda info, first=None, after=None: connection(self._shipping(document), first, after),
            "fulfillmentOrders": lambda info, first=None, after=None: connection(self._groups(document), first, after),
            "fulfillments": lambda info, first=None: [
                self.fulfillment(document, one) for one in document["fulfillments"][:first]
            ],
            "refunds": lambda info, first=None: [self.refund(document, one) for one in document["refunds"][:first]],
            "transactions": lambda info, first=None: [self._transaction(one) for one in transactions()[:first]],
        }

    def _head(self, document: Document) -> View:
        return {
            "__typename": "Order",
            "id": document["admin_graphql_api_id"],
            "legacyResourceId": str(document["id"]),
            "name": document["name"],
            "number": document["number"],
            "createdAt": utc(document["created_at"]),
            "processedAt": utc(document["processed_at"]),
            "updatedAt": utc(document["updated_at"]),
            "cancelledAt": utc(document["cancelled_at"]),
            "cancelReason": document["cancel_reason"].upper() if document["cancelled_at"] else None,
            "closed": document["closed_at"] is not None,
            "closedAt": utc(document["closed_at"]),
            "currencyCode": document["currency"],
            "presentmentCurrencyCode": document["presentment_currency"],
            "displayFinancialStatus": document["financial_status"].upper(),
            "displayFulfillmentStatus": _displayed(document["fulfillment_status"]),
            "edited": any(not refund["transactions"] for refund in document["refunds"]),
            "discountCode": next((one["code"] for one in document["discount_codes"]), None),
            "discountCodes": [one["code"] for one in document["discount_codes"]],
            "tags": [tag for tag in document["tags"].split(", ") if tag],
            "paymentGatewayNames": document["payment_gateway_names"],
            "taxesIncluded": document["taxes_included"],
            "sourceName": document["source_name"],
            **{name: document[name] for name in ("email", "note", "test", "confirmed")},
        }

    def _money(self, document: Document, transactions: Callable[[], list[Transaction]]) -> View:
        def of(amount: Callable[[list[Transaction]], int]) -> Callable[[Any], View]:
            return lambda info: bag_of(amount(transactions()))

        due = cents(document["current_total_price"])
        return {
            "totalPriceSet": bag(document["total_price_set"]),
            "currentTotalPriceSet": bag_of(due),
            "subtotalPriceSet": bag(price_set(document["subtotal_price"])),
            "totalDiscountsSet": bag(price_set(document["total_discounts"])),
            "totalShippingPriceSet": bag(document["total_shipping_price_set"]),
            "totalTaxSet": bag(price_set(document["total_tax"])),
            "totalReceivedSet": of(accounts.received),
            "totalRefundedSet": of(accounts.given_back),
            "netPaymentSet": of(accounts.refundable_cents),
            "totalOutstandingSet": bag(price_set(document["total_outstanding"])),
            "fullyPaid": lambda info: accounts.received(transactions()) >= cents(document["total_price"]),
            "unpaid": lambda info: accounts.received(transactions()) == 0,
        }

    def _lines(self, document: Document) -> Rows:
        return [((line["id"],), self.parts.line(line)) for line in document["line_items"]]

    def _shipping(self, document: Document) -> Rows:
        return [((line["id"],), self.parts.shipping(line)) for line in document["shipping_lines"]]

    # --- fulfilment -------------------------------------------------------------------------------

    def _groups(self, document: Document) -> Rows:
        found: dict[int, list[Promise]] = {}
        for promise in self.shop.promises.of(document["id"]):
            found.setdefault(promise.fulfillment_order_id, []).append(promise)
        return [((id,), self.group(document, promises)) for id, promises in found.items()]

    def group_by_id(self, id: int) -> View | None:
        promises = self.shop.promises.group(id)
        document = self.shop.orders.get(promises[0].order_id) if promises else None
        return self.group(document, promises) if document else None

    def group(self, document: Document, promises: Sequence[Promise]) -> View:
        place = self._location(promises[0].location_id)
        return {
            "__typename": "FulfillmentOrder",
            "id": gid("FulfillmentOrder", promises[0].fulfillment_order_id),
            "status": _group_status(promises),
            "requestStatus": "UNSUBMITTED",
            "createdAt": utc(document["created_at"]),
            "updatedAt": max(promise.updated_at for promise in promises),
            "order": lambda info: self.order(document),
            "orderId": document["admin_graphql_api_id"],
            "orderName": document["name"],
            "assignedLocation": {"location": place, "name": place["name"] if place else ""},
            "lineItems": lambda info, first=None, after=None: connection(
                [((promise.id,), self._group_line(document, promise)) for promise in promises], first, after
            ),
            "fulfillments": lambda info, first=None, after=None: connection(
                [((one["id"],), self.fulfillment(document, one)) for one in self._of_group(document, promises)],
                first,
                after,
            ),
        }

    def _of_group(self, document: Document, promises: Sequence[Promise]) -> list[Document]:
        ids = {promise.id for promise in promises}
        entries: list[Document] = document["fulfillments"]
        return [one for one in entries if ids & {part.id for part, _ in self.shop.promises.fulfilled(one["id"])}]

    def _group_line(self, document: Document, promise: Promise) -> View:
        line = _line_of(document, promise.line_id)
        return {
            "__typename": "FulfillmentOrderLineItem",
            "id": gid("FulfillmentOrderLineItem", FIRST_LINE + promise.id),
            "inventoryItemId": gid("InventoryItem", promise.item_id),
            "lineItem": self.parts.line(line),
            "productTitle": line["title"],
            "remainingQuantity": promise.remaining,
            "totalQuantity": promise.total,
            "requiresShipping": line["requires_shipping"],
            "sku": line["sku"] or None,
            "variant": lambda info: self._variant(line["variant_id"]),
            "variantTitle": line["variant_title"],
            "vendor": line["vendor"],
        }

    def fulfillment_by_id(self, id: int) -> View | None:
        document = self.shop.orders.holding("fulfillments", id)
        return self.fulfillment(document, _entry(document["fulfillments"], id)) if document else None

    def fulfillment(self, document: Document, entry: Document) -> View:
        track = {"company": entry["tracking_company"], "number": entry["tracking_number"], "url": entry["tracking_url"]}
        return {
            "__typename": "Fulfillment",
            "id": entry["admin_graphql_api_id"],
            "legacyResourceId": str(entry["id"]),
            "name": entry["name"],
            "status": entry["status"].upper(),
            "displayStatus": "CANCELED" if entry["status"] == "cancelled" else "FULFILLED",
            "createdAt": utc(entry["created_at"]),
            "updatedAt": utc(entry["updated_at"]),
            "location": lambda info: self._location(entry["location_id"]),
            "order": lambda info: self.order(document),
            "totalQuantity": sum(line["quantity"] for line in entry["line_items"]),
            "trackingInfo": lambda info, first=None: [track] if any(track.values()) else [],
            "fulfillmentLineItems": lambda info, first=None, after=None: connection(
                [((line["id"],), self._sent_line(document, entry, line)) for line in entry["line_items"]], first, after
            ),
        }

    def _sent_line(self, document: Document, entry: Document, line: Document) -> View:
        whole = _line_of(document, line["id"])
        part = accounts.net_cents(whole) * line["quantity"] // whole["quantity"]
        return {
            "__typename": "FulfillmentLineItem",
            "id": gid("FulfillmentLineItem", entry["id"] * 16 + line["id"] % 16),
            "lineItem": self.parts.line(whole),
            "quantity": line["quantity"],
            "originalTotalSet": bag_of(cents(line["price"]) * line["quantity"]),
            "discountedTotalSet": bag_of(part),
        }

    # --- refunds and payments ---------------------------------------------------------------------

    def refund_by_id(self, id: int) -> View | None:
        document = self.shop.orders.holding("refunds", id)
        return self.refund(document, _entry(document["refunds"], id)) if document else None

    def refund(self, document: Document, entry: Document) -> View:
        return {
            "__typename": "Refund",
            "id": entry["admin_graphql_api_id"],
            "legacyResourceId": str(entry["id"]),
            "createdAt": utc(entry["created_at"]),
            "processedAt": utc(entry["processed_at"]),
            "updatedAt": utc(entry["processed_at"]),
            "note": entry["note"],
            "order": lambda info: self.order(document),
            "totalRefundedSet": bag_of(sum(cents(one["amount"]) for one in entry["transactions"])),
            "refundLineItems": lambda info, first=None, after=None: connection(
                [((one["id"],), self._refund_line(document, one)) for one in entry["refund_line_items"]], first, after
            ),
            "transactions": lambda info, first=None, after=None: connection(
                [((one["id"],), self._transaction(one)) for one in entry["transactions"]], first, after
            ),
            "orderAdjustments": lambda info, first=None, after=None: connection(
                [((one["id"],), self.parts.adjustment(one)) for one in entry["order_adjustments"]], first, after
            ),
        }

    def _refund_line(self, document: Document, entry: Document) -> View:
        return {
            "__typename": "RefundLineItem",
            "id": gid("RefundLineItem", entry["id"]),
            "lineItem": self.parts.line(_line_of(document, entry["line_item_id"])),
            "location": lambda info: self._location(entry["location_id"]) if entry["location_id"] else None,
            "quantity": entry["quantity"],
            "restockType": entry["restock_type"].upper(),
            "restocked": entry["restock_type"] in ("cancel", "return"),
            "priceSet": bag_of(cents(entry["subtotal"]) // entry["quantity"]),
            "subtotalSet": bag(entry["subtotal_set"]),
            "totalTaxSet": bag(entry["total_tax_set"]),
        }

    def _transaction(self, one: Transaction) -> View:
        return {
            "__typename": "OrderTransaction",
            "id": one["admin_graphql_api_id"],
            "kind": one["kind"].upper(),
            "status": one["status"].upper(),
            "gateway": one["gateway"],
            "formattedGateway": one["gateway"].replace("_", " ").title(),
            "amountSet": bag(price_set(one["amount"])),
            "createdAt": utc(one["created_at"]),
            "processedAt": utc(one["processed_at"]),
            "parentTransaction": lambda info: self._parent(one),
            "manuallyCapturable": one["kind"] == "authorization",
            "test": one["test"],
        }

    def _parent(self, one: Transaction) -> View | None:
        siblings = self.shop.orders.transactions(one["order_id"])
        return next((self._transaction(other) for other in siblings if other["id"] == one["parent_id"]), None)


def _displayed(status: str | None) -> str:
    return {"partial": "PARTIALLY_FULFILLED", "fulfilled": "FULFILLED"}.get(status or "", "UNFULFILLED")


def _group_status(promises: Sequence[Promise]) -> str:
    if any(promise.remaining for promise in promises):
        return "IN_PROGRESS" if any(promise.fulfilled for promise in promises) else "OPEN"
    return "CLOSED" if any(promise.fulfilled for promise in promises) else "CANCELLED"


def _line_of(document: Document, id: int) -> Document:
    return _entry(document["line_items"], id)


def _entry(entries: Sequence[Document], id: int) -> Document:
    return next(one for one in entries if one["id"] == id)


def _address(document: Document, name: str) -> View | None:
    found: Mapping[str, Any] | None = document.get(name)
    if not found:
        return None
    texts = {"firstName": "first_name", "lastName": "last_name", "countryCodeV2": "country_code"}
    same = {
        key: key for key in ("name", "company", "address1", "address2", "zip", "city", "province", "country", "phone")
    }
    view = {ours: found.get(theirs) for ours, theirs in (texts | same).items()}
    return {"id": gid("MailingAddress", document["id"]), **view, "countryCodeV2": country(found.get("country_code"))}
