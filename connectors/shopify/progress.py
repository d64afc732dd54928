"""What became of an order elsewhere, told to the shop: shipments, money paid back, the end of it.

Everything that the hub makes here bears a mark by which it is found again: a shipment its tracking
number (its own id where there is none), a refund the id of the event in its note.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.shopify import order_documents as documents
from connectors.shopify import progress_view as view
from connectors.shopify.admin import Admin
from connectors.shopify.answers import Data, gid, legacy_id
from connectors.shopify.changes import Changes
from connectors.shopify.refunds import refund_input
from hub.connector import Capability
from hub.errors import Reject, TryLater
from hub.model import Binding, Delivery, Done, Doubtful, Receipt, Reference, Rejected, Remote

FIELDS = frozenset({"cancelled", "fulfilments", "refunds"})
ORDERS = 10  # of one query
OPEN = ("OPEN", "IN_PROGRESS", "SCHEDULED", "INCOMPLETE")


class Progress:
    """The shop as a target of ``order``."""

    def __init__(self, admin: Admin) -> None:
        self.admin = admin

    def capability(self) -> Capability:
        """Shipments know no idempotency key: after a doubt the order is read back."""
        return Capability(batch_size=1, knows=("order", "location"), fields=FIELDS, read_back=timedelta(0))

    # --- reading ----------------------------------------------------------------------------------

    def find(self, references: Sequence[Reference]) -> dict[Reference, Remote]:
        """What of the hub's own the shop's orders hold."""
        ids = {one: id for one in references if (id := _order_id(one.by, one.bindings))}
        found: dict[str, Data] = {}
        asked = sorted(set(ids.values()))
        for start in range(0, len(asked), ORDERS):
            some = asked[start : start + ORDERS]
            cost = documents.PROGRESS_COST * len(some)
            answer = self.admin.graphql(documents.PROGRESS, {"ids": some}, cost=cost)
            found |= {node["id"]: node for node in answer["nodes"] if node}
        return {one: view.remote_of(found[id], one.value) for one, id in ids.items() if id in found}

    # --- writing ----------------------------------------------------------------------------------

    def write(self, deliveries: Sequence[Delivery]) -> Iterator[Receipt]:
        """One receipt for each; what fails after a first change is in doubt, what fails before it changed nothing."""
        for one in deliveries:
            changes = Changes(self.admin)
            try:
                yield self._write(one, changes)
            except Reject as error:
                yield Rejected(key=one.key, path=error.path, reason=error.reason)
            except TryLater as error:
                if not changes.made:
                    raise
                yield Doubtful(key=one.key, reason=str(error))

    def _write(self, one: Delivery, changes: Changes) -> Receipt:
        id = _order_id(one.value, one.bindings)
        held = self._order(id) if id else None
        if id is None or held is None:
            raise Reject("external_id", "the shop has no such order")
        self._fulfil(one, held, changes)
        self._refund(one, held, changes)
        if one.value.get("cancelled") and not held["cancelledAt"]:
            self._cancel(id, changes)
        return Done(key=one.key, remote=view.remote_of(self._order(id) or held, one.value))

    def _order(self, id: str) -> Data | None:
        (node,) = self.admin.graphql(documents.PROGRESS, {"ids": [id]}, cost=documents.PROGRESS_COST)["nodes"]
        found: Data | None = node
        return found

    def _fulfil(self, one: Delivery, held: Data, changes: Changes) -> None:
        shipments = view.shipments(held)
        for n, wanted in enumerate(one.value.get("fulfilments") or ()):
            marks = [mark for mark in (wanted.get("tracking"), wanted["id"]) if mark in shipments]
            if not marks:
                self._ship(held["id"], wanted, f"fulfilments[{n}]", changes)
            elif (tracking := view.tracking(wanted)) != shipments[marks[0]].tracking:
                for id in shipments[marks[0]].ids:
                    self._track(id, tracking, f"fulfilments[{n}]", changes)

    def _ship(self, order: str, wanted: Mapping[str, Any], path: str, changes: Changes) -> None:
        """A shipment for each place that the shop has the pieces at; all of them bear the same number."""
        for pieces in self._placed(order, wanted, path):
            changes.make(
                documents.FULFIL,
                {"fulfillment": {"lineItemsByFulfillmentOrder": pieces, "trackingInfo": view.tracking(wanted)}},
                payload="fulfillmentCreate",
                path=path,
                cost=documents.FULFIL_COST,
                again=False,
            )

    def _placed(self, order: str, wanted: Mapping[str, Any], path: str) -> list[list[dict[str, Any]]]:
        """The pieces of each line among what the shop still has to ship, by place."""
        answer = self.admin.graphql(documents.TO_FULFIL, {"id": order}, cost=documents.TO_FULFIL_COST)
        orders = [one for one in answer["order"]["fulfillmentOrders"]["nodes"] if one["status"] in OPEN]
        by_place: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        for n, line in enumerate(wanted["lines"]):
            left = int(line["quantity"])
            for there in orders:
                place = ((there["assignedLocation"] or {}).get("location") or {}).get("id", "")
                for item in there["lineItems"]["nodes"]:
                    taken = min(left, item["remainingQuantity"])
                    if legacy_id(item["lineItem"]["id"]) == str(line["line"]) and taken > 0:
                        by_place[place][there["id"]].append({"id": item["id"], "quantity": taken})
                        left -= taken
            if left:
                reason = f"the shop has {left} of {line['quantity']} pieces of line {line['line']} no longer to ship"
                raise Reject(f"{path}.lines[{n}].quantity", reason)
        return [
            [{"fulfillmentOrderId": id, "fulfillmentOrderLineItems": items} for id, items in parts.items()]
            for parts in by_place.values()
        ]

    def _track(self, id: str, tracking: Mapping[str, str], path: str, changes: Changes) -> None:
        changes.make(
            documents.TRACK,
            {"id": id, "tracking": tracking},
            payload="fulfillmentTrackingInfoUpdate",
            path=path,
            cost=documents.TRACK_COST,
        )

    def _refund(self, one: Delivery, held: Data, changes: Changes) -> None:
        """Each under a key of its own, so that no money goes back twice."""
        made = {mark for refund in held["refunds"] if (mark := view.mark_of(refund))}
        for n, wanted in enumerate(one.value.get("refunds") or ()):
            if wanted["id"] in made:
                continue
            context = self.admin.graphql(documents.TO_REFUND, {"id": held["id"]}, cost=documents.TO_REFUND_COST)
            sent = refund_input(held["id"], wanted, context["order"], one.known.get("location") or {}, f"refunds[{n}]")
            changes.make(
                documents.REFUND,
                {"input": sent, "key": f"{documents.MARK}{legacy_id(held['id'])}:{wanted['id']}"},
                payload="refundCreate",
                path=f"refunds[{n}]",
                cost=documents.REFUND_COST,
            )

    def _cancel(self, id: str, changes: Changes) -> None:
        changes.make(
            documents.CANCEL,
            {"id": id},
            payload="orderCancel",
            path="cancelled",
            cost=documents.CANCEL_COST,
            errors="orderCancelUserErrors",
            again=False,
        )


def _order_id(names: Mapping[str, Any], bindings: Mapping[str, Binding]) -> str | None:
    """The shop's id of an order, from what is bound or from the order's own word."""
    if bound := bindings.get("order"):
        return gid("Order", bound.external_id)
    return gid("Order", names["external_id"]) if names.get("external_id") else None
