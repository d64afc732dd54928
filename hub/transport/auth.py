"""Access tokens of OAuth 2.0 (RFC 6749): asked for with a password, renewed when the other side no longer takes one.

A token lives as long as the object that holds it; nothing is written down.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hub.connector import Connection
from hub.errors import ConfigError, SignInRefused, TryLater
from hub.transport.http import Answer, Call, Http, basic_auth, json_of, required_password
from hub.transport.outcomes import detail
from hub.transport.redaction import protect

REFUSED = frozenset({400, 401, 403, 422})  # RFC 6749 5.2 asks for 400; vendors take what they like


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What a sign-in gives out; never printed."""

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)


class OAuth:
    """Sends calls with an access token, and with a new one when it has expired, also in the middle of paging.

    The connection's login and password are the client's id and secret, its ``extra`` holds username
    and password of the account.
    """

    def __init__(self, http: Http, path: str) -> None:
        self.http = http
        self.path = path
        self._pair: Pair | None = None
        self._lock = threading.Lock()

    def send(self, call: Call) -> Answer:
        """As :meth:`Http.send`; a refused token is renewed once and the call, which was not carried out, repeated."""
        pair = self._signed_in()
        answer = self.http.send(_with(call, pair, accept=frozenset({401})))
        if answer.status != 401 or 401 in call.accept:
            return answer
        return self.http.send(_with(call, self._renewed(pair)))

    def _signed_in(self) -> Pair:
        with self._lock:
            self._pair = self._pair or self._by_password()
            return self._pair

    def _renewed(self, old: Pair) -> Pair:
        """A new pair in the place of ``old``, unless another thread has been here already."""
        with self._lock:
            if self._pair is old:
                self._pair = (self._by_refresh(old.refresh) if old.refresh else None) or self._by_password()
            return self._pair or self._by_password()

    def _by_password(self) -> Pair:
        connection = self.http.connection
        given = {"username": _extra(connection, "username"), "password": _extra(connection, "password")}
        answer = self._ask({"grant_type": "password", **given})
        if answer.status in REFUSED:
            said = detail(answer.body)
            raise SignInRefused(
                f"{connection.id} refused the sign-in; check the connection's login and password (the client's id and "
                f"secret) and its username and password{': ' + said if said else ''}"
            )
        return _pair(connection, answer, self.path)

    def _by_refresh(self, refresh: str) -> Pair | None:
        """None where the refresh token is too old as well."""
        answer = self._ask({"grant_type": "refresh_token", "refresh_token": refresh})
        return None if answer.status in REFUSED else _pair(self.http.connection, answer, self.path)

    def _ask(self, fields: Mapping[str, str]) -> Answer:
        connection = self.http.connection
        required_password(connection, "the secret of the client")
        headers = {"Content-Type": "application/json", "Accept": "application/json", **basic_auth(connection)}
        body = json.dumps(fields).encode()
        # Asking twice gives out two tokens and does no harm, so it is repeated like a reading call.
        return self.http.send(Call(method="POST", path=self.path, headers=headers, body=body, accept=REFUSED))


def _with(call: Call, pair: Pair, accept: frozenset[int] = frozenset()) -> Call:
    return replace(
        call, headers={**call.headers, "Authorization": f"Bearer {pair.access}"}, accept=call.accept | accept
    )


def _pair(connection: Connection, answer: Answer, path: str) -> Pair:
    found = json_of(Call(path=path), answer)
    access = found.get("access_token") if isinstance(found, dict) else None
    if not isinstance(access, str) or not access:
        raise TryLater(f"{connection.id} answered the sign-in without an access token")
    refresh = found.get("refresh_token")
    protect(access, refresh)
    return Pair(access=access, refresh=refresh if isinstance(refresh, str) else None)


def _extra(connection: Connection, name: str) -> str:
    found = connection.extra.get(name)
    if not isinstance(found, str) or not found:
        raise ConfigError(
            f"has no {name} in its extra; enter that of the API user there", f"connection {connection.id}"
        )
    return found
