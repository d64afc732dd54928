"""Functions on numbers: exact, and never through binary floating point."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from hub.mapping.registry import BadArgument, Step, Unfit, function, shown

# 12  -3  +4  12.000  5,000  and 7- or 7.0- as SAP writes a negative number
_WHOLE = re.compile(r"([+-]?)([0-9]{1,18})(?:[.,]0+)?(-?)")
_DECIMAL = re.compile(r"([+-]?)([0-9]{1,30})(?:[.,]([0-9]{1,30}))?(-?)")
_CANONICAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_EXACT_FLOAT = 2**53


@function(
    "integer",
    takes="any",
    gives="integer",
    examples=[
        ("5", 5),
        ("5,000", 5),
        ("12.000", 12),
        ("7-", -7),
        (5, 5),
        ("1,5", Unfit('"1,5" is not a whole number')),
        ("", Unfit()),
    ],
)
def integer() -> Step:
    """A whole number, also of text with a decimal part of zeros only (``5,000`` is five, never five thousand)."""

    def step(value: Any) -> int:
        if value.__class__ is str:
            return _whole(value)
        if value.__class__ is int:
            return int(value)
        if isinstance(value, str):
            return _whole(str(value))
        if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < 18 and value == int(value):
            return int(value)
        if isinstance(value, float) and abs(value) < _EXACT_FLOAT and value.is_integer():
            return int(value)
        raise Unfit(f"{shown(value)} is not a whole number")

    return step


@lru_cache(maxsize=4096)
def _whole(text: str) -> int:
    match = _WHOLE.fullmatch(text.strip())
    if match is None or (match[1] and match[3]):
        raise Unfit(f"{shown(text)} is not a whole number" if text.strip() else "is empty; a whole number belongs here")
    number = int(match[2])
    return -number if "-" in (match[1], match[3]) else number


@function(
    "decimal",
    takes="any",
    gives="decimal",
    examples=[
        ("19,90", "19.90"),
        ("1234567890123456.78", "1234567890123456.78"),
        ("1.234,50", {"thousands": "."}, "1234.50"),
        (19, "19"),
        ("-0,5", "-0.5"),
        ("1.234,50", Unfit()),
        (19.9, Unfit()),
    ],
)
def decimal(*, thousands: str | None = None) -> Step:
    """An exact decimal number as text with a point; every digit behind it is kept.

    ``thousands`` names the mark between groups of three, where the source writes one.
    """
    if thousands is not None and thousands not in (".", ",", " ", "'", "\u00a0", "\u202f"):
        raise BadArgument("thousands is one of . , ' or a space")

    def step(value: Any) -> str:
        if isinstance(value, str):
            return _exact(_ungrouped(value, thousands) if thousands else value, value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:
            return str(value)
        if isinstance(value, Decimal) and value.is_finite() and -30 < value.adjusted() < 30:
            return _exact(format(value, "f"), value)
        if isinstance(value, float):
            raise Unfit(f"{shown(value)} came as a binary float, its exact digits are lost; read it as text")
        raise Unfit(f"{shown(value)} is not a decimal number")

    return step


def _ungrouped(text: str, mark: str) -> str:
    """``1.234,50`` as ``1234,50``; a mark that does not part groups of three is refused."""
    whole, _, _ = text.strip().partition("," if mark == "." else ".")
    first, *groups = whole.lstrip("+-").split(mark)
    if any(len(group) != 3 for group in groups) or (groups and not 1 <= len(first) <= 3):
        raise Unfit(f"{shown(text)} is not a decimal number with {shown(mark)} between thousands")
    return text.strip().replace(mark, "")


def _exact(text: str, shown_as: Any) -> str:
    match = _DECIMAL.fullmatch(text.strip())
    if match is None or (match[1] and match[4]):
        raise Unfit(f"{shown(shown_as)} is not a decimal number")
    number = match[2].lstrip("0") or "0"
    if match[3]:
        number += f".{match[3]}"
    negative = "-" in (match[1], match[4]) and number.strip("0.")
    return f"-{number}" if negative else number


@function("negate", takes="number", gives="number", examples=[(3, -3), ("19.90", "-19.90"), ("-1", "1"), (0, 0)])
def negate() -> Step:
    """The number with the other sign: what was sold leaves the stock."""

    def step(value: Any) -> int | str:
        if value.__class__ is int:
            return -int(value)
        text = _number_text(value)
        if text.startswith("-"):
            return text[1:]
        return f"-{text}" if text.strip("0.") else text

    return step


@function(
    "shift",
    takes="number",
    gives="decimal",
    examples=[(1990, {"places": -2}, "19.90"), ("19.90", {"places": 2}, "1990"), (5, {"places": -2}, "0.05")],
)
def shift(places: int) -> Step:
    """Moves the decimal point: -2 makes units of cents."""
    if not -18 <= places <= 18:
        raise BadArgument("moves the point by at most 18 places")

    def step(value: Any) -> str:
        text = _number_text(value)
        sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
        whole, _, fraction = digits.partition(".")
        if places >= 0:
            fraction = fraction.ljust(places, "0")
            whole, fraction = whole + fraction[:places], fraction[places:]
        else:
            whole = whole.rjust(1 - places, "0")
            whole, fraction = whole[:places], whole[places:] + fraction
        return _exact(f"{sign}{whole}.{fraction}" if fraction else sign + whole, value)

    return step


def _number_text(value: Any) -> str:
    """Digits of what a step before has made a number."""
    if value.__class__ is int:
        return str(value)
    if isinstance(value, str) and _CANONICAL.fullmatch(value):
        return value
    raise Unfit(f"{shown(value)} is not a number; integer or decimal belongs before it")
