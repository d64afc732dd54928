"""Prices at the tills: one for all stores, and those of stores that ask another.

Name and price live in one variation, so everything but the price goes back as it was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.square import catalog
from connectors.square.api import Api
from connectors.square.catalog import Object, Saved
from connectors.square.money import amount_of, money_of
from hub.connector import Capability
from hub.errors import Reject
from hub.model import Binding, Delivery, Done, Receipt, Reference, Rejected, Remote

OBJECTS_A_CALL = 100
FIELDS = frozenset({"amount", "currency", "overrides"})
PRICE = ("price_money", "pricing_type")  # what of a store's override is the price


class Prices:
    """The tills as a holder of ``price``: ``{"amount", "currency", "overrides": {location: amount}}``."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def capability(self) -> Capability:
        return Capability(
            batch_size=OBJECTS_A_CALL,
            binds=("sku",),
            knows=("location",),
            fields=FIELDS,
            compare_and_set=True,
            read_back=timedelta(0),
            aggregate="product",
        )

    def write(self, deliveries: Sequence[Delivery], key: str) -> Iterator[Receipt]:
        """A receipt for each, in order; a variation that somebody else changed since it was read is a conflict."""
        bound = {one.key: one.bindings["sku"].external_id for one in deliveries if "sku" in one.bindings}
        held = catalog.retrieve(self.api, bound.values())
        receipts: dict[str, Receipt] = {}
        changes: dict[str, Object] = {}
        for one in deliveries:
            try:
                before = _variation(held, bound.get(one.key))
                after = priced(before, one)
            except Reject as error:
                receipts[one.key] = Rejected(key=one.key, path=error.path, reason=error.reason)
                continue
            if after == before:
                receipts[one.key] = _done(one, before)
            else:
                changes[one.key] = after
        receipts.update(self._sent({one.key: one for one in deliveries}, changes, key))
        yield from (receipts[one.key] for one in deliveries)

    def _sent(
        self, deliveries: Mapping[str, Delivery], changes: Mapping[str, Object], key: str
    ) -> Iterator[tuple[str, Receipt]]:
        if not changes:
            return
        outcomes = catalog.upsert(self.api, list(changes.values()), key)
        for name, outcome in zip(changes, outcomes, strict=True):
            if isinstance(outcome, Saved):
                yield name, _done(deliveries[name], outcome.object)
            else:
                yield name, outcome.receipt(name)

    def find(self, references: Sequence[Reference]) -> Mapping[Reference, Remote]:
        """What the bound variations cost; those that are gone are left out."""
        bound = {one: one.bindings["sku"].external_id for one in references if "sku" in one.bindings}
        held = catalog.retrieve(self.api, bound.values())
        return {one: _remote(held[id], one.known) for one, id in bound.items() if id in held}


def priced(before: Object, delivery: Delivery) -> Object:
    """The variation with the fields of the price that changed; everything else as it was."""
    value, changed = delivery.value, delivery.changed or FIELDS
    data = dict(before["item_variation_data"])
    if changed & {"amount", "currency"}:
        data |= {"pricing_type": "FIXED_PRICING", "price_money": _money(value["amount"], value, "amount")}
    if "overrides" in changed or "currency" in changed:
        data["location_overrides"] = _overrides(data.get("location_overrides") or [], delivery)
    if not data.get("location_overrides"):
        data.pop("location_overrides", None)
    return {**before, "item_variation_data": data}


def _overrides(held: Sequence[Object], delivery: Delivery) -> list[Object]:
    """What stores have of their own, with our prices; a store's other settings stay."""
    places = delivery.known.get("location", {})
    wanted = {}
    for code, amount in (delivery.value.get("overrides") or {}).items():
        if code not in places:
            raise Reject(f"overrides.{code}", f"the tills' location {code} is not known")
        price = _money(amount, delivery.value, f"overrides.{code}")
        wanted[places[code].external_id] = {"price_money": price, "pricing_type": "FIXED_PRICING"}
    found: list[Object] = []
    for one in held:
        rest = {name: value for name, value in one.items() if name not in PRICE}
        rest |= wanted.pop(one["location_id"], {})
        if len(rest) > 1:
            found.append(rest)
    return found + [{"location_id": id, **price} for id, price in wanted.items()]


def value_of(variation: Object, places: Mapping[str, Binding]) -> dict[str, Any]:
    """The price as we say it; a store that we do not know by this id is ``unknown:`` and the id."""
    data = variation["item_variation_data"]
    codes = {binding.external_id: code for code, binding in places.items()}
    overrides = {
        codes.get(one["location_id"], f"unknown:{one['location_id']}"): amount
        for one in data.get("location_overrides") or []
        if (amount := amount_of(one.get("price_money"))) is not None
    }
    price = data.get("price_money")
    return {
        "amount": amount_of(price),
        "currency": price.get("currency") if price else None,
        "overrides": dict(sorted(overrides.items())),
    }


def _done(delivery: Delivery, variation: Object) -> Done:
    return Done(key=delivery.key, remote=_remote(variation, delivery.known))


def _remote(variation: Object, known: Mapping[str, Mapping[str, Binding]]) -> Remote:
    """The price with the variation that holds it: by its id a change there is known for this price's."""
    value = value_of(variation, known.get("location", {}))
    return Remote(value=value, binding=Binding(external_id=variation["id"]))


def _variation(held: Mapping[str, Object], id: str | None) -> Object:
    if id is None:
        raise Reject("bindings.sku", "the tills' sku is not known")
    if id not in held or held[id].get("type") != catalog.VARIATION:
        raise Reject("bindings.sku", f"the tills hold no variation {id} any more")
    return held[id]


def _money(amount: Any, value: Mapping[str, Any], path: str) -> dict[str, Any]:
    try:
        return money_of(str(amount), str(value["currency"]))
    except (ValueError, ArithmeticError):
        raise Reject(path, f"{amount} {value['currency']} cannot be said in whole minor units") from None
