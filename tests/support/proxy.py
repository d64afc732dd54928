"""A server in front of another one: passes requests on, and spoils the answers that a test wants spoilt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from support.loopback import Heard, Say, serving

# Headers that belong to one connection and not to what travels over it.
_OF_THE_HOP = {"host", "content-length", "connection", "transfer-encoding", "content-encoding", "accept-encoding"}

Spoil = Callable[[Heard, Callable[[], Say]], Say]


@dataclass
class Proxy:
    """``port`` is where it listens; ``spoil`` gets each request and the way to pass it on."""

    port: int
    spoil: Spoil


def pass_on(heard: Heard, ask: Callable[[], Say]) -> Say:
    return ask()


@contextmanager
def proxy(port: int, spoil: Spoil = pass_on) -> Iterator[Proxy]:
    """In front of 127.0.0.1:``port`` until the block ends."""
    found = Proxy(0, spoil)

    def ask(heard: Heard) -> Say:
        answer = requests.request(
            heard.method,
            f"http://127.0.0.1:{port}{heard.path}",
            params=heard.query,
            headers={name: value for name, value in heard.headers.items() if name not in _OF_THE_HOP},
            data=heard.body,
            timeout=30,
            allow_redirects=False,
        )
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _OF_THE_HOP}
        return Say(answer.status_code, answer.content, kept)

    def play(heard: Heard) -> Say:
        return found.spoil(heard, lambda: ask(heard))

    with serving(play) as server:
        found.port = int(server.connection.port or 0)
        yield found


def once(condition: Callable[[Heard], bool], spoilt: Callable[[Say], Say]) -> Spoil:
    """Spoil the answer to the first request that ``condition`` holds for, after it was carried out."""
    left: list[Any] = [True]

    def spoil(heard: Heard, ask: Callable[[], Say]) -> Say:
        said = ask()
        if left and condition(heard):
            left.clear()
            return spoilt(said)
        return said

    return spoil
