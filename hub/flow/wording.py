"""Values in words: what a person reads of a price, a product or an order in a line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

COUNT = "generation"  # how often a value has changed: not what it is
IN_KEY = ("sku", "location", "id")  # what is in the key anyway
LONG = 60  # letters of a text
MANY = 6  # entries of a list
FEW = 3  # fields of a value that is shown whole


def short(value: Any) -> str:
    """A value in words, whole, without what is in the key anyway."""
    if isinstance(value, list):
        return ", ".join(filter(None, (_entry(one) for one in value)))
    if not isinstance(value, Mapping):
        return "" if value is None else str(value)
    shown = {k: v for k, v in value.items() if k not in IN_KEY and v not in (None, {}, [])}
    return ", ".join(f"{k.replace('_', ' ')} {short(v)}" for k, v in shown.items())


def brief(value: Any) -> str:
    """A value in words, of long ones the beginning: one language of a text, the first entries of a list."""
    if isinstance(value, list):
        shown = [_entry(one) for one in value[:MANY]]
        return ", ".join(filter(None, shown)) + (f" and {len(value) - MANY:,} more" if len(value) > MANY else "")
    if isinstance(value, Mapping):
        return _text(value) if _is_text(value) else _fields(value)
    return "" if value is None else _cut(str(value))


def changes(before: Any, after: Any) -> str:
    """What became of a value: whole where it is small, else the fields that differ.

    ``after`` may be a delivery's step: {"sent": ..., "holds": ..., "generation": ...}.
    """
    told = (after.get("holds") or after["sent"]) if isinstance(after, Mapping) and "sent" in after else after
    if not isinstance(told, Mapping) or len(told) <= FEW:
        return " -> ".join(filter(None, [brief(before), brief(after)]))
    if not isinstance(before, Mapping):
        return brief({name: value for name, value in told.items() if name != COUNT})
    names = [name for name in told if told[name] != before.get(name) and name != COUNT]
    gone = [name for name in before if name not in told]
    said = [f"{_name(n)} {_inside(before.get(n)) or 'nothing'} -> {_inside(told[n]) or 'nothing'}" for n in names]
    return ", ".join([*said, *(f"{_name(n)} gone" for n in gone)]) or "as before"


def _fields(value: Mapping[str, Any]) -> str:
    shown = {k: v for k, v in value.items() if k not in IN_KEY and v not in (None, {}, [])}
    return ", ".join(f"{_name(k)} {_inside(v)}" for k, v in shown.items())


def _inside(value: Any) -> str:
    return f"[{brief(value)}]" if isinstance(value, list) else brief(value)


def _entry(one: Any) -> str:
    """An entry of a list by what a person knows it by: pieces of an article, a picture, a parcel."""
    if not isinstance(one, Mapping):
        return brief(one)
    if "sku" in one:
        pieces = f"{one['quantity']} × " if "quantity" in one else ""
        return f"{pieces}{one['sku']}"
    if "hash" in one:
        return f"picture {str(one['hash'])[:12]}"
    name = f"{one['id']} " if "id" in one else ""
    return (name + brief({k: v for k, v in one.items() if k != "lines"})).strip()


def _is_text(value: Mapping[str, Any]) -> bool:
    """A text in languages: {"fr": ..., "en": ...}."""
    return bool(value) and all(len(k) in (2, 5) and k[:2].islower() and isinstance(v, str) for k, v in value.items())


def _text(value: Mapping[str, Any]) -> str:
    """In the reader's own language where there is one."""
    own = os.environ.get("LANG", "")[:2]
    shown = own if own in value else next(iter(value))
    return f'"{_cut(value[shown])}" ({", ".join(value)})'


def _name(field: str) -> str:
    return field.replace("_", " ")


def _cut(text: str) -> str:
    return text if len(text) <= LONG else text[: LONG - 1] + "…"
