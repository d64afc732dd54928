"""Square's idempotency keys: the same key and body again get the first answer again, another body is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hub.sandbox.state import State
from hub.sandbox.tills import requests as read
from hub.sandbox.tills.errors import refused
from hub.sandbox.web import Note, Reply

LONGEST_KEY = 128


class Answers:
    """What was answered under each key; a refused call does not use up its key."""

    def __init__(self, state: State) -> None:
        self.state = state

    def earlier(self, body: Mapping[str, Any], note: Note) -> Reply | None:
        """The first answer under the key of ``body``, None for a new key."""
        note.idempotency_key = key = _key(body)
        found = self.state.row("SELECT * FROM till_idempotency WHERE key = ?", (key,))
        if found is None:
            return None
        if found["fingerprint"] != read.fingerprint(body):
            text = "The idempotency key can only be retried with the same request data."
            raise refused("IDEMPOTENCY_KEY_REUSED", text, "idempotency_key")
        note.summary += ", answered before"
        return Reply(body=json.loads(found["answer"]))

    def keep(self, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Reply:
        """``answer`` as the reply to ``body``, now and whenever it is asked for again."""
        row = (_key(body), read.fingerprint(body), json.dumps(answer))
        self.state.execute("INSERT INTO till_idempotency VALUES (?, ?, ?)", row)
        return Reply(body=answer)


def _key(body: Mapping[str, Any]) -> str:
    if "idempotency_key" not in body:
        raise refused("MISSING_REQUIRED_PARAMETER", "Field is required.", "idempotency_key")
    key = read.text(body["idempotency_key"], "idempotency_key")
    if len(key) > LONGEST_KEY:
        raise refused("VALUE_TOO_LONG", f"Field must not be longer than {LONGEST_KEY}.", "idempotency_key")
    return key
