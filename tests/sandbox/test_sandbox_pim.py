"""The sandbox's PIM, asked by akeneo-api-client: a public client of Akeneo's that knows nothing of the hub."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from akeneo_api_client.client.akeneo_api_error import AkeneoApiError
from akeneo_api_client.client_builder import ClientBuilder
from akeneo_api_client.search.search_builder import SearchBuilder

from hub.sandbox.assortment import colour_code


@pytest.fixture
def client(sandbox: Any) -> Any:
    pim = sandbox.retailer.pim
    return ClientBuilder(sandbox.urls["pim"]).build_authenticated_by_password(
        pim.username, pim.password, pim.client_id, pim.secret
    )


@pytest.fixture
def api(sandbox: Any) -> Any:
    """Plain calls with a token, for what the client does not do."""
    token = sandbox.retailer.pim.tokens.give()["access_token"]

    def call(method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return requests.request(method, f"{sandbox.urls['pim']}{path}", headers=headers, timeout=10, **options)

    return call


def gathered(pages: Any) -> list[dict[str, Any]]:
    return [item for page in pages for item in page]


def searched(**filters: tuple[str, Any]) -> dict[str, str]:
    builder = SearchBuilder()
    for name, (operator, value) in filters.items():
        builder.add_filter(name, operator, value)
    return {"search": builder.get_filters()}


# --- with the public client -----------------------------------------------------------------------


def test_the_client_reads_every_article_page_by_page(client, retailer):
    found = gathered(client.product_uuid_api.all(100, {}))
    skus = [item["values"]["sku"][0]["data"] for item in found]
    assert set(skus) - {"CX0901-M-BLU"} == {c for style in retailer.assortment.products for c in style.skus}
    assert len(skus) == len(set(skus)) == 493


def test_the_client_reads_one_article_with_what_it_inherits(client, retailer):
    sku = retailer.assortment.product("BA0007").skus[0]
    uuid = retailer.pim.row(sku, "product")["uuid"]
    found = client.product_uuid_api.get(uuid)
    assert found["parent"] == sku.rsplit("-", 1)[0]
    assert found["values"]["colour"] == [{"locale": None, "scope": None, "data": colour_code(sku)}]
    assert found["values"]["size"][0]["data"] == sku.split("-")[1]
    assert {value["locale"] for value in found["values"]["name"]} == {"fr_FR", "en_GB", "de_DE"}


def test_the_client_reads_models_and_the_variants_of_families(client):
    model = client.product_model_api.get("TS0001")
    assert (model["parent"], model["family"]) == (None, "clothing")
    variant = client.family_variant_api.get(model["family"], model["family_variant"])
    assert [level["axes"] for level in variant["variant_attribute_sets"]] == [["size", "colour"]]
    shoes = client.family_variant_api.get("shoes", client.product_model_api.get("BA0007")["family_variant"])
    assert [level["axes"] for level in shoes["variant_attribute_sets"]] == [["size"], ["colour"]]


def test_the_client_reads_options_channels_and_locales(client):
    options = {item["code"]: item["labels"] for item in gathered(client.attribute_option_api.all("colour", 5, {}))}
    assert options["BLU"] == {"fr_FR": "bleu", "en_GB": "blue", "de_DE": "blau"}
    assert len(options) == 8
    channels = {item["code"]: item["locales"] for item in gathered(client.channel_api.all(10, {}))}
    assert channels == {"ecommerce": ["de_DE", "en_GB", "fr_FR"], "print": ["fr_FR"]}
    enabled = {item["code"] for item in gathered(client.locale_api.all(10, {})) if item["enabled"]}
    assert enabled == {"fr_FR", "en_GB", "de_DE"}


def test_the_client_signs_in_again_when_its_token_has_expired(client, retailer, clock):
    assert client.channel_api.get("print")
    clock.forward(minutes=61)
    assert client.channel_api.get("ecommerce")
    calls = [(call.operation, call.status, call.summary) for call in retailer.ledger.calls("pim")]
    assert [status for operation, status, _ in calls if operation.startswith("channels")] == [200, 401, 200]
    assert [summary for operation, _, summary in calls if operation == "token"] == ["password", "refresh_token"]


def test_the_client_finds_what_changed_since(client, retailer, clock):
    since = clock.now().strftime("%Y-%m-%d %H:%M:%S")
    clock.forward(minutes=1)
    retailer.pim.edit("TS0001", "name", "fr", "T-shirt d'automne")
    models = gathered(client.product_model_api.all(100, searched(updated=(">", since))))
    assert [item["code"] for item in models] == ["TS0001"]
    # "product variants, with an older updated date than the filter applied, will be part of the API answer if at
    # least one of their parent product model has an updated date that matches" (Akeneo's documentation of filters)
    products = gathered(client.product_uuid_api.all(100, searched(updated=(">", since))))
    assert {item["parent"] for item in products} == {"TS0001"}
    assert len(products) == 4


def test_the_client_writes_articles_each_with_a_status_of_its_own(client, retailer, clock):
    clock.forward(minutes=5)
    good, other = (retailer.pim.row(code, "product")["uuid"] for code in retailer.assortment.product("TS0001").skus[:2])
    answer = client.product_uuid_api.upsert_list(
        [
            {"uuid": good, "values": {"variant_position": [{"locale": None, "scope": None, "data": 3}]}},
            {"uuid": other, "values": {"colour": [{"locale": None, "scope": None, "data": "PINK"}]}},
        ]
    )
    assert [(line["line"], line["status_code"]) for line in answer] == [(1, 204), (2, 422)]
    assert answer[1]["errors"][0]["message"] == "The PINK value is not in the colour attribute option list."
    found = client.product_uuid_api.get(good)
    assert found["values"]["variant_position"][0]["data"] == 3
    assert found["updated"] == "2026-11-22T10:05:00+00:00"


def test_the_client_creates_a_model_and_a_language_at_a_time(client):
    new = {"code": "NEW1", "family": "clothing", "family_variant": "clothing_by_size_and_colour", "categories": []}
    name = {"locale": "fr_FR", "scope": None, "data": "Gilet"}
    assert client.product_model_api.upsert_list([{**new, "values": {"name": [name]}}])[0]["status_code"] == 201
    german = {"locale": "de_DE", "scope": None, "data": "Weste"}
    assert (
        client.product_model_api.upsert_list([{"code": "NEW1", "values": {"name": [german]}}])[0]["status_code"] == 204
    )
    assert client.product_model_api.get("NEW1")["values"]["name"] == [name, german]


def test_a_wrong_secret_or_user_is_refused(sandbox, retailer):
    pim = retailer.pim
    wrong = {
        "client_id": (pim.username, pim.password, pim.client_id, "wrong"),
        "No user found": (pim.username, "wrong", pim.client_id, pim.secret),
    }
    for sentence, given in wrong.items():
        with pytest.raises(AkeneoApiError, match=sentence):
            ClientBuilder(sandbox.urls["pim"]).build_authenticated_by_password(*given).channel_api.get("print")


# --- with plain calls -----------------------------------------------------------------------------


def test_tokens_are_asked_for_as_a_form_too_and_a_refresh_token_counts_once(sandbox, retailer):
    pim, url = retailer.pim, f"{sandbox.urls['pim']}/api/oauth/v1/token"
    auth = (pim.client_id, pim.secret)
    form = {"grant_type": "password", "username": pim.username, "password": pim.password}
    first = requests.post(url, data=form, auth=auth, timeout=10).json()
    assert (first["expires_in"], first["token_type"]) == (3600, "bearer")
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert requests.post(url, json=refresh, auth=auth, timeout=10).status_code == 200
    assert requests.post(url, json=refresh, auth=auth, timeout=10).status_code == 422


def test_without_a_token_nobody_reads(sandbox):
    answer = requests.get(f"{sandbox.urls['pim']}/api/rest/v1/products", timeout=10)
    assert (answer.status_code, answer.json()) == (401, {"code": 401, "message": "Authentication is required"})


def test_what_is_not_there_or_too_much_is_refused_with_a_sentence(api):
    """The client above drops such answers, so they are asked for without it."""
    missing, many = api("GET", "/api/rest/v1/product-models/NOBODY"), api("GET", "/api/rest/v1/products?limit=101")
    assert (missing.status_code, missing.json()["message"]) == (404, "Product model NOBODY does not exist.")
    assert (many.status_code, many.json()["message"]) == (422, "You cannot request more than 100 items.")
    assert api("GET", "/api/rest/v1/nothing").status_code == 404


def test_values_are_narrowed_to_a_channel_a_language_and_attributes(api):
    path = "/api/rest/v1/product-models/TS0001"
    values = api("GET", path, params={"scope": "print"}).json()["values"]
    assert [(v["locale"], v["scope"]) for v in values["description"]] == [("fr_FR", "print")]
    assert [v["locale"] for v in values["name"]] == ["fr_FR"]
    german = api("GET", path, params={"scope": "ecommerce", "locales": "de_DE", "attributes": "name,brand"}).json()
    assert {name: [v["locale"] for v in found] for name, found in german["values"].items()} == {
        "name": ["de_DE"],
        "brand": [None],
    }
    assert api("GET", path, params={"scope": "moon"}).json()["message"] == 'Scope "moon" does not exist.'


def test_pages_by_number_lead_forth_and_back(api):
    found = api("GET", "/api/rest/v1/products", params={"limit": 100, "page": 2, "with_count": "true"}).json()
    assert set(found["_links"]) == {"self", "first", "previous", "next"}
    assert (found["current_page"], found["items_count"], len(found["_embedded"]["items"])) == (2, 493, 100)
    assert [item["identifier"] for item in found["_embedded"]["items"]] == sorted(
        item["identifier"] for item in found["_embedded"]["items"]
    )


@pytest.mark.parametrize(
    ("search", "status", "sentence"),
    [
        ("{not json", 400, "should be valid JSON"),
        ('{"taste":[{"operator":"=","value":1}]}', 422, 'Filter on property "taste" is not supported'),
        ('{"updated":[{"operator":">","value":"yesterday"}]}', 422, 'Property "updated" expects a string'),
        ('{"updated":[{"operator":"~","value":1}]}', 422, 'does not support operator "~"'),
    ],
)
def test_a_search_that_cannot_be_is_refused(api, search, status, sentence):
    answer = api("GET", "/api/rest/v1/products", params={"search": search})
    assert answer.status_code == status
    assert sentence in answer.json()["message"]


@pytest.mark.parametrize(
    ("search", "count"),
    [
        ({"parent": [{"operator": "=", "value": "BA0007"}]}, 4),
        ({"parent": [{"operator": "IN", "value": ["TS0001", "JN0002"]}]}, 8),
        ({"family": [{"operator": "IN", "value": ["shoes"]}], "enabled": [{"operator": "=", "value": True}]}, 60),
        ({"enabled": [{"operator": "=", "value": False}]}, 0),
        ({"updated": [{"operator": "SINCE LAST N DAYS", "value": 3}]}, 12),
        ({"created": [{"operator": "BETWEEN", "value": ["2000-01-01 00:00:00", "2001-01-01 00:00:00"]}]}, 0),
    ],
)
def test_products_are_found_by_their_properties(api, search, count):
    params = {"search": json.dumps(search), "limit": 100, "with_count": "true"}
    assert api("GET", "/api/rest/v1/products", params=params).json()["items_count"] == count


def test_lines_of_a_collection_are_refused_one_by_one(api):
    lines = [
        "{broken",
        '{"enabled": false}',
        '{"identifier": "TS0001-S-GRI", "colour": "red"}',
        '{"identifier": "X1", "family": "hats"}',
        '{"identifier": "X1", "family": "clothing", "parent": "NOBODY"}',
        '{"identifier": "TS0001-S-GRI", "values": {"name": [{"locale": null, "scope": null, "data": "x"}]}}',
        '{"identifier": "TS0001-S-GRI", "values": {"taste": []}}',
        '{"identifier": "TS0001-S-GRI", "enabled": false}',
    ]
    headers = {"Content-Type": "application/vnd.akeneo.collection+json"}
    answer = api("PATCH", "/api/rest/v1/products", data="\n".join(lines).encode(), headers=headers)
    assert [json.loads(line)["status_code"] for line in answer.text.split("\n")] == [400, *[422] * 6, 204]
    assert api("GET", "/api/rest/v1/products/TS0001-S-GRI").json()["enabled"] is False


def test_more_than_100_lines_or_another_kind_of_body_is_refused(api):
    headers = {"Content-Type": "application/vnd.akeneo.collection+json"}
    assert api("PATCH", "/api/rest/v1/products", data=b"{}\n" * 101, headers=headers).status_code == 413
    assert api("PATCH", "/api/rest/v1/products", json={}).status_code == 415


def test_nobody_can_close_a_circle_of_parents_any_more(api):
    change = {"code": "BA0007", "parent": "BA0007-38"}
    answer = api("PATCH", "/api/rest/v1/product-models/BA0007", json=change)
    assert answer.status_code == 422
    assert "cannot hang below itself" in answer.json()["errors"][0]["message"]


def test_the_old_circle_is_still_shown(api):
    assert api("GET", "/api/rest/v1/product-models/CX0901").json()["parent"] == "CX0902"
    assert api("GET", "/api/rest/v1/products/CX0901-M-BLU").json()["values"]["name"][0]["data"] == "Cycliste"


def test_a_label_can_be_renamed_and_no_product_moves(api, retailer, clock):
    clock.forward(minutes=5)
    retailer.pim.rename_option("colour", "BLU", "de", "himmelblau")
    found = api("GET", "/api/rest/v1/products/NV0121-S-BLU", params={"with_attribute_options": "true"}).json()
    assert found["values"]["colour"][0]["linked_data"]["labels"]["de_DE"] == "himmelblau"
    assert found["updated"] < "2026-11-22T10:00:00+00:00"


def test_an_emptied_value_is_gone(api, retailer):
    retailer.pim.edit("TS0001", "name", "de", None)
    found = api("GET", "/api/rest/v1/product-models/TS0001").json()["values"]["name"]
    assert {value["locale"] for value in found} == {"fr_FR", "en_GB"}


def test_more_than_100_calls_at_once_are_refused(sandbox, retailer):
    """In the bucket, not over the network: 100 calls a second take longer than a second here."""
    from hub.sandbox.pim.api import Gate
    from hub.sandbox.web import Refusal, Request

    gate = Gate(retailer.pim)
    request = Request(method="GET", url="", path="", params={}, query={}, headers={}, body=b"")
    with pytest.raises(Refusal) as refusal:
        [gate.limited(request) for _ in range(200)]
    assert (refusal.value.reply.status, refusal.value.reply.headers["retry-after"]) == (429, "1")
