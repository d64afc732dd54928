"""Article numbers of GS1."""

from __future__ import annotations

from typing import Any

from hub.mapping.registry import Step, Unfit, a_text, function, shown

_LENGTHS = frozenset((8, 12, 13, 14))
_TRIPLED = bytes(3 * n % 10 for n in range(10))


@function(
    "gtin",
    takes="text",
    gives="text",
    examples=[
        ("4006381333931", "04006381333931"),
        ("036000291452", "00036000291452"),
        ("96385074", "00000096385074"),
        ("4006381333932", Unfit('"4006381333932" has the check digit 2 where 1 is right')),
        ("123", Unfit()),
    ],
)
def gtin() -> Step:
    """A GTIN of 14 digits from EAN-8, UPC-A, EAN-13 or GTIN-14; the check digit must be right.

    GS1 General Specifications, section 7.9: weights 3 and 1 from the right.
    """
    return _gtin


def check_digit(body: str) -> int:
    """The digit that belongs behind ``body``."""
    tripled = sum(_TRIPLED[ord(c) - 48] for c in body[-1::-2])
    return -(tripled + sum(ord(c) - 48 for c in body[-2::-2])) % 10


def _gtin(value: Any) -> str:
    code = a_text(value)
    if not (code.isascii() and code.isdigit()):
        raise Unfit(f"{shown(code)} is not a GTIN: it is not made of digits")
    if len(code) not in _LENGTHS:
        raise Unfit(f"{shown(code)} has {len(code)} digits; a GTIN has 8, 12, 13 or 14")
    if not code.strip("0"):
        raise Unfit(f"{shown(code)} is all zeros, not a GTIN")
    right = check_digit(code[:-1])
    if ord(code[-1]) - 48 != right:
        raise Unfit(f"{shown(code)} has the check digit {code[-1]} where {right} is right")
    return code.rjust(14, "0")
