"""Access tokens: asked for once, renewed when refused, never shown."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from support.loopback import Heard, Say, Server, serving

from hub.errors import ConfigError, StopRun, TryLater
from hub.transport.auth import OAuth
from hub.transport.http import Call, Http
from hub.transport.redaction import Redaction, redact
from hub.transport.retry import instant

USER = {"username": "reader", "password": "user-secret-0815"}


class Issuer:
    """Gives out tokens 1, 2, 3 ... and takes only the newest one."""

    def __init__(self, *, refresh: bool = True, sign_in: int = 200, accept: bool = True) -> None:
        self.refresh, self.sign_in, self.accept, self.given = refresh, sign_in, accept, 0

    def __call__(self, heard: Heard) -> Say:
        if heard.path == "/token":
            return self._token(heard.json)
        good = self.accept and heard.headers["authorization"] == f"Bearer access-token-{self.given}"
        return Say(body={"ok": True}) if good else Say(401, {"message": "The access token provided has expired."})

    def _token(self, asked: dict[str, Any]) -> Say:
        if self.sign_in != 200 or (asked["grant_type"] == "refresh_token" and not self.refresh):
            return Say(self.sign_in if self.sign_in != 200 else 422, {"message": "No user found"})
        self.given += 1
        pair = {"access_token": f"access-token-{self.given}", "refresh_token": f"refresh-token-{self.given}"}
        return Say(body=pair)


def account(script: Any, **extra: Any) -> Any:
    return serving(script, id="pim", login="client", password="client-secret-0815", extra=extra or USER)


def oauth(server: Server) -> OAuth:
    return OAuth(Http(server.connection), "/token")


def grants(server: Server) -> list[str]:
    return [json.loads(heard.body)["grant_type"] for heard in server.heard if heard.path == "/token"]


def test_one_sign_in_serves_many_calls():
    with account(Issuer()) as server:
        session = oauth(server)
        assert [session.send(Call(path="/x")).status for _ in range(3)] == [200] * 3
    assert grants(server) == ["password"]
    assert server.heard[0].headers["authorization"].startswith("Basic ")
    assert server.heard[0].json == {"grant_type": "password", **USER}


def test_an_expired_token_is_renewed_with_its_refresh_token_and_the_call_repeated():
    issuer = Issuer()
    with account(issuer) as server:
        session = oauth(server)
        session.send(Call(path="/x"))
        issuer.given += 1
        assert session.send(Call(path="/x")).status == 200
    assert grants(server) == ["password", "refresh_token"]


def test_a_refresh_token_that_is_too_old_means_signing_in_again():
    issuer = Issuer(refresh=False)
    with account(issuer) as server:
        session = oauth(server)
        session.send(Call(path="/x"))
        issuer.given += 1
        assert session.send(Call(path="/x")).status == 200
    assert grants(server) == ["password", "refresh_token", "password"]


def test_a_fresh_token_that_is_refused_too_stops_the_run():
    with account(Issuer(accept=False)) as server, pytest.raises(StopRun, match="refused the sign-in"):
        oauth(server).send(Call(path="/x"))
    assert grants(server) == ["password", "refresh_token"]


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_a_refused_sign_in_stops_the_run_with_the_systems_own_sentence(status: int):
    with account(Issuer(sign_in=status)) as server, pytest.raises(StopRun, match=r"check .* username .*No user found"):
        oauth(server).send(Call(path="/x"))
    assert len(server.heard) == 1


def test_a_sign_in_that_cannot_be_answered_now_is_tried_again():
    with account(Issuer(sign_in=503)) as server, instant(), pytest.raises(TryLater):
        oauth(server).send(Call(path="/x"))
    assert len(server.heard) == 4


def test_an_answer_without_a_token_is_tried_later():
    with account(Say(body={"token": 1})) as server, pytest.raises(TryLater, match="without an access token"):
        oauth(server).send(Call(path="/x"))


@pytest.mark.parametrize("missing", ["username", "password"])
def test_what_the_connection_lacks_is_named(missing: str):
    extra = {name: value for name, value in USER.items() if name != missing}
    with account(Issuer(), **extra) as server, pytest.raises(ConfigError, match=rf"connection pim: has no {missing}"):
        oauth(server).send(Call(path="/x"))


def test_tokens_are_masked_wherever_they_turn_up():
    with account(Issuer()) as server:
        oauth(server).send(Call(path="/x"))
    assert "access-token-1" not in redact("sent access-token-1 and refresh-token-1")
    assert "refresh-token-1" not in redact("sent access-token-1 and refresh-token-1")
    record = logging.LogRecord("x", logging.INFO, "x", 1, "user-secret-0815", None, None)
    Redaction().filter(record)
    assert "user-secret" not in record.getMessage()
