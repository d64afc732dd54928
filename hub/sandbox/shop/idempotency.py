"""Idempotency keys: https://shopify.dev/docs/api/usage/implementing-idempotency.

A key lives 24 hours; the answer to a repeated call is read from what the first one stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.sandbox.clock import Clock
from hub.sandbox.shop.tables import stored
from hub.sandbox.state import State

KEY_LIVES = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What became of the first call with a key: the code of an error, or the id of what it made (if anything)."""

    error: str | None = None
    made: int | None = None


class Keys:
    """Stateless over :class:`State`; call it inside the transaction of what the key protects."""

    def __init__(self, state: State, clock: Clock) -> None:
        self.state = state
        self.clock = clock

    def earlier(self, key: str, value: Mapping[str, Any]) -> Earlier | None:
        """The first call with ``key``; None when this is it."""
        now = self.clock.now()
        self.state.execute("DELETE FROM shop_idempotency WHERE used_at <= ?", (stored(now - KEY_LIVES),))
        row = self.state.row("SELECT * FROM shop_idempotency WHERE key = ?", (key,))
        if row is None:
            return None
        if row["fingerprint"] != _fingerprint(value):
            return Earlier(error="IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
        return Earlier(
            error="IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED" if row["failed"] else None, made=row["adjustment_id"]
        )

    def remember(self, key: str, value: Mapping[str, Any], made: int | None, *, failed: bool) -> None:
        self.state.execute(
            "INSERT INTO shop_idempotency VALUES (?, ?, ?, ?, ?)",
            (key, _fingerprint(value), stored(self.clock.now()), failed, made),
        )


def _fingerprint(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
