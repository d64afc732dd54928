"""The closed set of functions that a mapping may name, each with its own documentation.

A function is written as a maker: called once when the mapping loads, with the arguments written
there, it answers the step that is called for every record. A step takes a value that is never null
and answers a value, or raises :class:`Unfit` with a sentence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Step = Callable[[Any], Any]
Kind = Literal["any", "text", "integer", "decimal", "number", "time", "list"]


class Unfit(Exception):
    """A value cannot become what the mapping wants; the text is the reason a person reads."""


class BadArgument(ValueError):
    """An argument written in a mapping is wrong; the loader adds the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One documented and tested use: ``arguments`` as written in a mapping."""

    given: Any
    arguments: Mapping[str, Any]
    gives: Any  # a value, or the Unfit that is raised


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function as mappings and documentation know it.

    ``argument`` is the name of the one that may stand directly behind the function's name
    (``pad 5``, ``pad: 5``); the other parameters are keys beside it (``zone: Europe/Paris``).
    """

    name: str
    summary: str
    takes: Kind
    gives: Kind
    argument: str | None
    options: Mapping[str, inspect.Parameter]
    examples: tuple[Example, ...]
    make: Callable[..., Step]


FUNCTIONS: dict[str, Function] = {}


def function(
    name: str, *, takes: Kind, gives: Kind, examples: list[tuple[Any, ...]]
) -> Callable[[Callable[..., Step]], Callable[..., Step]]:
    """Register a maker. Examples are ``(given, gives)`` or ``(given, arguments, gives)``."""

    def register(make: Callable[..., Step]) -> Callable[..., Step]:
        parameters = dict(inspect.signature(make).parameters)
        direct = [p.name for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        FUNCTIONS[name] = Function(
            name=name,
            summary=inspect.cleandoc(make.__doc__ or ""),
            takes=takes,
            gives=gives,
            argument=direct[0] if direct else None,
            options={n: p for n, p in parameters.items() if n not in direct},
            examples=tuple(_example(e) for e in examples),
            make=make,
        )
        return make

    return register


def _example(written: tuple[Any, ...]) -> Example:
    given, arguments, gives = written if len(written) == 3 else (written[0], {}, written[1])
    return Example(given=given, arguments=arguments, gives=gives)


def fits(gives: Kind, takes: Kind) -> bool:
    """Whether a step that takes ``takes`` may follow one that gives ``gives``."""
    if takes in (gives, "any") or gives == "any":
        return True
    return takes == "number" and gives in ("integer", "decimal")


def shown(value: Any) -> str:
    """``value`` as a reason quotes it: short, and never more than the start of a long text."""
    if isinstance(value, str):
        return f'"{value[:40]}…"' if len(value) > 40 else f'"{value}"'
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    try:
        text = str(value)
    except ValueError:  # an integer beyond Python's limit for digits
        return "a number of thousands of digits"
    return text if len(text) <= 40 else f"{text[:40]}…"


def a_text(value: Any) -> str:
    """``value`` if it is text; for steps that work on letters."""
    if isinstance(value, str):
        return value
    raise Unfit(f"{shown(value)} is not text")
