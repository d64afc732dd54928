"""hub.yaml and connectors' options, from the classes that read them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hub.cli.docs.page import code, described, table, written

INTRODUCTION = """\
# hub.yaml

The landscape on one page. Whatever is not listed here is a mistake, which `hub check` names with its line.
`hub.<environment>.yaml` beside it is laid over it where `HUB_ENV` names the environment: keys are merged, anything
else is replaced, and `null` takes a key away. What a connector's `options` may say is in
[connectors.md](connectors.md).
"""

# By the function that reads the value: what a person writes.
LANGUAGES = {
    "duration": "duration, as in 90s, 5m, 36h",
    "_duration": "duration, as in 90s, 2m, 4h30m",
    "_size": "size, as in 500MB, 2GiB",
    "share": "share, as in 20%",
    "change": "share, as in 60% or 150%",
    "pattern": "name or pattern, as in ST*",
    "cron": "five cron fields",
    "hours": "hours, as in 05:00-23:30",
    "_zone": "time zone",
}
PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false", timedelta: "duration", Any: "any"}


def page() -> str:
    from hub.config.settings import LandscapeFile

    lines = [INTRODUCTION.strip()]
    for place, model in sections("", LandscapeFile):
        lines += ["", f"## {place or 'The page'}", "", described(place, inspect.getdoc(model)), ""]
        lines += fields(model, place)
    return "\n".join([*lines, ""])


def sections(place: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """``model`` and every one below it, with the place in the file: ``systems.NAME.budget``."""
    yield place, model
    for name, field in model.model_fields.items():
        inner, named = below(field.annotation)
        if inner:
            yield from sections(".".join(filter(None, [place, name, "NAME" if named else ""])), inner)


def fields(model: type[BaseModel], place: str) -> list[str]:
    """A table of the fields of ``model``."""
    return table(
        ["setting", "what it says", "kind", "by default"], [row(place, n, f) for n, f in model.model_fields.items()]
    )


def row(place: str, name: str, field: FieldInfo) -> list[str]:
    inner, _ = below(field.annotation)
    text = field.description or (inspect.getdoc(inner) if inner else None)
    return [f"`{name}`", described(f"{place}.{name}".lstrip("."), text), kind(field.annotation, field), default(field)]


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    found = field.get_default(call_default_factory=True)
    if found is PydanticUndefined or isinstance(found, BaseModel) or found in ({}, (), None):
        return ""
    return code(size(found) if "_size" in _readers(field.metadata) else found)


def size(count: int) -> str:
    """``2GiB``."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count and count % factor == 0:
            return f"{count // factor}{unit}"
    return str(count)


def below(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model inside an annotation, and whether it stands under names of one's own choice."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    inner = [arg for arg in get_args(annotation) if arg is not type(None)]
    if get_origin(annotation) is dict:
        return below(inner[1])[0], True
    for arg in inner:
        found, named = below(arg)
        if found:
            return found, named
    return None, False


def kind(annotation: Any, field: FieldInfo | None = None) -> str:
    """What a person writes there, in words."""
    if said := _language(field.metadata if field else ()):
        return said
    origin, inner = get_origin(annotation), [arg for arg in get_args(annotation) if arg is not type(None)]
    if origin is Annotated:
        return _language(inner[1:]) or kind(inner[0])
    if origin is Literal:
        return ", ".join(f"`{written(word)}`" for word in inner)
    if origin is dict:
        return f"{kind(inner[1])} for each name"
    if origin in (tuple, list, set, frozenset):
        return f"list of {kind(inner[0])}"
    if inner:
        return " or ".join(dict.fromkeys(kind(arg) for arg in inner))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    return PLAIN.get(annotation, "keys")


def _language(metadata: Any) -> str | None:
    return next((LANGUAGES[name] for name in _readers(metadata) if name in LANGUAGES), None)


def _readers(metadata: Any) -> list[str]:
    """The names of the functions that read a value."""
    return [getattr(getattr(note, "func", None), "__name__", "") for note in metadata]
