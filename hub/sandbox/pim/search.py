"""Akeneo's filters: https://api.akeneo.com/documentation/filter.html, those on properties."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.sandbox.pim.errors import refused
from hub.sandbox.pim.tables import seconds

Test = Callable[[Any, Mapping[str, Any]], bool]  # row, the rows of all models by code
FORMAT = "%Y-%m-%d %H:%M:%S"


def tests(written: str | None, now: datetime) -> list[Test]:
    """What a row must pass, from the ``search`` parameter; anything else than a known filter is refused."""
    if not written:
        return []
    try:
        found = json.loads(written)
        filters = [(name, each) for name, listed in found.items() for each in listed]
        return [_test(name, str(each["operator"]), each.get("value"), now) for name, each in filters]
    except (ValueError, TypeError, AttributeError, KeyError):
        raise refused(400, "Search query parameter should be valid JSON.") from None


def _test(name: str, operator: str, value: Any, now: datetime) -> Test:
    if name in ("updated", "created"):
        return _time(name, operator, value, now)
    if name == "enabled" and operator in ("=", "!="):
        return lambda row, _: (_body(row).get("enabled") is value) is (operator == "=")
    if name == "family" and operator in ("IN", "NOT IN"):
        return lambda row, _: (_body(row)["family"] in value) is (operator == "IN")
    if name == "categories" and operator == "IN":
        return lambda row, _: bool(set(_body(row)["categories"]) & set(value))
    if name == "parent":
        return _parent(operator, value)
    raise refused(422, f'Filter on property "{name}" is not supported or does not support operator "{operator}".')


def _parent(operator: str, value: Any) -> Test:
    if operator == "IN":
        return lambda row, _: row["parent"] in value
    if operator in ("EMPTY", "NOT EMPTY"):
        return lambda row, _: bool(row["parent"]) is (operator == "NOT EMPTY")
    if operator == "=":
        return lambda row, models: value in ancestors(row, models)
    raise refused(422, f'Filter on property "parent" is not supported or does not support operator "{operator}".')


def _time(name: str, operator: str, value: Any, now: datetime) -> Test:
    """A variant is found by the time of its parents too."""
    if operator == "SINCE LAST N DAYS" and isinstance(value, int):
        least = seconds(now - timedelta(days=value))
        return lambda row, models: _latest(name, row, models) >= least
    if operator in (">", "<"):
        at = _at(name, value)
        if operator == ">":
            return lambda row, models: _latest(name, row, models) > at
        return lambda row, _: row[name] < at
    if operator == "BETWEEN" and isinstance(value, list) and len(value) == 2:
        begin, end = (_at(name, one) for one in value)
        return lambda row, _: begin <= row[name] <= end
    raise refused(422, f'Filter on property "{name}" is not supported or does not support operator "{operator}".')


def _at(name: str, value: Any) -> int:
    try:
        return seconds(datetime.strptime(value, FORMAT).replace(tzinfo=UTC))
    except (TypeError, ValueError):
        sentence = f'Property "{name}" expects a string with the format "yyyy-mm-dd H:i:s" as data, "{value}" given.'
        raise refused(422, sentence) from None


def _latest(name: str, row: Any, models: Mapping[str, Any]) -> int:
    if row["kind"] == "model" or name == "created":
        return int(row[name])
    return max(int(row[name]), *(int(models[code][name]) for code in ancestors(row, models)), 0)


def ancestors(row: Any, models: Mapping[str, Any]) -> list[str]:
    """The codes of its parents, nearest first; a circle ends where it closes."""
    found: list[str] = []
    while (code := row["parent"]) and code not in found and code in models:
        found.append(code)
        row = models[code]
    return found


def _body(row: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["body"])
    return found
