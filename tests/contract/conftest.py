"""A sandbox retailer for every test, made once and copied, and what the engine would hand to a connector."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.sandbox.retailer import Retailer
from hub.sandbox.serve import Running, running


class SetClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 10, tzinfo=UTC)  # Sunday, 11:00 in Paris

    def now(self) -> datetime:
        return self.moment

    def forward(self, **span: float) -> None:
        self.moment += timedelta(**span)


@pytest.fixture(scope="session")
def made_retailer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A retailer at rest, to be copied."""
    home = tmp_path_factory.mktemp("made") / "retailer"
    Retailer(home, clock=SetClock()).close()
    return home


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def retailer(made_retailer: Path, tmp_path: Path, clock: SetClock) -> Iterator[Retailer]:
    shutil.copytree(made_retailer, tmp_path / "retailer")
    retailer = Retailer(tmp_path / "retailer", clock=clock)
    yield retailer
    retailer.close()


@pytest.fixture
def sandbox(retailer: Retailer) -> Iterator[Running]:
    """The retailer, answering on free ports; its webhooks stay in the outbox."""
    with running(retailer) as served:
        yield served
