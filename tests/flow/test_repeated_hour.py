"""The hour that the clocks live twice in autumn: what the ERP writes when it comes again is not taken for older."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.scene import ROOT, SetClock

from hub.flow import Engine, intake, keep
from hub.flow.outcome import Pass
from hub.journal import states
from hub.model import Batch, Checkpoint, Origin, Record, Scope

LANDSCAPE = """
retailer: {name: Maison Omni, zone: Europe/Paris, currency: EUR}
systems:
  erp: {connector: soap_erp, connection: x, options: {wsdl: "/x?wsdl"}}
  shop: {connector: shopify, connection: x, options: {version: "2026-04"}}
authority: {stock_level: {WH1: erp}}
channels: {shop: {sells_from: [WH1]}}
flows:
  stock:
    sources: {erp: {every: 5m}}
    targets: {shop: {grain: location, value: available, channel: shop}}
"""
SKU = "TS0001-M-BLU"


class Erp:
    """Rows as the ERP tells them, read at a moment."""

    def __init__(self, engine: Engine, clock: SetClock) -> None:
        self.engine = engine
        self.clock = clock

    def tells(self, written: str, pieces: int, *, at: str) -> None:
        """A row of ``pieces`` that bears the ERP's own time ``written``; it is read ``at`` a time in UTC."""
        self.clock.moment = datetime.fromisoformat(f"2026-10-25T{at}").replace(tzinfo=UTC)
        stamp = f"20261025{written.replace(':', '')}00"
        data = {"ITMREF": SKU, "STOFCY": "FR001", "QTYSTU": f"{pieces}.000", "UPDDATTIM": stamp}
        record = Record(object="stock", key=f"{SKU}|FR001", data=data, origin=Origin(source="erp#ReadStock", line=1))
        batch = Batch(records=[record], checkpoint=Checkpoint(value={}), scope=Scope())
        mappings = [m for m in self.engine.mappings("erp") if m.target == "stock_level"]
        current = Pass(run="run", flow="stock")
        with self.engine.journal.transaction():
            intake.take(self.engine, current, "erp", batch, mappings)
            keep.finish(self.engine, current)

    @property
    def counts(self) -> tuple[int, str]:
        """What is believed of the article, and of when it is."""
        (row,) = states.dated(self.engine.journal, "stock_level", [SKU])
        return row["data"]["on_hand"], row["as_of"].astimezone(UTC).strftime("%H:%M")


@pytest.fixture
def erp(tmp_path: Path, database: str) -> Iterator[Erp]:
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "hub.yaml").write_text(LANDSCAPE, encoding="utf-8")
    clock = SetClock()
    with Engine.open(tmp_path, clock=clock, dsn=database) as engine:
        yield Erp(engine, clock)


def test_a_row_written_at_ten_past_the_second_time_is_newer_than_ten_to_the_first_time(erp: Erp) -> None:
    erp.tells("02:50", 7, at="00:51")  # summer time
    erp.tells("02:10", 6, at="01:11")  # twenty minutes later
    assert erp.counts == (6, "01:10")
    erp.tells("02:10", 6, at="01:20")  # and again, since each reading reaches back
    assert erp.counts == (6, "01:10")
    erp.tells("03:05", 5, at="02:06")
    assert erp.counts == (5, "02:05")


def test_an_older_row_that_is_read_again_before_the_hour_has_come_twice_stays_older(erp: Erp) -> None:
    erp.tells("02:50", 7, at="00:51")
    erp.tells("02:10", 6, at="00:52")
    assert erp.counts == (7, "00:50")


def test_of_a_row_that_nobody_knew_the_earlier_reading_counts(erp: Erp) -> None:
    erp.tells("02:10", 6, at="02:30")
    assert erp.counts == (6, "00:10")
