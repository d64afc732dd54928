"""The complete product's inputs from the journal and its answer as desired values; the rule is hub.retail.product."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.errors import StopRun
from hub.journal import desired, price_history, recompute, remotes, words
from hub.journal.desired import Desired
from hub.journal.words import Said
from hub.retail.product import Demands, Known, Missing, Word, Words, complete_product, held_back, says

if TYPE_CHECKING:
    from hub.config import TargetSettings
    from hub.flow.derive import Derived
    from hub.flow.engine import Engine

OBJECT = "product"  # what is delivered
DERIVED = "complete_product"


@dataclass(frozen=True, slots=True)
class There:
    """What a target is to hold, was last seen to hold, and has been confirmed to ask for which articles."""

    before: Mapping[str, dict[str, Any]]
    seen: Mapping[str, dict[str, Any]]
    priced: frozenset[str]


def derive(engine: Engine, flow: str, subjects: Sequence[str]) -> Derived:
    """What every target of ``flow`` should hold of each product, or what that waits for."""
    from hub.flow.derive import Derived

    targets = engine.landscape.flows[flow].targets
    before = {target: desired.values(engine.journal, target, OBJECT, subjects) for target in targets}
    known = known_of(engine, subjects, before.values())
    skus = sorted({sku for found in known.values() for sku in found.variants})
    derived = Derived()
    for target, settings in targets.items():
        there = There(
            before[target],
            remotes.believed(engine.journal, target, OBJECT, subjects),
            frozenset(price_history.of(engine.journal, target, skus)),
        )
        demands = demands_of(engine, target, settings)
        for product in sorted(known):
            answer(engine, derived, target, known[product], demands, settings, there)
    return derived


def demands_of(engine: Engine, target: str, settings: TargetSettings) -> Demands:
    """What the target's channel asks of a product; pictures only where its vendor can hold them."""
    channel = engine.landscape.channels[settings.channel or ""]
    requires = frozenset(settings.requires)
    return Demands(
        owners=engine.landscape.authority.get("product", {}),
        locales=channel.locales,
        requires=requires if shows_media(engine, target) else requires - {"media"},
    )


def shows_media(engine: Engine, target: str) -> bool:
    try:
        fields = engine.target(target).capability(OBJECT).fields
    except StopRun:
        return True  # its delivery says what is wrong
    return fields is None or "media" in fields


def known_of(
    engine: Engine, subjects: Sequence[str], before: Iterable[Mapping[str, Mapping[str, Any]]]
) -> dict[str, Known]:
    """Everything known of each subject that is a product; an article that nobody counts to one is none."""
    said = words.of_subjects(engine.journal, OBJECT, subjects)
    media = shown(engine, words.of_subjects(engine.journal, "media", subjects))
    variants = variants_of(engine, subjects, held_of(before))
    refused = words.refused(engine.journal, OBJECT, subjects)
    unreadable = words.refused(engine.journal, "variant", sorted({sku for found in variants.values() for sku in found}))
    owners = engine.landscape.authority.get("product", {})
    known = {}
    for product in subjects:
        of_it = {sku: words_of(found, unreadable.get(sku)) for sku, found in variants.get(product, {}).items()}
        mine = {sku: found for sku, found in of_it.items() if belongs(found, owners) == product}
        if said.get(product) or any(w.data.get("product") == product for f in of_it.values() for w in f.said):
            known[product] = Known(
                product=product,
                words=words_of(said.get(product, ()), refused.get(product)),
                variants=mine,
                media=words_of(media.get(product, ()), None),
                elsewhere=frozenset(s for s, f in of_it.items() if belongs(f, owners) not in (None, product)),
            )
    return known


def shown(engine: Engine, media: Mapping[str, list[Said]]) -> dict[str, list[Said]]:
    """Pictures without those whose content turned out to be something else; they are in quarantine by their hash."""
    hashes = sorted({said.data["hash"] for found in media.values() for said in found})
    broken = words.refused(engine.journal, "content", hashes)
    return {product: [s for s in found if s.data["hash"] not in broken] for product, found in media.items()}


def held_of(before: Iterable[Mapping[str, Mapping[str, Any]]]) -> dict[str, set[str]]:
    """By product, the articles that some target is to hold under it until now."""
    held: dict[str, set[str]] = defaultdict(set)
    for values in before:
        for product, value in values.items():
            held[product] |= {v["sku"] for v in value.get("variants") or ()}
    return held


def variants_of(
    engine: Engine, products: Sequence[str], held: Mapping[str, set[str]]
) -> dict[str, dict[str, list[Said]]]:
    """By product and SKU, what every system says of the articles that any of them counts to it, or that it held."""
    counted = words.of_subjects(engine.journal, "variant", products)
    skus = {product: {said.key for said in counted.get(product, ())} | held.get(product, set()) for product in products}
    every = sorted(set().union(*skus.values()))
    told = words.of_keys(engine.journal, "variant", sorted(engine.landscape.systems), every)
    return {product: {sku: told.get(sku, []) for sku in sorted(found)} for product, found in skus.items()}


def words_of(said: Iterable[Said], refused: frozenset[str] | None) -> Words:
    return Words(said=[Word(system=s.system, data=s.data) for s in said], refused=refused or frozenset())


def belongs(found: Words, owners: Mapping[str, str]) -> str | None:
    """The product that the owner of that field counts an article to."""
    try:
        product = says("product", found, owners)
    except Missing:
        return None
    return str(product) if product else None


def answer(
    engine: Engine,
    derived: Derived,
    target: str,
    known: Known,
    demands: Demands,
    settings: TargetSettings,
    there: There,
) -> None:
    """Add what ``target`` should hold of one product, and what it waits for."""
    product = known.product
    found = complete_product(known, demands, there.before.get(product))
    waits = list(found.waits)
    if found.value is not None:
        value = found.value
        if "price" in settings.requires and is_priced(engine, target) and is_unseen(there.seen.get(product)):
            sold = [v["sku"] for v in value["variants"] if v["active"] and v["sku"] not in there.priced]
            value, sentence = held_back(value, sold)
            waits += [sentence] if sentence else []
        derived.values.append(
            Desired(
                target=target, object=OBJECT, key=product, subject=product, parts={"product": product},
                value=value, as_of=engine.clock.now(), why={"owners": dict(demands.owners), "waits": waits},
            )
        )  # fmt: skip
    if waits:
        derived.waiting[product, target] = waits


def is_priced(engine: Engine, target: str) -> bool:
    """Whether the target receives prices from us at all."""
    flow = engine.landscape.flows.get("price")
    return flow is not None and target in flow.targets


def look_again(engine: Engine, subjects: Iterable[str]) -> None:
    """A target was read and does not show these: whether they may be shown at once is derived again."""
    recompute.mark(engine.journal, DERIVED, dict.fromkeys(subjects, False), engine.clock.now())


def is_unseen(seen: Mapping[str, Any] | None) -> bool:
    """Whether the target was read and does not show it; before that, nothing is known that could be taken off."""
    return seen is not None and seen.get("status", "draft") == "draft"
