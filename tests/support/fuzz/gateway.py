"""A gateway on a real port over a real journal; shop and tills are known only by the secrets that they sign with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import shutil
import socket
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from support.fuzz.records import ROOT
from support.fuzz.values import CANARY

from hub.connector import Connection
from hub.gateway import application
from hub.journal import clients, connect, migrate
from hub.journal.clients import SCOPES

SECRETS = ("webhook_secret", "webhook_signature_key")


def connection(id: str) -> Connection:
    """Of every system; nobody is called."""
    return Connection(id=id, host="192.0.2.1", login="hub", password=CANARY, extra=dict.fromkeys(SECRETS, CANARY))


@dataclass
class Door:
    """The gateway, as somebody outside sees it, and its journal."""

    url: str
    dsn: str
    project: Path
    key: str

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 0)

    def say(self, head: bytes, body: bytes = b"") -> bytes:
        """What comes back for these very bytes, up to the end of the connection."""
        with socket.create_connection(self.address, timeout=10) as line:
            line.sendall(head + b"Connection: close\r\n\r\n" + body)
            parts = []
            while part := line.recv(65536):
                parts.append(part)
        return b"".join(parts)

    def drip(self, head: bytes) -> bytes:
        """What comes back while the body is still promised."""
        with socket.create_connection(self.address, timeout=20) as line:
            line.sendall(head)
            return line.recv(65536)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        line = http.client.HTTPConnection(*self.address, timeout=20)
        try:
            line.request("POST", path, body=body, headers=dict(headers))
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with connect(self.dsn) as journal:
            return journal.execute(statement).fetchall()

    def stored(self) -> int:
        """Rows of everything that a message could leave behind."""
        tables = ("inbox", "vault", "quarantine", "source_state", "event", "audit")
        return sum(int(self.query(f"SELECT count(*) FROM {table}")[0][0]) for table in tables)


def signed(body: bytes, **changes: str) -> dict[str, str]:
    """The headers of the shop with ``body``; ``changes`` replaces some (``_`` for ``-``)."""
    signature = base64.b64encode(hmac.new(CANARY.encode(), body, hashlib.sha256).digest()).decode()
    headers = {
        "X-Shopify-Hmac-Sha256": signature,
        "X-Shopify-Topic": "orders/updated",
        "X-Shopify-Webhook-Id": str(uuid.uuid4()),
        "X-Shopify-Triggered-At": datetime.now(UTC).isoformat(),
        "Content-Type": "application/json",
    }
    return {**headers, **{name.replace("_", "-"): value for name, value in changes.items()}}


@contextmanager
def door(folder: Path, dsn: str, monkey_home: Any) -> Iterator[Door]:
    """The gateway of this repository's own landscape over an empty journal."""
    project = folder / "project"
    project.mkdir()
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(ROOT / name, project / name)
    shutil.copy(ROOT / "hub.yaml", project / "hub.yaml")
    monkey_home.setenv("HUB_HOME", str(folder / "home"))
    migrate(dsn)
    with connect(dsn) as journal:
        key = clients.add(journal, "anybody", tuple(SCOPES), "shop", 1_000_000)
    app = application(project, dsn=dsn, connections=connection, watch=False)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        yield Door(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", dsn, project, key)
    finally:
        server.should_exit = True
        thread.join()
