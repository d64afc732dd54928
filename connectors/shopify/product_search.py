"""Finding products in the shop: by the SKUs and GTINs of their variants, then by the handle that the hub gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.shopify import product_documents as documents
from connectors.shopify.admin import Admin
from connectors.shopify.product_writer import barcode
from hub.errors import Reject
from hub.model import Reference
from hub.transport.matching import folded, gtin14

SEARCHED_ONE_BY_ONE = 10  # products; for more of them all variants are listed
TERMS = 40  # of one search


class Search:
    """Looks for products that no id is known of."""

    def __init__(self, admin: Admin) -> None:
        self.admin = admin

    def found(self, references: Sequence[Reference]) -> dict[Reference, tuple[str, str]]:
        """The shop's product behind each, with what it was found by: its variants, or the handle that we give."""
        if not references:
            return {}
        index = self.index(references)
        found: dict[Reference, tuple[str, str]] = {}
        for one in references:
            ids = {id for term in _terms(one.value) for id in index.get(term, ())}
            if len(ids) == 1:
                found[one] = ids.pop(), "sku"
        left = [one for one in references if one not in found]
        return found | {one: (id, "handle") for one, id in self._by_handle(left).items()}

    def index(self, references: Sequence[Reference]) -> Mapping[tuple[str, str], set[str]]:
        """Products by SKU and GTIN of their variants."""
        queries = [""]
        if len(references) <= SEARCHED_ONE_BY_ONE:
            terms = [_spelled(term) for one in references for term in _terms(one.value)]
            queries = [" OR ".join(terms[n : n + TERMS]) for n in range(0, len(terms), TERMS)]
        index: dict[tuple[str, str], set[str]] = defaultdict(set)
        for query in queries:
            pages = self.admin.pages(documents.SEARCH, {"query": query}, documents.SEARCH_COST, "productVariants")
            for node in pages:
                index["sku", folded(node["sku"] or "")].add(node["product"]["id"])
                index["gtin", gtin14(node["barcode"] or "")].add(node["product"]["id"])
        return index

    def _by_handle(self, references: Sequence[Reference]) -> dict[Reference, str]:
        found: dict[Reference, str] = {}
        for start in range(0, len(references), 20):
            some = references[start : start + 20]
            variables = {f"h{n}": one.key.lower() for n, one in enumerate(some)}
            cost = documents.HANDLES_COST * len(some)
            answer = self.admin.graphql(documents.by_handles(len(some)), variables, cost=cost)
            found |= {one: p["id"] for n, one in enumerate(some) if (p := answer[f"p{n}"])}
        return found

    def nobody_else(self, wanted: Mapping[str, Any]) -> None:
        """Refuses where the variants are in the shop already, in products that are not this one."""
        index = self.index([Reference(key="", value=wanted)])
        if spread := {id for term in _terms(wanted) for id in index.get(term, ())}:
            reason = f"its variants are spread over {len(spread)} products of the shop: put them into one"
            raise Reject("variants", reason)


def _terms(wanted: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the variants of a product may be found by."""
    variants = wanted.get("variants") or ()
    skus = [("sku", folded(one["sku"])) for one in variants]
    return skus + [("gtin", one["gtin"]) for one in variants if one.get("gtin")]


def _spelled(term: tuple[str, str]) -> str:
    kind, text = term
    return f"sku:'{text}'" if kind == "sku" else f"barcode:'{barcode(text)}'"
