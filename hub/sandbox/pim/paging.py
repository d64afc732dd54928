"""Akeneo's pages: https://api.akeneo.com/documentation/pagination.html."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from hub.sandbox.pim.errors import refused
from hub.sandbox.web import Reply, Request

DEFAULT, MOST = 10, 100
MOST_BY_OFFSET = 10_000


def page(request: Request, found: Sequence[Any], key: Callable[[Any], str], shape: Callable[[Any], Any]) -> Reply:
    """One page of ``found``, which is in the order of ``key``: behind a cursor, or by number."""
    limit = _number(request, "limit", DEFAULT)
    if limit > MOST:
        raise refused(422, f"You cannot request more than {MOST} items.")
    behind = request.query.get("pagination_type") == "search_after"
    body = _behind(request, found, key, limit) if behind else _numbered(request, found, limit)
    shown, links, extra = body
    own = f"{request.url}/"
    items = [{"_links": {"self": {"href": own + key(row)}}, **shape(row)} for row in shown]
    if request.query.get("with_count") == "true":
        extra["items_count"] = len(found)
    return Reply(body={"_links": links, **extra, "_embedded": {"items": items}})


def _behind(request: Request, found: Sequence[Any], key: Callable[[Any], str], limit: int) -> Any:
    cursor = request.query.get("search_after", "")
    left = [row for row in found if key(row) > cursor] if cursor else found
    shown = left[:limit]
    links = {"self": _link(request, search_after=cursor or None), "first": _link(request, search_after=None)}
    if len(left) > limit:
        links["next"] = _link(request, search_after=key(shown[-1]))
    return shown, links, {}


def _numbered(request: Request, found: Sequence[Any], limit: int) -> Any:
    number = _number(request, "page", 1)
    if number * limit > MOST_BY_OFFSET:
        raise refused(422, "You have reached the maximum number of pages you can retrieve: use search_after.")
    start = (number - 1) * limit
    links = {"self": _link(request, page=number), "first": _link(request, page=1)}
    if number > 1:
        links["previous"] = _link(request, page=number - 1)
    if start + limit < len(found):
        links["next"] = _link(request, page=number + 1)
    return found[start : start + limit], links, {"current_page": number}


def _link(request: Request, **changes: Any) -> dict[str, str]:
    query = {name: value for name, value in {**request.query, **changes}.items() if value is not None}
    return {"href": f"{request.url}?{urlencode(query)}"}


def _number(request: Request, name: str, default: int) -> int:
    written = request.query.get(name, str(default))
    if not written.isdecimal() or int(written) < 1:
        raise refused(422, f'"{written}" is not a valid {name} number.')
    return int(written)
