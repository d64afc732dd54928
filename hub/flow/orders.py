"""Orders: their inputs from the journal and what each side should hold of them; the rules are hub.retail's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.flow.carried import PERSONAL
from hub.journal import coupons, desired, events, words
from hub.journal.desired import Desired
from hub.retail.orders import awaits_payment
from hub.retail.sales import Answer, Course, Told, first_told, is_empty, progress, sales_order

if TYPE_CHECKING:
    from hub.flow.derive import Derived
    from hub.flow.engine import Engine

OBJECT = "order"  # what is delivered


@dataclass(slots=True)
class Story:
    """One order as its channel tells it, None before it has been read, and what became of it."""

    order: dict[str, Any] | None = None
    statuses: list[Told] = field(default_factory=list)
    fulfilments: list[Told] = field(default_factory=list)
    returns: list[Told] = field(default_factory=list)

    @property
    def course(self) -> Course:
        return Course(statuses=self.statuses, fulfilments=self.fulfilments, returns=first_told(self.returns))


def derive(engine: Engine, flow: str, subjects: Sequence[str]) -> Derived:
    """What every target of ``flow`` should hold of each order, or what that waits for."""
    from hub.flow.derive import Derived

    stories = stories_of(engine, subjects)
    known = known_skus(engine, stories.values())
    spent = coupons.redeemed(
        engine.journal, sorted({c for s in stories.values() if s.order for c in codes_of(s.order)})
    )
    derived = Derived()
    for target, settings in engine.landscape.flows[flow].targets.items():
        told = desired.values(engine.journal, target, OBJECT, subjects)
        for key, story in sorted(stories.items()):
            if settings.value == "sales_order":
                to_erp(engine, derived, target, key, story, known, spent, told.get(key))
            else:
                to_channel(engine, derived, target, key, story, told_before=key in told)
    return derived


def stories_of(engine: Engine, keys: Sequence[str]) -> dict[str, Story]:
    """Everything known of each order; the document of the channel that sold it counts."""
    systems = sorted(engine.landscape.systems)
    found: dict[str, Story] = defaultdict(Story)
    for key, said in words.of_keys(engine.journal, OBJECT, systems, keys).items():
        found[key].order = next((s.data for s in said if s.system == s.data["channel"]), said[0].data)
    for key, said in words.of_keys(engine.journal, "order_status", systems, keys).items():
        found[key].statuses = [Told(system=s.system, data=s.data) for s in said]
    for key, said in words.of_subjects(engine.journal, "fulfilment", keys).items():
        found[key].fulfilments = [Told(system=s.system, data=s.data) for s in said]
    for key, system, data in events.recorded(engine.journal, "order_return", keys):
        found[key].returns.append(Told(system=system, data=data))
    return found


def known_skus(engine: Engine, stories: Collection[Story]) -> set[str]:
    """The articles in ``stories`` that some system knows."""
    skus = {line["sku"] for story in stories if story.order for line in story.order["lines"]}
    return words.known_skus(engine.journal, sorted(engine.landscape.systems), sorted(skus))


def to_erp(
    engine: Engine,
    derived: Derived,
    target: str,
    key: str,
    story: Story,
    known: set[str],
    spent: Mapping[str, str],
    before: Mapping[str, Any] | None,
) -> None:
    """The whole sale, once it is paid as its kind demands and every article is known; then whatever it becomes."""
    order = story.order
    if order is None or order["channel"] == target:
        return
    waits = [*not_yet(order, known), *spent_by_others(key, order, spent)] if before is None else []
    if waits and order["state"] == "cancelled":
        return  # cancelled before it counted: there is nothing to tell, and nothing to wait for
    if waits:
        derived.waiting[key, target] = waits
        return
    answer = Answer(value=sales_order(order, story.course, before))
    parts = parts_of(order, "order", PERSONAL)  # what is personal stays in the vault and is only referred to
    add(engine, derived, target, key, parts, answer, {"payment": order["payment_state"]})


def not_yet(order: Mapping[str, Any], known: set[str]) -> list[str]:
    """What a sale waits for before the ERP may hear of it."""
    sold = {line["sku"] for line in order["lines"] if line["quantity"] and not line.get("gift_card")}
    unknown = [f"no system knows the article {sku}" for sku in sorted(sold - known)]
    payment = awaits_payment(order)
    return [payment, *unknown] if payment else unknown


def codes_of(order: Mapping[str, Any]) -> list[str]:
    """The coupons and campaigns that an order names, in capitals."""
    return [one["code"].upper() for one in order.get("discounts") or () if one.get("code")]


def spent_by_others(key: str, order: Mapping[str, Any], spent: Mapping[str, str]) -> list[str]:
    """A coupon is redeemed once over all channels: what another sale has redeemed is for a person to decide."""
    taken = {code: spent[code] for code in codes_of(order) if spent.get(code, key) != key}
    return [
        f"the coupon {code} was redeemed by {other}: let it be given back there, or cancel this order"
        for code, other in taken.items()
    ]


def to_channel(engine: Engine, derived: Derived, target: str, key: str, story: Story, *, told_before: bool) -> None:
    """What others did with the channel's own order; nothing where nobody did anything."""
    order = story.order
    if order is None:
        derived.waiting[key, target] = ["the order itself has not been read yet"]
        return
    if order["channel"] != target:
        return
    answer = progress(order, story.course, target)
    if told_before or not is_empty(answer.value, order):
        parts = parts_of(order, "order", "external_id")
        add(engine, derived, target, key, parts, answer, {"fulfilment": order["fulfilment_state"]})
    if answer.waits:
        derived.waiting[key, target] = list(answer.waits)


def parts_of(order: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: order[name] for name in names if order.get(name)}


def add(
    engine: Engine,
    derived: Derived,
    target: str,
    key: str,
    parts: dict[str, Any],
    answer: Answer,
    why: dict[str, Any],
) -> None:
    derived.values.append(
        Desired(
            target=target,
            object=OBJECT,
            key=key,
            subject=key,
            parts=parts,
            value=answer.value,
            as_of=engine.clock.now(),
            why={**why, "waits": list(answer.waits)} if answer.waits else why,
        )
    )
