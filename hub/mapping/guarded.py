"""A Python function beside a mapping, kept from stopping a run: what it raises refuses one record."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hub.errors import Reject
from hub.mapping.registry import Step, Unfit


class Misfit(Exception):
    """A record is refused; ``path`` starts ``up`` levels above the item that is being mapped."""

    def __init__(self, up: int, path: str, reason: str) -> None:
        self.up = up
        self.path = path
        self.reason = reason
        super().__init__(path, reason)

    def within(self, prefix: str) -> Misfit:
        """The same, as seen from the parent, which holds the item at ``prefix``."""
        if self.up:
            return Misfit(self.up - 1, self.path, self.reason)
        joint = "" if not self.path or self.path.startswith("[") else "."
        return Misfit(0, f"{prefix}{joint}{self.path}", self.reason)


def guarded(function: Callable[[Any], Any]) -> Step:
    """``function`` as a step: ValueError and Reject carry the reason, anything else is named as a fault in it."""

    def step(value: Any) -> Any:
        try:
            answer = function(value)
        except Reject as error:
            raise Misfit(0, error.path, error.reason) from None
        except ValueError as error:
            raise Unfit(str(error)) from None
        except Exception as error:  # noqa: BLE001  (foreign code may raise anything; one record pays for it)
            raise Unfit(f"{function.__name__} failed with {type(error).__name__}: {error}") from None
        if not plain(answer):
            raise Unfit(f"{function.__name__} answered {type(answer).__name__}, which is not plain data")
        return answer

    return step


def takes_parent(function: Callable[..., Any]) -> bool:
    """Whether ``function`` asks for what holds the item as well: it has two parameters."""
    return len(inspect.signature(function).parameters) == 2


def with_parent(function: Callable[..., Any]) -> Callable[[tuple[Any, Any]], Any]:
    """``function`` of an item and what holds it, as a function of the pair."""

    @functools.wraps(function)
    def of_pair(pair: tuple[Any, Any]) -> Any:
        return function(*pair)

    return of_pair


def plain(value: Any) -> bool:
    """Whether ``value`` is JSON without floats, or a moment with an offset."""
    return value.tzinfo is not None if isinstance(value, datetime) else _json(value)


def _json(value: Any) -> bool:
    if isinstance(value, list):
        return all(_json(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(name, str) and _json(item) for name, item in value.items())
    return value is None or isinstance(value, str | int)
