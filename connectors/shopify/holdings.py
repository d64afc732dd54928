"""What the shop holds: variants and locations to bind, and levels, each by the cheapest way to ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.shopify import documents
from connectors.shopify.admin import Admin
from connectors.shopify.answers import legacy_id
from connectors.shopify.options import Options
from hub.errors import StopRun
from hub.model import Binding, Delivery, Reference, Remote
from hub.transport.matching import match
from hub.transport.paging import Trail, next_params

PAIRS_A_QUERY = 100
LISTED_FROM = 25  # more levels of one location than this are cheaper listed than asked for one by one
REST_IDS = 50

Pair = tuple[str, str]  # the shop's ids of article and location


class Holdings:
    """The shop as it is; ``{"quantity": n}`` is what is available at a location."""

    def __init__(self, admin: Admin, options: Options) -> None:
        self.admin = admin
        self.options = options

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
        wanted = {_pair(one): one for one in references if not missing_id(one)}
        found = self._levels_by_rest(wanted) if self.options.api == "rest" else self._levels_by_graphql(wanted)
        return {wanted[pair]: level_of(quantity) for pair, quantity in found if pair in wanted and quantity is not None}

    def _variants(self) -> Iterator[Remote]:
        for node in self.admin.pages(documents.VARIANTS, {}, documents.VARIANTS_COST, "productVariants"):
            binding = Binding(
                external_id=node["inventoryItem"]["id"], extra={"variant": node["id"], "product": node["product"]["id"]}
            )
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
            "inventory_item_ids": ",".join(map(legacy_id, items)),
            "location_ids": ",".join(map(legacy_id, places)),
            "limit": "250",
        }
        item_of, place_of = ({legacy_id(id): id for id in ids} for ids in (items, places))
        trail = Trail(f"{self.admin.system} inventory_levels.json")
        while params:
            answer, body = self.admin.rest("inventory_levels.json", params)
            for level in body["inventory_levels"]:
                pair = item_of[str(level["inventory_item_id"])], place_of[str(level["location_id"])]
                yield pair, level["available"]
            params = next_params(answer.headers)
            if params:
                trail.step(params.get("page_info", ""))


def _pair(one: Delivery | Reference) -> Pair:
    return one.bindings["sku"].external_id, one.bindings["location"].external_id


def missing_id(one: Delivery | Reference) -> str | None:
    """The first of the shop's ids that is not known."""
    return next((name for name in ("sku", "location") if name not in one.bindings), None)


def level_of(quantity: Any) -> Remote:
    return Remote(value={"quantity": quantity})
