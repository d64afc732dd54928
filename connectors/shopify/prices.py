"""Prices in the shop: what a variant costs, what it cost before a reduction, and the lowest of 30 days before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

from connectors.shopify import price_documents as documents
from connectors.shopify.admin import Admin
from connectors.shopify.answers import Data, amount, in_order, money_of, money_text, spelled
from connectors.shopify.gathering import Way, gather
from hub.connector import Capability
from hub.errors import Reject, TryLater, Unknown
from hub.model import Binding, Delivery, Done, Doubtful, Postponed, Receipt, Reference, Rejected, Remote
from hub.transport.effects import Effect

AT_ONCE = 100  # prices of one call to the connector, in as many calls to the shop as there are products
WAY = Way(
    everything=documents.ALL_PRICES,
    connection="productVariants",
    page=250,
    page_cost=documents.ALL_PRICES_COST,
    some=documents.PRICES,
    cost=documents.PRICE_COST,
    ids=100,
)
FIELDS = frozenset({"amount", "currency", "compare_at", "lowest_30"})


class Prices:
    """The shop as a target of ``price``."""

    def __init__(self, admin: Admin) -> None:
        self.admin = admin

    def capability(self) -> Capability:
        """A price is set absolutely, so a lost answer is read back; the shop compares nothing."""
        return Capability(
            batch_size=AT_ONCE, binds=("sku",), fields=FIELDS, read_back=timedelta(0), aggregate="product"
        )

    # --- reading ----------------------------------------------------------------------------------

    def find(self, references: Sequence[Reference]) -> dict[Reference, Remote]:
        """What each bound variant costs."""
        wanted = {v: one for one in references if "sku" in one.bindings and (v := _variant(one.bindings["sku"]))}
        if not wanted:
            return {}
        nodes = gather(self.admin, WAY, list(wanted))
        return {wanted[node["id"]]: self._remote(node) for node in nodes if node["id"] in wanted}

    def _remote(self, node: Data) -> Remote:
        value = {
            "amount": amount(node["price"]),
            "currency": self.currency,
            "compare_at": amount(node["compareAtPrice"]),
            "lowest_30": money_of(node["lowest"]),
        }
        return Remote(value=value)

    @cached_property
    def currency(self) -> str:
        """The one currency in which the shop keeps its prices."""
        answer = self.admin.graphql(documents.CURRENCY, {}, cost=documents.CURRENCY_COST)
        return str(answer["shop"]["currencyCode"])

    # --- writing ----------------------------------------------------------------------------------

    def write(self, deliveries: Sequence[Delivery]) -> Iterator[Receipt]:
        """A receipt for each, in order; one call for the variants of each product."""
        receipts: dict[str, Receipt] = {one.key: r for one in deliveries if (r := self._impossible(one))}
        groups = self._by_product([one for one in deliveries if one.key not in receipts])
        for number, (product, members) in enumerate(groups.items()):
            try:
                found = self._write_product(product, members)
            except TryLater as error:
                if number == 0:
                    raise
                found = [Postponed(key=one.key, delay=error.delay or 0.0) for one in members]
            except Unknown as error:
                if len(groups) == 1:
                    raise
                found = [Doubtful(key=one.key, reason=str(error)) for one in members]
            receipts.update((receipt.key, receipt) for receipt in found)
        yield from (receipts[one.key] for one in deliveries)

    def _impossible(self, one: Delivery) -> Receipt | None:
        if "sku" not in one.bindings or not _variant(one.bindings["sku"]):
            return Rejected(key=one.key, path="bindings.sku", reason="the shop's sku is not known")
        if one.value["currency"] != self.currency:
            reason = f"the shop's prices are in {self.currency}, not in {one.value['currency']}"
            return Rejected(key=one.key, path="currency", reason=reason)
        return None

    def _by_product(self, deliveries: Sequence[Delivery]) -> dict[str, list[Delivery]]:
        """By the shop's product; a binding of before products were known does not name it, so the shop is asked."""
        nameless = [str(_variant(o.bindings["sku"])) for o in deliveries if not o.bindings["sku"].extra.get("product")]
        asked: dict[str, str] = {}
        if nameless:
            answer = self.admin.graphql(documents.PRICES, {"ids": nameless}, cost=documents.PRICE_COST * len(nameless))
            asked = {node["id"]: node["product"]["id"] for node in answer["nodes"] if node}
        found: dict[str, list[Delivery]] = {}
        for one in deliveries:
            binding = one.bindings["sku"]
            product = binding.extra.get("product") or asked.get(str(_variant(binding)), "")
            found.setdefault(str(product), []).append(one)
        return found

    def _write_product(self, product: str, members: Sequence[Delivery]) -> list[Receipt]:
        if not product:
            reason = "the shop no longer has this variant"
            return [Rejected(key=one.key, path="bindings.sku", reason=reason) for one in members]
        answer = self.admin.graphql(
            documents.SET_PRICES,
            {"product": product, "variants": [_input(one) for one in members]},
            cost=documents.SET_PRICES_COST,
            effect=Effect.KEYED,
        )
        if errors := answer["productVariantsBulkUpdate"]["userErrors"]:
            return _refusals(members, errors)
        try:
            self._forget([one for one in members if _loses_lowest(one)])
        except TryLater as error:
            return [Doubtful(key=one.key, reason=str(error)) for one in members]
        return [Done(key=one.key, remote=Remote(value=_sent(one))) for one in members]

    def _forget(self, members: Sequence[Delivery]) -> None:
        """Without a reduction there is no lowest price to announce."""
        if not members:
            return
        fields = [
            {"ownerId": _variant(one.bindings["sku"]), "namespace": documents.NAMESPACE, "key": documents.LOWEST}
            for one in members
        ]
        answer = self.admin.graphql(
            documents.FORGET, {"metafields": fields}, cost=documents.FORGET_COST, effect=Effect.KEYED
        )
        try:
            in_order(answer, "metafieldsDelete", "lowest_30")
        except Reject as error:
            raise Unknown(f"the lowest price of 30 days could not be taken away: {error.reason}") from None


def _variant(binding: Binding) -> str | None:
    return binding.extra.get("variant")


def _input(one: Delivery) -> dict[str, Any]:
    """Price and earlier price always together: the shop shows one beside the other."""
    found: dict[str, Any] = {
        "id": _variant(one.bindings["sku"]),
        "price": one.value["amount"],
        "compareAtPrice": one.value.get("compare_at"),
    }
    if lowest := one.value.get("lowest_30"):
        text = money_text(lowest, one.value["currency"])
        field = {"namespace": documents.NAMESPACE, "key": documents.LOWEST, "type": "money", "value": text}
        found["metafields"] = [field]
    return found


def _loses_lowest(one: Delivery) -> bool:
    return not one.value.get("lowest_30") and (one.previous or {}).get("lowest_30") is not None


def _sent(one: Delivery) -> dict[str, Any]:
    return {name: one.value.get(name) for name in ("amount", "currency", "compare_at", "lowest_30")}


def _refusals(members: Sequence[Delivery], errors: Sequence[Data]) -> list[Receipt]:
    """Each error names its position in ``variants``; what names none is about the whole product."""
    found: dict[int, Data] = {}
    for error in errors:
        path = [str(part) for part in error.get("field") or ()]
        position = next((int(part) for part in path if part.isdigit()), None)
        for n in range(len(members)) if position is None else [position]:
            found.setdefault(n, error)
    return [
        Rejected(key=one.key, path=_place(found[n]), reason=f"the shop refuses it: {found[n]['message']}")
        if n in found
        else Postponed(key=one.key)
        for n, one in enumerate(members)
    ]


def _place(error: Data) -> str:
    """``amount`` of ``variants[3].amount``."""
    return spelled(error.get("field") or ()).rpartition("].")[2] or "bindings.sku"
