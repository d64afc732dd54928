"""Stock, prices and products: every number, amount and text at the targets against the sources' raw data."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import requests

from hub.certify import commerce_truth as truth
from hub.certify import stock_truth

if TYPE_CHECKING:
    from hub.certify.away import PutAway
    from hub.certify.played import Played

PRODUCTS = """query ($after: String) { products(first: 25, after: $after) { pageInfo { hasNextPage endCursor } nodes {
    title descriptionHtml vendor status options { name } en: translations(locale: "en") { key value }
    de: translations(locale: "de") { key value } media(first: 20) { nodes { ... on MediaImage { image { url } } } }
    variants(first: 20) { nodes { sku barcode price compareAtPrice } } } } }"""
OUTLET = "FR015"  # the site of the fifth store, which has prices of its own
TOLD = 16  # digits of a picture's hash by which its file in the shop is known


def cases(played: Played, away: PutAway, compared: Counter[str]) -> Iterator[tuple[str, str]]:
    """(lost, sentence) for what a target does not hold as its source says, doubled for what is there twice."""
    styles = truth.products(played.connections)
    shown, sold = list(shop_products(played.connections)), list(variations(played.connections))
    barcodes = {i["EANCOD"].zfill(14): i["ITMREF"].upper() for i in truth.erp(played.connections, "ReadItems", "Item")}
    for case in (
        *stock(played, compared),
        *shop_prices(played, shown, barcodes, compared),
        *till_prices(played, sold, compared),
        *products(styles, shown, barcodes, away, compared),
        *absent(styles, shown, sold, barcodes),
    ):
        yield "lost", case
    articles = {
        "shop": [sku_of(v, barcodes) for product in shown for v in product["variants"]["nodes"]],
        "tills": [object["item_variation_data"]["sku"].strip().upper() for object in sold],
    }
    for target, skus in articles.items():
        for sku, times in Counter(skus).items():
            if sku and times > 1:
                yield "doubled", f"the article {sku} is {times} times at the {target}"


def stock(played: Played, compared: Counter[str]) -> Iterator[str]:
    shop, tills = stock_truth.expected(played)
    for target, expected, held in (
        ("shop", shop, played.retailer.shop.levels()),
        ("tills", tills, played.retailer.tills.counts()),
    ):
        compared["stock levels"] += len(expected)
        for key, number in expected.items():
            if held.get(key) != number:
                yield f"stock of {key} is {number} by the sources, {held.get(key)} at the {target}"


def shop_prices(
    played: Played, shown: list[dict[str, Any]], barcodes: Mapping[str, str], compared: Counter[str]
) -> Iterator[str]:
    offers = truth.prices(played.connections, "WEB", "", played.clock.now())
    for product in shown:
        for variant in product["variants"]["nodes"]:
            sku = sku_of(variant, barcodes)
            if sku not in offers:
                continue
            before = Decimal(variant["compareAtPrice"]) if variant["compareAtPrice"] else None
            asked = truth.Offer(Decimal(variant["price"]), before)
            compared["prices"] += 1
            if asked != offers[sku]:
                yield f"the price of {sku} is {offers[sku]} by the ERP, {asked} in the shop"


def till_prices(played: Played, sold: list[dict[str, Any]], compared: Counter[str]) -> Iterator[str]:
    now, places = played.clock.now(), truth.ordered(played.connections)
    everywhere = truth.prices(played.connections, "RETAIL", "", now)
    outlet = truth.prices(played.connections, "RETAIL", OUTLET, now)
    for variation in sold:
        data = variation["item_variation_data"]
        sku = data["sku"].strip().upper()
        own = {o["location_id"]: truth.cents(o["price_money"]) for o in overrides(data)}
        asked = truth.cents(data["price_money"])
        there = own.get(places[4]["id"], asked)
        compared["prices"] += 1
        if sku in everywhere and (asked, there) != (everywhere[sku].amount, outlet[sku].amount):
            wanted = f"{everywhere[sku].amount} and {outlet[sku].amount} in the outlet"
            yield f"the price of {sku} is {wanted} by the ERP, {asked} and {there} at the tills"


def products(
    styles: Mapping[str, dict[str, Any]],
    shown: list[dict[str, Any]],
    barcodes: Mapping[str, str],
    away: PutAway,
    compared: Counter[str],
) -> Iterator[str]:
    for product in shown:
        variants = product["variants"]["nodes"]
        skus = [sku_of(v, barcodes) for v in variants]
        code = skus[0].partition("-")[0]
        style = styles.get(code)
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
            "active": product["status"] == "ACTIVE",
            "gtins": {sku: v["barcode"].zfill(14) for sku, v in zip(skus, variants, strict=True)
                      if sku in style["gtins"]},  # the shop keeps what it had where the ERP's is wrong
            "pictures": [file_of(m["image"]["url"]) for m in product["media"]["nodes"] if m.get("image")],
        }  # fmt: skip
        wanted = {**style, "pictures": [hash[:TOLD] for hash in style["pictures"] if hash not in away]}
        compared["products"] += 1
        for name, value in said.items():
            if value != wanted[name] and not away.stopped(code):
                yield f"the {name} of {skus[0]} is {wanted[name]} by PIM, ERP and DAM, {value} in the shop"


def absent(
    styles: Mapping[str, dict[str, Any]],
    shown: list[dict[str, Any]],
    sold: list[dict[str, Any]],
    barcodes: Mapping[str, str],
) -> Iterator[str]:
    """Articles that a target lacks: the tills need a name, the shop texts in every language and a picture."""
    in_shop = {sku_of(v, barcodes) for product in shown for v in product["variants"]["nodes"]}
    at_tills = {object["item_variation_data"]["sku"].strip().upper() for object in sold}
    languages = set(truth.LANGUAGES.values())
    for style in styles.values():
        complete = style["title"].keys() == style["description"].keys() == languages and style["pictures"]
        for target, held in (("tills", at_tills), *([("shop", in_shop)] if complete else [])):
            for sku in style["skus"]:
                if sku not in held:
                    yield f"the article {sku} is complete and not at the {target}"


def file_of(url: str) -> str:
    """By what a picture's file in the shop begins."""
    return url.rpartition("/")[2].partition(".")[0][:TOLD]


def shop_products(connections: truth.Connections) -> Iterator[dict[str, Any]]:
    """Every product of the shop as its GraphQL API tells it."""
    connection, after = connections["shop"], None
    while True:
        answer = requests.post(
            f"{truth.base(connection)}/admin/api/2026-04/graphql.json", timeout=30,
            json={"query": PRODUCTS, "variables": {"after": after}},
            headers={"X-Shopify-Access-Token": str(connection["password"])},
        ).json()  # fmt: skip
        if "errors" in answer:
            time.sleep(0.5)  # the bucket fills again
            continue
        page = answer["data"]["products"]
        yield from page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return


def variations(connections: truth.Connections) -> Iterator[dict[str, Any]]:
    """Every variation of the tills' catalogue."""
    cursor = None
    while True:
        asked = {"types": "ITEM_VARIATION", **({"cursor": cursor} if cursor else {})}
        page = truth.square(connections, "catalog/list", **asked)
        yield from page.get("objects", [])
        cursor = page.get("cursor")
        if not cursor:
            return


def overrides(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [o for o in data.get("location_overrides", ()) if "price_money" in o]


def sku_of(variant: Mapping[str, Any], barcodes: Mapping[str, str]) -> str:
    """Our code of a variant of the shop: its SKU, else the article with its barcode."""
    return str(variant["sku"] or "").strip().upper() or barcodes.get((variant["barcode"] or "").zfill(14), "")


def text(translations: list[dict[str, str]], key: str) -> str | None:
    return next((t["value"] for t in translations if t["key"] == key), None)
