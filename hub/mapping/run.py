"""What generated functions call: the few things that are the same in every mapping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from hub.mapping.guarded import Misfit
from hub.mapping.paths import ABSENT, walk
from hub.mapping.registry import Unfit, shown
from hub.mapping.text import as_key
from hub.mapping.times import as_text, as_version


def misfit(place: tuple[int, str], reason: Unfit) -> Misfit:
    """The refusal of the value at ``place``."""
    return Misfit(place[0], place[1], str(reason))


def bound(value: Any, find: Callable[[str, str], str | None], object: str) -> str:
    """Our key of the object that a system calls ``value``."""
    external = as_key(value)
    key = find(object, external)
    if key is None:
        raise Unfit(f'no {object.partition(".")[0]} is bound to "{external}" in this system')
    return key


def gather(
    found: Any, path: str, make: Callable[[Any, tuple[Any, ...], Any], Any], up: tuple[Any, ...], find: Any
) -> list[Any]:
    """The objects made of the items of a list; one bad item refuses the record."""
    if not isinstance(found, list | tuple):
        raise Unfit(f"{shown(found)} is not a list")
    made = []
    for index, item in enumerate(found):
        place = f"{path}[{index}]"
        if not isinstance(item, Mapping):
            raise Misfit(0, place, f"{shown(item)} is not an object with fields")
        try:
            answer = make(item, up, find)
        except Misfit as refusal:
            raise refusal.within(place) from None
        if answer is not ABSENT:
            made.append(answer)
    return made


def spelled(value: Any) -> str:
    """A value inside a format."""
    if value is None:
        raise Unfit("is null; a text that needs it cannot be made")
    return as_key(value)


def finished(value: Any) -> Any:
    """What a Python function answered, as canonical data hold it."""
    return as_text(value) if isinstance(value, datetime) else value


def as_time(value: Any) -> datetime:
    """A moment for the record's event time."""
    if isinstance(value, datetime):
        return value
    raise Unfit(f"{shown(value)} is not a moment")


def as_source_version(value: Any) -> str | int:
    """A text or whole number that orders the words of one source."""
    if isinstance(value, datetime):
        return as_version(value)
    if isinstance(value, str | int) and not isinstance(value, bool):
        return value
    raise Unfit(f"{shown(value)} cannot order two records")


def _present(_: tuple[Any, ...]) -> Callable[[Any], bool]:
    return lambda value: (
        value is not ABSENT and value is not None and not (isinstance(value, str) and value.isspace()) and value != ""
    )


def _among(values: tuple[Any, ...]) -> Callable[[Any], bool]:
    return lambda value: any(type(value) is type(item) and value == item for item in values)


TESTS: Mapping[str, Callable[[tuple[Any, ...]], Callable[[Any], bool]]] = {
    "present": _present,
    "absent": lambda among: lambda value: not _present(among)(value),
    "in": _among,
    "not_in": lambda among: lambda value: not _among(among)(value),
}

NAMES: Mapping[str, Any] = {
    "ABSENT": ABSENT,
    "Misfit": Misfit,
    "Unfit": Unfit,
    "as_time": as_time,
    "as_version": as_source_version,
    "bound": bound,
    "finished": finished,
    "gather": gather,
    "misfit": misfit,
    "moment_text": as_text,
    "spelled": spelled,
    "walk": walk,
}
