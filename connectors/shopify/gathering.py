"""Reading many objects of the shop by the cheapest way to ask: page by page through all, or by their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.shopify.admin import Admin
from connectors.shopify.answers import Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How one kind of object is asked for, and what that costs at most."""

    everything: str  # document with $after
    connection: str
    page: int
    page_cost: float
    some: str  # document with $ids
    cost: float  # of one id
    ids: int  # of one query


def gather(admin: Admin, way: Way, ids: Sequence[str]) -> Iterator[Data]:
    """The objects of ``ids``, and whatever lay on their pages; listed while that costs less than asking for each."""
    left = dict.fromkeys(ids)
    if len(left) * way.cost > way.page_cost:
        for n, node in enumerate(admin.pages(way.everything, {}, way.page_cost, way.connection), 1):
            yield node
            left.pop(node["id"], None)
            if not left or (n % way.page == 0 and n / way.page * way.page_cost > len(left) * way.cost):
                break
    rest = list(left)
    for start in range(0, len(rest), way.ids):
        some = rest[start : start + way.ids]
        answer = admin.graphql(way.some, {"ids": some}, cost=way.cost * len(some))
        yield from (node for node in answer["nodes"] if node)
