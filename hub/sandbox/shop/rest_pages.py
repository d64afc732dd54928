"""Lists of the REST API: filters, limits and the ``Link`` header's cursors."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from hub.sandbox.web import Refusal, Reply, Request

DEFAULT_PAGE, LARGEST_PAGE = 50, 250
MOST_ITEMS = 50  # ids of one kind in one call
PAGINATION = "https://shopify.dev/api/usage/pagination-rest"


class Page:
    """One page of a list: filters with the first call, then ``page_info`` alone, as Shopify demands."""

    def __init__(self, request: Request, names: Sequence[str]) -> None:
        self.url = request.url
        self.limit = _limit(request.query.get("limit"))
        self.after: Any = None
        self.filters: Mapping[str, str] = {name: request.query[name] for name in names if name in request.query}
        if "page_info" in request.query:
            for name in self.filters:
                text = f"{name} cannot be passed when page_info is present. See {PAGINATION} for more information."
                raise refused(400, name, text)
            self.filters, self.after = _opened(request.query["page_info"])

    def ids(self, name: str) -> list[int]:
        """A list of ids from the query, at most 50."""
        parts = [part.strip() for part in self.filters.get(name, "").split(",") if part.strip()]
        if not all(part.isascii() and part.isdigit() for part in parts):
            raise refused(400, name, "must be a list of ids")
        if len(parts) > MOST_ITEMS:
            raise refused(400, name, f"cannot exceed {MOST_ITEMS} ids")
        return [int(part) for part in parts]

    def link(self, last: Any) -> dict[str, str]:
        """The header that leads to what comes after ``last``; none after the last page."""
        if last is None:
            return {}
        info = base64.urlsafe_b64encode(json.dumps([dict(self.filters), last]).encode()).decode()
        query = urlencode({"limit": self.limit, "page_info": info})
        return {"Link": f'<{self.url}?{query}>; rel="next"'}


def _opened(page_info: str) -> tuple[dict[str, str], Any]:
    try:
        filters, after = json.loads(base64.urlsafe_b64decode(page_info.encode()))
        return dict(filters), after
    except (ValueError, TypeError):
        raise refused(400, "page_info", "Invalid value.") from None


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LARGEST_PAGE):
        raise refused(400, "limit", f"must be between 1 and {LARGEST_PAGE}")
    return int(text)


def refused(status: int, name: str, text: str) -> Refusal:
    """Shopify's answer to a parameter that it does not take."""
    return Refusal(Reply(status=status, body={"errors": {name: [text] if status == 422 else text}}))
