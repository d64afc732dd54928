"""Akeneo's REST API of one PIM, inside one budget of calls.

https://api.akeneo.com/documentation/pagination.html and .../authentication.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from hub.connector import Budget, Connection
from hub.errors import StopRun
from hub.transport.auth import OAuth
from hub.transport.http import Answer, Call, Http, json_of
from hub.transport.paging import Trail

if TYPE_CHECKING:
    import requests

ROOT = "/api/rest/v1/"
TOKEN = "/api/oauth/v1/token"  # noqa: S105  (an address)
MISSING = frozenset({404})
LARGEST_PAGE = 100


class Api:
    """Reading calls; a token that expires on the way is renewed."""

    def __init__(self, connection: Connection, budget: Budget, session: requests.Session | None = None) -> None:
        self.system = connection.id
        http = Http(connection, budget=budget, headers={"Accept": "application/json"}, session=session)
        self.oauth = OAuth(http, TOKEN)

    def get(self, path: str, params: Mapping[str, str] | None = None) -> tuple[Answer, dict[str, Any]]:
        """The answer and its object."""
        call = Call(path=ROOT + path, params=params or {})
        answer = self.oauth.send(call)
        return answer, self._object(call, answer)

    def find(self, *path: str) -> dict[str, Any] | None:
        """One resource by its path, as in ``("families", "shoes", "variants", "by_size")``; None if there is none.

        A name that no address can say, such as half a character or two dots, is that of nothing.
        """
        if not all(map(_sayable, path)):
            return None
        call = Call(path=ROOT + "/".join(quote(part, safe="") for part in path), accept=MISSING)
        answer = self.oauth.send(call)
        return None if answer.status in MISSING else self._object(call, answer)

    def pages(self, path: str, params: Mapping[str, str]) -> Iterator[tuple[Answer, list[Any], str | None]]:
        """Pages with their items and the cursor of the next one, by ``search_after`` or by number.

        Only the query of a link is followed: whatever host it names, the call goes to the connection's own.
        """
        trail = Trail(f"{self.system} {path}")
        while True:
            answer, body = self.get(path, params)
            following = _next(body)
            cursor = following.get("search_after") or following.get("page")
            yield answer, _items(body, answer.url), cursor
            if cursor is None:
                return
            trail.step(cursor)
            params = following

    def _object(self, call: Call, answer: Answer) -> dict[str, Any]:
        found = json_of(call, answer)
        if not isinstance(found, dict):
            raise StopRun(f"{answer.url} answered with something that is not Akeneo's")
        return found


def _next(body: Mapping[str, Any]) -> dict[str, str]:
    try:
        href = str(body["_links"]["next"]["href"])
    except (KeyError, TypeError):
        return {}
    return dict(parse_qsl(urlsplit(href).query, keep_blank_values=True))


def _items(body: Mapping[str, Any], url: str) -> list[Any]:
    try:
        found = body["_embedded"]["items"]
    except (KeyError, TypeError):
        found = None
    if not isinstance(found, list):
        raise StopRun(f"{url} answered without a list of items, which Akeneo always gives")
    return found


def _sayable(part: str) -> bool:
    try:
        part.encode()
    except UnicodeEncodeError:
        return False
    return part not in ("", ".", "..")
