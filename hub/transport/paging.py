"""Following pages: the ``Link`` header, and cursors that lead back to where one was."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from hub.errors import StopRun


def next_params(headers: Mapping[str, str]) -> dict[str, str] | None:
    """The query of the page after this one (RFC 8288 ``rel="next"``), None on the last.

    Only the query is taken: whatever host the link names, the next call goes to the connection's own.
    """
    from requests.utils import parse_header_links

    for link in parse_header_links(headers.get("link", "")):
        if "next" in link.get("rel", "").split():
            return dict(parse_qsl(urlsplit(link["url"]).query, keep_blank_values=True))
    return None


class Trail:
    """The cursors that were followed; a second visit is an endless loop at the vendor's side."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._seen: set[str] = set()

    def step(self, cursor: str) -> str:
        """``cursor``, unless it was seen before."""
        if cursor in self._seen:
            raise StopRun(f"{self.what}: page {len(self._seen) + 1} leads back to an earlier page, reading stopped")
        self._seen.add(cursor)
        return cursor
