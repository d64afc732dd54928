"""The Admin API of one shop, REST and GraphQL, inside one budget.

The budget counts GraphQL points (2,000, 100 a second on the standard plan). REST has a bucket of its
own at the shop, 40 calls at 2 a second; a call taken as 50 points keeps to exactly that. With
``api: rest`` the budget counts calls.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connectors.shopify.options import Options
from hub.connector import Budget, Connection
from hub.errors import HubError, StopRun
from hub.transport.effects import Effect
from hub.transport.http import Answer, Call, Http, json_of, required_password
from hub.transport.outcomes import unanswered
from hub.transport.paging import Trail
from hub.transport.redaction import redact
from hub.transport.retry import Limited

if TYPE_CHECKING:
    import requests

POINTS_OF_A_REST_CALL = 50.0
Data = Mapping[str, Any]


class Admin:
    """Calls of one shop; errors of GraphQL, which travel with HTTP 200, become the hub's."""

    def __init__(
        self, connection: Connection, options: Options, budget: Budget, session: requests.Session | None = None
    ) -> None:
        token = required_password(connection, "the access token of the app")
        self.system = connection.id
        self.root = f"/admin/api/{options.version}"
        self.counts_calls = options.api == "rest"
        headers = {"X-Shopify-Access-Token": token, "Accept": "application/json"}
        self.http = Http(connection, budget=budget, headers=headers, session=session)

    def rest(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        body: Data | None = None,
        accept: frozenset[int] = frozenset(),
    ) -> tuple[Answer, Any]:
        """GET, or POST where there is a body, which is never repeated: REST knows no idempotency key."""
        call = Call(
            method="GET" if body is None else "POST",
            path=f"{self.root}/{path}",
            params=params or {},
            body=None if body is None else json.dumps(body).encode(),
            headers={} if body is None else {"Content-Type": "application/json"},
            effect=Effect.NONE if body is None else Effect.ONCE,
            cost=1.0 if self.counts_calls else POINTS_OF_A_REST_CALL,
            accept=accept,
        )
        answer = self.http.send(call)
        self._learn_calls(answer)
        return answer, json_of(call, answer) if answer.status < 300 else None

    def graphql(
        self,
        document: str,
        variables: Data,
        *,
        cost: float,
        effect: Effect = Effect.NONE,
        inspect: Callable[[Data], None] | None = None,
    ) -> Data:
        """The ``data`` of one document; ``inspect`` may raise what makes this try one to repeat."""
        call = Call(
            method="POST",
            path=f"{self.root}/graphql.json",
            body=json.dumps({"query": document, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
            effect=effect,
            cost=0.0 if self.counts_calls else cost,
        )

        def attempt() -> Data:
            data = self._data(call, json_of(call, self.http.once(call)))
            if inspect:
                inspect(data)
            return data

        return self.http.retry.run(attempt, outage=self.http.outage, effect=effect)

    def pages(self, document: str, variables: Data, cost: float, *path: str) -> Iterator[Data]:
        """The nodes of the connection at ``path``, over all its pages."""
        trail, after = Trail(f"{self.system} {path[-1]}"), None
        while True:
            found: Any = self.graphql(document, {**variables, "after": after}, cost=cost)
            for name in path:
                found = found[name] if found else None
            if found is None:
                return
            yield from found["nodes"]
            if not found["pageInfo"]["hasNextPage"]:
                return
            after = trail.step(found["pageInfo"]["endCursor"])

    def _data(self, call: Call, payload: Any) -> Data:
        known = payload if isinstance(payload, dict) else {}
        self._learn_points(call, known.get("extensions", {}).get("cost") or {})
        if errors := known.get("errors"):
            raise self._error(call, errors, known.get("extensions", {}).get("cost") or {})
        if not isinstance(known.get("data"), dict):
            raise unanswered(f"{self.system} answered without data ({call.path})", call.effect)
        data: Data = known["data"]
        return data

    def _error(self, call: Call, errors: Any, cost: Mapping[str, Any]) -> HubError:
        listed = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
        codes = {(error.get("extensions") or {}).get("code") for error in listed}
        said = redact("; ".join(str(error.get("message")) for error in listed[:3]) or str(errors)[:300])
        if "THROTTLED" in codes:
            return Limited(f"{self.system}: {said}", delay=_until_restored(cost))
        if "INTERNAL_SERVER_ERROR" in codes or "TIMEOUT" in codes:
            return unanswered(f"{self.system} failed while it answered: {said}", call.effect)
        return StopRun(f"{self.system} refused the query: {said}")

    def _learn_points(self, call: Call, cost: Mapping[str, Any]) -> None:
        """Correct the budget: by the true cost of this call, and by what the shop says is left."""
        if self.counts_calls or not cost:
            return
        self.http.pace.give_back(call.cost - float(cost.get("actualQueryCost") or 0))
        if (left := (cost.get("throttleStatus") or {}).get("currentlyAvailable")) is not None:
            self.http.pace.observe(float(left))

    def _learn_calls(self, answer: Answer) -> None:
        """``X-Shopify-Shop-Api-Call-Limit: 32/40``."""
        used, _, size = answer.headers.get("x-shopify-shop-api-call-limit", "").partition("/")
        if self.counts_calls and used.isdigit() and size.isdigit():
            self.http.pace.observe(float(int(size) - int(used)))


def _until_restored(cost: Mapping[str, Any]) -> float | None:
    """Seconds until the bucket holds what the query asked for."""
    status = cost.get("throttleStatus") or {}
    if not status.get("restoreRate"):
        return None
    missing = float(cost.get("requestedQueryCost") or 0) - float(status.get("currentlyAvailable") or 0)
    return max(0.0, missing / float(status["restoreRate"]))
