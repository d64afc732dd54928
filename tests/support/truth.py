"""What the shop and the tills must hold, computed from the sources' raw data alone: no line of the hub is used here.

Store files are read from the sandbox's disk, the ERP by SOAP, till tickets and shop orders by REST.
The rules are RETAIL.md's, written a second time and differently.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests
from lxml import etree

PARIS = ZoneInfo("Europe/Paris")
STORES = {f"{n:04}": f"ST{n:02}" for n in range(1, 21)}
SITES = {"FR001": "WH1"}


@dataclass
class Number:
    pieces: int
    blocked: int
    as_of: datetime
    tickets: dict[str, tuple[str, int]]


def paris(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=PARIS)


def pieces(text: str) -> int | None:
    whole, _, rest = text.replace(",", ".").partition(".")
    return int(whole) if not rest.strip("0") else None


def store_numbers(folder: Path) -> dict[tuple[str, str], Number]:
    """The last word of every store file on (SKU, store); a complete file replaces, a partial one adds."""
    found: dict[tuple[str, str], Number] = {}
    files = [(*header(path), path) for path in folder.rglob("STOCK_*.csv")]
    for as_of, store, tickets, path in sorted(files, key=lambda f: f[0]):
        if store not in STORES:
            continue
        for row in rows(path):
            quantity, blocked = pieces(row["QTE"].strip()), pieces(row["INDISPO"].strip() or "0")
            if quantity is not None:
                key = row["ARTICLE"].strip().upper(), STORES[store]
                found[key] = Number(quantity, blocked or 0, as_of, tickets)
    return found


def header(path: Path) -> tuple[datetime, str, dict[str, tuple[str, int]]]:
    fields = path.read_text("cp1252").splitlines()[0].split(";")
    tickets = {}
    for part in filter(None, fields[5].split(",")):
        till, day, sequence = part.split(":")
        tickets[till] = (f"{day[:4]}-{day[4:6]}-{day[6:]}", int(sequence))
    return paris(fields[4]), fields[3], tickets


def rows(path: Path) -> list[dict[str, str]]:
    lines = path.read_text("cp1252").splitlines()[1:-1]
    return list(csv.DictReader(io.StringIO("\n".join(lines)), delimiter=";"))


def erp_numbers(connection: dict[str, Any]) -> dict[tuple[str, str], Number]:
    """Every row of the warehouse, by pages of a SOAP call written by hand; the latest of a repeated row counts."""
    url = f"http://{connection['host']}:{connection['port']}/erp/StockService"
    auth = (connection["login"], connection["password"])
    wsdl = etree.fromstring(requests.get(url + "?wsdl", auth=auth, timeout=10).content)
    namespace = wsdl.get("targetNamespace")
    schema = wsdl.find(".//{http://www.w3.org/2001/XMLSchema}schema")
    types = schema.get("targetNamespace") if schema is not None else namespace
    found: dict[tuple[str, str], Number] = {}
    bookmark = ""
    while True:
        mark = f"<t:bookmark>{bookmark}</t:bookmark>" if bookmark else ""
        body = (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            f'<t:ReadStock xmlns:t="{types}">{mark}<t:setSize>100</t:setSize></t:ReadStock></s:Body></s:Envelope>'
        )
        answer = requests.post(
            url, data=body, auth=auth, headers={"SOAPAction": '""', "Content-Type": "text/xml"}, timeout=10
        )
        assert answer.ok, answer.text
        page = etree.fromstring(answer.content)
        for row in page.iter(f"{{{types}}}Row"):
            cell = {etree.QName(c).localname: (c.text or "") for c in row}
            if cell["STOFCY"].strip().upper() in SITES:
                key = cell["ITMREF"].strip().upper(), SITES[cell["STOFCY"].strip().upper()]
                at = paris(cell["UPDDATTIM"].strip())
                if key not in found or at >= found[key].as_of:
                    found[key] = Number(
                        pieces(cell["QTYSTU"].strip()) or 0, pieces(cell["QTYBLK"].strip() or "0") or 0, at, {}
                    )
        bookmark = next((e.text or "" for e in page.iter(f"{{{types}}}nextBookmark")), "")
        if not bookmark:
            return found


def till_sales(connection: dict[str, Any]) -> list[dict[str, Any]]:
    """Every line sold: sku, store, pieces, when by the till, when by the server, till, (day, sequence)."""
    base = f"http://{connection['host']}:{connection['port']}/v2"
    headers = {"Authorization": f"Bearer {connection['password']}", "Square-Version": "2026-01-22"}
    skus, cursor = {}, None
    while True:
        page = requests.get(
            f"{base}/catalog/list", params={"types": "ITEM_VARIATION", "cursor": cursor}, headers=headers, timeout=10
        ).json()
        skus.update(
            {
                o["id"]: o["item_variation_data"].get("sku", "")
                for o in page.get("objects", [])
                if o["type"] == "ITEM_VARIATION"
            }
        )
        cursor = page.get("cursor")
        if not cursor:
            break
    places = {
        p["id"]: p["name"] for p in requests.get(f"{base}/locations", headers=headers, timeout=10).json()["locations"]
    }
    found = []
    ids = sorted(places)
    for start in range(0, len(ids), 10):
        cursor = None
        while True:
            query = {"location_ids": ids[start : start + 10], "limit": 500, "cursor": cursor}
            query = {k: v for k, v in query.items() if v is not None}
            page = requests.post(f"{base}/orders/search", json=query, headers=headers, timeout=10).json()
            for order in page.get("orders", []):
                if order["state"] != "COMPLETED":
                    continue
                for line in order["line_items"]:
                    found.append({
                        "sku": skus[line["catalog_object_id"]].strip().upper(),
                        "place": places[order["location_id"]].strip().casefold(),
                        "pieces": int(line["quantity"]), "at": datetime.fromisoformat(order["closed_at"]),
                        "known": datetime.fromisoformat(order["created_at"]), "till": order["metadata"]["workstation"],
                        "ticket": (order["metadata"]["business_day"], int(order["metadata"]["sequence"])),
                    })  # fmt: skip
            cursor = page.get("cursor")
            if not cursor:
                break
    return found


def promised(connection: dict[str, Any]) -> dict[str, int]:
    """Pieces that open orders of the shop still need, by SKU; the shop's REST answer says no location."""
    url = f"http://{connection['host']}:{connection['port']}/admin/api/2026-04/orders.json?status=any&limit=250"
    headers = {"X-Shopify-Access-Token": connection["password"]}
    variants = requests.get(url.replace("orders.json?status=any&", "products.json?"), headers=headers, timeout=10)
    bar = {v["id"]: v for p in variants.json()["products"] for v in p["variants"]}
    found: dict[str, int] = defaultdict(int)
    for order in requests.get(url, headers=headers, timeout=10).json()["orders"]:
        if order["cancelled_at"] is None:
            for line in order["line_items"]:
                sku = (line["sku"] or bar[line["variant_id"]]["barcode"] or "").strip().upper()
                found[sku] += line["quantity"]
    return found


def on_hand(number: Number, sales: list[dict[str, Any]]) -> int:
    """What lies there: the number, less what was sold after it."""
    left = number.pieces
    for sale in sales:
        last = number.tickets.get(sale["till"])
        contained = sale["ticket"] <= last if last else (sale["at"] <= number.as_of and sale["known"] <= number.as_of)
        left -= 0 if contained else sale["pieces"]
    return left


def expected(
    scene: Any, safety: int = 1, stale: timedelta = timedelta(hours=36)
) -> tuple[dict[str, int], dict[str, int]]:
    """(the shop's, the tills') numbers by SKU@LOCATION, for every key that a source has spoken of."""
    names = {place.name.strip().casefold(): place.code for place in scene.retailer.world.locations}
    by_key: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for sale in till_sales(scene.connections["tills"]):
        by_key[sale["sku"], names[sale["place"]]].append(sale)
    numbers = {**store_numbers(scene.retailer.stores.folder), **erp_numbers(scene.connections["erp"])}
    lying = {key: on_hand(number, by_key[key]) for key, number in numbers.items()}
    tills = {f"{sku}@{place}": max(0, n) for (sku, place), n in lying.items() if place != "WH1"}
    open_orders = promised(scene.connections["shop"])
    codes = {sku.ean.lstrip("0"): sku.code for sku in scene.retailer.world.skus}
    wanted: dict[str, int] = defaultdict(int)
    for sku, count in open_orders.items():
        wanted[codes.get(sku.lstrip("0"), sku)] += count
    shop: dict[str, int] = {}
    for sku in sorted({sku for sku, _ in numbers}):
        left = wanted.get(sku, 0)
        for place in ["WH1", *sorted(STORES.values())]:
            if (sku, place) not in numbers:
                continue
            number = numbers[sku, place]
            fresh = place == "WH1" or number.as_of + stale > scene.clock.now()
            free = lying[sku, place] - number.blocked - (0 if place == "WH1" else safety)
            free = max(0, free) if fresh else 0
            taken = min(left, free)
            left -= taken
            shop[f"{sku}@{place}"] = free - taken
    return shop, tills
