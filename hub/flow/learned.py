"""Learned: what a receipt or a reading tells beside the value: ids, prices that a channel asked, what may go on now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.flow import derive
from hub.flow.objects import FLOW_OF, delivered_by
from hub.flow.outcome import Pass
from hub.journal import audit, bindings, price_history, recompute
from hub.model import Binding, Remote

if TYPE_CHECKING:
    from hub.connector import Capability
    from hub.flow.engine import Engine

PRODUCT = "complete_product"


def keep(
    engine: Engine,
    current: Pass,
    target: str,
    object: str,
    parts: Mapping[str, Mapping[str, Any]],
    found: Mapping[str, Remote],
    held: Mapping[str, tuple[Mapping[str, Any], int]],
) -> None:
    """Keep what ``found`` tells of the keys of one attempt or reading; in the caller's transaction."""
    keep_ids(engine, current, target, ids_in(object, parts, found))
    if object == "price":
        keep_prices(engine, target, {key: value for key, (value, _) in held.items()})


def ids_in(
    object: str, parts: Mapping[str, Mapping[str, Any]], found: Mapping[str, Remote]
) -> dict[str, dict[str, Binding]]:
    """By bound object and key: the object's own id, and those of what lives in it."""
    ids: dict[str, dict[str, Binding]] = defaultdict(dict)
    for key, remote in found.items():
        if remote.binding is not None:
            ids[object][str(parts[key].get(object, key))] = remote.binding
        for name, inside in remote.bindings.items():
            ids[name].update(inside)
    return ids


def keep_ids(engine: Engine, current: Pass, target: str, ids: Mapping[str, Mapping[str, Binding]]) -> None:
    """Ids that were not known; what waited for them at the target can be sent now."""
    for name, found in ids.items():
        changed = bindings.confirm(engine.journal, target, name, found)
        if not changed:
            continue
        entries = [
            audit.Entry(
                step="bound", system=target, object=name, key=key, subject=key,
                after={"external_id": found[key].external_id, "matched": "confirmed"},
            )
            for key in changed
        ]  # fmt: skip
        audit.write(engine.journal, current.run, current.flow, entries)
        for flow in engine.flows_into(target):
            if any(name in engine.target(target).capability(o).binds for o in delivered_by(flow)):
                derive.enqueue_for(engine, current, flow, target, changed, urgent=False)
                current.touched[flow] = None


def foresee(engine: Engine, current: Pass, target: str, object: str, parts: Mapping[str, Mapping[str, Any]]) -> None:
    """Products that may go on sale with the first price of their articles; to be called before the outbox is taken.

    Who derives holds a product's mark while waiting for the outbox, so nobody may wait the other way round.
    """
    if object != "price":
        return
    known = price_history.of(engine.journal, target, list(parts))
    products = sorted({str(parts[key].get("product") or key) for key in parts if key not in known})
    if products:
        recompute.mark(engine.journal, PRODUCT, dict.fromkeys(products, False), engine.clock.now())
        if FLOW_OF[PRODUCT] in engine.landscape.flows:
            current.touched[FLOW_OF[PRODUCT]] = None


def keep_prices(engine: Engine, target: str, held: Mapping[str, Mapping[str, Any]]) -> None:
    """The prices that the target asks now, for the proof of a reduction."""
    prices = {key: (str(v["amount"]), str(v["currency"])) for key, v in held.items() if v.get("amount")}
    price_history.note(engine.journal, target, prices, engine.clock.now())


def gone(engine: Engine, target: str, object: str, capability: Capability, keys: Sequence[str]) -> None:
    """The target does not have these: what it called them means nothing any more."""
    if object in capability.knows and keys:
        bindings.forget(engine.journal, target, object, keys)
