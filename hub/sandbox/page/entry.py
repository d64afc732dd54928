"""Who may see the page and who may press its buttons.

It listens on loopback, yet any page in the same browser can send requests there: so the name it is called by
must be a loopback name (DNS rebinding), and a form must bring the proof that only the page itself shows.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

from hub.sandbox.state import State

LOGIN = "sandbox"
NAMES = frozenset({"127.0.0.1", "localhost"})
OWN = frozenset({"same-origin", "none"})  # Sec-Fetch-Site of the page's own forms and of what a person types


class Entry:
    """The one sign-in, kept with the sandbox's other secrets."""

    def __init__(self, state: State) -> None:
        self.password = state.secret("page", lambda: secrets.token_urlsafe(16))

    @property
    def proof(self) -> str:
        """What a form of the page carries, and a page from elsewhere cannot know."""
        return hmac.new(self.password.encode(), b"form", hashlib.sha256).hexdigest()

    def calls_us_by_name(self, headers: Mapping[str, str]) -> bool:
        """Whether the address that was typed is ours."""
        return headers.get("host", "").rpartition(":")[0] in NAMES

    def signed_in(self, headers: Mapping[str, str]) -> bool:
        """Whether the HTTP Basic credentials are right."""
        expected = b"Basic " + base64.b64encode(f"{LOGIN}:{self.password}".encode())
        return hmac.compare_digest(headers.get("authorization", "").encode(), expected)

    def proves(self, headers: Mapping[str, str], given: str) -> bool:
        """Whether a form was sent from the page itself."""
        return headers.get("sec-fetch-site", "none") in OWN and hmac.compare_digest(given.encode(), self.proof.encode())
