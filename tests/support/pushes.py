"""What shop and tills push, taken out of their outboxes and handed to the hub as its gateway does, signed."""

from __future__ import annotations

from typing import Any

from support.scene import Scene

from hub.model import Pushed
from hub.sandbox.webhooks import Message

URL = "https://hub.example.org/hooks/{system}"


def drained(scene: Scene) -> list[Message]:
    """What the systems have to say, taken out of their outboxes."""
    found = scene.retailer.webhooks.due(limit=1000)
    for message in found:
        scene.retailer.webhooks.sent(message)
    return found


def signed(scene: Scene, message: Message, body: bytes | None = None) -> dict[str, str]:
    """The headers that the sender sends with ``body``."""
    system = getattr(scene.retailer, message.system)
    signature = system.sign(URL.format(system=message.system), message.body if body is None else body)
    return {name.lower(): value for name, value in {**message.headers, **signature}.items()}


def push(scene: Scene, message: Message, *, body: bytes | None = None, **changes: str | None) -> bool:
    """Hand ``message`` to the hub as its gateway does; ``changes`` replaces headers (``_`` for ``-``)."""
    given = {name.replace("_", "-"): value for name, value in changes.items()}
    headers = {**signed(scene, message, body), **given}
    request = Pushed(
        system=message.system,
        path=message.path,
        url=URL.format(system=message.system),
        headers={name: value for name, value in headers.items() if value is not None},
        body=message.body if body is None else body,
        received_at=scene.clock.now(),
    )
    with scene.engine() as engine:
        return engine.receive(request)


def about(scene: Scene, order: dict[str, Any]) -> dict[str, Message]:
    """By topic, what the shop has to say of one of its orders; the rest of its outbox is left to others."""
    id = str(order["id"])
    waiting = scene.retailer.webhooks.due(limit=1000)
    found = {m.headers["X-Shopify-Topic"]: m for m in waiting if m.headers.get("X-Shopify-Order-Id") == id}
    for message in found.values():
        scene.retailer.webhooks.sent(message)
    return found


def about_product(scene: Scene, id: int) -> Message:
    """The last that the shop has to say of one of its products; older words of it are dropped."""
    waiting = scene.retailer.webhooks.due(limit=1000)
    found = [m for m in waiting if m.headers.get("X-Shopify-Product-Id") == str(id)]
    for message in found:
        scene.retailer.webhooks.sent(message)
    return found[-1]
