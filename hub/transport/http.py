"""HTTP over one ``requests.Session``: the seam that tests and zeep share.

Every call has time limits (to connect, between bytes, in all) and a size limit; the host is always
the connection's own, so a secret cannot travel elsewhere by a redirect or a link.
"""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from hub.connector import Budget, Connection
from hub.errors import ConfigError, HubError, StopRun, Unknown
from hub.points import reached
from hub.transport.effects import Effect
from hub.transport.numbers import fraction_of_json, whole_of_json
from hub.transport.outcomes import error_of_answer, error_of_exception, unanswered
from hub.transport.redaction import protect, protect_extra
from hub.transport.retry import Limited, Outage, Pace, Retry

if TYPE_CHECKING:
    import requests

DEEPEST = 100  # no vendor's answer is nested a fifth as deep
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NO_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to the connection's host."""

    path: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    effect: Effect = Effect.NONE
    cost: float = 1.0  # taken from the account's budget before the request leaves
    accept: frozenset[int] = frozenset()  # statuses beside 2xx that the caller interprets


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response, read to its end; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    def json(self) -> Any:
        """The body as JSON; numbers with a fraction are :class:`~decimal.Decimal`."""
        return parse_json(self.body, self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds to connect, between two bytes and in all; bytes of an answer."""

    connect: float = 5.0
    read: float = 20.0
    total: float = 60.0
    size: int = 64 * 2**20


class Http:
    """Calls to one system; ``session`` is the one thing to fake."""

    def __init__(
        self,
        connection: Connection,
        *,
        budget: Budget | None = None,
        headers: Mapping[str, str] | None = None,
        session: requests.Session | None = None,
        retry: Retry | None = None,
        limits: Limits | None = None,
    ) -> None:
        protect(connection.password)
        protect_extra(connection.extra)
        self.connection = connection
        self.headers = dict(headers or {})
        self.session = session or new_session(connection)
        self.retry = retry or Retry()
        self.limits = limits or Limits()
        self.pace = Pace(budget, system=connection.id)
        self.outage = Outage(connection.id)

    def send(self, call: Call) -> Answer:
        """The answer, after as many tries as the call's effect allows."""
        return self.retry.run(lambda: self.once(call), outage=self.outage, effect=call.effect)

    def once(self, call: Call) -> Answer:
        """One try, inside the budget."""
        self.pace.take(call.cost)
        answer = self._exchange(call)
        if answer.status in call.accept or 200 <= answer.status < 300:
            return answer
        error = error_of_answer(self.connection.id, call, answer, datetime.now(UTC))
        if isinstance(error, Limited):
            self.pace.observe(0)
            if error.delay is not None and error.delay > self.retry.seconds:
                self.pace.rest(error.delay)  # nobody stands and waits for it here: it holds for the next calls too
        raise error

    def close(self) -> None:
        self.session.close()

    def _exchange(self, call: Call) -> Answer:
        import requests
        from urllib3.exceptions import HTTPError

        started = time.monotonic()
        reached("request leaves")
        try:
            response = self.session.request(
                call.method,
                self.connection.url + "/" + call.path.lstrip("/"),
                params=dict(call.params),
                headers={**self.headers, **call.headers},
                data=call.body,
                timeout=(self.limits.connect, self.limits.read),
                allow_redirects=False,
                stream=True,
            )
            with response:
                body = b"".join(self._chunks(response, call, started))
        except (requests.RequestException, HTTPError, UnicodeError) as error:
            raise error_of_exception(self.connection.id, call, error) from error
        reached("answer came")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, headers=headers, body=body, url=response.url)

    def _chunks(self, response: requests.Response, call: Call, started: float) -> Iterator[bytes]:
        size = 0
        # read1 answers with what is there; iter_content would let a server that drips hold us for hours.
        while chunk := response.raw.read1(2**16, decode_content=True):
            size += len(chunk)
            if size > self.limits.size:
                raise self._too_much(call)
            if time.monotonic() - started > self.limits.total:
                raise unanswered(
                    f"{self.connection.id} took longer than {self.limits.total:.0f} s ({call.method} {call.path})",
                    call.effect,
                )
            yield chunk

    def _too_much(self, call: Call) -> HubError:
        sentence = (
            f"{self.connection.id} answered with more than {self.limits.size} bytes ({call.method} {call.path}); "
            "ask for smaller pages"
        )
        return StopRun(sentence) if call.effect is Effect.NONE else unanswered(sentence, call.effect)


def new_session(connection: Connection) -> requests.Session:
    """A session that verifies certificates and takes neither credentials nor, on loopback, a proxy from around it."""
    import requests

    session = requests.Session()
    session.auth = _no_netrc
    session.trust_env = not _is_loopback(connection.host)
    return session


def basic_auth(connection: Connection) -> dict[str, str]:
    """The header for login and password, in UTF-8 (RFC 7617); protected from logs like the password itself."""
    if connection.login is None:
        return {}
    pair = b64encode(f"{connection.login}:{connection.password or ''}".encode()).decode()
    protect(pair)
    return {"Authorization": f"Basic {pair}"}


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def json_of(call: Call, answer: Answer) -> Any:
    """The answer as JSON; a writing call whose answer cannot be read may have been carried out all the same."""
    try:
        return answer.json()
    except StopRun as error:
        if call.effect is Effect.NONE:
            raise
        raise Unknown(str(error)) from error


def required_password(connection: Connection, what: str) -> str:
    """The connection's password, which is ``what`` to this vendor."""
    if not connection.password:
        raise ConfigError(f"has no password; enter {what} there", f"connection {connection.id}")
    return connection.password


def parse_json(body: bytes, place: str) -> Any:
    """JSON without floats: a price of 19.90 stays 19.90; ``NaN`` and its like are refused, and so is depth.

    A number of thousands of digits spoils one record and not its page, see :mod:`hub.transport.numbers`.
    """
    try:
        found = json.loads(body, parse_float=fraction_of_json, parse_int=whole_of_json, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise StopRun(f"{place} answered with something that is not JSON: {error}") from None
    if _depth(body) > DEEPEST:
        raise StopRun(f"{place} answered with JSON that is nested more than {DEEPEST} deep")
    return found


def _depth(body: bytes) -> int:
    """How deep lists and objects stand in each other; whoever walks through them later does it by recursion."""
    deepest = depth = 0
    for bracket in _STRING.sub(b"", body).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
