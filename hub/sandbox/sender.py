"""The sender of webhooks: empties the outbox over HTTP with the vendors' habits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import closing

import requests

from hub.sandbox.faults import Faults, Kind
from hub.sandbox.ledger import Ledger
from hub.sandbox.webhooks import TIMEOUT, Message, Signs, Webhooks

log = logging.getLogger(__name__)
POLL = 0.2  # seconds between two looks into the outbox
WEBHOOK = "webhook"  # what the ledger calls one that a fault struck


class Sender:
    """One step sends what is due, oldest first; anything but a 2xx answer in time is a failure."""

    def __init__(self, webhooks: Webhooks, systems: Mapping[str, Signs], gateway_url: str) -> None:
        self._ledger = Ledger(webhooks.state)
        self._faults = Faults.of(webhooks.state)
        self._webhooks = webhooks
        self._systems = systems
        self._gateway = gateway_url.rstrip("/")
        self._reachable = True
        self._late: set[int] = set()  # messages that wait behind later ones: once is enough

    def step(self, stop: threading.Event) -> float:
        if due := self._webhooks.due():
            with closing(requests.Session()) as session:
                for message in due:
                    if stop.is_set():
                        break
                    self._try(session, message)
        return POLL

    def _try(self, session: requests.Session, message: Message) -> None:
        """Send it: once, twice, or after those that were to come later."""
        kinds = {Kind.DUPLICATE} if message.id in self._late else {Kind.DUPLICATE, Kind.REORDER}
        rule = self._faults.strike(message.system, kinds, WEBHOOK)
        if rule is not None:
            self._ledger.record(message.system, "POST", message.path, status=0, operation=WEBHOOK, fault=rule.kind)
            if rule.kind is Kind.REORDER:
                self._late.add(message.id)
                self._webhooks.put_off(message, rule.delay)
                return
            self._post(session, message)
        self._send(session, message)

    def _send(self, session: requests.Session, message: Message) -> None:
        reached = self._post(session, message)
        if reached:
            self._webhooks.sent(message)
        else:
            self._webhooks.failed(message)

    def _post(self, session: requests.Session, message: Message) -> bool:
        """Whether it was taken."""
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
        return reached

    def _say(self, reached: bool, url: str) -> None:
        """Once when it goes down, once when it comes back."""
        if reached != self._reachable:
            log.warning("webhooks are %s by %s", "taken again" if reached else "not taken", url)
        self._reachable = reached
