"""Numbers as vendors write them: a number of a million digits is a mistake or an attack, and is never written out."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from hub.transport.redaction import quoted

MOST_DIGITS = 4000  # Python refuses to turn a longer text into a whole number
HIGHEST = 400  # power of ten, either way, of anything that is weighed, counted or paid
LONGEST = 18  # digits of a quantity or an amount of money in its smallest unit


def whole(said: object) -> int:
    """A quantity or an amount in smallest units, as a text or a number; fractions are cut off, ValueError otherwise."""
    try:
        number = Decimal(str(said))
    except InvalidOperation:
        raise ValueError(f"{quoted(str(said))} is not a number") from None
    if not number.is_finite() or number.adjusted() > LONGEST:
        raise ValueError(f"{quoted(str(said))} is not a number of at most {LONGEST} digits")
    return int(number)


def whole_of_json(text: str) -> int | Decimal:
    """For a whole number of JSON; one of thousands of digits is a Decimal, which spoils its record and not its page."""
    return int(text) if len(text) <= MOST_DIGITS else Decimal(text)


def fraction_of_json(text: str) -> Decimal | str:
    """For any other number of JSON; ``1e999999`` stays a text, which no field that wants a number takes."""
    number = Decimal(text)
    return number if number.is_finite() and abs(number.adjusted()) <= HIGHEST else text
