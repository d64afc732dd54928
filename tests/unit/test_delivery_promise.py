"""The table of the delivery promise says what the connectors declare."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from hub.connector import Capability, Connection, connector_class, connector_names
from hub.journal.budgets import Unlimited
from hub.model import Clock

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "delivery-promise.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?:\[(\w+)\]\([^)]*\)|(\w+))(?:, `(\w+): (\w+)`)? \| (.*) \|$", re.MULTILINE)
WRITTEN, KEY, COMPARED, READ_BACK = range(4)
NEEDED = {"soap_erp": {"wsdl": "/service?wsdl"}}  # options without a default


@dataclass(frozen=True, kw_only=True)
class Context:
    system: str = "probe"
    connection: Connection
    clock: Clock | None = None
    budget: Unlimited


def rows() -> list[tuple[str, dict[str, str], list[str]]]:
    """Connector, option (or ``object``: stock_level unless said otherwise) and the cells after it, of the table."""
    table = PAGE.partition("## Connector by connector")[2]
    found = [(a or b, {name: word} if name else {}, cells) for a, b, name, word, cells in ROW.findall(table)]
    return [(name, options, cells.split(" | ")) for name, options, cells in found if name != "connector"]


def capability(name: str, options: dict[str, str]) -> Capability | None:
    kind = connector_class(name)
    if not hasattr(kind, "capability"):
        return None
    context = Context(connection=Connection(id="probe", password="token-of-a-probe"), budget=Unlimited())
    own = {**NEEDED.get(name, {}), **{option: word for option, word in options.items() if option != "object"}}
    built = kind(kind.config.model_validate(own), context)
    return built.capability(options.get("object", "stock_level"))  # type: ignore[attr-defined, no-any-return]


def said(moment: timedelta | None) -> str:
    if moment is None:
        return "none"
    return f"{moment.total_seconds() / 3600:.0f} hours" if moment else "at once"


def test_every_connector_has_a_row() -> None:
    assert {name for name, _, _ in rows()} == set(connector_names())


@pytest.mark.parametrize(("name", "options", "cells"), rows(), ids=lambda value: str(value)[:40])
def test_a_row_says_what_the_connector_declares(name: str, options: dict[str, str], cells: list[str]) -> None:
    declared = capability(name, options)
    if declared is None:
        assert cells[WRITTEN].startswith("nothing")
        return
    size = "one " if declared.batch_size == 1 else str(declared.batch_size)
    assert cells[WRITTEN].startswith(size)
    assert cells[KEY] == said(declared.idempotency)
    assert cells[COMPARED].startswith("yes" if declared.compare_and_set else "none")
    assert cells[READ_BACK] == said(declared.read_back)
