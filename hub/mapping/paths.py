"""Where a rule finds its value: ``a.b``, ``a[0].b``, ``^.id`` for the parent of an item, "a.b" for an odd name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.mapping.registry import Unfit, shown

_TOKEN = re.compile(r"""(?:^|\.)(?:"([^"]+)"|([^\s."|\[\]^{}](?:[^."|\[\]^{}]*[^\s."|\[\]^{}])?))|\[([0-9]{1,6})\]""")


class Absent:
    """The type of :data:`ABSENT`: nothing stands there, which is neither null nor zero."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class Route:
    """A path: how many levels up it starts, and the names and positions to follow from there."""

    up: int
    parts: tuple[str | int, ...]

    def __str__(self) -> str:
        words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.parts)
        return words.lstrip(".")


def route(written: str) -> Route:
    """The path that ``written`` spells; ValueError with a sentence if it spells none."""
    rest, up = written.strip(), 0
    while rest == "^" or rest.startswith("^."):
        up, rest = up + 1, rest[2:]
    parts: list[str | int] = []
    at = 0
    while at < len(rest):
        token = _TOKEN.match(rest, at) if at == 0 or rest[at] in ".[" else None
        if token is None:
            raise ValueError(f'"{written}" is not the name of a field')
        parts.append(int(token[3]) if token[3] is not None else token[1] or token[2])
        at = token.end()
    if not parts and not up:
        raise ValueError("the name of a field is missing")
    return Route(up, tuple(parts))


def walk(start: Any, parts: tuple[str | int, ...]) -> Any:
    """The value at ``parts`` below ``start``, or ABSENT; a null on the way is absent below it."""
    value = start
    for part in parts:
        if value is None:
            return ABSENT
        if isinstance(part, int):
            if not isinstance(value, list | tuple):
                raise Unfit(f"{shown(value)} is not a list")
            value = value[part] if part < len(value) else ABSENT
        else:
            if not isinstance(value, Mapping):
                raise Unfit(f"{shown(value)} is not an object with fields")
            value = value.get(part, ABSENT)
        if value is ABSENT:
            return ABSENT
    return value
