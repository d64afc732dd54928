"""Reading orders by REST: changed since, oldest change first, page by page over the ``Link`` header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.shopify import order_documents as documents
from connectors.shopify.admin import Admin
from connectors.shopify.answers import Data, amount, gid, legacy_id
from connectors.shopify.options import Options
from hub.model import Batch, Checkpoint, Clock, Origin, Record, Refused, Scope
from hub.transport.paging import Trail, next_params
from hub.transport.times import instant_of, newest, utc_text, version_of

OBJECT = "orders"
IDS = 100  # orders of one query for payments


def read(admin: Admin, options: Options, clock: Clock, since: Checkpoint | None) -> Iterator[Batch]:
    """A batch per page; the checkpoint is the newest change seen, by the shop's own clock.

    The last page vouches for everything up to the start of the read.
    """
    start = clock.now()
    reached = str(since.value.get("updated_at") or "") if since else ""
    params = {
        "status": "any",
        "limit": str(options.page_size),
        "order": "updated_at asc",
        "updated_at_min": utc_text(instant_of(reached) - options.overlap if reached else start - options.history),
    }
    trail = Trail(f"{admin.system} orders.json")
    while True:
        answer, body = admin.rest("orders.json", params)
        orders = with_payments(admin, body["orders"])
        records = [record(order, Origin(source=answer.url, line=line)) for line, order in enumerate(orders, 1)]
        last = newest((str(one.source_version) for one in records if isinstance(one, Record)), start)
        reached = max(reached, last)
        following = next_params(answer.headers)
        yield Batch(
            records=records,
            checkpoint=Checkpoint(value={"updated_at": reached or None}),
            scope=Scope(as_of=None if following else start),
            raw=answer.body,
            more=following is not None,
        )
        if following is None:
            return
        trail.step(following.get("page_info", ""))
        params = following


def is_split(order: Any) -> bool:
    """Whether an order was paid in several ways: then the order alone does not say how much in which."""
    ways = order.get("payment_gateway_names") if isinstance(order, dict) else None
    return isinstance(ways, list) and len(ways) > 1


def with_payments(admin: Admin, orders: Sequence[Any]) -> list[Any]:
    """Orders paid in several ways with their ``transactions``, as REST writes them; the others untouched."""
    ids = [gid("Order", order.get("id")) for order in orders if is_split(order)]
    found: dict[str, list[dict[str, Any]]] = {}
    for start in range(0, len(ids), IDS):
        some = ids[start : start + IDS]
        answer = admin.graphql(documents.PAYMENTS, {"ids": some}, cost=documents.PAYMENTS_COST * len(some))
        found |= {node["id"]: [_transaction(one) for one in node["transactions"]] for node in answer["nodes"] if node}
    return [
        {**order, "transactions": found.get(gid("Order", order.get("id")), [])} if is_split(order) else order
        for order in orders
    ]


def _transaction(node: Data) -> dict[str, Any]:
    parent = node["parentTransaction"]
    return {
        "id": int(legacy_id(node["id"])),
        "kind": node["kind"].lower(),
        "status": node["status"].lower(),
        "gateway": node["gateway"],
        "amount": amount(node["amountSet"]["shopMoney"]["amount"]),
        "processed_at": node["processedAt"],
        "parent_id": int(legacy_id(parent["id"])) if parent else None,
    }


def record(order: Any, origin: Origin) -> Record | Refused:
    """An order untouched; its version is the moment of its last change."""
    fields: Mapping[str, Any] = order if isinstance(order, dict) else {}
    try:
        key, changed = str(fields["id"]), str(fields["updated_at"])
        at: datetime = instant_of(changed)
    except (KeyError, ValueError) as error:
        reason = f"the order has no usable id and updated_at: {error}"
        return Refused(object=OBJECT, key=None, data=dict(fields), path="updated_at", reason=reason, origin=origin)
    return Record(object=OBJECT, key=key, data=fields, event_time=at, source_version=version_of(changed), origin=origin)
