"""The tills' catalog: objects are replaced whole under their version; driven by Square's own client."""

from __future__ import annotations

import copy
import json
import uuid

import pytest
from square.core.api_error import ApiError
from support.tills import ONCE, square_client

from hub.sandbox.assortment import Assortment
from hub.sandbox.tills.stocked import OLD_NAMES, OLD_PRICES, prices_held


@pytest.fixture
def client(sandbox):
    with square_client(sandbox) as client:
        yield client


@pytest.fixture
def tills(sandbox):
    return sandbox.retailer.tills


def held(client, id):
    """An object as the client reads it, ready to be sent back."""
    found = client.catalog.batch_get(object_ids=[id]).objects
    return json.loads(found[0].json(exclude_none=True)) if found else None


def upsert(client, *objects, key=None):
    return client.catalog.batch_upsert(
        idempotency_key=key or str(uuid.uuid4()),
        batches=[{"objects": [one]} for one in objects],
        request_options=ONCE,
    )


def refusal(client, *objects):
    with pytest.raises(ApiError) as refused:
        upsert(client, *objects)
    return refused.value.status_code, [(error.code, error.field) for error in refused.value.errors]


def test_the_tills_bear_the_names_of_the_pim_but_for_some(tills):
    titles = {style.code: style.title["fr"] for style in Assortment(tills.world).products}
    sold = {sku.product for sku in tills.world.skus}
    differing = {code for code in sold if tills.catalog.item(code)["item_data"]["name"] != titles[code]}
    assert len(differing) == OLD_NAMES


def test_the_tills_ask_the_prices_of_the_lists_but_for_some(tills):
    from hub.sandbox.erp.prices import offers

    right = offers(Assortment(tills.world), "RETAIL")
    cents = {v.code: v.price_cents for v in tills.catalog.variations()}
    wrong = {code for code, price in cents.items() if price != round(float(right[code].amount) * 100)}
    assert cents == {code: prices_held(tills.world)[code] for code in cents}
    assert len(wrong) == OLD_PRICES


def test_the_new_styles_are_not_there_yet(tills):
    for code in ("NV0121", "NV0122", "NV0123"):
        with pytest.raises(KeyError):
            tills.catalog.item(code)


def test_objects_are_retrieved_by_id_and_unknown_ones_are_left_out(client, tills):
    item = tills.catalog.item("TS0001")
    variation = item["item_data"]["variations"][0]
    found = client.catalog.batch_get(object_ids=[variation["id"], "NOBODY"], include_related_objects=True)
    assert [one.id for one in found.objects] == [variation["id"]]
    assert [one.id for one in found.related_objects] == [item["id"]]


def test_variations_are_searched_by_sku_whatever_its_case(client, tills):
    wanted = [tills.world.skus[0].code.lower(), tills.world.skus[400].code, "NOBODY-KNOWS"]
    query = {"set_query": {"attribute_name": "sku", "attribute_values": wanted}}
    found = client.catalog.search(object_types=["ITEM_VARIATION"], query=query)
    assert {one.item_variation_data.sku for one in found.objects} == {tills.world.skus[0].code, wanted[1]}


def test_a_search_comes_in_pages(client, tills):
    first = client.catalog.search(object_types=["ITEM"], limit=70)
    second = client.catalog.search(object_types=["ITEM"], limit=70, cursor=first.cursor)
    assert (len(first.objects), len(second.objects), second.cursor) == (70, 50, None)


def test_a_search_tells_what_changed_after_a_moment(client, tills, sandbox, clock):
    clock.forward(minutes=5)
    tills.rename("TS0001", "Neu")
    tills.remove("JN0002")
    asked = {"object_types": ["ITEM"], "begin_time": "2026-11-22T10:01:00Z"}
    found = client.catalog.search(**asked)
    every = client.catalog.search(**asked, include_deleted_objects=True)
    assert [one.item_data.name for one in found.objects] == ["Neu"]
    assert sorted(one.is_deleted for one in every.objects) == [False, True]


def test_a_price_is_changed_under_the_version_that_was_read(client, tills):
    sku = tills.world.skus[0].code
    before = held(client, tills.catalog.variation(sku).id)
    after = copy.deepcopy(before)
    after["item_variation_data"]["price_money"]["amount"] = 1234
    answer = upsert(client, after)
    assert tills.catalog.variation(sku).price_cents == 1234
    assert answer.objects[0].version > before["version"]
    assert refusal(client, after) == (409, [("CONFLICT", "batches[0].objects[0].version")])
    assert tills.catalog.variation(sku).price_cents == 1234


def test_versions_differ_also_within_one_moment(client, tills):
    sku = tills.world.skus[0].code
    versions = []
    for cents in (100, 200, 300):
        tills.reprice(sku, cents)
        versions.append(tills.catalog.variation(sku).version)
    assert len(set(versions)) == 3


def test_what_is_left_out_is_gone(client, tills):
    """Square: sparse updates are not supported."""
    before = held(client, tills.catalog.variation(tills.world.skus[0].code).id)
    before["item_variation_data"].pop("upc")
    upsert(client, before)
    assert "upc" not in held(client, before["id"])["item_variation_data"]


def test_a_variation_that_is_missing_in_its_item_is_deleted(client, tills):
    before = held(client, tills.catalog.item("TS0001")["id"])
    gone = before["item_data"]["variations"].pop()
    upsert(client, before)
    assert len(held(client, before["id"])["item_data"]["variations"]) == 3
    assert held(client, gone["id"]) is None
    deleted = client.catalog.batch_get(object_ids=[gone["id"]], include_deleted_objects=True).objects
    assert [one.is_deleted for one in deleted] == [True]


def test_a_new_item_gets_real_ids_and_can_be_sold(client, tills):
    variation = {
        "type": "ITEM_VARIATION",
        "id": "#v",
        "item_variation_data": {
            "name": "U bleu",
            "sku": "NEW-U-BLU",
            "pricing_type": "FIXED_PRICING",
            "price_money": {"amount": 990, "currency": "EUR"},
        },
    }
    item = {"type": "ITEM", "id": "#i", "item_data": {"name": "Bonnet", "variations": [variation]}}
    answer = upsert(client, item)
    ids = {one.client_object_id: one.object_id for one in answer.id_mappings}
    assert set(ids) == {"#i", "#v"}
    assert (tills.catalog.variation("NEW-U-BLU").id, tills.catalog.variation("NEW-U-BLU").item_id) == (
        ids["#v"], ids["#i"],
    )  # fmt: skip
    assert tills.sell("ST01", [("NEW-U-BLU", 2)])["total_money"]["amount"] == 1980


def test_a_store_with_a_price_of_its_own_sells_at_it(client, tills):
    sku, place = tills.world.skus[0].code, tills.catalog.location_ids()["ST05"]
    before = held(client, tills.catalog.variation(sku).id)
    before["item_variation_data"]["location_overrides"] = [
        {"location_id": place, "pricing_type": "FIXED_PRICING", "price_money": {"amount": 500, "currency": "EUR"}}
    ]
    upsert(client, before)
    usual = before["item_variation_data"]["price_money"]["amount"]
    totals = [tills.sell(store, [(sku, 1)])["total_money"]["amount"] for store in ("ST05", "ST06")]
    assert totals == [500, usual]


def test_one_refused_batch_leaves_the_others_alone(client, tills):
    one, two = (held(client, tills.catalog.variation(sku.code).id) for sku in tills.world.skus[:2])
    for object in (one, two):
        object["item_variation_data"]["price_money"]["amount"] = 777
    two["version"] -= 1
    assert refusal(client, one, two) == (409, [("CONFLICT", "batches[1].objects[0].version")])
    assert tills.catalog.variation(tills.world.skus[0].code).price_cents == 777
    assert tills.catalog.variation(tills.world.skus[1].code).price_cents != 777


def test_the_same_key_changes_nothing_again(client, tills):
    before = held(client, tills.catalog.variation(tills.world.skus[0].code).id)
    before["item_variation_data"]["price_money"]["amount"] = 777
    first = upsert(client, before, key="k1")
    tills.reprice(tills.world.skus[0].code, 888)
    assert upsert(client, before, key="k1") == first
    assert tills.catalog.variation(tills.world.skus[0].code).price_cents == 888


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"name": "  "}, "VALUE_EMPTY", "name"),
        ({"name": "x" * 513}, "VALUE_TOO_LONG", "name"),
        ({"item_id": "NOBODY"}, "NOT_FOUND", "item_id"),
        ({"price_money": {"amount": -1, "currency": "EUR"}}, "INVALID_VALUE", "price_money.amount"),
        ({"price_money": {"amount": 1, "currency": "USD"}}, "UNSUPPORTED_CURRENCY", "price_money.currency"),
        ({"pricing_type": "VARIABLE_PRICING"}, "INVALID_VALUE", "price_money"),
        ({"location_overrides": [{"location_id": "LNO"}]}, "NOT_FOUND", "location_overrides[0].location_id"),
    ],
)
def test_what_square_does_not_take_is_refused_with_its_field(client, tills, change, code, field):
    before = held(client, tills.catalog.variation(tills.world.skus[0].code).id)
    before["item_variation_data"] |= change
    assert refusal(client, before)[1] == [(code, f"batches[0].objects[0].item_variation_data.{field}")]


def test_an_object_that_nobody_knows_is_refused(client):
    item = {"type": "ITEM", "id": "NOBODY", "version": 1, "item_data": {"name": "x", "variations": []}}
    assert [code for code, _ in refusal(client, item)[1]] == ["NOT_FOUND", "MISSING_REQUIRED_PARAMETER"]


def test_a_change_of_the_catalog_rings(client, tills):
    tills.rename("TS0001", "T-shirt d'été")
    event = json.loads(tills.notices.webhooks.due()[-1].body)
    assert event["type"] == "catalog.version.updated"
    assert set(event["data"]["object"]) == {"catalog_version"}
    assert tills.catalog.item("TS0001")["item_data"]["name"] == "T-shirt d'été"
