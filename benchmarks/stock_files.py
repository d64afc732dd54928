"""Store stock files as the sandbox's stores write them, but of any length."""

from __future__ import annotations

import random
from functools import cache

STORE = "0001"
COLUMNS = "MAGASIN;ARTICLE;EAN;LIBELLE;QTE;INDISPO;PVP"


def stock_lines(count: int, seed: int = 7) -> list[str]:
    """``count`` lines of as many articles."""
    chance = random.Random(seed)
    return [line(number, chance.randint(-2, 60)) for number in range(count)]


def line(number: int, quantity: int) -> str:
    """One article's line, padded and cased as exports are."""
    code = f"ts{number:06d}-m-blu"
    shown = f"  {code} " if number % 3 else code.upper()
    return f"{STORE};{shown};{ean(number)};T-shirt été M bleu;{quantity},000;0,000;19,90"


@cache
def ean(number: int) -> str:
    """A valid EAN-13."""
    body = f"376{number:09d}"
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-weighed % 10}"


def changed(lines: list[str], share: float, seed: int = 8) -> list[str]:
    """The same articles a night later, with other quantities in ``share`` of the lines."""
    chance = random.Random(seed)
    other = set(chance.sample(range(len(lines)), int(len(lines) * share)))
    return [line(n, 100 + chance.randint(0, 9)) if n in other else text for n, text in enumerate(lines)]


def stock_file(lines: list[str], as_of: str) -> bytes:
    """A complete file with header and trailer; ``as_of`` is yyyymmddHHMMSS."""
    whole = [f"H;STOCK;C;{STORE};{as_of};1:20261121:345", COLUMNS, *lines, f"T;{len(lines)}", ""]
    return "\r\n".join(whole).encode("cp1252")
