"""The shop's REST API, driven by Shopify's own client library; its limits, overrun."""

from __future__ import annotations

import json
import time

import pyactiveresource.connection as answers
import pytest
import requests
import shopify


@pytest.fixture
def client(sandbox):
    """ShopifyAPI, pointed at the sandbox."""
    base = shopify.ShopifyResource
    base.site = f"{sandbox.urls['shop']}/admin/api/2026-04"
    base.headers = {**base.headers, "X-Shopify-Access-Token": sandbox.retailer.shop.token}
    yield shopify
    base.clear_session()


@pytest.fixture
def call(sandbox):
    """A plain request with the right token."""

    def call(method, name, **options):
        url = f"{sandbox.urls['shop']}/admin/api/2026-04/{name}"
        options.setdefault("headers", {"X-Shopify-Access-Token": sandbox.retailer.shop.token})
        return requests.request(method, url, timeout=10, **options)

    return call


def everything(page):
    found = list(page)
    while page.has_next_page():
        page = page.next_page()
        found += list(page)
    return found


def first_level(shop, name="available"):
    """(key, value) of the first article at the warehouse."""
    code = shop.world.skus[0].code
    return f"{code}@WH1", shop.levels(name)[f"{code}@WH1"]


# --- what the client sees -------------------------------------------------------------------------


def test_the_client_reads_the_shop_and_its_locations(client, sandbox):
    places = client.Location.find()
    names = {place.name.strip().casefold() for place in places}
    assert client.Shop.current().currency == "EUR"
    assert len(places) == 21
    assert names == {place.name.casefold() for place in sandbox.retailer.world.locations}
    assert len({place.name for place in places} - {p.name for p in sandbox.retailer.world.locations}) > 3


def test_the_client_pages_through_all_products_and_meets_untidy_skus(client, sandbox):
    products = everything(client.Product.find(limit=50))
    variants = [variant for product in products for variant in product.variants]
    codes = {sku.code for sku in sandbox.retailer.world.skus}
    eans = {sku.ean for sku in sandbox.retailer.world.skus}
    assert (len(products), len(variants)) == (123, 483)
    assert sum(variant.sku == "" for variant in variants) == 5
    assert sum(variant.sku != variant.sku.strip().upper() for variant in variants) == 12
    assert {variant.sku.strip().upper() for variant in variants} - codes == {"", "GIFT-0025", "GIFT-0050", "TOTE-OLD"}
    assert eans < {variant.barcode for variant in variants}
    assert all(variant.inventory_item_id > 2**32 for variant in variants)


def test_the_client_pages_through_levels_by_item_and_location(client, sandbox):
    place = client.Location.find()[0]
    items = [v.inventory_item_id for p in client.Product.find(limit=10) for v in p.variants]
    one = everything(client.InventoryLevel.find(location_ids=place.id, limit=250))
    some = everything(client.InventoryLevel.find(inventory_item_ids=",".join(map(str, items)), limit=100))
    assert len(one) == 483
    assert {level.location_id for level in one} == {place.id}
    assert len(some) == len(items) * 21
    assert len({(level.inventory_item_id, level.location_id) for level in some}) == len(some)


def test_the_client_sets_one_level(client, sandbox):
    shop = sandbox.retailer.shop
    key, before = first_level(shop)
    level = client.InventoryLevel.find(location_ids=client.Location.find()[0].id, limit=1)[0]
    answer = client.InventoryLevel.set(level.location_id, level.inventory_item_id, before + 3)
    write = sandbox.retailer.ledger.writes("shop")[-1]
    assert (answer.available, shop.levels()[key]) == (before + 3, before + 3)
    assert (write.operation, write.status, write.detail["available"]) == ("inventory_levels/set", 200, before + 3)


def test_setting_available_leaves_what_is_committed(client, sandbox):
    shop = sandbox.retailer.shop
    key, _ = first_level(shop)
    shop.order([(key.partition("@")[0], 2)])
    level = client.InventoryLevel.find(location_ids=client.Location.find()[0].id, limit=1)[0]
    committed = shop.levels("committed")[key]
    client.InventoryLevel.set(level.location_id, level.inventory_item_id, 10)
    assert shop.levels("on_hand")[key] == 10 + committed
    assert committed >= 2


def test_the_client_reads_orders_changed_since_a_moment_in_their_order(client, sandbox):
    shop = sandbox.retailer.shop
    orders = everything(client.Order.find(status="any", limit=7, order="updated_at asc"))
    since = orders[20].updated_at
    later = everything(client.Order.find(status="any", limit=7, order="updated_at asc", updated_at_min=since))
    times = [order.updated_at for order in orders]
    assert len(orders) == 40
    assert times == sorted(times)
    assert [order.id for order in later] == [order.id for order in orders if order.updated_at >= since]
    assert sum(order.cancelled_at is not None for order in orders) == 5
    assert len(client.Order.find(limit=250)) == 35  # without a status only open ones
    assert len(shop.levels()) == 483 * 21


def test_an_order_has_the_shape_of_shopifys(client, sandbox):
    code = sandbox.retailer.world.skus[3].code
    placed = sandbox.retailer.shop.order([(code, 2)])
    order = client.Order.find(placed["id"])
    line = order.line_items[0]
    assert order.name == "#1041"
    assert (order.currency, order.location_id, order.financial_status) == ("EUR", None, "paid")
    assert order.created_at == "2026-11-22T11:00:00+01:00"
    assert (line.sku.strip().upper(), line.quantity, line.current_quantity) == (code, 2, 2)
    assert float(order.total_price) == pytest.approx(float(line.price) * 2 + 4.90)
    assert order.shipping_address.country_code == "FR"


def test_a_cancelled_order_comes_back_as_changed(client, sandbox, clock):
    shop = sandbox.retailer.shop
    placed = shop.order([(sandbox.retailer.world.skus[3].code, 2)])
    clock.forward(minutes=5)
    shop.cancel(placed["id"])
    order = client.Order.find(placed["id"])
    assert order.cancelled_at == order.updated_at == "2026-11-22T11:05:00+01:00"
    assert (order.cancel_reason, order.line_items[0].current_quantity) == ("customer", 0)


def test_the_client_subscribes_to_webhooks(client, sandbox):
    hook = client.Webhook.create({"topic": "orders/create", "address": "http://127.0.0.1:1/x", "format": "json"})
    again = client.Webhook.create({"topic": "orders/create", "address": "http://127.0.0.1:1/x", "format": "json"})
    known = client.Webhook.find()
    known[0].destroy()
    assert (hook.id, len(known)) == (known[0].id, 1)
    assert again.errors.full_messages() == ["address for this topic has already been taken"]
    assert client.Webhook.find() == []


# --- limits and refusals --------------------------------------------------------------------------


def test_the_41st_call_at_once_is_refused_with_a_time_to_wait(call):
    began = time.monotonic()
    replies = [call("GET", "shop.json") for _ in range(60)]
    allowed = 40 + 2 * (time.monotonic() - began)
    good = [reply for reply in replies if reply.status_code == 200]
    refused = [reply for reply in replies if reply.status_code == 429]
    assert good[0].headers["X-Shopify-Shop-Api-Call-Limit"] == "1/40"
    assert 40 <= len(good) <= allowed
    assert len(good) + len(refused) == 60
    assert refused[0].headers["Retry-After"] == "2.0"
    assert refused[0].headers["X-Shopify-Shop-Api-Call-Limit"] == "40/40"
    assert refused[0].json()["errors"].startswith("Exceeded 2 calls per second")


def test_the_bucket_leaks_two_calls_a_second(call):
    while call("GET", "shop.json").status_code == 200:
        pass
    time.sleep(1.05)
    assert [call("GET", "shop.json").status_code for _ in range(3)] == [200, 200, 429]


def test_the_client_learns_of_a_refused_call(client, call, sandbox):
    while call("GET", "shop.json").status_code == 200:
        pass
    with pytest.raises(answers.ClientError) as refused:
        client.Location.find()
    assert refused.value.response.code == 429
    assert sandbox.retailer.ledger.statuses("shop")[429] >= 2


def test_a_wrong_token_is_refused_and_uses_up_nothing(call, sandbox):
    wrong = call("GET", "shop.json", headers={"X-Shopify-Access-Token": "shpat_wrong"})
    missing = call("POST", "graphql.json", headers={}, json={"query": "{shop{name}}"})
    assert (wrong.status_code, missing.status_code) == (401, 401)
    assert wrong.json()["errors"].startswith("[API] Invalid API key or access token")
    assert call("GET", "shop.json").headers["X-Shopify-Shop-Api-Call-Limit"] == "1/40"


@pytest.mark.parametrize(
    ("name", "query", "field"),
    [
        ("products.json", {"limit": 251}, "limit"),
        ("inventory_levels.json", {"location_ids": 1, "limit": 251}, "limit"),
        ("inventory_levels.json", {"inventory_item_ids": ",".join(map(str, range(51)))}, "inventory_item_ids"),
        ("inventory_levels.json", {}, "inventory_item_ids"),
        ("orders.json", {"limit": 0}, "limit"),
        ("orders.json", {"order": "price asc"}, "order"),
        ("orders.json", {"status": "lost"}, "status"),
        ("orders.json", {"updated_at_min": "yesterday"}, "updated_at_min"),
        ("orders.json", {"page_info": "bm90aGluZw"}, "page_info"),
        ("orders.json", {"page_info": "x", "status": "any"}, "status"),
    ],
)
def test_what_shopify_does_not_take_is_refused_with_its_name(call, name, query, field):
    reply = call("GET", name, params=query)
    assert reply.status_code in (400, 422)
    assert list(reply.json()["errors"]) == [field]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"inventory_item_id": 1, "location_id": 68509171734, "available": 3}, 404),
        ({"inventory_item_id": 46277862457366, "location_id": 1, "available": 3}, 404),
        ({"inventory_item_id": 46277862457366, "location_id": 68509171734}, 400),
        ({"inventory_item_id": 46277862457366, "location_id": 68509171734, "available": 1.5}, 400),
        (["not", "an", "object"], 400),
    ],
)
def test_a_level_that_cannot_be_set_changes_nothing(call, sandbox, body, status):
    before = sandbox.retailer.shop.levels()
    reply = call("POST", "inventory_levels/set.json", data=json.dumps(body))
    assert reply.status_code == status
    assert sandbox.retailer.shop.levels() == before
    assert sandbox.retailer.ledger.writes("shop")[-1].status == status


def test_another_version_or_an_unknown_address_is_not_found(call, sandbox):
    older = requests.get(f"{sandbox.urls['shop']}/admin/api/2025-01/shop.json", timeout=10)
    assert (older.status_code, call("GET", "customers.json").status_code) == (404, 404)
    assert call("GET", "orders/1.json").json() == {"errors": "Not Found"}
    assert call("DELETE", "webhooks/77.json").status_code == 404
