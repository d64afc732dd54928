"""A retailer of its own for every test, at rest or served on loopback."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.shopify_client import Client

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


START = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def clock() -> SetClock:
    """Sunday, 22 November 2026, 11:00 in Paris."""
    return SetClock(START)


@pytest.fixture(scope="session")
def new_retailer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A retailer that was just created, to be copied: creating one takes ten times as long."""
    home = tmp_path_factory.mktemp("sandbox") / "retailer"
    Retailer(home, clock=SetClock(START)).close()
    return home


@pytest.fixture
def retailer(tmp_path: Path, clock: SetClock, new_retailer: Path) -> Iterator[Retailer]:
    shutil.copytree(new_retailer, tmp_path / "retailer")
    retailer = Retailer(tmp_path / "retailer", clock=clock)
    yield retailer
    retailer.close()


@pytest.fixture
def sandbox(retailer: Retailer) -> Iterator[Running]:
    """The retailer, answering on free ports; its webhooks stay in the outbox."""
    with running(retailer) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Running) -> Client:
    """GraphQL at the shop, every answer checked."""
    return Client(sandbox.urls["shop"], sandbox.retailer.shop.token)
