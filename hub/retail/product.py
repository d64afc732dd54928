"""The complete product: one article with its variants and pictures, each field from the system that owns it.

A product that is not complete has no value; it says what it waits for instead, in sentences. One that
was complete before goes on with its complete variants, the others staying as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Data = Mapping[str, Any]
Locales = Sequence[str]

# What a word says without owning anything: whose word it is.
IDENTITY: Mapping[str, frozenset[str]] = {"product": frozenset({"product"}), "variant": frozenset({"sku"})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one system says of one product, variant or picture."""

    system: str
    data: Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What all systems say of one product, one variant, or the pictures of one product."""

    said: Sequence[Word] = ()
    refused: frozenset[str] = frozenset()  # systems whose newest word is in quarantine


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything known of one product; ``elsewhere``: SKUs that belong to another product now."""

    product: str
    words: Words
    variants: Mapping[str, Words] = field(default_factory=dict)  # by SKU
    media: Words = Words()
    elsewhere: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What a channel asks of a product."""

    owners: Mapping[str, str]  # field -> system
    locales: Locales = ()  # languages in which it must be complete; none: whichever there are, but one at least
    requires: frozenset[str] = frozenset({"title", "gtin", "media"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The value that a channel should hold, None where there is none yet, and what is waited for."""

    value: dict[str, Any] | None
    waits: tuple[str, ...] = ()


class Missing(Exception):
    """What a part cannot do without."""


def disowned(object: str, system: str, data: Data, owners: Mapping[str, str]) -> list[str]:
    """The fields of a ``product``, ``variant`` or ``media`` that another system owns than the one that says them."""
    if object == "media":
        return ["media"] if owners.get("media", system) != system else []
    return [name for name in data if name not in IDENTITY[object] and owners.get(name, system) != system]


def says(name: str, words: Words, owners: Mapping[str, str]) -> Any:
    """The owner's word on field ``name``; None where it says nothing.

    A field without an owner in hub.yaml is taken from the one system that speaks of it; raises
    :class:`Missing` where there are two.
    """
    owner = owners.get(name)
    speak = [w for w in words.said if name in w.data and owner in (None, w.system)]
    systems = " and ".join(sorted({w.system for w in speak}))
    if " and " in systems:
        raise Missing(f"{systems} both say {name}, and hub.yaml names no owner (authority.product.{name})")
    return speak[0].data[name] if speak else None


def complete_product(known: Known, demands: Demands, before: Mapping[str, Any] | None = None) -> Answer:
    """The product as a channel should hold it; ``before``: what it was to hold until now."""
    waits: list[str] = []
    texts = _texts(known, demands, waits)
    media = _media(known, demands, waits)
    half = bool(waits)  # of what all variants share
    variants = _variants(known, demands, before, waits)
    if texts is None or half or not variants or (before is None and waits):
        return Answer(value=_taken_off(known, demands, before), waits=tuple(waits))
    active = _active(known.words, demands) and any(v["active"] for v in variants)
    value = {**texts, "status": "active" if active else "archived", "variants": variants, "media": media}
    return Answer(value=value, waits=tuple(waits))


def held_back(value: Mapping[str, Any], unpriced: Sequence[str]) -> tuple[dict[str, Any], str | None]:
    """The value of a product that nobody may see yet because articles have no price there, and the sentence."""
    if value["status"] != "active" or not unpriced:
        return dict(value), None
    others = f" and {len(unpriced) - 1} more" if len(unpriced) > 1 else ""
    return {**value, "status": "draft"}, f"is a draft until {unpriced[0]}{others} has a price there"


def _taken_off(known: Known, demands: Demands, before: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A product that is shown and no longer sold is taken off, complete or not."""
    if before is None or _sold(known, demands):
        return None
    return {**before, "status": "archived"}


def _sold(known: Known, demands: Demands) -> bool:
    variants = known.variants.values()
    return _active(known.words, demands) and (not variants or any(_active(words, demands) for words in variants))


def _active(words: Words, demands: Demands) -> bool:
    try:
        return says("active", words, demands.owners) is not False
    except Missing:
        return True


def _texts(known: Known, demands: Demands, waits: list[str]) -> dict[str, Any] | None:
    """What the product itself says; None where something of it is missing."""
    owners, words = demands.owners, known.words
    try:
        return {
            "title": _title(known.product, words, demands),
            "description": _where_known(says("description", words, owners), demands.locales),
            "brand": says("brand", words, owners),
            "category": says("category", words, owners),
            "axes": list(says("axes", words, owners) or ()),
        }
    except Missing as missing:
        waits.append(str(missing))
        return None


def _title(product: str, words: Words, demands: Demands) -> dict[str, str]:
    texts = says("title", words, demands.owners) or {}
    if "title" not in demands.requires:
        return _where_known(texts, demands.locales)
    return _in_all(f"a title of {product}", texts, "title", words, demands)


def _in_all(what: str, texts: Data, name: str, words: Words, demands: Demands) -> dict[str, str]:
    """A text in every language of the channel."""
    lacking = [locale for locale in demands.locales if not texts.get(locale)]
    if not demands.locales and not texts:
        raise Missing(f"waits for {what}{_from(name, words, demands)}")
    if lacking:
        raise Missing(f"waits for {what} in {', '.join(lacking)}{_from(name, words, demands)}")
    return _where_known(texts, demands.locales)


def _from(name: str, words: Words, demands: Demands) -> str:
    """Who is to say it, and whether what it said was refused."""
    owner = demands.owners.get(name)
    if owner is None:
        return ""
    return f" (from {owner}, whose last word is in quarantine)" if owner in words.refused else f" (from {owner})"


def _where_known(texts: Data | None, locales: Locales) -> dict[str, str]:
    return {locale: texts[locale] for locale in (locales or texts or ()) if texts and texts.get(locale)}


def _variants(
    known: Known, demands: Demands, before: Mapping[str, Any] | None, waits: list[str]
) -> list[dict[str, Any]]:
    """The variants in their order; one that is not complete stays as it was."""
    axes = _axes(known, demands)
    as_before = {v["sku"]: v for v in (before or {}).get("variants", ())}
    found = []
    for sku in sorted(known.variants, key=lambda sku: (_position(known.variants[sku], demands), sku)):
        try:
            found.append(_variant(sku, known.variants[sku], axes, demands))
        except Missing as missing:
            waits.append(str(missing))
            if sku in as_before:
                found.append({**as_before[sku], "active": _active(known.variants[sku], demands)})
    # Deactivated is not deleted: what is shown and no longer spoken of stays there, not sold.
    gone = as_before.keys() - known.variants.keys() - known.elsewhere
    found += [{**v, "active": False} for sku, v in as_before.items() if sku in gone]
    if not known.variants:
        waits.append(f"waits for a variant: no system{_from('product', Words(), demands)} names one of {known.product}")
    return _told_apart(found, axes, waits)


def _axes(known: Known, demands: Demands) -> tuple[str, ...]:
    try:
        return tuple(says("axes", known.words, demands.owners) or ())
    except Missing:
        return ()  # the product's own texts say what is wrong


def _position(words: Words, demands: Demands) -> int:
    try:
        return int(says("position", words, demands.owners) or 0)
    except Missing:
        return 0


def _variant(sku: str, words: Words, axes: Sequence[str], demands: Demands) -> dict[str, Any]:
    gtin = says("gtin", words, demands.owners)
    if gtin is None and "gtin" in demands.requires:
        raise Missing(f"waits for the GTIN of {sku}{_from('gtin', words, demands)}")
    options = says("options", words, demands.owners) or {}
    return {
        "sku": sku,
        "gtin": gtin,
        "options": {axis: _option(sku, axis, options, words, demands) for axis in axes},
        "active": _active(words, demands),
    }


def _option(sku: str, axis: str, options: Data, words: Words, demands: Demands) -> str | dict[str, str]:
    value = options.get(axis)
    if not value:
        raise Missing(f"waits for the {axis} of {sku}{_from('options', words, demands)}")
    if isinstance(value, str):
        return value
    return _in_all(f"the {axis} of {sku}", value, "options", words, demands)


def _told_apart(variants: list[dict[str, Any]], axes: Sequence[str], waits: list[str]) -> list[dict[str, Any]]:
    """Variants that a person can choose between; the second of two alike is left out and said."""
    found: dict[str, dict[str, Any]] = {}
    for variant in variants:
        choice = repr(sorted(variant["options"].items()))
        if choice in found:
            what = " and ".join(axes) or "options"
            waits.append(f"{variant['sku']} has the same {what} as {found[choice]['sku']}, and one of them must change")
        else:
            found[choice] = variant
    return list(found.values())


def _media(known: Known, demands: Demands, waits: list[str]) -> list[dict[str, Any]]:
    """The pictures in their order, each content once, counted from 1."""
    owner = demands.owners.get("media")
    shown = [w.data for w in known.media.said if not w.data.get("withdrawn") and owner in (None, w.system)]
    by_hash: dict[str, Data] = {}
    for data in sorted(shown, key=lambda d: (d["position"], d["asset"])):
        by_hash.setdefault(data["hash"], data)
    if "media" in demands.requires and not by_hash:
        waits.append(f"waits for a picture of {known.product}{_from('media', known.media, demands)}")
    return [
        {"hash": hash, "position": n, "alt": _where_known(data.get("alt"), demands.locales)}
        for n, (hash, data) in enumerate(by_hash.items(), start=1)
    ]
