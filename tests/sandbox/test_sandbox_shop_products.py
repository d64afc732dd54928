"""Products of the shop over GraphQL: what is there at the start, and what an app may write."""

from __future__ import annotations

import json
import time

import pytest
import requests

from hub.sandbox.assortment import Assortment

WHOLE = """query products($after: String, $query: String) {
  products(first: 50, after: $after, query: $query) {
    nodes {
      id title handle status descriptionHtml vendor productType createdAt updatedAt totalInventory
      hasOnlyDefaultVariant variantsCount { count } mediaCount { count }
      en: translations(locale: "en") { key value locale outdated }
      de: translations(locale: "de") { key value outdated }
      options {
        id name position values translations(locale: "en") { key value }
        optionValues { id name hasVariants translations(locale: "de") { key value } }
      }
      variants(first: 20) { nodes {
        id sku barcode title position price compareAtPrice taxable inventoryPolicy
        selectedOptions { name value optionValue { id } }
        inventoryItem { id tracked measurement { weight { unit value } } }
        metafield(namespace: "omnihub", key: "lowest_30") { value type compareDigest }
      } pageInfo { hasNextPage } }
      media(first: 20) { nodes {
        id alt status mediaContentType mediaErrors { code message }
        ... on MediaImage { mimeType image { url width height } translations(locale: "en") { key value } }
      } pageInfo { hasNextPage } }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""
UPDATE = """mutation update($product: ProductUpdateInput!) { productUpdate(product: $product) {
  product { id title descriptionHtml vendor productType status updatedAt } userErrors { field message }
} }"""
CREATE = """mutation create($product: ProductCreateInput!) { productCreate(product: $product) {
  product { id title handle status options { id name values } variants(first: 5) { nodes { id title sku price } } }
  userErrors { field message }
} }"""
OPTIONS = """mutation options($id: ID!, $options: [OptionCreateInput!]!) {
  productOptionsCreate(productId: $id, options: $options) {
    product { options { name values } variants(first: 9) { nodes { title } } } userErrors { code field message }
  }
}"""
ADD = """mutation add($id: ID!, $variants: [ProductVariantsBulkInput!]!, $strategy: ProductVariantsBulkCreateStrategy) {
  productVariantsBulkCreate(productId: $id, variants: $variants, strategy: $strategy) {
    productVariants { id sku barcode price compareAtPrice title inventoryItem { id tracked } }
    product { variants(first: 20) { nodes { title sku } } }
    userErrors { code field message }
  }
}"""
CHANGE = """mutation change($id: ID!, $variants: [ProductVariantsBulkInput!]!, $partial: Boolean) {
  productVariantsBulkUpdate(productId: $id, variants: $variants, allowPartialUpdates: $partial) {
    productVariants { id sku barcode price compareAtPrice title } userErrors { code field message }
  }
}"""
REGISTER = """mutation register($id: ID!, $translations: [TranslationInput!]!) {
  translationsRegister(resourceId: $id, translations: $translations) {
    translations { key locale value outdated } userErrors { code field message }
  }
}"""
CONTENT = """query content($id: ID!) { translatableResource(resourceId: $id) {
  resourceId translatableContent { key value digest locale type } translations(locale: "en") { key value outdated }
} }"""
METAFIELDS = """mutation set($metafields: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $metafields) {
  metafields { id namespace key type value jsonValue compareDigest ownerType owner { __typename } }
  userErrors { code field message elementIndex }
} }"""


@pytest.fixture
def shop(sandbox):
    return sandbox.retailer.shop


@pytest.fixture
def first(client):
    """The first product, whole."""
    return client.data(WHOLE)["products"]["nodes"][0]


@pytest.fixture
def draft(client):
    """A new product without options."""
    return client.data(CREATE, product={"title": "Bonnet Zoé", "status": "DRAFT"})["productCreate"]["product"]


def everything(client):
    found, after, more = [], None, True
    while more:
        page = client.data(WHOLE, after=after)["products"]
        found += page["nodes"]
        more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
    return found


def codes(payload, name="userErrors"):
    return [error["code"] for error in payload[name]]


def texts(entries):
    return {entry["key"]: entry["value"] for entry in entries}


# --- the start ------------------------------------------------------------------------------------


def test_the_shop_is_mostly_right_at_the_start(client, shop):
    right = {"title": 0, "english": 0, "german": 0, "description": 0, "pictures": 0, "alt": 0}
    styles = {style.skus[0]: style for style in Assortment(shop.world).products}
    by_variant = {f"gid://shopify/ProductVariant/{v.id}": v.code for v in shop.catalog.variants()}
    products = everything(client)
    for product in products[:120]:
        style = styles[by_variant[product["variants"]["nodes"][0]["id"]]]
        pictures = Assortment(shop.world).pictures(style)
        names = [node["image"]["url"].partition("?")[0].rpartition("/")[2] for node in product["media"]["nodes"]]
        right["title"] += product["title"] == style.title["fr"]
        right["english"] += texts(product["en"])["title"] == style.title["en"]
        right["german"] += texts(product["de"]).get("title") == style.title["de"]
        right["description"] += product["descriptionHtml"] == style.description["fr"]
        right["pictures"] += names == [f"{picture.sha256[:16]}.png" for picture in pictures]
        right["alt"] += [node["alt"] for node in product["media"]["nodes"]] == [p.alt["fr"] for p in pictures]
    assert len(products) == 123
    assert right == {"title": 115, "english": 116, "german": 117, "description": 117, "pictures": 117, "alt": 118}


def test_forty_prices_are_last_seasons(shop):
    prices = {variant.code: variant.price_cents for variant in shop.catalog.variants()}
    assert sum(prices[sku.code] != sku.price_cents for sku in shop.world.skus) == 40


def test_all_products_are_read_within_one_full_budget(client):
    began, cost, after, more = time.monotonic(), 0, None, True
    while more:
        answer = client.post(WHOLE, after=after)
        cost += answer["extensions"]["cost"]["requestedQueryCost"]
        page = answer["data"]["products"]["pageInfo"]
        more, after = page["hasNextPage"], page["endCursor"]
    assert cost < 2000
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("query", "number"),
    [("sku:'{code}'", 1), ("barcode:{ean}", 1), ("status:ACTIVE", 50), ("status:DRAFT", 0), ("vendor:'Nobody'", 0)],
)
def test_products_are_searched(client, shop, query, number):
    sku = shop.world.skus[5]
    found = client.data(WHOLE, query=query.format(code=sku.code, ean=sku.ean))["products"]["nodes"]
    assert len(found) == number


def test_a_product_is_found_by_id_and_handle_and_its_parts_as_nodes(client, first):
    text = """query ways($id: ID!, $handle: String!, $ids: [ID!]!) {
      product(id: $id) { title } productByIdentifier(identifier: {handle: $handle}) { id }
      nodes(ids: $ids) { id __typename ... on ProductOption { name } ... on MediaImage { alt } }
    }"""
    parts = [first["id"], first["variants"]["nodes"][0]["id"], first["options"][0]["id"]]
    parts += [first["options"][0]["optionValues"][0]["id"], first["media"]["nodes"][0]["id"]]
    data = client.data(text, id=first["id"], handle=first["handle"], ids=parts)
    assert data["product"]["title"] == first["title"]
    assert data["productByIdentifier"]["id"] == first["id"]
    assert [node["id"] for node in data["nodes"]] == parts


# --- texts ----------------------------------------------------------------------------------------


def test_a_product_is_updated_where_it_is_named(client, clock, first):
    clock.forward(seconds=5)
    payload = client.data(UPDATE, product={"id": first["id"], "title": "Été 2027", "status": "ARCHIVED"})
    found = payload["productUpdate"]["product"]
    assert (found["title"], found["status"]) == ("Été 2027", "ARCHIVED")
    assert (found["vendor"], found["descriptionHtml"]) == (first["vendor"], first["descriptionHtml"])
    assert found["updatedAt"] > first["updatedAt"]


@pytest.mark.parametrize(
    ("value", "message"),
    [({"title": " "}, "Title can't be blank"), ({"handle": "produit-2"}, "Handle 'produit-2' already in use.")],
)
def test_an_update_that_cannot_be_is_refused(client, first, value, message):
    payload = client.data(UPDATE, product={"id": first["id"], **value})["productUpdate"]
    unknown = client.data(UPDATE, product={"id": "gid://shopify/Product/1", "title": "x"})["productUpdate"]
    assert payload["userErrors"][0]["message"].startswith(message)
    assert unknown["userErrors"] == [{"field": ["id"], "message": "Product does not exist"}]


def test_a_translation_is_registered_under_the_digest_of_the_present_text(client, first):
    content = client.data(CONTENT, id=first["id"])["translatableResource"]["translatableContent"]
    digest = next(entry["digest"] for entry in content if entry["key"] == "title")
    entry = {"key": "title", "locale": "en", "value": "Summer!", "translatableContentDigest": digest}
    payload = client.data(REGISTER, id=first["id"], translations=[entry])["translationsRegister"]
    again = {"key": "title", "locale": "en", "value": "Summer!", "outdated": False}
    assert payload == {"translations": [again], "userErrors": []}
    assert texts(client.data(CONTENT, id=first["id"])["translatableResource"]["translations"])["title"] == "Summer!"


def test_a_changed_text_outdates_its_translations(client, first):
    client.data(UPDATE, product={"id": first["id"], "title": "Autre chose"})
    found = client.data(CONTENT, id=first["id"])["translatableResource"]["translations"]
    assert {entry["key"]: entry["outdated"] for entry in found} == {"title": True, "body_html": False}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"translatableContentDigest": "0" * 64}, "INVALID_TRANSLATABLE_CONTENT"),
        ({"locale": "fr"}, "INVALID_LOCALE_FOR_SHOP"),
        ({"locale": "es"}, "INVALID_LOCALE_FOR_SHOP"),
        ({"key": "colour"}, "INVALID_KEY_FOR_MODEL"),
        ({"value": " "}, "BLANK"),
    ],
)
def test_a_translation_that_does_not_fit_is_refused(client, first, change, code):
    content = client.data(CONTENT, id=first["id"])["translatableResource"]["translatableContent"]
    digest = next(entry["digest"] for entry in content if entry["key"] == "title")
    entry = {"key": "title", "locale": "en", "value": "X", "translatableContentDigest": digest, **change}
    payload = client.data(REGISTER, id=first["id"], translations=[entry])["translationsRegister"]
    unknown = client.data(REGISTER, id="gid://shopify/Product/1", translations=[entry])["translationsRegister"]
    assert (codes(payload), codes(unknown)) == ([code], ["RESOURCE_NOT_FOUND"])


def test_options_values_and_alt_texts_are_translated_too(client, first):
    value, picture = first["options"][1]["optionValues"][0]["id"], first["media"]["nodes"][0]["id"]
    for resource, key in ((first["options"][0]["id"], "name"), (value, "name"), (picture, "alt")):
        content = client.data(CONTENT, id=resource)["translatableResource"]["translatableContent"]
        entry = {"key": key, "locale": "de", "value": "Neu", "translatableContentDigest": content[0]["digest"]}
        payload = client.data(REGISTER, id=resource, translations=[entry])["translationsRegister"]
        assert payload["userErrors"] == []


def test_translations_are_removed_and_listed(client, first):
    text = """mutation remove($id: ID!) {
      translationsRemove(resourceId: $id, translationKeys: ["title"], locales: ["en", "de"]) {
        translations { locale } userErrors { code message }
      }
    }"""
    gone = client.data(text, id=first["id"])["translationsRemove"]["translations"]
    listed = client.data(
        """{ shopLocales { locale name primary published } translatableResources(first: 2, resourceType: PRODUCT) {
        nodes { resourceId translations(locale: "en") { key } } pageInfo { hasNextPage } } }"""
    )
    assert [entry["locale"] for entry in gone] == ["en", "de"]
    assert [entry["locale"] for entry in listed["shopLocales"] if entry["primary"]] == ["fr"]
    assert [e["key"] for e in listed["translatableResources"]["nodes"][0]["translations"]] == ["body_html"]


# --- prices and metafields ------------------------------------------------------------------------


def test_a_price_and_the_one_before_it_are_set_and_taken_back(client, first):
    variant = first["variants"]["nodes"][0]["id"]
    reduced = {"id": variant, "price": "19.90", "compareAtPrice": "29.90"}
    one = client.data(CHANGE, id=first["id"], variants=[reduced])["productVariantsBulkUpdate"]
    two = client.data(CHANGE, id=first["id"], variants=[{"id": variant, "compareAtPrice": None}])
    assert (one["productVariants"][0]["price"], one["productVariants"][0]["compareAtPrice"]) == ("19.90", "29.90")
    after = two["productVariantsBulkUpdate"]["productVariants"][0]
    assert (after["price"], after["compareAtPrice"]) == ("19.90", None)


def test_one_bad_variant_keeps_all_from_being_changed_unless_parts_are_allowed(client, first):
    good = {"id": first["variants"]["nodes"][0]["id"], "price": "1.00"}
    bad = {"id": "gid://shopify/ProductVariant/1", "price": "1.00"}
    whole = client.data(CHANGE, id=first["id"], variants=[good, bad])["productVariantsBulkUpdate"]
    kept = client.data(WHOLE)["products"]["nodes"][0]["variants"]["nodes"][0]["price"]
    parts = client.data(CHANGE, id=first["id"], variants=[good, bad], partial=True)["productVariantsBulkUpdate"]
    assert (codes(whole), whole["productVariants"]) == (["PRODUCT_VARIANT_DOES_NOT_EXIST"], None)
    assert kept == first["variants"]["nodes"][0]["price"]
    assert (codes(parts), [v["price"] for v in parts["productVariants"]]) == (codes(whole), ["1.00"])


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"price": "-1"}, "GREATER_THAN_OR_EQUAL_TO"),
        ({"price": "much"}, "INVALID_INPUT"),
        ({}, "PRODUCT_VARIANT_ID_MISSING"),
    ],
)
def test_a_price_that_is_none_is_refused(client, first, value, code):
    id = {"id": first["variants"]["nodes"][0]["id"]} if value else {}
    payload = client.data(CHANGE, id=first["id"], variants=[{**id, **value}])["productVariantsBulkUpdate"]
    assert codes(payload) == [code]


def lowest(variant, amount="18.90", **more):
    value = json.dumps({"amount": amount, "currency_code": "EUR"})
    return {"ownerId": variant, "namespace": "omnihub", "key": "lowest_30", "type": "money", "value": value, **more}


def test_a_metafield_is_compared_and_set(client, first):
    variant = first["variants"]["nodes"][0]["id"]
    new = client.data(METAFIELDS, metafields=[lowest(variant, compareDigest=None)])["metafieldsSet"]
    digest = new["metafields"][0]["compareDigest"]
    stale = client.data(METAFIELDS, metafields=[lowest(variant, "9.90", compareDigest=None)])["metafieldsSet"]
    other = client.data(METAFIELDS, metafields=[lowest(variant, "9.90", compareDigest=digest)])["metafieldsSet"]
    shown = client.data(WHOLE)["products"]["nodes"][0]["variants"]["nodes"][0]["metafield"]
    assert new["metafields"][0]["jsonValue"] == {"amount": "18.90", "currency_code": "EUR"}
    assert (codes(stale), codes(other)) == (["STALE_OBJECT"], [])
    assert json.loads(shown["value"])["amount"] == "9.90"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"value": "18.90"}, "INVALID_VALUE"),
        ({"value": '{"amount": "18.90", "currency_code": "USD"}'}, "INVALID_VALUE"),
        ({"type": "price"}, "INVALID_TYPE"),
        ({"type": None}, "BLANK"),
        ({"ownerId": "gid://shopify/ProductVariant/1"}, "INVALID"),
    ],
)
def test_a_metafield_that_does_not_fit_keeps_all_from_being_set(client, first, change, code):
    good, bad = (variant["id"] for variant in first["variants"]["nodes"][:2])
    payload = client.data(METAFIELDS, metafields=[lowest(good), lowest(bad) | change])["metafieldsSet"]
    found = client.data(WHOLE)["products"]["nodes"][0]["variants"]["nodes"][0]["metafield"]
    assert (codes(payload), found) == ([code], None)


def test_at_most_25_metafields_are_set_at_once(client, first):
    many = [lowest(first["variants"]["nodes"][0]["id"], key=f"k{n}") for n in range(26)]
    assert codes(client.data(METAFIELDS, metafields=many)["metafieldsSet"]) == ["LESS_THAN_OR_EQUAL_TO"]


def test_a_metafield_is_deleted(client, first):
    variant = first["variants"]["nodes"][0]["id"]
    client.data(METAFIELDS, metafields=[lowest(variant)])
    text = """mutation gone($metafields: [MetafieldIdentifierInput!]!) { metafieldsDelete(metafields: $metafields) {
      deletedMetafields { key ownerId } userErrors { message }
    } }"""
    which = {"ownerId": variant, "namespace": "omnihub", "key": "lowest_30"}
    first_time, again = (client.data(text, metafields=[which])["metafieldsDelete"] for _ in range(2))
    assert first_time["deletedMetafields"] == [{"key": "lowest_30", "ownerId": variant}]
    assert again["deletedMetafields"] == [None]


# --- new products ---------------------------------------------------------------------------------


def new_variant(size, colour, sku, **more):
    values = [{"optionName": "Taille", "name": size}, {"optionName": "Couleur", "name": colour}]
    return {"optionValues": values, "price": "19.90", "barcode": "3760123999994", "inventoryItem": {"sku": sku}, **more}


def test_a_new_product_is_a_draft_with_one_default_variant(client, draft):
    assert (draft["status"], draft["handle"]) == ("DRAFT", "bonnet-zoe")
    assert [option["name"] for option in draft["options"]] == ["Title"]
    assert [variant["title"] for variant in draft["variants"]["nodes"]] == ["Default Title"]
    again = client.data(CREATE, product={"title": "Bonnet Zoé"})["productCreate"]["product"]
    assert (again["handle"], again["status"]) == ("bonnet-zoe-1", "ACTIVE")


def test_options_given_at_creation_make_one_variant_of_their_first_values(client):
    options = [{"name": "Taille", "values": [{"name": "S"}, {"name": "M"}]}]
    made = client.data(CREATE, product={"title": "Gant", "productOptions": options})["productCreate"]["product"]
    inputs = [{"optionValues": [{"optionName": "Taille", "name": size}]} for size in ("S", "M")]
    kept = client.data(ADD, id=made["id"], variants=inputs)["productVariantsBulkCreate"]
    payload = client.data(ADD, id=made["id"], variants=inputs, strategy="REMOVE_STANDALONE_VARIANT")
    assert [variant["title"] for variant in made["variants"]["nodes"]] == ["S"]
    assert codes(kept) == ["VARIANT_ALREADY_EXISTS"]
    added = payload["productVariantsBulkCreate"]
    assert (added["userErrors"], [v["title"] for v in added["product"]["variants"]["nodes"]]) == ([], ["S", "M"])


def test_new_variants_take_the_place_of_the_default_one_and_are_stocked_everywhere(client, shop, draft):
    options = [{"name": name, "values": [{"name": value}]} for name, value in (("Taille", "U"), ("Couleur", "bleu"))]
    client.data(OPTIONS, id=draft["id"], options=options)
    variants = [new_variant("U", "bleu", "BO-U-BLU"), new_variant("U", "écru", "BO-U-ECR")]
    removed = client.data(ADD, id=draft["id"], variants=variants, strategy="REMOVE_STANDALONE_VARIANT")
    payload = removed["productVariantsBulkCreate"]
    levels = {key: n for key, n in shop.levels().items() if key.startswith("BO-U-BLU@")}
    assert [variant["sku"] for variant in payload["product"]["variants"]["nodes"]] == ["BO-U-BLU", "BO-U-ECR"]
    assert (len(levels), set(levels.values())) == (21, {0})
    assert shop.order([("BO-U-ECR", 1)])["line_items"][0]["price"] == "19.90"


@pytest.mark.parametrize(
    ("variant", "code"),
    [
        ({"optionValues": []}, "NEED_TO_ADD_OPTION_VALUES"),
        ({"optionValues": [{"optionName": "Matière", "name": "laine"}]}, "INVALID_INPUT"),
        ({"price": "-2"}, "GREATER_THAN_OR_EQUAL_TO"),
        ({}, "VARIANT_ALREADY_EXISTS"),
    ],
)
def test_a_variant_that_cannot_be_is_refused_with_all_others(client, first, variant, code):
    held = first["variants"]["nodes"][0]["selectedOptions"]
    same = {"optionValues": [{"optionName": one["name"], "name": one["value"]} for one in held], "price": "1"}
    good = new_variant("XXXL", "bleu", "NEW-1")
    payload = client.data(ADD, id=first["id"], variants=[good, {**same, **variant}])["productVariantsBulkCreate"]
    after = client.data(WHOLE)["products"]["nodes"][0]
    assert (codes(payload), after["variantsCount"]) == ([code], first["variantsCount"])


def test_options_are_refused_with_the_reason(client, first):
    twice = client.data(OPTIONS, id=first["id"], options=[{"name": "Taille", "values": [{"name": "S"}]}])
    empty = client.data(OPTIONS, id=first["id"], options=[{"name": "Matière"}])
    many = client.data(OPTIONS, id=first["id"], options=[{"name": n, "values": [{"name": "x"}]} for n in "abc"])
    found = [codes(payload["productOptionsCreate"]) for payload in (twice, empty, many)]
    assert found == [["OPTION_ALREADY_EXISTS"], ["OPTION_VALUES_MISSING"], ["OPTIONS_OVER_LIMIT"]]


def test_an_option_and_its_values_are_renamed_in_the_variants_too(client, first):
    text = """mutation rename($id: ID!, $option: OptionUpdateInput!, $values: [OptionValueUpdateInput!]) {
      productOptionUpdate(productId: $id, option: $option, optionValuesToUpdate: $values) {
        product { options { name values } variants(first: 1) { nodes { title selectedOptions { name value } } } }
        userErrors { code message }
      }
    }"""
    option = first["options"][0]
    rename = [{"id": option["optionValues"][0]["id"], "name": "Petit"}]
    payload = client.data(text, id=first["id"], option={"id": option["id"], "name": "Pointure"}, values=rename)
    variant = payload["productOptionUpdate"]["product"]["variants"]["nodes"][0]
    assert variant["selectedOptions"][0] == {"name": "Pointure", "value": "Petit"}


def test_a_value_that_no_variant_has_any_more_is_still_an_options(client, first):
    option, variants = first["options"][0], first["variants"]["nodes"]
    before = option["optionValues"][0]["name"]
    moved = [v["id"] for v in variants if v["selectedOptions"][0]["value"] == before]
    new = [{"id": id, "optionValues": [{"optionName": "Taille", "name": "Petit"}]} for id in moved]
    keep = [v["selectedOptions"][1] for v in variants if v["id"] in moved]
    for value, colour in zip(new, keep, strict=True):
        value["optionValues"].append({"optionName": colour["name"], "name": colour["value"]})
    client.data(CHANGE, id=first["id"], variants=new)
    after = client.data(WHOLE)["products"]["nodes"][0]["options"][0]
    assert {value["name"]: value["hasVariants"] for value in after["optionValues"]}[before] is False
    assert before not in after["values"]
    assert "Petit" in after["values"]


def test_variants_are_put_in_order_and_deleted(client, first):
    ids = [variant["id"] for variant in first["variants"]["nodes"]]
    reorder = """mutation order($id: ID!, $positions: [ProductVariantPositionInput!]!) {
      productVariantsBulkReorder(productId: $id, positions: $positions) {
        product { variants(first: 9) { nodes { id position } } } userErrors { code message }
      }
    }"""
    delete = """mutation delete($id: ID!, $ids: [ID!]!) { productVariantsBulkDelete(productId: $id, variantsIds: $ids) {
      product { variants(first: 9) { nodes { id position } } } userErrors { code message }
    } }"""
    payload = client.data(reorder, id=first["id"], positions=[{"id": ids[3], "position": 1}])
    moved = payload["productVariantsBulkReorder"]["product"]["variants"]["nodes"]
    one = client.data(delete, id=first["id"], ids=[ids[0]])["productVariantsBulkDelete"]
    rest = client.data(delete, id=first["id"], ids=ids[1:])["productVariantsBulkDelete"]
    assert [variant["id"] for variant in moved] == [ids[3], *ids[:3]]
    assert [variant["id"] for variant in one["product"]["variants"]["nodes"]] == [ids[3], ids[1], ids[2]]
    assert codes(rest) == ["CANNOT_DELETE_LAST_VARIANT"]


def test_a_sku_that_is_filled_in_is_what_the_retailer_calls_the_variant(client, shop, draft):
    variant = draft["variants"]["nodes"][0]["id"]
    value = {
        "id": variant,
        "inventoryItem": {"sku": " bo-0001 ", "measurement": {"weight": {"unit": "GRAMS", "value": 80}}},
    }
    client.data(CHANGE, id=draft["id"], variants=[value])
    assert (shop.catalog.variant("BO-0001").sku, shop.catalog.variant("BO-0001").grams) == (" bo-0001 ", 80)


def test_rest_shows_what_graphql_wrote(client, shop, sandbox, draft):
    url = f"{sandbox.urls['shop']}/admin/api/2026-04/products/{draft['id'].rpartition('/')[2]}.json"
    found = requests.get(url, headers={"X-Shopify-Access-Token": shop.token}, timeout=10).json()["product"]
    assert (found["title"], found["status"], found["options"][0]["values"]) == (
        "Bonnet Zoé",
        "draft",
        ["Default Title"],
    )
