"""Signing in as OAuth2 asks: a password for an access token of an hour, a refresh token for the next one.

https://api.akeneo.com/documentation/authentication.html
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from hub.sandbox.clock import Clock
from hub.sandbox.pim.errors import refused
from hub.sandbox.pim.tables import seconds
from hub.sandbox.state import State
from hub.sandbox.web import Note, Reply, Request

if TYPE_CHECKING:
    from hub.sandbox.pim.pim import Pim

LIFETIME = 3600  # seconds
CLIENT = 'Parameter "client_id" is missing or does not match any client, or secret is invalid'
USER = "No user found for the given username and password"
REFRESH = "Refresh token is invalid or has expired"


class Tokens:
    """The tokens that were given out, kept with everything else: another process knows them too."""

    def __init__(self, state: State, clock: Clock) -> None:
        self.state = state
        self.clock = clock

    def give(self) -> dict[str, Any]:
        """A new pair."""
        token, refresh = secrets.token_hex(43), secrets.token_hex(43)
        expires = seconds(self.clock.now()) + LIFETIME
        self.state.execute("INSERT INTO pim_token VALUES (?, ?, ?)", (token, refresh, expires))
        return {
            "access_token": token,
            "expires_in": LIFETIME,
            "token_type": "bearer",
            "scope": None,
            "refresh_token": refresh,
        }

    def swap(self, refresh: str) -> dict[str, Any] | None:
        """A new pair for a refresh token, which counts once; None for one that is unknown."""
        with self.state.transaction():
            gone = self.state.execute("DELETE FROM pim_token WHERE refresh = ?", (refresh,)).rowcount
            return self.give() if gone else None

    def judge(self, token: str) -> str:
        """ "" for a token that counts, else why it does not."""
        row = self.state.row("SELECT expires FROM pim_token WHERE token = ?", (token,))
        if row is None:
            return "The access token provided is invalid."
        return "" if row["expires"] > seconds(self.clock.now()) else "The access token provided has expired."

    def expire(self, token: str | None = None) -> None:
        """Make ``token`` too old, or every one; the refresh tokens still count."""
        self.state.execute("UPDATE pim_token SET expires = 0 WHERE ? IN (token, '')", (token or "",))


def token(pim: Pim, request: Request, note: Note) -> Reply:
    """``POST /api/oauth/v1/token``."""
    given = _fields(request)
    note.summary = str(given.get("grant_type", ""))
    if not hmac.compare_digest(_client(request), f"{pim.client_id}:{pim.secret}".encode()):
        raise refused(422, CLIENT)
    if given.get("grant_type") == "refresh_token":
        pair = pim.tokens.swap(str(given.get("refresh_token", "")))
        if pair is None:
            raise refused(422, REFRESH)
        return Reply(body=pair)
    if given.get("grant_type") != "password":
        raise refused(422, 'Parameter "grant_type" is missing or invalid')
    if not _same(given, username=pim.username, password=pim.password):
        raise refused(422, USER)
    return Reply(body=pim.tokens.give())


def _fields(request: Request) -> Mapping[str, Any]:
    """The body, as JSON or as a form: both are taken."""
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        return dict(parse_qsl(request.body.decode("utf-8", "replace")))
    try:
        found = json.loads(request.body)
    except ValueError:
        raise refused(400, "Invalid json message received") from None
    return found if isinstance(found, dict) else {}


def _client(request: Request) -> bytes:
    kind, _, written = request.headers.get("authorization", "").partition(" ")
    try:
        return base64.b64decode(written, validate=True) if kind.lower() == "basic" else b""
    except ValueError:
        return b""


def _same(given: Mapping[str, Any], **expected: str) -> bool:
    return all(hmac.compare_digest(str(given.get(name, "")).encode(), text.encode()) for name, text in expected.items())
