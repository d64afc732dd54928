"""Functions on letters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hub.mapping.registry import BadArgument, Step, Unfit, a_text, function, shown

_DIGITS = re.compile(r"[0-9]+")


@function("text", takes="any", gives="text", examples=[(450789469, "450789469"), ("a", "a"), (True, Unfit())])
def text() -> Step:
    """Text of a text or a number, digit by digit; for ids that a vendor sends as numbers."""

    def step(value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**40:
            return str(value)
        if isinstance(value, Decimal) and value.is_finite() and -40 < value.adjusted() < 40:
            return format(value, "f")
        raise Unfit(f"{shown(value)} cannot be written as text without a choice")

    return step


@function("trim", takes="text", gives="text", examples=[("  ts0001 ", "ts0001")])
def trim() -> Step:
    """Removes white space at both ends."""
    return lambda value: a_text(value).strip()


@function("collapse", takes="text", gives="text", examples=[(" Paris   Rivoli ", "Paris Rivoli")])
def collapse() -> Step:
    """Removes white space at both ends and makes every run of it inside one space."""
    return lambda value: " ".join(a_text(value).split())


@function("upper", takes="text", gives="text", examples=[("ts0001-m", "TS0001-M")])
def upper() -> Step:
    """Capital letters."""
    return lambda value: a_text(value).upper()


@function("lower", takes="text", gives="text", examples=[("Bleu", "bleu")])
def lower() -> Step:
    """Small letters."""
    return lambda value: a_text(value).lower()


@function(
    "digits", takes="text", gives="text", examples=[("0001", "0001"), ("12", {"length": 4}, Unfit()), ("1a", Unfit())]
)
def digits(length: int | None = None) -> Step:
    """Accepts a text of the digits 0 to 9 only, of exactly ``length`` where that is given."""

    def step(value: Any) -> str:
        if not _DIGITS.fullmatch(a_text(value)):
            raise Unfit(f"{shown(value)} is not made of digits")
        if length is not None and len(value) != length:
            raise Unfit(f"{shown(value)} has {len(value)} digits instead of {length}")
        return str(value)

    return step


@function("pad", takes="text", gives="text", examples=[("1", {"length": 4}, "0001"), ("12345", {"length": 4}, "12345")])
def pad(length: int) -> Step:
    """Puts zeros in front until the text has ``length`` characters; for codes that lost theirs."""
    return lambda value: a_text(value).rjust(length, "0")


@function("unpad", takes="text", gives="text", examples=[("0000451", "451"), ("000", "0")])
def unpad() -> Step:
    """Removes zeros in front, but never the last digit; for numbers that a system pads (SAP materials)."""
    return lambda value: a_text(value).lstrip("0") or ("0" if value else "")


@function("replace", takes="text", gives="text", examples=[("a/b", {"old": "/", "by": "-"}, "a-b")])
def replace(old: str, *, by: str) -> Step:
    """Puts ``by`` in the place of every ``old``, letter for letter."""
    if not old:
        raise BadArgument("needs the text to replace")
    return lambda value: a_text(value).replace(old, by)


@function("strip_prefix", takes="text", gives="text", examples=[("FR-12", {"prefix": "FR-"}, "12")])
def strip_prefix(prefix: str) -> Step:
    """Removes ``prefix`` where the text starts with it."""
    return lambda value: a_text(value).removeprefix(prefix)


@function("prefix", takes="text", gives="text", examples=[("12", {"before": "FR-"}, "FR-12")])
def prefix(before: str) -> Step:
    """Puts ``before`` in front; for systems that write one id in two ways."""
    return lambda value: before + a_text(value)


@function("join", takes="list", gives="text", examples=[(["a", "b"], {"separator": ", "}, "a, b")])
def join(separator: str) -> Step:
    """One text of a list of texts."""

    def step(value: Any) -> str:
        if not isinstance(value, list | tuple):
            raise Unfit(f"{shown(value)} is not a list")
        return separator.join(a_text(item) for item in value)

    return step


@function("list", takes="any", gives="list", examples=[("ST05", ["ST05"]), ({}, Unfit())])
def list_() -> Step:
    """A list of this one text or whole number; for a field that may hold several where the source names one."""

    def step(value: Any) -> list[Any]:
        if isinstance(value, str) or value.__class__ is int:
            return [value]
        raise Unfit(f"{shown(value)} is neither text nor a whole number")

    return step


@function(
    "flag",
    takes="any",
    gives="any",
    examples=[("O", {"yes": ["O"], "no": ["N"]}, True), ("X", {"yes": ["O"], "no": ["N"]}, Unfit())],
)
def flag(*, yes: list[Any], no: list[Any]) -> Step:
    """True for one of the values of ``yes``, false for one of ``no``, refused for anything else."""
    table = [(item, True) for item in yes] + [(item, False) for item in no]

    def step(value: Any) -> bool:
        for item, answer in table:
            if type(item) is type(value) and item == value:
                return answer
        raise Unfit(f"{shown(value)} is neither one of {listed(yes)} nor of {listed(no)}")

    return step


class Lookup(dict[str, Any]):
    """A table of a mapping, with the name that reasons give it."""

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.name = name


@function(
    "lookup",
    takes="any",
    gives="any",
    examples=[
        ("FR011", {"table": Lookup("stores", {"FR011": "ST01"})}, "ST01"),
        ("FR9", {"table": Lookup("stores", {"FR011": "ST01"})}, Unfit('"FR9" is not in the lookup stores')),
    ],
)
def lookup(table: Lookup) -> Step:
    """What stands beside the value in the lookup of that name; a value that is not in it is refused.

    ``lookup: binding.location`` is no table: it asks for our own key of a system's location id.
    """

    def step(value: Any) -> Any:
        found = table.get(as_key(value))
        if found is None:
            raise Unfit(f"{shown(value)} is not in the lookup {table.name}")
        return found

    return step


def as_key(value: Any) -> str:
    """A text or a whole number as the key of a lookup."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**40:
        return str(value)
    raise Unfit(f"{shown(value)} cannot be looked up")


def listed(values: list[Any]) -> str:
    """``"A", "B"``."""
    return ", ".join(shown(value) for value in values)
