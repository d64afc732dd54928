"""A retailer of its own for every test, at rest or served on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.sandbox.retailer import Retailer
from hub.sandbox.serve import Running, running


class SetClock:
    """A session clock that stands still until it is moved."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def forward(self, **span: float) -> None:
        self.moment += timedelta(**span)


@pytest.fixture
def clock() -> SetClock:
    """Sunday, 22 November 2026, 11:00 in Paris."""
    return SetClock(datetime(2026, 11, 22, 10, tzinfo=UTC))


@pytest.fixture
def retailer(tmp_path: Path, clock: SetClock) -> Iterator[Retailer]:
    retailer = Retailer(tmp_path / "retailer", clock=clock)
    yield retailer
    retailer.close()


@pytest.fixture
def sandbox(retailer: Retailer) -> Iterator[Running]:
    """The retailer, answering on free ports; its webhooks stay in the outbox."""
    with running(retailer) as sandbox:
        yield sandbox
