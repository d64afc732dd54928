"""The Connect API v2 of one account, inside one budget of calls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.square.options import Options
from hub.connector import Budget, Connection
from hub.errors import StopRun
from hub.transport.effects import Effect
from hub.transport.http import Answer, Call, Http, json_of, required_password
from hub.transport.outcomes import unanswered
from hub.transport.paging import Trail

if TYPE_CHECKING:
    import requests

Body = Mapping[str, Any]


class Api:
    """Calls of one account."""

    def __init__(
        self, connection: Connection, options: Options, budget: Budget, session: requests.Session | None = None
    ) -> None:
        token = required_password(connection, "the access token of the account")
        self.system = connection.id
        headers = {
            "Authorization": f"Bearer {token}",
            "Square-Version": options.version,
            "Accept": "application/json",
        }
        self.http = Http(connection, budget=budget, headers=headers, session=session)

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        call = Call(path=path, params=params or {})
        return self._object(call, self.http.send(call))

    def post(
        self, path: str, body: Body, *, effect: Effect = Effect.NONE, accept: frozenset[int] = frozenset()
    ) -> tuple[Answer, Any]:
        """Many reading calls are POST here, so the effect is said apart from the method."""
        call = Call(
            method="POST",
            path=path,
            body=json.dumps(body, default=_number).encode(),
            headers={"Content-Type": "application/json"},
            effect=effect,
            accept=accept,
        )
        answer = self.http.send(call)
        return answer, self._object(call, answer) if answer.status < 300 else _errors(answer)

    def _object(self, call: Call, answer: Answer) -> dict[str, Any]:
        found = json_of(call, answer)
        if not isinstance(found, dict):
            sentence = f"{self.system} answered with something that is not Square's ({call.method} {call.path})"
            raise StopRun(sentence) if call.effect is Effect.NONE else unanswered(sentence, call.effect)
        return found

    def locations(self) -> Sequence[Mapping[str, Any]]:
        """All locations of the account; Square does not page them."""
        found: Sequence[Mapping[str, Any]] = self.get("/v2/locations").get("locations") or []
        return found

    def variations(self) -> Iterator[Mapping[str, Any]]:
        """Every item variation of the catalog."""
        trail, params = Trail(f"{self.system} catalog/list"), {"types": "ITEM_VARIATION"}
        while True:
            page = self.get("/v2/catalog/list", params)
            yield from page.get("objects") or []
            if not (cursor := page.get("cursor")):
                return
            params = {**params, "cursor": trail.step(cursor)}

    def pages(self, path: str, body: Body) -> Iterator[tuple[Answer, Any]]:
        """The pages of a search, in order."""
        trail, cursor = Trail(f"{self.system} {path}"), None
        while True:
            answer, page = self.post(path, {**body, "cursor": cursor} if cursor else body)
            yield answer, page
            if not (cursor := page.get("cursor")):
                return
            trail.step(cursor)


def _number(value: Any) -> float:
    """A number with a fraction in an object that goes back as it was read; none of ours has one."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{value!r} is not JSON")


def _errors(answer: Answer) -> Any:
    """The body of a refusal; empty where it is not one of Square's."""
    try:
        page = answer.json()
    except StopRun:
        return {}
    return page if isinstance(page, dict) else {}
