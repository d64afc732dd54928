"""Pages of a GraphQL connection: https://shopify.dev/docs/api/usage/pagination-graphql."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

View = dict[str, Any]
LARGEST = 250


def page_size(first: int | None) -> int:
    """The size asked for; raises for none and for more than Shopify allows."""
    from graphql import GraphQLError

    if first is None:
        raise GraphQLError("you must provide one of first or last", extensions={"code": "BAD_REQUEST"})
    if not 0 <= first <= LARGEST:
        raise GraphQLError(f"first must be between 0 and {LARGEST}, not {first}", extensions={"code": "BAD_REQUEST"})
    return first


def cursor(value: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def cursor_value(text: str) -> list[Any]:
    """What a cursor stands for; raises for one that we never gave."""
    from graphql import GraphQLError

    try:
        found = json.loads(base64.urlsafe_b64decode(text.encode()))
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise GraphQLError(f"Invalid cursor for current pagination sort: {text}", extensions={"code": "BAD_REQUEST"})
    return found


def connection(rows: Sequence[tuple[Sequence[Any], View]], first: int | None, after: str | None) -> View:
    """A page of ``rows``, which are all there are, in order: (cursor, object)."""
    size = page_size(first)
    passed = cursor_value(after) if after else None
    start = next((n + 1 for n, (key, _) in enumerate(rows) if list(key) == passed), 0)
    return page(rows[start : start + size], len(rows) > start + size, start > 0)


def page(rows: Sequence[tuple[Sequence[Any], View]], more: bool, before: bool) -> View:
    """``rows`` as a connection: (cursor, object)."""
    cursors = [cursor(key) for key, _ in rows]
    return {
        "edges": [{"cursor": c, "node": view} for c, (_, view) in zip(cursors, rows, strict=True)],
        "nodes": [view for _, view in rows],
        "pageInfo": {
            "hasNextPage": more,
            "hasPreviousPage": before,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }
