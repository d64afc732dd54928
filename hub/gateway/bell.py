"""Rings those who read: once for a batch of news, and never on the path of the sender's answer.

With Airflow that is an event of an asset, without it a notice in the journal's database. A ring that is
lost costs at most a minute: whoever is rung also looks by the clock.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import requests

log = logging.getLogger("hub.gateway")

GATHER_SECONDS = 0.15  # what arrives within this time after the first news rings once
TIMEOUT = (3.05, 10.0)
CHANNEL = "hub_arrived"


def arrived(system: str) -> str:
    """The asset that stands for news at ``system``."""
    return f"hub://arrived/{system}"


def waiting(target: str) -> str:
    """The asset that stands for something to derive or to deliver to ``target``."""
    return f"hub://deliver/{target}"


def held(flow: str) -> str:
    """The asset that stands for a batch of ``flow`` that waits for a person."""
    return f"hub://held/{flow}"


@dataclass(slots=True)
class Airflow:
    """Airflow's public API, as the user ``gateway``."""

    url: str
    user: str
    password: str = field(repr=False)
    _session: requests.Session = field(default_factory=requests.Session, repr=False)
    _assets: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of_environment(cls) -> Airflow | None:
        """The Airflow that HUB_AIRFLOW_URL names, signed in with HUB_AIRFLOW_PASSWORD_FILE; None without them."""
        url, file = os.environ.get("HUB_AIRFLOW_URL"), os.environ.get("HUB_AIRFLOW_PASSWORD_FILE")
        if not url or not file:
            return None
        user = os.environ.get("HUB_AIRFLOW_USER", "gateway")
        return cls(url, user, json.loads(Path(file).read_text(encoding="utf-8"))[user])

    def ring(self, uri: str) -> bool:
        """Post one event of the asset ``uri``; False while Airflow does not know it yet."""
        asset = self._asset(uri)
        if asset is None:
            return False
        answer = self._call("POST", "/api/v2/assets/events", json={"asset_id": asset})
        if answer.status_code == 404:
            self._assets.pop(uri, None)
            return False
        answer.raise_for_status()
        return True

    def _asset(self, uri: str) -> int | None:
        if uri not in self._assets:
            answer = self._call("GET", "/api/v2/assets", params={"uri_pattern": uri, "limit": "100"})
            answer.raise_for_status()
            self._assets |= {found["uri"]: found["id"] for found in answer.json()["assets"]}
        return self._assets.get(uri)

    def _call(self, method: str, path: str, **arguments: object) -> requests.Response:
        """One call; signs in first, and again when the token has run out."""
        for fresh in (False, True):
            if fresh or "Authorization" not in self._session.headers:
                self._sign_in()
            answer = self._session.request(method, self.url + path, timeout=TIMEOUT, **arguments)  # type: ignore[arg-type]
            if answer.status_code != 401:
                return answer
        return answer

    def _sign_in(self) -> None:
        body = {"username": self.user, "password": self.password}
        self._session.headers.pop("Authorization", None)
        answer = self._session.post(f"{self.url}/auth/token", json=body, timeout=TIMEOUT)
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


@dataclass(frozen=True, slots=True)
class Notice:
    """PostgreSQL's own bell, for a hub that runs without Airflow."""

    dsn: str = field(repr=False)

    def ring(self, uri: str) -> bool:
        """Notify whoever listens; with nobody there it is lost, as a bell is."""
        import psycopg

        with psycopg.connect(self.dsn, autocommit=True, connect_timeout=3) as connection:
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, uri))
        return True


class Ringer(Protocol):
    """Who rings."""

    def ring(self, uri: str) -> bool:
        """Ring ``uri``; False where nobody knows it yet."""
        ...


class Bell:
    """Takes rings from any thread and posts them from its own; one post stands for all that came meanwhile."""

    def __init__(self, ringer: Ringer | None) -> None:
        self._ringer = ringer
        self._wanted: set[str] = set()
        self._change = threading.Condition()
        self._closed = False
        self.well = True
        self._thread = threading.Thread(target=self._work, name="bell", daemon=True)
        self._thread.start()

    def ring(self, system: str) -> None:
        """Say that there is news at ``system``; returns at once."""
        self._want(arrived(system))

    def call(self, target: str) -> None:
        """Say that the moment has come for something at ``target``; returns at once."""
        self._want(waiting(target))

    def ask(self, flow: str) -> None:
        """Say that a batch of ``flow`` waits for a person; returns at once."""
        self._want(held(flow))

    def _want(self, uri: str) -> None:
        with self._change:
            self._wanted.add(uri)
            self._change.notify()

    def close(self) -> None:
        with self._change:
            self._closed = True
            self._change.notify()
        self._thread.join(timeout=5)

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._wanted or self._closed)
                if self._closed:
                    return
                self._change.wait_for(lambda: self._closed, GATHER_SECONDS)
                uris, self._wanted = sorted(self._wanted), set()
            for uri in uris:
                self._post(uri)

    def _post(self, uri: str) -> None:
        if self._ringer is None:
            return
        try:
            self._ringer.ring(uri)
        except Exception as error:  # noqa: BLE001 - a bell that ended would be silence without a sound
            if self.well:
                log.warning("ringing fails (%s): what arrives is found by the clock", type(error).__name__)
            self.well = False
        else:
            if not self.well:
                log.warning("ringing works again")
            self.well = True
