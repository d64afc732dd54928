"""Products at the tills: one item each, its variants as variations; archived or no longer sold, never deleted."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.square import catalog
from connectors.square.api import Api
from connectors.square.catalog import Object, Saved
from connectors.square.items import FIELDS, bindings_of, changed, new_item, value_of
from hub.connector import Capability
from hub.errors import Reject
from hub.model import Binding, Delivery, Done, Doubtful, Receipt, Reference, Rejected, Remote
from hub.transport.matching import folded, gtin14

ITEMS_A_CALL = 20
log = logging.getLogger(__name__)


class Products:
    """The tills as a holder of ``product``: title, description, status and variants, in one language."""

    def __init__(self, api: Api, language: str) -> None:
        self.api = api
        self.language = language

    def capability(self) -> Capability:
        return Capability(
            batch_size=ITEMS_A_CALL,
            knows=("product", "sku"),
            fields=FIELDS,
            compare_and_set=True,
            read_back=timedelta(0),
            aggregate="product",
        )

    # --- writing ----------------------------------------------------------------------------------

    def write(self, deliveries: Sequence[Delivery], key: str) -> Iterator[Receipt]:
        """A receipt for each, in order; an item that somebody else changed since it was read is a conflict."""
        held = catalog.retrieve(self.api, (id for one in deliveries for id in _items_of(one)))
        receipts: dict[str, Receipt] = {}
        changes: dict[str, Object] = {}
        for one in deliveries:
            try:
                before, after = self._change(one, held)
            except Reject as error:
                receipts[one.key] = Rejected(key=one.key, path=error.path, reason=error.reason)
                continue
            if before is None and "product" in one.bindings:
                receipts[one.key] = Doubtful(key=one.key, reason="the item is not there any more")
            elif before is not None and after == before:
                receipts[one.key] = self._done(one, before)
            else:
                changes[one.key] = after
        receipts.update(self._sent({one.key: one for one in deliveries}, changes, key))
        yield from (receipts[one.key] for one in deliveries)

    def _change(self, delivery: Delivery, held: Mapping[str, Object]) -> tuple[Object | None, Object]:
        """(the item as it is, None for one that is not there; the item as it is to be)."""
        homes = {sku: home for sku, home in _homes(delivery).items() if home in held}
        id = next((id for id in _items_of(delivery) if id in held), None)
        if id is None:
            return None, new_item(delivery.value, self.language)
        for sku, home in homes.items():
            if home != id:  # it would be there twice: a person decides
                raise Reject("variants", f"the tills hold {sku} in another item ({home}); move it there, or give it up")
        return held[id], changed(held[id], delivery.value, delivery.changed or FIELDS, self.language)

    def _sent(
        self, deliveries: Mapping[str, Delivery], changes: Mapping[str, Object], key: str
    ) -> Iterator[tuple[str, Receipt]]:
        known = {name: item for name, item in changes.items() if not item["id"].startswith("#")}
        new = {name: item for name, item in changes.items() if name not in known}
        # The same new item again is the same call for Square, in whichever attempt: nothing is there twice.
        for part, under in [(known, key), *(({name: item}, f"new {name}") for name, item in new.items())]:
            if not part:
                continue
            for name, outcome in zip(part, catalog.upsert(self.api, list(part.values()), under), strict=True):
                if isinstance(outcome, Saved):
                    yield name, self._done(deliveries[name], outcome.object)
                else:
                    yield name, outcome.receipt(name, new=name in new)

    def _done(self, delivery: Delivery, item: Object) -> Done:
        return Done(key=delivery.key, remote=self._remote(item, delivery.value, None))

    def _remote(self, item: Object, wanted: Mapping[str, Any], matched: str | None) -> Remote:
        return Remote(
            value=value_of(item, wanted, self.language),
            binding=Binding(external_id=item["id"]),
            matched=matched,
            bindings={"sku": bindings_of(item, wanted)},
        )

    # --- finding ----------------------------------------------------------------------------------

    def find(self, references: Sequence[Reference]) -> Mapping[Reference, Remote]:
        """The item behind each product: by its id, else by the SKUs of its variants, else by their GTINs."""
        ids = {one: one.bindings["product"].external_id for one in references if "product" in one.bindings}
        held = catalog.retrieve(self.api, ids.values())
        matched: dict[Reference, str | None] = {one: None for one, id in ids.items() if id in held}
        for name, attribute in (("sku", "sku"), ("gtin", "upc")):
            left = [one for one in references if one not in matched]
            for one, id in self._searched(left, name, attribute).items():
                ids[one], matched[one] = id, name
        held |= catalog.retrieve(self.api, (ids[one] for one in matched if ids[one] not in held))
        return {one: self._remote(held[ids[one]], one.value, how) for one, how in matched.items() if ids[one] in held}

    def _searched(self, references: Sequence[Reference], name: str, attribute: str) -> dict[Reference, str]:
        """The item that holds most of a product's variants; where two hold as many none is taken."""
        wanted = {one: {_same(v.get(name), name) for v in one.value.get("variants") or ()} - {""} for one in references}
        asked = {spelt for values in wanted.values() for value in values for spelt in _spelt(value, name)}
        items: dict[str, set[str]] = defaultdict(set)
        for variation in catalog.search(self.api, attribute, asked):
            data = variation["item_variation_data"]
            items[_same(data.get(attribute), name)].add(data["item_id"])
        found = {}
        for one, values in wanted.items():
            best = Counter(id for value in values for id in items.get(value, ())).most_common(2)
            if len(best) == 1 or (best and best[0][1] > best[1][1]):
                found[one] = best[0][0]
            elif best:
                log.warning("%s: two items hold variants of %s; none is bound", self.api.system, one.key)
        return found


def _items_of(delivery: Delivery) -> list[str]:
    """Where a product may be: in the item that it is bound to, else where most of its variants live."""
    bound = [delivery.bindings["product"].external_id] if "product" in delivery.bindings else []
    return bound + [home for home, _ in Counter(_homes(delivery).values()).most_common()]


def _homes(delivery: Delivery) -> dict[str, str]:
    """The item in which each variant that is known lives."""
    known = delivery.known.get("sku", {})
    return {sku: str(bound.extra["item"]) for sku, bound in known.items() if bound.extra.get("item")}


def _same(value: Any, name: str) -> str:
    return folded(str(value or "")) if name == "sku" else gtin14(str(value or ""))


def _spelt(value: str, name: str) -> Iterable[str]:
    """How a value may stand there: a GTIN with fewer zeros in front."""
    return [value] if name == "sku" else [value[zeros:] for zeros in (0, 1, 2) if not value[:zeros].strip("0")]
