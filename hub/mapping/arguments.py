"""From a function's name and arguments, as written, to the step that is called for every record."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import ModuleType
from typing import Any

from hub.errors import ConfigError
from hub.mapping.guarded import guarded
from hub.mapping.registry import FUNCTIONS, BadArgument, Function, Kind, Step
from hub.mapping.text import Lookup

BINDING = "binding."
_TYPES: Mapping[str, type] = {"int": int, "str": str, "list[Any]": list}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One function in a pipe. ``binding`` is set where the step is the lookup of our key of a system's id."""

    name: str
    takes: Kind
    gives: Kind
    step: Step | None
    binding: str | None = None


def close(name: str, names: Iterable[str]) -> str:
    """``, did you mean "trim"?`` where something close is there, else nothing."""
    found = get_close_matches(name, list(names), 1)
    return f', did you mean "{found[0]}"?' if found else ""


class Toolbox:
    """The functions that one mapping may name: the closed set, its own lookups, its own Python file."""

    def __init__(self, lookups: Mapping[str, Lookup], module: ModuleType | None, module_name: str) -> None:
        self.lookups = lookups
        self.module = module
        self.module_name = module_name

    def knows(self, name: str) -> bool:
        return name in FUNCTIONS or name == "python"

    def split(self, written: str, place: str) -> tuple[str, str | None]:
        """``pad 5`` as a name and its argument."""
        name, _, argument = written.strip().partition(" ")
        if not self.knows(name):
            raise ConfigError(f'there is no function "{name}"{close(name, FUNCTIONS)}', place)
        return name, argument.strip() or None

    def call(self, name: str, argument: Any, options: Mapping[str, Any], place: str) -> Call:
        """The step for ``name``; ``options`` are those of the whole rule, of which it takes its own."""
        if name == "python":
            return Call(name=name, takes="any", gives="any", step=guarded(self.function(argument, place)))
        if name == "lookup" and isinstance(argument, str) and argument.startswith(BINDING):
            return Call(name=name, takes="any", gives="text", step=None, binding=argument.removeprefix(BINDING))
        known = FUNCTIONS[name]
        arguments = {n: value for n, value in options.items() if n in known.options}
        if name == "lookup":
            arguments["table"] = self.lookup(argument, place)
        elif known.argument is not None and argument not in (None, True):
            arguments[known.argument] = argument
        elif known.argument is None and argument not in (None, True):
            raise ConfigError(f"{name} takes no argument", place)
        return Call(name=name, takes=known.takes, gives=known.gives, step=_made(known, arguments, place))

    def lookup(self, name: Any, place: str) -> Lookup:
        if name not in self.lookups:
            raise ConfigError(f'there is no lookup "{name}"{close(str(name), self.lookups)}', place)
        return self.lookups[name]

    def function(self, name: Any, place: str) -> Callable[[Any], Any]:
        found = getattr(self.module, name, None) if isinstance(name, str) else None
        if not inspect.isfunction(found):
            raise ConfigError(f'there is no function "{name}" in {self.module_name}', place)
        return found


def _made(known: Function, arguments: dict[str, Any], place: str) -> Step:
    try:
        return known.make(**_typed(known, arguments))
    except BadArgument as error:
        raise ConfigError(f"{known.name}: {error}", place) from None


def _typed(known: Function, arguments: dict[str, Any]) -> dict[str, Any]:
    """``arguments`` as the maker wants them; a number may be written as text in a pipe."""
    typed: dict[str, Any] = {}
    for name, parameter in inspect.signature(known.make).parameters.items():
        if name not in arguments:
            if parameter.default is parameter.empty:
                raise BadArgument(f"needs {name}")
            continue
        written, kind = arguments[name], _TYPES.get(str(parameter.annotation).removesuffix(" | None"))
        if kind is int and isinstance(written, str) and written.lstrip("-").isdecimal():
            written = int(written)
        if kind is not None and (not isinstance(written, kind) or isinstance(written, bool)):
            raise BadArgument(f"{name} must be {'a list' if kind is list else 'text' if kind is str else 'a number'}")
        typed[name] = written
    return typed
