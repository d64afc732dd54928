"""The shop's GraphQL API: every document and answer checked against Shopify's own schema; its rules and limits."""

from __future__ import annotations

import json
import time
import uuid

import pytest
import requests
import shopify
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, is_required_input_field
from support.shopify_client import SET
from support.vendor_specs import ShopifyAdmin

from hub.sandbox.shop.cost import weight
from hub.sandbox.shop.resolvers import schema

LEVELS = """query levels($id: ID!, $after: String) {
  location(id: $id) {
    inventoryLevels(first: 250, after: $after) {
      nodes {
        id isActive canDeactivate createdAt updatedAt
        item { id } location { id }
        quantities(names: ["available", "committed", "on_hand"]) { id name quantity updatedAt }
      }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}"""


@pytest.fixture(scope="session")
def admin():
    return ShopifyAdmin()


@pytest.fixture
def warehouse(client):
    return client.data("{ locations(first: 1) { nodes { id } } }")["locations"]["nodes"][0]["id"]


@pytest.fixture
def levels(client, warehouse):
    """The first page of levels of the warehouse."""
    return client.data(LEVELS, id=warehouse)["location"]["inventoryLevels"]["nodes"]


def available(level):
    return next(q["quantity"] for q in level["quantities"] if q["name"] == "available")


def codes(payload):
    return [error["code"] for error in payload["userErrors"]]


# --- the schema -----------------------------------------------------------------------------------


def test_our_schema_is_a_part_of_shopifys(admin):
    for name, ours in schema().type_map.items():
        if name.startswith("__"):
            continue
        theirs = admin.schema.type_map[name]
        assert type(ours) is type(theirs), name
        if isinstance(ours, GraphQLEnumType):
            assert set(ours.values) <= set(theirs.values), name
        elif isinstance(ours, GraphQLInputObjectType):
            assert arguments(ours.fields).items() <= arguments(theirs.fields).items(), name
            assert {n for n, f in theirs.fields.items() if is_required_input_field(f)} <= set(ours.fields), name
        elif hasattr(ours, "fields"):
            assert fields(ours).items() <= fields(theirs).items(), name
        if isinstance(ours, GraphQLObjectType):
            assert {i.name for i in ours.interfaces} <= {i.name for i in theirs.interfaces}, name
    for ours, theirs in zip(
        (schema().query_type, schema().mutation_type), (admin.schema.query_type, None), strict=True
    ):
        assert theirs is None or ours.name == theirs.name
    assert schema().mutation_type.name == admin.schema.mutation_type.name


def test_our_arguments_are_shopifys(admin):
    for name, ours in schema().type_map.items():
        if not isinstance(ours, GraphQLObjectType) or name.startswith("__"):
            continue
        for field, definition in ours.fields.items():
            theirs = admin.schema.type_map[name].fields[field]
            assert arguments(definition.args).items() <= arguments(theirs.args).items(), f"{name}.{field}"


def test_our_directive_is_shopifys(admin):
    ours, theirs = ({d.name: d for d in s.directives}["idempotent"] for s in (schema(), admin.schema))
    assert arguments(ours.args) == arguments(theirs.args)
    assert ours.locations == theirs.locations


def fields(type):
    return {name: str(field.type) for name, field in type.fields.items()}


def arguments(args):
    return {name: (str(a.type), a.default_value) for name, a in args.items()}


# --- reading --------------------------------------------------------------------------------------


def test_locations_and_the_shop_are_read(client, sandbox):
    text = """{
      shop { id name email myshopifyDomain currencyCode ianaTimezone }
      locations(first: 50) {
        edges { cursor node {
          id legacyResourceId name isActive fulfillsOnlineOrders shipsInventory createdAt updatedAt
        } }
        pageInfo { hasNextPage endCursor }
      }
    }"""
    data = client.data(text)
    names = {edge["node"]["name"].strip().casefold() for edge in data["locations"]["edges"]}
    assert data["shop"]["ianaTimezone"] == "Europe/Paris"
    assert names == {place.name.casefold() for place in sandbox.retailer.world.locations}
    assert not data["locations"]["pageInfo"]["hasNextPage"]


def test_variants_are_paged_by_cursor(client):
    text = """query variants($after: String) {
      productVariants(first: 200, after: $after) {
        nodes {
          id legacyResourceId sku barcode title displayName price createdAt updatedAt
          product { id legacyResourceId title handle status } inventoryItem { id sku tracked }
        }
        pageInfo { hasNextPage endCursor }
      }
    }"""
    found, after, more = [], None, True
    while more:
        page = client.data(text, after=after)["productVariants"]
        found += page["nodes"]
        more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
    assert len({node["id"] for node in found}) == len(found) == 483
    assert sum(node["sku"] is None for node in found) == 5
    assert all(len(node["barcode"]) == 13 for node in found)


def test_variants_and_items_are_found_by_sku_or_barcode(client, sandbox):
    text = """query find($query: String) {
      productVariants(first: 10, query: $query) { nodes { sku barcode inventoryQuantity } }
      inventoryItems(first: 10, query: "sku:GIFT-0025") {
        nodes { id legacyResourceId sku tracked createdAt updatedAt variant { sku } }
      }
    }"""
    one, other = sandbox.retailer.world.skus[0], sandbox.retailer.world.skus[7]
    data = client.data(text, query=f"sku:'{one.code}' OR barcode:{other.ean}")
    assert {node["barcode"] for node in data["productVariants"]["nodes"]} == {one.ean, other.ean}
    assert [node["sku"] for node in data["inventoryItems"]["nodes"]] == ["GIFT-0025"]


def test_all_levels_of_a_location_are_read_in_two_pages(client, sandbox, warehouse):
    shop = sandbox.retailer.shop
    first = client.data(LEVELS, id=warehouse)["location"]["inventoryLevels"]
    second = client.data(LEVELS, id=warehouse, after=first["pageInfo"]["endCursor"])["location"]["inventoryLevels"]
    found = {node["item"]["id"]: available(node) for node in first["nodes"] + second["nodes"]}
    numbers = shop.levels()
    ours = {v.item_id: numbers[f"{v.code}@WH1"] for v in shop.catalog.variants()}
    assert found == {f"gid://shopify/InventoryItem/{item}": n for item, n in ours.items()}
    assert second["pageInfo"]["hasPreviousPage"]
    assert not second["pageInfo"]["hasNextPage"]


def test_one_level_is_reached_by_four_ways(client, levels, warehouse):
    text = """query ways($level: ID!, $item: ID!, $place: ID!) {
      inventoryLevel(id: $level) { ...level }
      inventoryItem(id: $item) {
        inventoryLevel(locationId: $place) { ...level }
        inventoryLevels(first: 1) { nodes { ...level } }
        variant { inventoryItem { id } }
      }
      location(id: $place) { inventoryLevel(inventoryItemId: $item) { ...level } }
      nodes(ids: [$level, $item, $place, "gid://shopify/InventoryLevel/9?inventory_item_id=9"]) {
        id ... on InventoryLevel { quantities(names: ["available"]) { quantity } }
      }
      node(id: $item) { __typename id }
    }
    fragment level on InventoryLevel { id quantities(names: ["available"]) { name quantity } }"""
    level = levels[0]
    data = client.data(text, level=level["id"], item=level["item"]["id"], place=warehouse)
    direct = data["inventoryLevel"]
    assert direct["quantities"] == [{"name": "available", "quantity": available(level)}]
    assert data["inventoryItem"]["inventoryLevel"] == direct == data["location"]["inventoryLevel"]
    assert data["inventoryItem"]["inventoryLevels"]["nodes"] == [direct]
    assert [node and node["id"] for node in data["nodes"]] == [level["id"], level["item"]["id"], warehouse, None]
    assert data["node"]["__typename"] == "InventoryItem"


def test_orders_are_read_by_update_time(client, sandbox, clock):
    text = """query orders($query: String, $after: String) {
      orders(first: 6, after: $after, query: $query, sortKey: UPDATED_AT) {
        nodes {
          id legacyResourceId name createdAt processedAt updatedAt cancelledAt cancelReason currencyCode email test
          displayFinancialStatus displayFulfillmentStatus
          totalPriceSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
          lineItems(first: 5) {
            nodes {
              id sku title variantTitle name quantity currentQuantity
              originalUnitPriceSet { shopMoney { amount } } variant { sku }
            }
            pageInfo { hasNextPage }
          }
        }
        pageInfo { hasNextPage endCursor }
      }
    }"""
    found, after, more = [], None, True
    while more:
        page = client.data(text, after=after)["orders"]
        found += page["nodes"]
        more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
    since = found[30]["updatedAt"]
    later = client.data(text, query=f"updated_at:>'{since}'")["orders"]["nodes"]
    assert len(found) == 40
    assert [order["updatedAt"] for order in found] == sorted(order["updatedAt"] for order in found)
    assert [order["id"] for order in later] == [order["id"] for order in found if order["updatedAt"] > since][:6]
    one = client.data("query one($id: ID!) { order(id: $id) { name cancelReason } }", id=found[0]["id"])
    assert one["order"]["name"] == found[0]["name"]


def test_the_vendors_client_posts_documents(sandbox):
    base = shopify.ShopifyResource
    base.site = f"{sandbox.urls['shop']}/admin/api/2026-04"
    base.headers = {**base.headers, "X-Shopify-Access-Token": sandbox.retailer.shop.token}
    try:
        answer = json.loads(shopify.GraphQL().execute("query($id: ID!) { location(id: $id) { name } }", {"id": "x"}))
    finally:
        base.clear_session()
    assert answer["data"] == {"location": None}


# --- setting quantities ---------------------------------------------------------------------------


def test_quantities_are_set_when_they_are_what_was_expected(client, sandbox, levels, warehouse):
    wanted = [(level["item"]["id"], warehouse, available(level) + 1, available(level)) for level in levels]
    payload = client.set(*wanted, uri="gid://omnihub/Attempt/1")
    changes = payload["inventoryAdjustmentGroup"]["changes"]
    write = sandbox.retailer.ledger.writes("shop")[-1]
    assert payload["userErrors"] == []
    assert len(changes) == 2 * 250  # on_hand moves along with available
    assert {change["delta"] for change in changes} == {1}
    assert (write.operation, write.summary) == ("inventorySetQuantities", "250 available: set")
    assert len(write.detail["variables"]["input"]["quantities"]) == 250


def test_a_stale_expectation_changes_nothing_at_all(client, sandbox, levels, warehouse):
    shop = sandbox.retailer.shop
    first, second = levels[:2]
    variant = next(v for v in shop.catalog.variants() if second["item"]["id"].endswith(str(v.item_id)))
    expected = available(second)
    shop.set_available(variant.code, "WH1", expected + 5)
    before = shop.levels()
    payload = client.set(
        (first["item"]["id"], warehouse, 1, available(first)), (second["item"]["id"], warehouse, 2, expected)
    )
    assert payload["inventoryAdjustmentGroup"] is None
    assert codes(payload) == ["CHANGE_FROM_QUANTITY_STALE"]
    assert payload["userErrors"][0]["field"] == ["input", "quantities", "1", "changeFromQuantity"]
    assert shop.levels() == before


def test_a_null_expectation_skips_the_comparison(client, levels, warehouse):
    payload = client.set((levels[0]["item"]["id"], warehouse, 77, None))
    assert payload["inventoryAdjustmentGroup"]["changes"][0]["quantityAfterChange"] == 77


def test_setting_what_is_there_already_makes_no_adjustment(client, levels, warehouse):
    same = (levels[0]["item"]["id"], warehouse, available(levels[0]), available(levels[0]))
    assert client.set(same) == {"inventoryAdjustmentGroup": None, "userErrors": []}


def test_on_hand_can_be_set_as_well_and_leaves_what_is_committed(client, sandbox, levels, warehouse):
    shop = sandbox.retailer.shop
    code = shop.catalog.variants()[0].code
    shop.order([(code, 2)])
    committed = shop.levels("committed")[f"{code}@WH1"]
    client.set((levels[0]["item"]["id"], warehouse, 50, None), name="on_hand")
    assert (shop.levels()[f"{code}@WH1"], shop.levels("on_hand")[f"{code}@WH1"]) == (50 - committed, 50)


def test_the_same_key_and_arguments_get_the_first_result_again(client, sandbox, levels, warehouse):
    shop, key = sandbox.retailer.shop, str(uuid.uuid4())
    change = (levels[0]["item"]["id"], warehouse, 5, None)
    first = client.set(change, key=key)
    shop.set_available(shop.catalog.variants()[0].code, "WH1", 9)
    assert client.set(change, key=key) == first
    assert shop.levels()[f"{shop.catalog.variants()[0].code}@WH1"] == 9


def test_the_same_key_with_other_arguments_is_refused(client, levels, warehouse):
    key, item = str(uuid.uuid4()), levels[0]["item"]["id"]
    client.set((item, warehouse, 5, None), key=key)
    payload = client.set((item, warehouse, 6, None), key=key)
    assert codes(payload) == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
    assert payload["inventoryAdjustmentGroup"] is None


def test_a_key_whose_first_use_failed_is_burnt(client, sandbox, levels, warehouse):
    key, item = str(uuid.uuid4()), levels[0]["item"]["id"]
    stale = (item, warehouse, 5, available(levels[0]) + 1)
    assert codes(client.set(stale, key=key)) == ["CHANGE_FROM_QUANTITY_STALE"]
    assert codes(client.set(stale, key=key)) == ["IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"]


def test_a_key_is_forgotten_after_24_hours(client, clock, levels, warehouse):
    key, item = str(uuid.uuid4()), levels[0]["item"]["id"]
    client.set((item, warehouse, 5, None), key=key)
    clock.forward(hours=24, seconds=1)
    assert codes(client.set((item, warehouse, 6, None), key=key)) == []


@pytest.mark.parametrize(
    ("change", "options", "code"),
    [
        (("gid://shopify/InventoryItem/1", None, 1, None), {}, "INVALID_INVENTORY_ITEM"),
        ((None, "gid://shopify/Location/1", 1, None), {}, "INVALID_LOCATION"),
        ((None, None, 1_000_000_001, None), {}, "INVALID_QUANTITY_TOO_HIGH"),
        ((None, None, -1_000_000_001, None), {}, "INVALID_QUANTITY_TOO_LOW"),
        ((None, None, -1, None), {"name": "on_hand"}, "INVALID_QUANTITY_NEGATIVE"),
        ((None, None, 1, None), {"name": "committed"}, "INVALID_NAME"),
        ((None, None, 1, None), {"reason": "because"}, "INVALID_REASON"),
        ((None, None, 1, None), {"uri": "attempt 1"}, "INVALID_REFERENCE_DOCUMENT"),
        ((None, None, 1, None), {"uri": "gid://omnihub/1"}, "INVALID_REFERENCE_DOCUMENT"),
    ],
)
def test_what_cannot_be_set_is_named(client, levels, warehouse, change, options, code):
    item, place, *numbers = change
    assert code in codes(client.set((item or levels[0]["item"]["id"], place or warehouse, *numbers), **options))


def test_one_pair_twice_is_refused(client, levels, warehouse):
    item = levels[0]["item"]["id"]
    payload = client.set((item, warehouse, 1, None), (item, warehouse, 2, None))
    assert codes(payload) == ["NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"]


def test_the_key_and_the_expectation_are_demanded_at_run_time(client, sandbox, levels, warehouse):
    entry = {"inventoryItemId": levels[0]["item"]["id"], "locationId": warehouse, "quantity": 1}
    keyless = SET.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")
    value = {"name": "available", "reason": "correction", "quantities": [entry]}
    unkeyed = client.post(keyless, input={**value, "quantities": [{**entry, "changeFromQuantity": None}]})
    blank = client.post(SET, input=value, key=" ")
    uncompared = client.post(SET, input=value, key="k")
    assert unkeyed["errors"][0]["message"].startswith("The @idempotent directive is required for this mutation")
    assert unkeyed["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert blank["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert uncompared["errors"][0]["message"].endswith("must include the following argument: changeFromQuantity.")
    assert uncompared["data"] == {"inventorySetQuantities": None}
    assert [call.status for call in sandbox.retailer.ledger.writes("shop")] == [200, 200, 200]


# --- limits ---------------------------------------------------------------------------------------


def test_more_than_250_quantities_are_refused(client, sandbox, levels, warehouse):
    entry = {
        "inventoryItemId": levels[0]["item"]["id"],
        "locationId": warehouse,
        "quantity": 1,
        "changeFromQuantity": None,
    }
    value = {"name": "available", "reason": "correction", "quantities": [entry] * 251}
    error = client.post(SET, input=value, key="k")["errors"][0]
    assert error["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"
    assert error["message"] == "The input array size of 251 is greater than the maximum allowed of 250."


@pytest.mark.parametrize(
    "text",
    [
        "{ productVariants(first: 251) { nodes { id } } }",
        "{ productVariants { nodes { id } } }",
        '{ productVariants(first: 1, after: "x") { nodes { id } } }',
        '{ productVariants(first: 1, query: "colour:red") { nodes { id } } }',
        '{ orders(first: 1, query: "updated_at:>yesterday") { nodes { id } } }',
    ],
)
def test_a_page_that_shopify_does_not_give_is_refused(client, text):
    assert client.post(text)["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("text", ["{ shop { owner } }", "{ shop ", "{ customers(first: 1) { nodes { id } } }"])
def test_a_document_outside_the_schema_is_refused(client, text):
    assert "data" not in client.post(text)


def test_a_body_that_is_no_document_is_a_bad_request(sandbox):
    url = f"{sandbox.urls['shop']}/admin/api/2026-04/graphql.json"
    headers = {"X-Shopify-Access-Token": sandbox.retailer.shop.token}
    replies = [requests.post(url, headers=headers, data=body, timeout=10) for body in ("{", "[]", '{"query": 1}')]
    assert [reply.status_code for reply in replies] == [400, 400, 400]


# What microsoft/BCApps measured against API 2025-07 (pull request 5926), as far as our schema reaches.
MEASURED = [
    (48, "inventoryLevels(first: 100) { nodes { id quantities(names: \"available\") { quantity }"
         " item { id variant { id product { id } } } } }"),
    (48, "inventoryLevels(first: 100) { edges { node { id quantities(names: \"available\") { quantity }"
         " item { id variant { id product { id } } } } } pageInfo { hasNextPage } }"),
]  # fmt: skip


@pytest.mark.parametrize(("points", "selection"), MEASURED)
def test_a_query_costs_what_was_measured_at_shopify(client, warehouse, points, selection):
    answer = client.post(f'{{ location(id: "{warehouse}") {{ {selection} }} }}')
    cost = answer["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (points, points)
    assert cost["throttleStatus"]["maximumAvailable"] == 2000
    assert cost["throttleStatus"]["restoreRate"] == 100


def test_the_weights_are_those_seen_at_shopify():
    assert [weight(n) for n in (0, 1, 3, 5, 10, 20, 100, 200)] == [0, 1, 2, 3, 4, 5, 9, 10]


def test_what_a_query_did_not_find_is_given_back(client, levels, warehouse):
    answer = client.post(
        """{ orders(first: 250, query: "id:1") { nodes { lineItems(first: 50) { nodes { id } } } } }"""
    )
    cost = answer["extensions"]["cost"]
    assert cost["requestedQueryCost"] > 100
    assert cost["actualQueryCost"] == 2


def test_a_mutation_costs_ten(client, levels, warehouse):
    text = SET.replace("changes { name delta quantityAfterChange item { id sku } location { id name } }", "")
    entry = {
        "inventoryItemId": levels[0]["item"]["id"],
        "locationId": warehouse,
        "quantity": 1,
        "changeFromQuantity": None,
    }
    value = {"name": "available", "reason": "correction", "quantities": [entry]}
    assert client.post(text, input=value, key="k")["extensions"]["cost"]["requestedQueryCost"] == 10


def test_a_query_of_more_than_1000_points_is_refused(client, levels):
    text = """query many($ids: [ID!]!) { nodes(ids: $ids) {
      ... on InventoryLevel { item { id variant { id product { id } } } location { id } }
    } }"""
    error = client.post(text, ids=[level["id"] for level in levels])["errors"][0]["extensions"]
    assert error["code"] == "MAX_COST_EXCEEDED"
    assert error["cost"] > error["maxCost"] == 1000


def test_an_empty_bucket_throttles_and_fills_at_100_points_a_second(client, sandbox, levels):
    text = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on InventoryLevel { item { id } } } }"
    ids = [level["id"] for level in levels]
    began, spent, answers = time.monotonic(), 0, []
    while not answers or "errors" not in answers[-1]:
        answers.append(client.post(text, ids=ids))
        spent += answers[-1]["extensions"]["cost"]["actualQueryCost"] or 0
    status = answers[-1]["extensions"]["cost"]["throttleStatus"]
    assert answers[-1]["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert answers[-1]["extensions"]["cost"]["actualQueryCost"] is None
    assert spent <= 2000 + 100 * (time.monotonic() - began)
    assert status["currentlyAvailable"] < 500
    assert sandbox.retailer.ledger.calls("shop")[-1].status == 429
    time.sleep((500 - status["currentlyAvailable"]) / 100 + 0.05)
    assert "errors" not in client.post(text, ids=ids)
