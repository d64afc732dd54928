"""Mistakes in hub.yaml as sentences: what is wrong, what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from hub.config.settings import LandscapeFile

_WANTED: Mapping[str, str] = {
    "string_type": "text belongs here",
    "int_type": "a whole number belongs here",
    "int_parsing": "a whole number belongs here",
    "int_from_float": "a whole number belongs here",
    "float_type": "a number belongs here",
    "float_parsing": "a number belongs here",
    "dict_type": "keys with values belong here",
    "model_type": "keys with values belong here",
    "model_attributes_type": "keys with values belong here",
    "tuple_type": "a list belongs here",
    "list_type": "a list belongs here",
    "too_short": "must not be empty",
}


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """``, did you mean "shop"?`` where something close is there, else what there is."""
    there = list(words)
    found = get_close_matches(word, there, 1)
    return f', did you mean "{found[0]}"?' if found else f"; there are {', '.join(there)}" if there else ""


def mistake(error: ErrorDetails) -> tuple[tuple[str | int, ...], str]:
    """The path to what pydantic refused, and the sentence."""
    path = tuple(part for part in error["loc"] if part != "[key]")
    kind, last = error["type"], str(path[-1]) if path else ""
    if kind == "missing":
        return path[:-1], f'"{last}" is missing'
    if kind == "extra_forbidden":
        return path, f'unknown key "{last}"{did_you_mean(last, _fields_at(path[:-1]))}'
    if kind == "literal_error":
        words = [word.strip("'") for word in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return path, f'"{error["input"]}" is not one of {", ".join(words)}'
    if kind == "string_pattern_mismatch":
        return path, f'"{error["input"]}" is not of the form {error["ctx"]["pattern"]}'
    said = error["msg"].removeprefix("Value error, ")
    return path, _WANTED.get(kind, said[0].lower() + said[1:] if kind != "value_error" else said)


def _fields_at(path: tuple[str | int, ...]) -> list[str]:
    """The keys that may stand at ``path``."""
    kind: Any = LandscapeFile
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel) and part in kind.model_fields:
            kind = _inner(kind.model_fields[str(part)].annotation)
        elif get_origin(kind) is dict:
            kind = _inner(get_args(kind)[1])
        else:
            return []
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _inner(annotation: Any) -> Any:
    """A type without ``| None``."""
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    return kinds[0] if type(None) in get_args(annotation) else annotation
