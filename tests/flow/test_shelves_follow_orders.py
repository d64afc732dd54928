"""What an order does to the stock that the shop shows, from the basket to the parcel that comes back."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from support.scene import Scene, scene

PLACE = "WH1"
# The stores' files and counts are other tests' stories; without them a pass is short.
NO_STORES = (
    ('"ST*": stores}', '"NONE": erp}'),
    ("      stores: {on: arrival", "      pim: {on: arrival"),
    ('      tills: {grain: location, value: on_hand, locations: ["ST*"]}\n', ""),
)


@pytest.fixture(scope="module")
def depot(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[Scene]:
    """Stock of the depot, and orders, up to date."""
    folder = tmp_path_factory.mktemp("depot")
    with pytest.MonkeyPatch.context() as monkeypatch, psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("CREATE DATABASE depot")
        with scene(folder, postgres.replace("/postgres?", "/depot?"), monkeypatch) as found:
            for old, new in NO_STORES:
                found.rewrite(old, new)
            synchronise(found)
            yield found
        admin.execute("DROP DATABASE depot WITH (FORCE)")


def synchronise(scene: Scene) -> None:
    """Two passes, a minute after what happened."""
    scene.clock.forward(minutes=1)
    for _ in range(2):
        scene.clock.forward(seconds=5)
        with scene.engine() as engine:
            engine.once(["stock", "order"])


@pytest.fixture(scope="module")
def articles(depot: Scene) -> Iterator[str]:
    """Articles of which the depot has plenty and nobody else has sold any."""
    return (sku.code for sku in depot.retailer.world.skus[200:] if depot.retailer.erp.level(sku.code, PLACE) > 50)


@pytest.fixture
def sold(depot: Scene, articles: Iterator[str]) -> tuple[str, str, int]:
    """A paid order of two pieces that the ERP has: its key, the article, and what the shop showed before."""
    sku = next(articles)
    before = depot.shop(sku, PLACE)
    order = depot.retailer.shop.order([(sku, 2)])
    synchronise(depot)
    key = f"SHOP-{order['order_number']}"
    assert depot.retailer.erp.sales.find(key) is not None
    return key, sku, before


Sold = tuple[str, str, int]


def test_pieces_are_deducted_once_from_the_order_to_the_parcel(depot: Scene, sold: Sold) -> None:
    key, sku, before = sold
    assert depot.shop(sku, PLACE) == before - 2
    depot.retailer.erp.accept(key)
    synchronise(depot)
    assert depot.shop(sku, PLACE) == before - 2
    depot.retailer.erp.ship(key)
    synchronise(depot)
    assert depot.shop(sku, PLACE) == before - 2


def test_a_parcel_that_comes_back_is_on_the_shelf_once(depot: Scene, sold: Sold) -> None:
    """The ERP counts it, and the shop counts by itself what its refund puts back."""
    key, sku, before = sold
    depot.retailer.erp.accept(key)
    depot.retailer.erp.ship(key)
    synchronise(depot)
    depot.retailer.erp.receive_return(key)
    synchronise(depot)
    assert depot.shop(sku, PLACE) == before


def test_an_order_that_the_erp_gives_up_frees_its_pieces_once(depot: Scene, sold: Sold) -> None:
    key, sku, before = sold
    depot.retailer.erp.accept(key)
    synchronise(depot)
    depot.retailer.erp.cancel(key, "out of stock")
    synchronise(depot)
    assert depot.shop(sku, PLACE) == before


def test_an_order_that_the_customer_cancels_frees_its_pieces_once(depot: Scene, sold: Sold) -> None:
    key, sku, before = sold
    order = next(o for o in depot.retailer.shop.orders.documents() if f"SHOP-{o['order_number']}" == key)
    depot.retailer.shop.cancel(order["id"])
    synchronise(depot)
    assert depot.shop(sku, PLACE) == before
