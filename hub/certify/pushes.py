"""Pushes: what a system pushed and was thanked for is in the journal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg

from hub.sandbox.shop.notices import GATEWAY_PATH as SHOP
from hub.sandbox.tills.notices import GATEWAY_PATH as TILLS

if TYPE_CHECKING:
    from hub.certify.played import Played
    from hub.sandbox.webhooks import Message


def cases(played: Played, compared: Counter[str]) -> Iterator[str]:
    """A sentence for each message that its sender was told had arrived, and that nobody kept.

    Most of what it says is read in another way as well, so that the numbers may agree without it.
    """
    with psycopg.connect(played.dsn) as journal:
        kept = {(system, identity) for system, identity in journal.execute("SELECT system, identity FROM inbox")}
    for path in (SHOP, TILLS):
        for message in played.retailer.webhooks.taken(path):
            compared["pushes"] += 1
            if (message.system, identity(message)) not in kept:
                yield f"{message.system} pushed {identity(message)}, was told that it had arrived, and nobody kept it"


def identity(message: Message) -> str:
    """What its sender calls it."""
    if message.system == "shop":
        return message.headers["X-Shopify-Webhook-Id"]
    return str(json.loads(message.body)["event_id"])
