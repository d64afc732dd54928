"""The sender of webhooks: empties the outbox over HTTP with the vendors' habits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import closing

import requests

from hub.sandbox.webhooks import TIMEOUT, Message, Signs, Webhooks

log = logging.getLogger(__name__)
POLL = 0.2  # seconds between two looks into the outbox


class Sender:
    """One step sends what is due, oldest first; anything but a 2xx answer in time is a failure."""

    def __init__(self, webhooks: Webhooks, systems: Mapping[str, Signs], gateway_url: str) -> None:
        self._webhooks = webhooks
        self._systems = systems
        self._gateway = gateway_url.rstrip("/")
        self._reachable = True

    def step(self, stop: threading.Event) -> float:
        if due := self._webhooks.due():
            with closing(requests.Session()) as session:
                for message in due:
                    if stop.is_set():
                        break
                    self._send(session, message)
        return POLL

    def _send(self, session: requests.Session, message: Message) -> None:
        url = message.path if message.path.startswith("http") else self._gateway + message.path
        signature = self._systems[message.system].sign(url, message.body)
        try:
            answer = session.post(
                url,
                data=message.body,
                headers={**message.headers, **signature},
                timeout=TIMEOUT,
                allow_redirects=False,
            )
            reached = answer.ok
        except requests.RequestException:
            reached = False
        self._say(reached, url)
        if reached:
            self._webhooks.sent(message)
        else:
            self._webhooks.failed(message)

    def _say(self, reached: bool, url: str) -> None:
        """Once when it goes down, once when it comes back."""
        if reached != self._reachable:
            log.warning("webhooks are %s by %s", "taken again" if reached else "not taken", url)
        self._reachable = reached
