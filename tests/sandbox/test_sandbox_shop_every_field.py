"""Every field that the shop's schema declares is answered, and as Shopify's schema types it."""

from __future__ import annotations

import json

import pytest
from graphql import GraphQLField, GraphQLNamedType, GraphQLNonNull, get_named_type, is_leaf_type

from hub.sandbox.shop.resolvers import schema

IDS = """query ids($order: ID!) {
  products(first: 1) { nodes {
    id options { id optionValues { id } } variants(first: 1) { nodes { id inventoryItem { id } } }
    media(first: 1) { nodes { id } }
  } }
  locations(first: 1) { nodes { id inventoryLevels(first: 1) { nodes { id } } } }
  order(id: $order) {
    id fulfillmentOrders(first: 1) { nodes { id } } fulfillments(first: 1) { id } refunds(first: 1) { id }
  }
}"""
KINDS = (
    "Product", "ProductOption", "ProductOptionValue", "ProductVariant", "InventoryItem", "MediaImage", "Location",
    "InventoryLevel", "Order", "FulfillmentOrder", "Fulfillment", "Refund",
)  # fmt: skip
METAFIELD = """mutation set($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) { userErrors { message } }
}"""


def ids_in(value):
    """Every gid in an answer."""
    if isinstance(value, dict):
        yield from ([value["id"]] if isinstance(value.get("id"), str) else [])
        yield from (id for inner in value.values() for id in ids_in(inner))
    elif isinstance(value, list):
        yield from (id for inner in value for id in ids_in(inner))


@pytest.fixture
def ids(client, sandbox):
    """An object of every kind: the order has a coupon, a gift card in it, a parcel and a refund."""
    shop = sandbox.retailer.shop
    one, other = (shop.world.skus[n].code for n in (9, 20))
    order = shop.order([(one, 3), (other, 1), ("GIFT-0025", 1)], coupon="MERCI5")
    shop.fulfil(order["id"], tracking="6A1", carrier="Colissimo")
    shop.refund(order["id"], [(one, 1)], "ST02", shipping_cents=490)
    found = {}
    for id in ids_in(client.data(IDS, order=order["admin_graphql_api_id"])):
        found.setdefault(id.split("/")[3], id)
    value = json.dumps({"amount": "1.00", "currency_code": "EUR"})
    for owner in (found["Product"], found["ProductVariant"]):
        field = {"ownerId": owner, "namespace": "omnihub", "key": "k", "type": "money", "value": value}
        client.data(METAFIELD, metafields=[field])
    return found


def given(field: GraphQLField, ids: dict[str, str]) -> str:
    """The arguments that a field cannot do without, and the size of a page."""
    values = {"locale": "en", "namespace": "omnihub", "key": "k", "names": ["available"]}
    values |= {"inventoryItemId": ids["InventoryItem"], "locationId": ids["Location"], "first": 3}
    wanted = [n for n, a in field.args.items() if isinstance(a.type, GraphQLNonNull) or n in ("first", "namespace")]
    found = ", ".join(f"{name}: {json.dumps(values[name])}" for name in wanted)
    return f"({found})" if found else ""


def selection(type: GraphQLNamedType, depth: int, ids: dict[str, str]) -> str:
    """All fields of ``type``, and those of what hangs below it."""
    parts = []
    for name, field in type.fields.items():
        below = get_named_type(field.type)
        if is_leaf_type(below):
            parts.append(name + given(field, ids))
        elif depth and below.name.endswith("Connection"):
            node = selection(get_named_type(below.fields["nodes"].type), depth - 1, ids)
            parts.append(f"{name}{given(field, ids)} {{ nodes {{ {node} }} pageInfo {{ hasNextPage endCursor }} }}")
        elif depth and (inner := selection(below, depth - 1, ids)):
            parts.append(f"{name}{given(field, ids)} {{ {inner} }}")
    return " ".join(parts)


@pytest.mark.parametrize("kind", KINDS)
def test_every_declared_field_is_answered(client, ids, kind):
    fields = selection(schema().type_map[kind], 2, ids)
    found = client.data(f"query one($id: ID!) {{ node(id: $id) {{ id ... on {kind} {{ {fields} }} }} }}", id=ids[kind])
    assert found["node"]["id"] == ids[kind]
