"""What shop, tills and ERP must hold of prices, products and orders, computed from the sources' raw data alone.

No line of the hub is used here. The ERP is read by SOAP written by hand, PIM, DAM, shop and tills by
REST. The rules are RETAIL.md's, written a second time and differently.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import requests
from lxml import etree

from hub.errors import StopRun

PARIS = ZoneInfo("Europe/Paris")
NAMESPACE = "urn:maison-omni:erp:stock"
LANGUAGES = {"fr_FR": "fr", "en_GB": "en", "de_DE": "de"}
Connections = Mapping[str, Mapping[str, Any]]


# --- the sources, page by page ----------------------------------------------------------------------


def answered(answer: requests.Response) -> requests.Response:
    """The answer where it is one; :class:`StopRun` with what the system said instead."""
    if not answer.ok:
        raise StopRun(f"{answer.url} answered {answer.status_code}: {answer.text[:300]}")
    return answer


def base(connection: Mapping[str, Any]) -> str:
    return f"http://{connection['host']}:{connection['port']}"


def erp(connections: Connections, operation: str, row: str) -> Iterator[dict[str, Any]]:
    """Every ``row`` of a reading operation; a cell that repeats or has cells of its own is a list of them."""
    bookmark = ""
    while True:
        mark = f"<t:bookmark>{bookmark}</t:bookmark>" if bookmark else ""
        asked = "" if operation == "ReadSites" else f"{mark}<t:setSize>100</t:setSize>"
        page = erp_call(connections, f"<t:{operation}>{asked}</t:{operation}>")
        for found in page.iter(f"{{{NAMESPACE}}}{row}"):
            if etree.QName(found.getparent()).localname == f"{operation}Response":
                yield cells(found)
        bookmark = next((e.text or "" for e in page.iter(f"{{{NAMESPACE}}}nextBookmark")), "")
        if not bookmark:
            return


def erp_call(connections: Connections, body: str) -> Any:
    connection = connections["erp"]
    envelope = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f"{body.replace('>', f' xmlns:t={NAMESPACE!r}>', 1)}</s:Body></s:Envelope>"
    )
    while True:
        answer = requests.post(
            base(connection) + "/erp/StockService", data=envelope.encode(), timeout=30,
            auth=(connection["login"], connection["password"]),
            headers={"SOAPAction": '""', "Content-Type": "text/xml; charset=utf-8"},
        )  # fmt: skip
        if "ERP-BUSY" not in answer.text:
            return etree.fromstring(answered(answer).content)
        time.sleep(0.3)  # five calls a second are all that it takes


def cells(row: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for cell in row:
        name = etree.QName(cell).localname
        if len(cell):
            found.setdefault(name, []).append(cells(cell))
        else:
            found[name] = (cell.text or "").strip()
    return found


def pim(connections: Connections, path: str, **query: Any) -> Iterator[dict[str, Any]]:
    connection = connections["pim"]
    who = {"username": connection["extra"]["username"], "password": connection["extra"]["password"]}
    token = requests.post(
        base(connection) + "/api/oauth/v1/token", json={"grant_type": "password", **who}, timeout=10,
        auth=(connection["login"], connection["password"]),
    ).json()["access_token"]  # fmt: skip
    url: str | None = f"{base(connection)}/api/rest/v1/{path}"
    params: dict[str, Any] | None = {"limit": 100, **query}
    while url:
        page = requests.get(url, params=params, headers={"Authorization": f"Bearer {token}"}, timeout=10).json()
        yield from page["_embedded"]["items"]
        url, params = page["_links"].get("next", {}).get("href"), None


def dam(connections: Connections) -> Iterator[dict[str, Any]]:
    connection, cursor = connections["dam"], None
    while True:
        page = requests.get(
            base(connection) + "/api/v1/assets", params={"limit": 100, **({"cursor": cursor} if cursor else {})},
            headers={"Authorization": f"Bearer {connection['password']}"}, timeout=10,
        ).json()  # fmt: skip
        yield from page["assets"]
        cursor = page.get("next_cursor")
        if not cursor:
            return


def square(connections: Connections, path: str, **asked: Any) -> dict[str, Any]:
    connection = connections["tills"]
    headers = {"Authorization": f"Bearer {connection['password']}", "Square-Version": "2026-01-22"}
    url = f"{base(connection)}/v2/{path}"
    answer = (
        requests.post(url, json=asked["body"], headers=headers, timeout=10)
        if "body" in asked
        else requests.get(url, params=asked, headers=headers, timeout=10)
    )
    found: dict[str, Any] = answered(answer).json()
    return found


def shopify(connections: Connections, path: str, key: str) -> Iterator[dict[str, Any]]:
    """A REST collection, all pages."""
    connection = connections["shop"]
    headers = {"X-Shopify-Access-Token": connection["password"]}
    url: str | None = f"{base(connection)}/admin/api/2026-04/{path}"
    while url:
        answer = answered(requests.get(url, headers=headers, timeout=10))
        yield from answer.json()[key]
        url = answer.links.get("next", {}).get("url")


# --- prices ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """What a customer is asked, and what stands crossed out beside it."""

    amount: Decimal
    before: Decimal | None = None


def decimal(text: str) -> Decimal | None:
    """An amount in euros; None for what no price can be."""
    amount = Decimal(text)
    return amount if amount > 0 and amount == amount.quantize(Decimal("0.01")) else None


def prices(connections: Connections, list: str, site: str, at: datetime) -> dict[str, Offer]:
    """By SKU, the offer of a price list at ``at``: everywhere in France, or at one site of the ERP."""
    regular = regular_prices(connections, list, site, at)
    offers = {sku: Offer(amount) for sku, amount in regular.items()}
    ranks: dict[str, tuple[int, Decimal]] = {}
    for promotion in erp(connections, "ReadPromotions", "Promotion"):
        if not counts_for(promotion, list) or not stamp(promotion["STRDATTIM"]) <= at < stamp(promotion["ENDDATTIM"]):
            continue
        for item in promotion.get("Item", []):
            sku, amount = item["ITMREF"].upper(), decimal(item["PRI"])
            if item["ENASTA"] != "1" or amount is None or sku not in regular or amount >= regular[sku]:
                continue
            rank = -int(promotion["PRIO"]), amount
            if sku not in ranks or rank < ranks[sku]:
                ranks[sku] = rank
                offers[sku] = Offer(amount, regular[sku])
    return offers


def counts_for(promotion: Mapping[str, Any], list: str) -> bool:
    channel = {"WEB": "W", "RETAIL": "S"}[list]
    stated = promotion["ENASTA"], promotion["CUR"], promotion.get("PLICOD", list), promotion.get("SALCHN", channel)
    return stated == ("1", "EUR", list, channel)


def regular_prices(connections: Connections, list: str, site: str, at: datetime) -> dict[str, Decimal]:
    day = f"{at.astimezone(PARIS):%Y%m%d}"
    best: dict[str, tuple[tuple[bool, bool, str], Decimal]] = {}
    for entry in erp(connections, "ReadPrices", "Price"):
        amount = decimal(entry["PRI"])
        fits = (
            entry["PLICOD"].upper() == list
            and entry["CUR"] == "EUR"
            and entry["ENASTA"] == "1"
            and Decimal(entry["MINQTY"]) <= 1
            and entry.get("FCY", site).upper() == site
            and entry.get("CRY", "FR") == "FR"
            and entry["STRDAT"] <= day <= entry.get("ENDDAT", "99999999")
        )
        if not fits or amount is None:
            continue
        rank = bool(entry.get("FCY")), bool(entry.get("CRY")), entry["STRDAT"]
        sku = entry["ITMREF"].upper()
        if sku not in best or rank >= best[sku][0]:
            best[sku] = rank, amount
    return {sku: amount for sku, (_, amount) in best.items()}


def stamp(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=PARIS)


# --- products -------------------------------------------------------------------------------------


def products(connections: Connections) -> dict[str, dict[str, Any]]:
    """By style: title and description in each language, brand, category path, articles in order, pictures in order."""
    found: dict[str, dict[str, Any]] = {}
    brands = {o["code"]: o["labels"]["fr_FR"] for o in pim(connections, "attributes/brand/options")}
    items = {i["ITMREF"].upper(): i for i in erp(connections, "ReadItems", "Item")}
    articles: dict[str, list[tuple[int, str]]] = defaultdict(list)
    parents = {m["code"].strip().upper(): m for m in pim(connections, "product-models")}
    for article in pim(connections, "products"):
        top = root(parents, article)
        sku = article["identifier"].strip().upper()
        if top is not None and sku in items:
            articles[top].append((int(one(article, "variant_position") or 0), sku))
    pictures = pictures_of(connections)
    for code, listed in articles.items():
        model = parents[code]
        found[code] = {
            "title": texts(model, "name"),
            "description": texts(model, "description", "ecommerce"),
            "brand": brands.get(one(model, "brand")),
            "skus": [sku for _, sku in sorted(listed)],
            "gtins": {sku: items[sku]["EANCOD"].zfill(14) for _, sku in listed if is_gtin(items[sku]["EANCOD"])},
            "active": any(items[sku]["ITMSTA"] == "1" for _, sku in listed),
            "pictures": pictures.get(code, []),
        }
    return found


def is_gtin(code: str) -> bool:
    """Whether the weighted sum of all digits, the check digit included, is a multiple of ten (GS1)."""
    digits = [int(digit) for digit in reversed(code)]
    return sum(digit * (3 if n % 2 else 1) for n, digit in enumerate(digits)) % 10 == 0


def root(parents: Mapping[str, Mapping[str, Any]], article: Mapping[str, Any]) -> str | None:
    """The style of an article: the model above all its models; None where they go round in a circle."""
    code, seen = article["parent"], set()
    while code:
        code = code.strip().upper()
        if code in seen or code not in parents:
            return None
        seen.add(code)
        above = parents[code]["parent"]
        if not above:
            return str(code)
        code = above
    return None


def texts(model: Mapping[str, Any], name: str, scope: str | None = None) -> dict[str, str]:
    return {LANGUAGES[v["locale"]]: v["data"] for v in model["values"].get(name, []) if v["scope"] == scope}


def one(model: Mapping[str, Any], name: str) -> Any:
    values = model["values"].get(name)
    return values[0]["data"] if values else None


def pictures_of(connections: Connections) -> dict[str, list[str]]:
    """By style, the file names that its pictures have in the shop, in order."""
    found: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for asset in dam(connections):
        if asset["status"] == "active" and asset["product_code"]:
            style = asset["product_code"].strip().upper()
            found[style].append((asset["position"], asset["id"].upper(), asset["renditions"]["web"]["sha256"]))
    return {style: [hash for _, _, hash in sorted(assets)] for style, assets in found.items()}


# --- orders ---------------------------------------------------------------------------------------


def sales(connections: Connections) -> dict[str, dict[str, Any]]:
    """By reference, every sale that the ERP must hold: lines in cents, total, payments, whether it still stands."""
    return dict([*shop_sales(connections), *till_sales(connections)])


def shop_sales(connections: Connections) -> Iterator[tuple[str, dict[str, Any]]]:
    barcodes = {
        v["id"]: v["barcode"]
        for product in shopify(connections, "products.json?limit=250", "products")
        for v in product["variants"]
    }
    articles = {i["EANCOD"].zfill(14): i["ITMREF"].upper() for i in erp(connections, "ReadItems", "Item")}
    for order in shopify(connections, "orders.json?status=any&limit=250", "orders"):
        if order["financial_status"] not in ("authorized", "paid", "partially_refunded", "refunded"):
            continue
        removed = taken_out(order)
        sold = [(line, line["quantity"] - removed[line["id"]][0]) for line in order["line_items"] if line["variant_id"]]
        before = Decimal(order["total_price"]) - sum((worth for _, worth in removed.values()), Decimal())
        yield (
            f"SHOP-{order['order_number']}",
            {
                "total": before if order["cancelled_at"] else sold_for(order),
                "cancelled": order["cancelled_at"] is not None,
                "lines": [
                    (
                        line["sku"].strip().upper() or articles[barcodes[line["variant_id"]].zfill(14)],
                        pieces,
                        Decimal(line["price"]),
                    )
                    for line, pieces in sold
                    if pieces
                ],
            },
        )


def taken_out(order: Mapping[str, Any]) -> dict[int, tuple[int, Decimal]]:
    """By line, the pieces that an edit took out of an order, and what they had cost: a refund without money."""
    found: dict[int, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal()))
    for refund in order["refunds"]:
        with_the_order = order["cancelled_at"] and refund["created_at"] >= order["cancelled_at"]
        if refund["transactions"] or str(refund["note"] or "").startswith("omnihub:") or with_the_order:
            continue
        for line in refund["refund_line_items"]:
            if line["restock_type"] == "cancel":
                pieces, worth = found[line["line_item_id"]]
                found[line["line_item_id"]] = pieces + line["quantity"], worth + Decimal(str(line["subtotal"]))
    return found


def sold_for(order: Mapping[str, Any]) -> Decimal:
    """What an order came to after edits: what is left of it, and what was sold and came back for money."""
    back = [
        line
        for refund in order["refunds"]
        if refund["transactions"] or str(refund["note"] or "").startswith("omnihub:")
        for line in refund["refund_line_items"]
    ]
    return Decimal(order["current_total_price"]) + sum((Decimal(str(line["subtotal"])) for line in back), Decimal())


def till_sales(connections: Connections) -> Iterator[tuple[str, dict[str, Any]]]:
    places = {p["id"]: f"ST{n:02}" for n, p in enumerate(ordered(connections), 1)}
    skus = till_skus(connections)
    for order in till_orders(connections, [*places]):
        meta = order.get("metadata") or {}
        if order["state"] != "COMPLETED" or not order.get("line_items"):
            continue
        key = "-".join(
            ("TILLS", places[order["location_id"]], meta["business_day"].replace("-", ""), meta["workstation"],
             meta["operator"], meta["sequence"])
        ).upper()  # fmt: skip
        yield (
            key,
            {
                "total": cents(order["total_money"]),
                "cancelled": False,
                "lines": [
                    (skus[line["catalog_object_id"]], int(line["quantity"]), cents(line["base_price_money"]))
                    for line in order["line_items"]
                ],
            },
        )


def ordered(connections: Connections) -> list[dict[str, Any]]:
    """The stores at the tills in the order of their numbers: by name, as the ERP's sites have them."""
    names = {s["FCYNAM"].casefold().strip(): s["FCY"] for s in erp(connections, "ReadSites", "Site")}
    places = square(connections, "locations")["locations"]
    return sorted(places, key=lambda p: names[" ".join(p["name"].casefold().split())])


def till_skus(connections: Connections) -> dict[str, str]:
    found, cursor = {}, None
    while True:
        asked = {"types": "ITEM_VARIATION", **({"cursor": cursor} if cursor else {})}
        page = square(connections, "catalog/list", **asked)
        found.update({o["id"]: o["item_variation_data"]["sku"].strip().upper() for o in page.get("objects", [])})
        cursor = page.get("cursor")
        if not cursor:
            return found


def till_orders(connections: Connections, places: list[str]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(places), 10):
        cursor = None
        while True:
            body = {"location_ids": places[start : start + 10], "limit": 500, **({"cursor": cursor} if cursor else {})}
            page = square(connections, "orders/search", body=body)
            yield from page.get("orders", [])
            cursor = page.get("cursor")
            if not cursor:
                break


def cents(money: Mapping[str, Any]) -> Decimal:
    return Decimal(money["amount"]) / 100
