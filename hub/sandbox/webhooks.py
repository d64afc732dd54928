"""The vendors' webhooks: an outbox that systems fill in their own transaction, and the sender that empties it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from hub.sandbox.state import State

TABLE = """CREATE TABLE IF NOT EXISTS webhook (
    id INTEGER PRIMARY KEY AUTOINCREMENT, system TEXT NOT NULL, path TEXT NOT NULL, headers TEXT NOT NULL,
    body BLOB NOT NULL, tries INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, outcome TEXT)"""
TIMEOUT = 5.0  # seconds a receiver has to answer: Shopify's rule, Square's is 10
# Shopify: "8 retries over 4 hours", the original payload each time. The first ones come soon, so
# that a demo whose gateway was restarted sees them.
RETRY_AFTER = (2.0, 10.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0)


class Signs(Protocol):
    """A system that signs what it sends, at the moment of sending and for the address it is sent to."""

    def sign(self, url: str, body: bytes) -> Mapping[str, str]:
        """The headers that prove who sent ``body`` to ``url``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One webhook that waits to be sent."""

    id: int
    system: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    tries: int


class Webhooks:
    """The outbox of all systems; times are real ones, whatever clock the session has."""

    def __init__(self, state: State) -> None:
        self.state = state
        state.declare(TABLE, "CREATE INDEX IF NOT EXISTS webhook_due ON webhook (due) WHERE outcome IS NULL")

    def enqueue(self, system: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send ``body`` to ``path`` of the gateway (``/hooks/shop``) or to an absolute address, soon.

        ``headers`` are those that do not depend on the address; the system's ``sign`` adds the rest.
        """
        self.state.execute(
            "INSERT INTO webhook (system, path, headers, body, due) VALUES (?, ?, ?, ?, ?)",
            (system, path, json.dumps(dict(headers)), body, time.time()),
        )

    def due(self, limit: int = 50) -> list[Message]:
        """What is to be sent now, in the order of enqueueing."""
        return self._messages("outcome IS NULL AND due <= ?", (time.time(),), limit)

    def _messages(self, where: str, arguments: tuple[object, ...], limit: int = -1) -> list[Message]:
        statement = f"SELECT * FROM webhook WHERE {where} ORDER BY id LIMIT {limit}"  # noqa: S608 - both are ours
        rows = self.state.rows(statement, arguments)
        names = ("id", "system", "path", "body", "tries")
        return [Message(**{n: row[n] for n in names}, headers=json.loads(row["headers"])) for row in rows]

    def sent(self, message: Message) -> None:
        self.state.execute("UPDATE webhook SET outcome = 'sent', tries = tries + 1 WHERE id = ?", (message.id,))

    def taken(self, path: str) -> list[Message]:
        """Everything that was sent to ``path`` and answered with a 2xx, in the order of enqueueing."""
        return self._messages("outcome = 'sent' AND path = ?", (path,))

    def put_off(self, message: Message, seconds: float) -> None:
        """Send it later, and meanwhile those that were enqueued after it."""
        self.state.execute("UPDATE webhook SET due = ? WHERE id = ?", (time.time() + seconds, message.id))

    def failed(self, message: Message) -> None:
        """Try again later, or give up after the vendor's number of retries."""
        if message.tries < len(RETRY_AFTER):
            due = time.time() + RETRY_AFTER[message.tries]
            self.state.execute("UPDATE webhook SET tries = tries + 1, due = ? WHERE id = ?", (due, message.id))
        else:
            self.state.execute("UPDATE webhook SET outcome = 'given up' WHERE id = ?", (message.id,))

    def hurry(self) -> None:
        """What waits for its next try is tried now: whoever did not answer is back."""
        self.state.execute("UPDATE webhook SET due = ? WHERE outcome IS NULL", (time.time(),))

    def pending(self, system: str | None = None) -> int:
        """How many are still to be sent."""
        row = self.state.row(
            "SELECT count(*) AS n FROM webhook WHERE outcome IS NULL AND (? IS NULL OR system = ?)", (system, system)
        )
        return int(row["n"]) if row else 0
