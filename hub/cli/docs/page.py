"""Markdown, and how values and types look in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any


class Undocumented(Exception):
    """Something that people write or type has no description; the text names it."""


def described(what: str, text: str | None) -> str:
    """``text`` as one paragraph; raises where there is none."""
    if not text or not text.strip():
        raise Undocumented(f"{what} has no description")
    return " ".join(text.replace("``", "`").split())


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table."""
    lines = [columns, ["---"] * len(columns), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def code(value: Any) -> str:
    """A value as YAML would have it, in code letters; nothing for nothing."""
    return "" if value is None else f"`{written(value)}`"


def written(value: Any) -> str:
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str):
        return value if value and value == value.strip() else json.dumps(value, ensure_ascii=False)
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(k)}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple | list | set | frozenset):
        return "[" + ", ".join(written(item) for item in value) + "]"
    if isinstance(value, int | float | Decimal):
        return str(value)
    raise Undocumented(f"a {type(value).__name__} has no form in the reference")


def duration(value: timedelta) -> str:
    """``4h30m``."""
    left, parts = int(value.total_seconds()), []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"
