"""Shopify's search syntax, as far as stock needs it: https://shopify.dev/docs/api/usage/search-syntax.

``sku:A1 OR sku:B2``, ``updated_at:>='2026-11-22T00:00:00Z' AND status:open``. What the real one would
ignore (an unknown field) is refused here, since a client that relies on it is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub.sandbox.shop.tables import parsed, stored

TERM = re.compile(r"""(?P<field>\w+):(?P<operator><=|>=|<|>)?(?P<value>"[^"]*"|'[^']*'|[^\s'"]+)""")
TIMES = ("created_at", "updated_at", "processed_at")


class BadQuery(ValueError):
    """The search text is not understood."""


def condition(text: str | None, columns: Mapping[str, str]) -> tuple[str, list[Any]]:
    """SQL and its values for ``text``; ``columns`` says which fields there are, as a
    column or as a condition with ``{}`` where the comparison belongs. True for an empty text."""
    if not text or not text.strip():
        return "1 = 1", []
    values: list[Any] = []
    either: list[str] = []
    for part in re.split(r"\s+OR\s+", text.strip()):
        terms = []
        for term in _terms(part):
            sql, value = _term(term, columns)
            terms.append(sql)
            values.append(value)
        either.append(" AND ".join(terms))
    return "(" + " OR ".join(f"({terms})" for terms in either) + ")", values


def _terms(part: str) -> list[re.Match[str]]:
    found = list(TERM.finditer(part))
    rest = re.sub(r"\bAND\b", " ", TERM.sub(" ", part)).strip()
    if rest or not found:
        raise BadQuery(f"Invalid search query: {part}")
    return found


def _term(term: re.Match[str], columns: Mapping[str, str]) -> tuple[str, Any]:
    field, operator, value = term["field"], term["operator"] or "=", term["value"].strip("'\"")
    if field not in columns:
        raise BadQuery(f"Invalid search field: {field}")
    if field in TIMES:
        try:
            return f"{columns[field]} {operator} ?", stored(parsed(value))
        except ValueError:
            raise BadQuery(f"Invalid timestamp for {field}: {value}") from None
    number = value.isascii() and value.isdigit() and field.endswith("id")
    test = f"{operator} ? COLLATE NOCASE"
    column = columns[field]
    return column.format(test) if "{}" in column else f"{column} {test}", int(value) if number else value
