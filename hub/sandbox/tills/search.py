"""``SearchOrders``: https://developer.squareup.com/docs/orders-api/manage-orders/search-orders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.sandbox.tills import requests as read
from hub.sandbox.tills.errors import refused
from hub.sandbox.web import Note, Reply, Request

if TYPE_CHECKING:
    from hub.sandbox.tills.tills import Tills

MOST_LOCATIONS = 10
DEFAULT_PAGE, LARGEST_PAGE = 500, 1000
STATES = ("OPEN", "COMPLETED", "CANCELED", "DRAFT")
SORTS = ("CREATED_AT", "UPDATED_AT", "CLOSED_AT")
NAMES = ("location_ids", "cursor", "query", "limit", "return_entries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is searched for, without the page."""

    locations: list[str]
    states: list[str]
    sort: str  # a column
    reverse: bool
    since: int | None  # microseconds, both ends included
    until: int | None


class OrderSearch:
    """One method, one operation."""

    def __init__(self, tills: Tills) -> None:
        self.tills = tills

    def search(self, request: Request, note: Note) -> Reply:
        """Orders of up to ten locations, by state and time."""
        body = read.body(request, NAMES)
        size = read.limit(body.get("limit"), DEFAULT_PAGE, LARGEST_PAGE)
        found = self._search(body)
        mark = read.fingerprint([body.get("location_ids"), body.get("query")])
        after = self._after(body.get("cursor"), mark)
        rows = self._rows(found, after, size + 1)
        note.summary = f"{min(len(rows), size)} orders"
        key = "order_entries" if body.get("return_entries") else "orders"
        answer: dict[str, Any] = {key: [_shown(row, key) for row in rows[:size]]}
        if len(rows) > size:
            answer["cursor"] = read.seal([mark, rows[size - 1]["sort"], rows[size - 1]["id"]])
        return Reply(body=answer)

    def _search(self, body: Mapping[str, Any]) -> Search:
        query = read.mapping(body.get("query"), "query")
        filters = read.mapping(query.get("filter"), "query.filter")
        path = "query.filter.state_filter"
        states = read.strings(read.mapping(filters.get("state_filter"), path).get("states", []), path, len(STATES))
        sort = read.mapping(query.get("sort"), "query.sort")
        column = _one_of(sort.get("sort_field", "CREATED_AT"), SORTS, "query.sort.sort_field")
        way = _one_of(sort.get("sort_order", "DESC"), ("ASC", "DESC"), "query.sort.sort_order")
        since, until = _range(filters, column)
        return Search(
            locations=self._locations(body),
            states=[_one_of(state, STATES, f"{path}.states") for state in states],
            sort=column.lower(),
            reverse=way == "DESC",
            since=since,
            until=until,
        )

    def _locations(self, body: Mapping[str, Any]) -> list[str]:
        if not body.get("location_ids"):
            raise refused("MISSING_REQUIRED_PARAMETER", "At least one location ID is required.", "location_ids")
        ids = read.strings(body["location_ids"], "location_ids", MOST_LOCATIONS)
        known = set(self.tills.catalog.location_ids().values())
        for id in ids:
            if id not in known:
                raise refused("NOT_FOUND", f"Location `{id}` not found.", "location_ids", status=404)
        return ids

    def _after(self, cursor: Any, mark: str) -> tuple[int, str] | None:
        if cursor is None:
            return None
        opened = read.unseal(cursor)
        if not isinstance(opened, list) or len(opened) != 3 or opened[0] != mark:
            raise read.bad_cursor()
        return opened[1], opened[2]

    def _rows(self, search: Search, after: tuple[int, str] | None, limit: int) -> list[Any]:
        terms = [_in("location_id", search.locations), _in("state", search.states or STATES)]
        values: list[Any] = [*search.locations, *(search.states or STATES)]
        for bound, operator in ((search.since, ">="), (search.until, "<=")):
            if bound is not None:
                terms.append(f"{search.sort} {operator} ?")
                values.append(bound)
        if after is not None:
            terms.append(f"({search.sort}, id) {'<' if search.reverse else '>'} (?, ?)")
            values += after
        return self.tills.orders.page(search.sort, terms, values, limit=limit, reverse=search.reverse)


def _range(filters: Mapping[str, Any], column: str) -> tuple[int | None, int | None]:
    """The time range; it must be of the field that the result is sorted by."""
    path = "query.filter.date_time_filter"
    times = read.mapping(filters.get("date_time_filter"), path)
    if not times:
        return None, None
    if list(times) != [column.lower()]:
        text = f"`sort_field` must match the time filter; sorted by {column}, filtered by {', '.join(times)}."
        raise refused("INVALID_VALUE", text, "query.sort.sort_field")
    found = read.mapping(times[column.lower()], f"{path}.{column.lower()}")
    ends = [
        read.moment(found[name], f"{path}.{column.lower()}.{name}") if name in found else None
        for name in ("start_at", "end_at")
    ]
    return ends[0], ends[1]


def _one_of(value: Any, allowed: tuple[str, ...], field: str) -> str:
    if value not in allowed:
        raise refused("INVALID_ENUM_VALUE", f"`{value}` is not one of {', '.join(allowed)}.", field)
    return str(value)


def _in(column: str, values: Any) -> str:
    return f"{column} IN ({', '.join('?' * len(values))})"


def _shown(row: Any, key: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(row["document"])
    if key == "orders":
        return document
    return {"order_id": document["id"], "version": document["version"], "location_id": document["location_id"]}
