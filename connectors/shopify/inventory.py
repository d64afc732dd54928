"""Setting stock in the shop: by GraphQL with compare-and-set and key, or by REST one level a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.shopify import documents
from connectors.shopify.admin import Admin, Data
from connectors.shopify.answers import legacy_id
from connectors.shopify.holdings import Holdings, level_of, missing_id
from connectors.shopify.options import Options
from hub.connector import Capability
from hub.errors import HubError, StopRun, TryLater, Unknown
from hub.model import Binding, Conflict, Delivery, Done, Doubtful, Postponed, Receipt, Reference, Rejected, Remote
from hub.transport.effects import Effect
from hub.transport.outcomes import detail

AT_ONCE = 250  # https://shopify.dev/docs/api/admin-graphql/2026-04/input-objects/InventorySetQuantitiesInput
KEY_LIVES = timedelta(hours=24)
AT_ONCE_TRUE = timedelta(0)

STALE = {"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"}
FAILED_BEFORE = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
STILL_RUNNING = "IDEMPOTENCY_CONCURRENT_REQUEST"


class Inventory:
    """The shop as a target of ``stock_level``; ``{"quantity": n}`` is what is available at a location."""

    def __init__(self, admin: Admin, holdings: Holdings, options: Options) -> None:
        self.admin = admin
        self.holdings = holdings
        self.options = options

    def capability(self) -> Capability:
        """With ``auto`` no key is promised, since some calls go by REST, which has none."""
        by_rest = self.options.api == "rest"
        return Capability(
            batch_size=1 if by_rest else AT_ONCE,
            binds=("sku", "location"),
            compare_and_set=not by_rest,
            idempotency=KEY_LIVES if self.options.api == "graphql" else None,
            read_back=AT_ONCE_TRUE,
        )

    def write(self, deliveries: Sequence[Delivery], key: str) -> Iterator[Receipt]:
        """A receipt for each, in order."""
        unbound = {one.key: missing for one in deliveries if (missing := missing_id(one))}
        bound = [one for one in deliveries if one.key not in unbound]
        receipts: dict[str, Receipt] = {
            name: Rejected(key=name, path=f"bindings.{missing}", reason=f"the shop's {missing} is not known")
            for name, missing in unbound.items()
        }
        if bound:
            sent = self._by_rest(bound) if self._prefers_rest(bound) else self._by_graphql(bound, key)
            receipts.update((receipt.key, receipt) for receipt in sent)
        yield from (receipts[one.key] for one in deliveries)

    def _prefers_rest(self, deliveries: Sequence[Delivery]) -> bool:
        """Where nothing can be compared, REST loses nothing; for a few it spares the mutation's overhead."""
        if self.options.api != "auto":
            return self.options.api == "rest"
        return len(deliveries) <= self.options.rest_up_to and not any(one.previous for one in deliveries)

    def _by_graphql(self, deliveries: Sequence[Delivery], key: str) -> Sequence[Receipt]:
        """All or nothing: where one is refused, the others are postponed."""
        answer = self.admin.graphql(
            documents.SET_QUANTITIES,
            {"input": self._input(deliveries), "key": key},
            cost=documents.SET_QUANTITIES_COST,
            effect=Effect.KEYED,
            inspect=self._not_still_running,
        )
        errors = answer["inventorySetQuantities"]["userErrors"]
        if not errors:
            return [Done(key=one.key, remote=level_of(one.value["quantity"])) for one in deliveries]
        return self._refusals(deliveries, errors)

    def _input(self, deliveries: Sequence[Delivery]) -> Data:
        quantities = [
            {
                "inventoryItemId": one.bindings["sku"].external_id,
                "locationId": one.bindings["location"].external_id,
                "quantity": one.value["quantity"],
                "changeFromQuantity": (one.previous or {}).get("quantity"),
            }
            for one in deliveries
        ]
        return {"name": "available", "reason": self.options.reason, "quantities": quantities}

    def _not_still_running(self, data: Data) -> None:
        if STILL_RUNNING in {error["code"] for error in data["inventorySetQuantities"]["userErrors"]}:
            raise Unknown(f"{self.admin.system} is still carrying out the same request")

    def _refusals(self, deliveries: Sequence[Delivery], errors: Sequence[Mapping[str, Any]]) -> Sequence[Receipt]:
        """Each error names its position in ``input.quantities``; what names none is about the whole call."""
        found: dict[int, Mapping[str, Any]] = {}
        for error in errors:
            path = error.get("field") or []
            if len(path) > 2 and path[1] == "quantities" and path[2].isdigit():
                found.setdefault(int(path[2]), error)
            elif error.get("code") == FAILED_BEFORE:
                return [Postponed(key=one.key) for one in deliveries]
            else:
                raise StopRun(f"{self.admin.system} refuses to set stock: {error.get('message')} ({error.get('code')})")
        stale = [one for n, one in enumerate(deliveries) if n in found and found[n].get("code") in STALE]
        held = self._held_now(stale)
        return [_refusal(one, found.get(n), held) for n, one in enumerate(deliveries)]

    def _held_now(self, deliveries: Sequence[Delivery]) -> Mapping[str, Remote]:
        """What the shop holds for these, as far as it can be read at once."""
        references = [Reference(key=one.key, bindings=one.bindings) for one in deliveries]
        try:
            return {reference.key: remote for reference, remote in self.holdings.levels(references).items()}
        except HubError:
            return {}

    def _by_rest(self, deliveries: Sequence[Delivery]) -> Iterator[Receipt]:
        """One call each; the first that fails without a verdict ends the round."""
        for number, one in enumerate(deliveries):
            try:
                yield self._set_one(one)
            except TryLater as error:
                if number == 0:
                    raise
                yield from (Postponed(key=later.key, delay=error.delay or 0.0) for later in deliveries[number:])
                return
            except Unknown as error:
                if len(deliveries) == 1:
                    raise
                yield Doubtful(key=one.key, reason=str(error))
                yield from (Postponed(key=later.key) for later in deliveries[number + 1 :])
                return

    def _set_one(self, delivery: Delivery) -> Receipt:
        answer, body = self.admin.rest(
            "inventory_levels/set.json",
            body={
                "inventory_item_id": _number(delivery.bindings["sku"]),
                "location_id": _number(delivery.bindings["location"]),
                "available": delivery.value["quantity"],
            },
            accept=frozenset({404, 422}),
        )
        if answer.status == 404:
            return Rejected(
                key=delivery.key, path="bindings", reason="the shop knows no such article or location (404)"
            )
        if answer.status == 422:
            return Rejected(key=delivery.key, path="quantity", reason=f"the shop refuses it: {detail(answer.body)}")
        return Done(key=delivery.key, remote=level_of(body["inventory_level"]["available"]))


def _refusal(delivery: Delivery, error: Mapping[str, Any] | None, held: Mapping[str, Remote]) -> Receipt:
    """The receipt of one member of a call that was refused as a whole."""
    if error is None:
        return Postponed(key=delivery.key)
    if error.get("code") in STALE:
        return Conflict(key=delivery.key, remote=held.get(delivery.key))
    return Rejected(key=delivery.key, path=".".join(error["field"][3:]), reason=f"{error['message']} ({error['code']})")


def _number(binding: Binding) -> int:
    return int(legacy_id(binding.external_id))
