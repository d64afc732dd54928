"""Stock at the tills: what is counted there, and physical counts with the time at which they were true.

https://developer.squareup.com/docs/inventory-api/build-with-inventory: sales after ``occurred_at`` are
deducted from the count, so a count carries the as-of of what it was derived from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.square.api import Api
from hub.connector import Capability
from hub.errors import StopRun
from hub.model import Binding, Clock, Delivery, Done, Postponed, Receipt, Reference, Rejected, Remote
from hub.transport.effects import Effect
from hub.transport.matching import match
from hub.transport.numbers import whole
from hub.transport.times import utc_text

CHANGES_A_CALL = 100
IDS_A_CALL = 250
COUNTS_A_PAGE = 1000
MAX_AGE = timedelta(hours=24)  # of occurred_at; Square refuses an older count
AGAIN_SECONDS = 1.0
STATE = "IN_STOCK"
KEY_LIVES = timedelta(hours=24)  # Square names no end; nothing is repeated later than this
Pair = tuple[str, str]  # Square's ids of variation and location


class Inventory:
    """The tills as a holder of ``stock_level``; ``{"quantity": n}`` is what is in stock at a location."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self.api = api
        self.clock = clock

    def capability(self) -> Capability:
        return Capability(
            batch_size=CHANGES_A_CALL,
            binds=("sku", "location"),
            idempotency=KEY_LIVES,
            read_back=timedelta(0),
            max_age=MAX_AGE,
        )

    def write(self, deliveries: Sequence[Delivery], key: str) -> Iterator[Receipt]:
        """A receipt for each, in order; where one is refused the others are postponed."""
        unbound = {one.key: missing for one in deliveries if (missing := _unbound(one))}
        bound = [one for one in deliveries if one.key not in unbound]
        receipts: dict[str, Receipt] = {
            name: Rejected(key=name, path=f"bindings.{missing}", reason=f"the tills' {missing} is not known")
            for name, missing in unbound.items()
        }
        if bound:
            receipts.update((receipt.key, receipt) for receipt in self._sent(bound, key))
        yield from (receipts[one.key] for one in deliveries)

    def _sent(self, deliveries: Sequence[Delivery], key: str) -> Sequence[Receipt]:
        answer, page = self.api.post(
            "/v2/inventory/changes/batch-create",
            # A count is never ignored: one that equals the last count still undoes what was sold in between.
            {"idempotency_key": key, "ignore_unchanged_counts": False, "changes": list(map(self._change, deliveries))},
            effect=Effect.KEYED,
            accept=frozenset({400, 404}),
        )
        if answer.status >= 400:
            return self._refusals(deliveries, page.get("errors") or [])
        counted = dict(_counts(page))
        return [Done(key=one.key, remote=_remote(counted.get(_pair(one), one.value["quantity"]))) for one in deliveries]

    def _change(self, delivery: Delivery) -> Mapping[str, Any]:
        variation, location = _pair(delivery)
        count = {
            "reference_id": delivery.key[:255],
            "catalog_object_id": variation,
            "location_id": location,
            "state": STATE,
            "quantity": str(delivery.value["quantity"]),
            "occurred_at": utc_text(min(delivery.as_of, self.clock.now())),
        }
        return {"type": "PHYSICAL_COUNT", "physical_count": count}

    def _refusals(self, deliveries: Sequence[Delivery], errors: Sequence[Mapping[str, Any]]) -> Sequence[Receipt]:
        """Square names the change in ``field``; what names none is about the whole call."""
        found: dict[int, Mapping[str, Any]] = {}
        for error in errors:
            found.setdefault(_position(error), error)
        if not found or any(not 0 <= position < len(deliveries) for position in found):
            said = "; ".join(f"{error.get('detail')} ({error.get('code')})" for error in errors[:3])
            raise StopRun(f"{self.api.system} refuses the counts: {said or 'without a word'}")
        return [_refusal(one, found.get(n)) for n, one in enumerate(deliveries)]

    def find(self, object: str, references: Sequence[Reference]) -> Mapping[Reference, Remote]:
        if object == "sku":
            return match(references, self._variations(), system=self.api.system)
        if object == "location":
            return match(references, self._locations(), system=self.api.system)
        if object == "stock_level":
            return self._levels(references)
        raise StopRun(f"square finds sku, location, stock_level, price and product, not {object}")

    def _variations(self) -> Iterator[Remote]:
        for one in self.api.variations():
            data = one.get("item_variation_data") or {}
            if not one.get("is_deleted"):
                binding = Binding(external_id=one["id"], extra={"item": data.get("item_id")})
                yield Remote(value={"sku": data.get("sku"), "gtin": data.get("upc")}, binding=binding)

    def _locations(self) -> Iterator[Remote]:
        for one in self.api.locations():
            yield Remote(value={"name": one.get("name")}, binding=Binding(external_id=one["id"]))

    def _levels(self, references: Sequence[Reference]) -> Mapping[Reference, Remote]:
        """Counts of references that carry Square's ids; one that was never counted has none."""
        wanted = {_pair(one): one for one in references if not _unbound(one)}
        items, places = sorted({item for item, _ in wanted}), sorted({place for _, place in wanted})
        found: dict[Reference, Remote] = {}
        for start in range(0, len(items), IDS_A_CALL):
            query = {
                "catalog_object_ids": items[start : start + IDS_A_CALL],
                "location_ids": places,
                "states": [STATE],
                "limit": COUNTS_A_PAGE,
            }
            for _, page in self.api.pages("/v2/inventory/counts/batch-retrieve", query):
                counts = ((pair, quantity) for pair, quantity in _counts(page) if pair in wanted)
                found.update((wanted[pair], _remote(quantity)) for pair, quantity in counts)
        return found


def _counts(page: Mapping[str, Any]) -> Iterator[tuple[Pair, int]]:
    """The counts in stock of an answer; Square writes quantities as decimal text."""
    for count in page.get("counts") or []:
        if count.get("state") == STATE:
            yield (count["catalog_object_id"], count["location_id"]), whole(count["quantity"])


def _position(error: Mapping[str, Any]) -> int:
    """Which change an error is about; -1 for the call as a whole."""
    found = re.search(r"changes\[(\d+)\]", str(error.get("field") or ""))
    return int(found[1]) if found else -1


def _refusal(delivery: Delivery, error: Mapping[str, Any] | None) -> Receipt:
    if error is None:
        return Postponed(key=delivery.key)
    field = str(error.get("field") or "").rsplit(".", 1)[-1]
    if field == "occurred_at":
        # Grown too old on the way: the engine derives it again with a newer as-of.
        return Postponed(key=delivery.key, delay=AGAIN_SECONDS)
    return Rejected(key=delivery.key, path=field, reason=f"{error.get('detail')} ({error.get('code')})")


def _pair(one: Delivery | Reference) -> Pair:
    return one.bindings["sku"].external_id, one.bindings["location"].external_id


def _unbound(one: Delivery | Reference) -> str | None:
    return next((name for name in ("sku", "location") if name not in one.bindings), None)


def _remote(quantity: int) -> Remote:
    return Remote(value={"quantity": quantity})
