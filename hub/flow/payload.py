"""Refused records as they lie in the vault: JSON that a person reads, and back to exactly what the connector read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Kinds = Mapping[str, str]  # where a value is none of JSON's: "/lines/0/quantity" -> "decimal"

FROM_TEXT: Mapping[str, Any] = {"decimal": Decimal, "moment": datetime.fromisoformat, "day": date.fromisoformat}


def packed(data: Mapping[str, Any]) -> bytes:
    """``data`` as JSON; half a character that no encoding knows is kept as it is."""
    text = json.dumps(dict(data), default=_text, ensure_ascii=False, sort_keys=True)
    return text.encode("utf-8", "surrogatepass")


def kinds_of(data: Mapping[str, Any]) -> dict[str, str]:
    """The values of ``data`` that JSON has no form for."""
    return dict(_kinds(data, ""))


def unpacked(payload: bytes, kinds: Kinds) -> dict[str, Any]:
    """What :func:`packed` was given."""
    data: dict[str, Any] = json.loads(payload.decode("utf-8", "surrogatepass"))
    for path, kind in kinds.items():
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
        holder: Any = data
        for part in parents:
            holder = holder[int(part) if isinstance(holder, list) else part]
        place = int(last) if isinstance(holder, list) else last
        holder[place] = FROM_TEXT[kind](holder[place])
    return data


def _text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _kinds(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _kinds(item, f"{path}/{str(name).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _kinds(item, f"{path}/{index}")
    elif isinstance(value, Decimal):
        yield path, "decimal"
    elif isinstance(value, datetime):
        yield path, "moment"
    elif isinstance(value, date):
        yield path, "day"
