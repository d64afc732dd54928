"""An order as every system together knows it: the channel's document, what the ERP says, shipments, returns."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.flow.carried import PERSONAL
from hub.flow.counter.refusal import Refusal
from hub.flow.orders import OBJECT, stories_of
from hub.journal import audit, waiting
from hub.journal.clients import Client
from hub.retail.sales import Told

if TYPE_CHECKING:
    from hub.flow.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order over all systems; what is personal stands apart from ``document`` and only where it may be told."""

    document: dict[str, Any]
    statuses: tuple[dict[str, Any], ...]
    fulfilments: tuple[dict[str, Any], ...]
    returns: tuple[dict[str, Any], ...]
    waits_for: tuple[str, ...]
    personal: dict[str, Any] | None = field(default=None, repr=False)


def order(engine: Engine, id_: str, client: Client) -> Order:
    """The order with the canonical key ``id_``, as in SHOP-1001; what is personal where the client's scope allows."""
    story = stories_of(engine, [id_]).get(id_)
    if story is None or story.order is None:
        raise Refusal("unknown", f"no channel has told of an order {id_}")
    reasons = [reason for row in waiting.of_subjects(engine.journal, [id_]) for reason in row["reasons"]]
    return Order(
        document={name: value for name, value in story.order.items() if name != PERSONAL},
        statuses=_told(story.statuses),
        fulfilments=_told(story.fulfilments),
        returns=_told(story.course.returns),
        waits_for=tuple(dict.fromkeys(reasons)),
        personal=disclosed(engine, id_, story.order.get(PERSONAL), client) if "personal" in client.scopes else None,
    )


def _told(words: Iterable[Told]) -> tuple[dict[str, Any], ...]:
    return tuple({"system": word.system, **word.data} for word in words)


def disclosed(engine: Engine, id_: str, reference: str | None, client: Client) -> dict[str, Any]:
    """What is personal in an order; that it was told, and to whom, is kept."""
    if reference is None:
        return {}
    entry = audit.Entry(step="disclosed", system=client.system, object=OBJECT, key=id_, subject=id_)
    with engine.journal.transaction():
        audit.write(engine.journal, client.system, "order", [entry])
        found: dict[str, Any] = json.loads(engine.vault.open(engine.journal, reference))
    return found
