"""An order as every system together knows it: the channel's document, what the ERP says, shipments, returns."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub.flow.carried import PERSONAL
from hub.flow.counter.refusal import Refusal
from hub.journal import audit, counter
from hub.journal.clients import Client

if TYPE_CHECKING:
    from hub.flow.engine import Engine

STATES = ("order", "order_status", "fulfilment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order over all systems; what is personal stands apart from ``document`` and only where it was asked for."""

    document: dict[str, Any]
    as_of: datetime
    status: dict[str, Any] | None
    fulfilments: tuple[dict[str, Any], ...]
    returns: tuple[dict[str, Any], ...]
    personal: dict[str, Any] | None = field(default=None, repr=False)


def order(engine: Engine, id_: str, client: Client) -> Order:
    """The order with the canonical key ``id_``, as in SHOP-1001; what is personal where the client's scope allows."""
    rows = counter.states_of(engine.journal, STATES, [id_])
    told = [(data, as_of) for object, _, _, _, data, as_of in rows if object == "order"]
    if not told:
        raise Refusal("unknown", f"no channel has told of an order {id_}")
    document, as_of = max(told, key=lambda found: found[1])
    reference = document.get(PERSONAL)
    return Order(
        document={name: value for name, value in document.items() if name != PERSONAL},
        as_of=as_of,
        status=next((data for object, _, _, _, data, _ in rows if object == "order_status"), None),
        fulfilments=tuple(data for object, _, _, _, data, _ in rows if object == "fulfilment"),
        returns=returns(engine, id_),
        personal=disclosed(engine, id_, reference, client) if "personal" in client.scopes else None,
    )


def disclosed(engine: Engine, id_: str, reference: str | None, client: Client) -> dict[str, Any]:
    """What is personal in an order; that it was told, and to whom, is kept."""
    if reference is None:
        return {}
    entry = audit.Entry(step="disclosed", system=client.system, object="order", key=id_, subject=id_)
    with engine.journal.transaction():
        audit.write(engine.journal, client.system, "order", [entry])
        found: dict[str, Any] = json.loads(engine.vault.open(engine.journal, reference))
    return found


def returns(engine: Engine, id_: str) -> tuple[dict[str, Any], ...]:
    """Each return once, oldest first: a copy that the hub made elsewhere carries the same id."""
    found = counter.events_of(engine.journal, "order_return", id_)
    return tuple({data["id"]: data for _, _, data in reversed(found)}.values())[::-1]
