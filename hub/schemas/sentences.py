"""What a JSON Schema refuses, in words for the person who has to correct it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_KINDS: Mapping[str, str] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_FORMATS: Mapping[str, str] = {
    "date-time": "a moment with an offset, as in 2026-11-21T22:30:00+01:00",
    "date": "a day, as in 2026-11-21",
}


def sentence(error: Any) -> tuple[str, str]:
    """The path and the reason of a ``jsonschema.ValidationError``."""
    path = list(error.absolute_path)
    if error.validator == "required":
        path.append(next(name for name in error.validator_value if name not in error.instance))
        return dotted(path), "is missing"
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        path.append(next(name for name in error.instance if name not in known))
        return dotted(path), f"is not a field of it; the fields are {', '.join(known)}"
    say = _SENTENCES.get(error.validator)
    return dotted(path), say(error) if say else str(error.message)


def dotted(path: list[str | int]) -> str:
    """``lines[2].sku``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value[:40]}…"' if len(value) > 40 else f'"{value}"'
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return (
        {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else _cut(value)
    )


def _cut(value: int) -> str:
    return str(value) if abs(value) < 10**30 else "a number of more than 30 digits"


def _type(error: Any) -> str:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    return f"is {_shown(error.instance)}, not {' or '.join(_KINDS[kind] for kind in wanted)}"


def _form(error: Any) -> str:
    form = error.schema.get("x-form", f"of the form {error.validator_value}")
    return f"is {_shown(error.instance)}; it must be {form}"


_SENTENCES: Mapping[str, Callable[[Any], str]] = {
    "type": _type,
    "pattern": _form,
    "format": lambda e: f"is {_shown(e.instance)}, not {_FORMATS.get(e.validator_value, e.validator_value)}",
    "enum": lambda e: f"is {_shown(e.instance)}, not one of {', '.join(map(str, e.validator_value))}",
    "const": lambda e: f"is {_shown(e.instance)}, not {_shown(e.validator_value)}",
    "not": lambda e: f"is {_shown(e.instance)}, which it must not be",
    "minimum": lambda e: f"is {_shown(e.instance)}, less than {e.validator_value}",
    "maximum": lambda e: f"is {_shown(e.instance)}, more than {e.validator_value}",
    "minLength": lambda e: f"is {_shown(e.instance)}, shorter than {e.validator_value} characters",
    "maxLength": lambda e: f"is {_shown(e.instance)}, longer than {e.validator_value} characters",
    "minItems": lambda e: f"has {len(e.instance)} items, fewer than {e.validator_value}",
    "maxItems": lambda e: f"has {len(e.instance)} items, more than {e.validator_value}",
    "uniqueItems": lambda e: "holds an item twice",
}
