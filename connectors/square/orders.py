"""Reading orders: ``POST /v2/orders/search``, oldest change first, at most ten locations a call.

https://developer.squareup.com/docs/orders-api/manage-orders/search-orders
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.square.api import Api
from connectors.square.options import Options
from hub.model import Batch, Checkpoint, Clock, Origin, Record, Refused, Scope
from hub.transport.times import instant_of, newest, utc_text, version_of

OBJECT = "orders"
LOCATIONS_A_CALL = 10
ORDERS_A_CALL = 100


def read(api: Api, options: Options, clock: Clock, since: Checkpoint | None) -> Iterator[Batch]:
    """A batch per page; the last one vouches for everything up to the start of the read.

    The checkpoint holds the newest change seen at each location, by Square's own clock: pages are
    ordered only within one call's locations.
    """
    start = clock.now()
    reached: dict[str, str] = dict(since.value.get("updated_at") or {}) if since else {}
    locations = [str(one["id"]) for one in api.locations()]
    groups = [locations[n : n + LOCATIONS_A_CALL] for n in range(0, len(locations), LOCATIONS_A_CALL)]
    for group in groups:
        known = min((reached.get(one, "") for one in group), default="")
        begin = instant_of(known) - options.overlap if known else start - options.history
        for answer, page in api.pages("/v2/orders/search", _search(options, group, begin)):
            found = with_sources(api, page.get("orders") or [])
            records = [record(order, Origin(source=answer.url, line=line)) for line, order in enumerate(found, 1)]
            last = newest((str(one.source_version) for one in records if isinstance(one, Record)), start)
            reached = {**reached, **{one: max(last, reached.get(one, "")) for one in group if last}}
            more = bool(page.get("cursor")) or group is not groups[-1]
            yield _batch(records, reached, None if more else start, answer.body)
    if not groups:
        yield _batch([], reached, start, None)


def rewind(api: Api, moment: datetime) -> Checkpoint:
    """As if every location had been read up to ``moment``."""
    return Checkpoint(value={"updated_at": {str(one["id"]): version_of(moment.isoformat()) for one in api.locations()}})


def with_sources(api: Api, orders: Sequence[Any]) -> list[Any]:
    """The orders, with that which sold the goods in every return of one: ``returns[].source_order``.

    Square names it by its id, which says nothing of the ticket that the customer holds.
    """
    ids = {id for order in orders for one in _returns(order) if (id := one.get("source_order_id"))}
    sold = _sold(api, sorted(ids)) if ids else {}
    return [_with_sources(order, sold) if _returns(order) else order for order in orders]


def _sold(api: Api, ids: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for start in range(0, len(ids), ORDERS_A_CALL):
        _, page = api.post("/v2/orders/batch-retrieve", {"order_ids": list(ids[start : start + ORDERS_A_CALL])})
        found.update({one["id"]: one for one in page.get("orders") or []})
    return found


def _with_sources(order: Mapping[str, Any], sold: Mapping[str, Any]) -> dict[str, Any]:
    returns = []
    for one in _returns(order):
        source = sold.get(str(one.get("source_order_id")))
        returns.append({**one, "source_order": source} if source else one)
    return {**order, "returns": returns}


def _returns(order: Any) -> list[Any]:
    """The returns of an order, none where it is not one."""
    found = order.get("returns") if isinstance(order, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _search(options: Options, locations: Sequence[str], begin: datetime) -> Mapping[str, Any]:
    return {
        "location_ids": list(locations),
        "limit": options.page_size,
        "return_entries": False,
        "query": {
            "filter": {
                "state_filter": {"states": list(options.states)},
                "date_time_filter": {"updated_at": {"start_at": utc_text(begin)}},
            },
            "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
        },
    }


def _batch(
    records: Sequence[Record | Refused], reached: Mapping[str, str], as_of: datetime | None, raw: bytes | None
) -> Batch:
    checkpoint = Checkpoint(value={"updated_at": dict(reached)})
    return Batch(records=records, checkpoint=checkpoint, scope=Scope(as_of=as_of), raw=raw, more=as_of is None)


def record(order: Any, origin: Origin) -> Record | Refused:
    """An order as it came; its version is the moment of its last change, which is when a till uploaded it."""
    fields: Mapping[str, Any] = order if isinstance(order, dict) else {}
    try:
        key, changed = str(fields["id"]), str(fields["updated_at"])
        at = instant_of(str(fields.get("closed_at") or changed))
        version = version_of(changed)
    except (KeyError, ValueError) as error:
        reason = f"the order has no usable id and updated_at: {error}"
        return Refused(object=OBJECT, key=None, data=dict(fields), path="updated_at", reason=reason, origin=origin)
    return Record(object=OBJECT, key=key, data=fields, event_time=at, source_version=version, origin=origin)
