"""A real HTTP server on loopback that plays a script: what each request gets, in order."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hub.connector import Connection


@dataclass
class Heard:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Say:
    """An answer; ``body`` may be anything that JSON can hold, or bytes."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False  # close without a word, after the request was read
    promise: int | None = None  # a Content-Length that is not kept
    drip: float | None = None  # seconds between two bytes

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Script = Callable[[Heard], Say]


@dataclass
class Server:
    connection: Connection
    heard: list[Heard]


def in_turn(*answers: Say) -> Script:
    """The answers one after the other; the last one for ever."""
    left = list(answers)
    return lambda heard: left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def serving(script: Script | Sequence[Say] | Say, **connection: Any) -> Iterator[Server]:
    """A server that answers by ``script`` until the block ends."""
    answer = in_turn(script) if isinstance(script, Say) else script if callable(script) else in_turn(*script)
    heard: list[Heard] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Heard(
                self.command,
                parts.path,
                parse_qs(parts.query, keep_blank_values=True),
                {k.lower(): v for k, v in self.headers.items()},
                body,
            )
            heard.append(request)
            self.say(answer(request))

        def say(self, said: Say) -> None:
            if said.hang_up:
                self.close_connection = True
                return
            content = said.content
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(said.promise or len(content)))
            self.end_headers()
            if said.drip is None:
                self.wfile.write(content)
            else:
                self.dripping(content, said.drip)
            self.close_connection = said.promise is not None

        def dripping(self, content: bytes, seconds: float) -> None:
            for byte in content:
                time.sleep(seconds)
                try:
                    self.wfile.write(bytes([byte]))
                except OSError:
                    return

        do_GET = do_POST = do_PUT = do_DELETE = handle_any

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Server(Connection(**{"id": "shop", "port": server.server_port, **connection}), heard)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
