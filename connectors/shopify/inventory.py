"""Stock in the shop: what is held, and setting it with compare-and-set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.shopify import documents
from connectors.shopify.admin import Admin, Data
from connectors.shopify.options import Options
from hub.connector import Capability
from hub.errors import HubError, StopRun, TryLater, Unknown
from hub.model import Binding, Conflict, Delivery, Done, Doubtful, Postponed, Receipt, Reference, Rejected, Remote
from hub.transport.matching import match
from hub.transport.outcomes import Effect, detail
from hub.transport.paging import Trail, next_params

AT_ONCE = 250  # https://shopify.dev/docs/api/admin-graphql/2026-04/input-objects/InventorySetQuantitiesInput
PAIRS_A_QUERY = 100
LISTED_FROM = 25  # more levels of one location than this are cheaper listed than asked for one by one
REST_IDS = 50
KEY_LIVES = timedelta(hours=24)
AT_ONCE_TRUE = timedelta(0)

STALE = {"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"}
FAILED_BEFORE = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
STILL_RUNNING = "IDEMPOTENCY_CONCURRENT_REQUEST"


class Inventory:
    """The shop as a holder of ``stock_level``; ``{"quantity": n}`` is what is available at a location."""

    def __init__(self, admin: Admin, options: Options) -> None:
        self.admin = admin
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

    # --- writing ----------------------------------------------------------------------------------

    def write(self, deliveries: Sequence[Delivery], key: str) -> Iterator[Receipt]:
        """A receipt for each, in order."""
        unbound = {one.key: missing for one in deliveries if (missing := _unbound(one))}
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
            return [Done(key=one.key, remote=_remote(one.value["quantity"])) for one in deliveries]
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
            return {reference.key: remote for reference, remote in self.levels(references).items()}
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
        return Done(key=delivery.key, remote=_remote(body["inventory_level"]["available"]))

    # --- finding ----------------------------------------------------------------------------------

    def find(self, object: str, references: Sequence[Reference]) -> Mapping[Reference, Remote]:
        if object == "sku":
            return match(references, self._variants(), system=self.admin.system)
        if object == "location":
            return match(references, self._locations(), system=self.admin.system)
        if object == "stock_level":
            return self.levels(references)
        raise StopRun(f"shopify finds sku, location and stock_level, not {object}")

    def levels(self, references: Sequence[Reference]) -> dict[Reference, Remote]:
        """What is available for references that carry the shop's ids, each by the cheapest way to ask."""
        wanted = {_pair(one): one for one in references if not _unbound(one)}
        found = self._levels_by_rest(wanted) if self.options.api == "rest" else self._levels_by_graphql(wanted)
        return {wanted[pair]: _remote(quantity) for pair, quantity in found if pair in wanted and quantity is not None}

    def _variants(self) -> Iterator[Remote]:
        for node in self.admin.pages(documents.VARIANTS, {}, documents.VARIANTS_COST, "productVariants"):
            binding = Binding(external_id=node["inventoryItem"]["id"], extra={"variant": node["id"]})
            yield Remote(value={"sku": node["sku"], "gtin": node["barcode"]}, binding=binding)

    def _locations(self) -> Iterator[Remote]:
        for node in self.admin.pages(documents.LOCATIONS, {}, documents.LOCATIONS_COST, "locations"):
            yield Remote(value={"name": node["name"]}, binding=Binding(external_id=node["id"]))

    def _levels_by_graphql(self, wanted: Mapping[Pair, Reference]) -> Iterator[tuple[Pair, int | None]]:
        by_location: dict[str, list[Pair]] = defaultdict(list)
        for pair in wanted:
            by_location[pair[1]].append(pair)
        singles: list[Pair] = []
        for location, pairs in by_location.items():
            if len(pairs) > LISTED_FROM:
                yield from self._levels_at(location, {item for item, _ in pairs})
            else:
                singles += pairs
        for start in range(0, len(singles), PAIRS_A_QUERY):
            yield from self._levels_one_by_one(singles[start : start + PAIRS_A_QUERY])

    def _levels_at(self, location: str, items: set[str]) -> Iterator[tuple[Pair, int | None]]:
        """The levels of one location, until all of ``items`` are found."""
        left = set(items)
        pages = self.admin.pages(
            documents.LEVELS_AT, {"location": location}, documents.LEVELS_AT_COST, "location", "inventoryLevels"
        )
        for node in pages:
            yield (node["item"]["id"], location), node["quantities"][0]["quantity"]
            left.discard(node["item"]["id"])
            if not left:
                return

    def _levels_one_by_one(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, int | None]]:
        variables = {f"{name}{n}": id for n, pair in enumerate(pairs) for name, id in zip("il", pair, strict=True)}
        data = self.admin.graphql(documents.levels_of(len(pairs)), variables, cost=documents.LEVEL_COST * len(pairs))
        for n, pair in enumerate(pairs):
            level = (data[f"p{n}"] or {}).get("inventoryLevel")
            yield pair, level["quantities"][0]["quantity"] if level else None

    def _levels_by_rest(self, wanted: Mapping[Pair, Reference]) -> Iterator[tuple[Pair, int | None]]:
        items = sorted({item for item, _ in wanted})
        places = sorted({place for _, place in wanted})
        for start in range(0, len(items), REST_IDS):
            for first in range(0, len(places), REST_IDS):
                yield from self._levels_page(items[start : start + REST_IDS], places[first : first + REST_IDS])

    def _levels_page(self, items: Sequence[str], places: Sequence[str]) -> Iterator[tuple[Pair, int | None]]:
        params: dict[str, str] | None = {
            "inventory_item_ids": ",".join(map(_tail, items)),
            "location_ids": ",".join(map(_tail, places)),
            "limit": "250",
        }
        names = {_tail(id): id for id in (*items, *places)}
        trail = Trail(f"{self.admin.system} inventory_levels.json")
        while params:
            answer, body = self.admin.rest("inventory_levels.json", params)
            for level in body["inventory_levels"]:
                pair = names.get(str(level["inventory_item_id"])), names.get(str(level["location_id"]))
                if pair[0] and pair[1]:
                    yield (pair[0], pair[1]), level["available"]
            params = next_params(answer.headers)
            if params:
                trail.step(params.get("page_info", ""))


Pair = tuple[str, str]  # the shop's ids of article and location


def _pair(one: Delivery | Reference) -> Pair:
    return one.bindings["sku"].external_id, one.bindings["location"].external_id


def _unbound(one: Delivery | Reference) -> str | None:
    return next((name for name in ("sku", "location") if name not in one.bindings), None)


def _remote(quantity: Any) -> Remote:
    return Remote(value={"quantity": quantity})


def _refusal(delivery: Delivery, error: Mapping[str, Any] | None, held: Mapping[str, Remote]) -> Receipt:
    """The receipt of one member of a call that was refused as a whole."""
    if error is None:
        return Postponed(key=delivery.key)
    if error.get("code") in STALE:
        return Conflict(key=delivery.key, remote=held.get(delivery.key))
    return Rejected(key=delivery.key, path=".".join(error["field"][3:]), reason=f"{error['message']} ({error['code']})")


def _tail(gid: str) -> str:
    """``gid://shopify/InventoryItem/123`` as REST names it: ``123``."""
    return gid.rsplit("/", 1)[-1]


def _number(binding: Binding) -> int:
    return int(_tail(binding.external_id))
