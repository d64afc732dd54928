"""Reading Square's requests: what is missing, of the wrong kind, too long or unknown is refused with its field."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from hub.sandbox.tills.errors import refused
from hub.sandbox.tills.tables import parsed
from hub.sandbox.web import Request


def body(request: Request, names: Collection[str]) -> dict[str, Any]:
    """The JSON object of a request, nulls left out; ``names`` are those it may have."""
    try:
        found = request.json()
    except ValueError:
        raise refused("EXPECTED_JSON_BODY", "Expected a JSON body.") from None
    if not isinstance(found, dict):
        raise refused("EXPECTED_OBJECT", "Expected a JSON object.")
    for name in found:
        if name not in names:
            raise refused("UNKNOWN_BODY_PARAMETER", f"Unknown body parameter `{name}`.", name)
    return {name: value for name, value in found.items() if value is not None}


def text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise refused("EXPECTED_STRING", "Expected a string value.", field)
    if not value:
        raise refused("VALUE_EMPTY", "Field must not be blank.", field)
    return value


def strings(value: Any, field: str, most: int) -> list[str]:
    """A list of at most ``most`` strings."""
    if not isinstance(value, list):
        raise refused("EXPECTED_ARRAY", "Expected an array.", field)
    if len(value) > most:
        raise refused("ARRAY_LENGTH_TOO_LONG", f"Array must have at most {most} elements.", field)
    return [text(item, f"{field}[{n}]") for n, item in enumerate(value)]


def limit(value: Any, default: int, most: int) -> int:
    """The page size, from 1 to ``most``."""
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise refused("EXPECTED_INTEGER", "Expected an integer value.", "limit")
    if value < 1:
        raise refused("VALUE_TOO_LOW", "`limit` must be at least 1.", "limit")
    if value > most:
        raise refused("VALUE_TOO_HIGH", f"`limit` must not be greater than {most}.", "limit")
    return value


def mapping(value: Any, field: str) -> Mapping[str, Any]:
    """An object; an absent one is empty."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refused("EXPECTED_OBJECT", "Expected an object.", field)
    return {name: item for name, item in value.items() if item is not None}


def moment(value: Any, field: str) -> int:
    """An RFC 3339 time in microseconds."""
    try:
        return parsed(value)
    except ValueError:
        raise refused("INVALID_TIME", f"`{value}` is not an RFC 3339 timestamp.", field) from None


def seal(value: Any) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def unseal(cursor: Any) -> Any:
    """What a cursor holds; refused when it is none of ours."""
    try:
        return json.loads(base64.urlsafe_b64decode(str(cursor).encode() + b"=="))
    except ValueError:
        raise bad_cursor() from None


def bad_cursor() -> Exception:
    return refused("INVALID_CURSOR", "The cursor is not valid for this query.", "cursor")


def fingerprint(value: Any) -> str:
    """Equal for equal JSON, whatever the order of its names."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
