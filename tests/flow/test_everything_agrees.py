"""After one pass of all flows shop, tills and ERP hold what the sources' raw data say; computed without the hub."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from support.scene import Scene

from hub.certify import commerce_truth as truth


@pytest.fixture(scope="module")
def agreed(whole: Scene, first_pass: tuple[Path, datetime, dict[str, int]]) -> Scene:
    """The whole retailer after `hub up --once`."""
    assert first_pass[2] == dict.fromkeys(("product", "price", "stock", "order"), 0)
    return whole


@pytest.fixture(scope="module")
def shop(agreed: Scene) -> list[dict[str, Any]]:
    """Every product of the shop as its GraphQL API tells it."""
    connection = agreed.connections["shop"]
    query = """query ($after: String) { products(first: 25, after: $after) { pageInfo { hasNextPage endCursor } nodes {
        title descriptionHtml vendor status options { name } en: translations(locale: "en") { key value }
        de: translations(locale: "de") { key value } media(first: 20) { nodes { ... on MediaImage { image { url } } } }
        variants(first: 20) { nodes { sku barcode price compareAtPrice } } } } }"""
    found, after = [], None
    while True:
        answer = requests.post(
            f"{truth.base(connection)}/admin/api/2026-04/graphql.json", timeout=30,
            json={"query": query, "variables": {"after": after}},
            headers={"X-Shopify-Access-Token": connection["password"]},
        ).json()  # fmt: skip
        if "errors" in answer:
            agreed.clock.forward(seconds=20)  # the bucket fills with the time of the scene
            continue
        page = answer["data"]["products"]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


def sku_of(variant: dict[str, Any]) -> str:
    return str(variant["sku"] or "").strip().upper()


def by_barcode(agreed: Scene) -> dict[str, str]:
    """The article behind each barcode, since some variants of the shop have no SKU."""
    return {i["EANCOD"].zfill(14): i["ITMREF"].upper() for i in truth.erp(agreed.connections, "ReadItems", "Item")}


def test_every_variant_of_the_shop_asks_the_price_of_the_web_list(agreed: Scene, shop: list[dict[str, Any]]) -> None:
    offers = truth.prices(agreed.connections, "WEB", "", agreed.clock.now())
    articles = by_barcode(agreed)
    asked = {
        sku_of(v) or articles[v["barcode"].zfill(14)]: truth.Offer(
            Decimal(v["price"]), Decimal(v["compareAtPrice"]) if v["compareAtPrice"] else None
        )
        for product in shop
        for v in product["variants"]["nodes"]
        if sku_of(v) in offers or (v["barcode"] or "").zfill(14) in articles
    }
    assert len(asked) == 484, "480 that are sold and the 4 articles of NV0121"
    assert {sku: offer for sku, offer in asked.items() if offer != offers[sku]} == {}
    assert sum(1 for offer in asked.values() if offer.before) > 50


def test_every_till_asks_the_price_of_the_retail_list_and_the_outlet_its_own(agreed: Scene) -> None:
    now, places = agreed.clock.now(), truth.ordered(agreed.connections)
    everywhere = truth.prices(agreed.connections, "RETAIL", "", now)
    outlet = truth.prices(agreed.connections, "RETAIL", "FR015", now)
    compared = 0
    for object in variations(agreed):
        data = object["item_variation_data"]
        sku = data["sku"].strip().upper()
        overrides = [o for o in data.get("location_overrides", ()) if "price_money" in o]
        own = {o["location_id"]: truth.cents(o["price_money"]) for o in overrides}
        assert truth.cents(data["price_money"]) == everywhere[sku].amount, sku
        assert own.get(places[4]["id"], everywhere[sku].amount) == outlet[sku].amount, sku
        assert set(own) <= {places[4]["id"]}
        compared += 1
    assert compared == 492
    assert sum(1 for sku in everywhere if outlet[sku] != everywhere[sku]) == 20


def variations(agreed: Scene) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        asked = {"types": "ITEM_VARIATION", **({"cursor": cursor} if cursor else {})}
        page = truth.square(agreed.connections, "catalog/list", **asked)
        yield from page.get("objects", [])
        cursor = page.get("cursor")
        if not cursor:
            return


def test_every_product_of_the_shop_says_in_three_languages_what_the_pim_says(
    agreed: Scene, shop: list[dict[str, Any]]
) -> None:
    styles, articles = truth.products(agreed.connections), by_barcode(agreed)
    compared, wrong = 0, []
    for product in shop:
        skus = [sku_of(v) or articles.get((v["barcode"] or "").zfill(14), "") for v in product["variants"]["nodes"]]
        style = styles.get(skus[0].partition("-")[0])
        if style is None:
            continue  # a gift card of the shop's own
        said = {
            "title": {"fr": product["title"], **{code: text(product[code], "title") for code in ("en", "de")}},
            "description": {
                "fr": product["descriptionHtml"],
                **{code: text(product[code], "body_html") for code in ("en", "de")},
            },
            "brand": product["vendor"],
            "skus": skus,
            "gtins": {
                sku: variant["barcode"].zfill(14)
                for sku, variant in zip(skus, product["variants"]["nodes"], strict=True)
                if sku in style["gtins"]  # one is wrong in the ERP: the shop keeps what it had
            },
            "active": product["status"] == "ACTIVE",
        }
        expected = {name: style[name] for name in said}
        compared += 1
        if said != expected:
            wrong.append((skus[0], {n: (said[n], expected[n]) for n in said if said[n] != expected[n]}))
    assert wrong == []
    assert compared == 121, "120 that are sold and NV0121; NV0122 and NV0123 wait"


def text(translations: list[dict[str, str]], key: str) -> str | None:
    return next((t["value"] for t in translations if t["key"] == key), None)


def test_every_product_of_the_shop_shows_the_pictures_of_the_dam_in_their_order(
    agreed: Scene, shop: list[dict[str, Any]]
) -> None:
    pictures = truth.pictures_of(agreed.connections)
    absent: dict[str, str] = {}
    for product in shop:
        style = sku_of(product["variants"]["nodes"][0]).partition("-")[0]
        if style not in pictures or style == "EC0120":
            continue
        files = [m["image"]["url"].rpartition("/")[2].partition(".")[0][:16] for m in product["media"]["nodes"]]
        shown = [hash for hash in pictures[style] if hash[:16] in files]
        assert files == [hash[:16] for hash in shown], style
        absent |= {hash: style for hash in pictures[style] if hash not in shown}
    assert sorted(absent.values()) == ["CH0019", "PU0021"]
    for asset in truth.dam(agreed.connections):
        web = asset["renditions"]["web"]
        if web["sha256"] in absent:
            assert not is_picture(agreed, web), asset["id"]


def is_picture(agreed: Scene, rendition: dict[str, Any]) -> bool:
    connection = agreed.connections["dam"]
    url = truth.base(connection) + rendition["download_url"]
    data = requests.get(url, headers={"Authorization": f"Bearer {connection['password']}"}, timeout=10).content
    return data.startswith(b"\x89PNG") and hashlib.sha256(data).hexdigest() == rendition["sha256"]


def test_every_sale_of_shop_and_tills_is_in_the_erp_once_with_every_line_and_cent(agreed: Scene) -> None:
    sales = truth.sales(agreed.connections)
    booked: dict[str, dict[str, Any]] = {}
    for found in documents(agreed, sorted(sales)):
        document = found["Document"][0]
        assert document["CUSORDREF"] not in booked, "a document is booked once"
        booked[document["CUSORDREF"]] = {
            "total": Decimal(document["TOTAMT"]),
            "cancelled": found["ORDSTA"] == "9",
            "lines": [(n["ITMREF"].upper(), int(Decimal(n["QTY"])), Decimal(n["PRI"])) for n in document["Line"]],
        }
    assert {key: (sale, booked.get(key)) for key, sale in sales.items() if booked.get(key) != sale} == {}
    assert len(booked) > 300


def documents(agreed: Scene, references: list[str]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(references), 50):
        wanted = references[start : start + 50]
        asked = "".join(f"<t:Reference><t:CUSORDREF>{r}</t:CUSORDREF></t:Reference>" for r in wanted)
        page = truth.erp_call(agreed.connections, f"<t:ReadSalesDocuments>{asked}</t:ReadSalesDocuments>")
        yield from (truth.cells(e) for e in page.iter(f"{{{truth.NAMESPACE}}}SalesDocument"))


def test_a_second_pass_finds_nothing_to_write(agreed: Scene) -> None:
    before = len([call for call in agreed.retailer.ledger.calls() if call.write])
    agreed.clock.forward(seconds=5)
    with agreed.engine() as engine:
        engine.once()
    assert [c.operation for c in agreed.retailer.ledger.calls() if c.write][before:] == []
