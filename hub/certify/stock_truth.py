"""What the shop and the tills must hold, computed from the sources' raw data alone: no line of the hub's rules is used.

Store files are read from the sandbox's disk, the ERP by SOAP, till tickets and shop orders by REST; what the ERP
took on of an order is read from its own book. The rules of stock, written a second time and differently.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import requests
from lxml import etree

from hub.certify import commerce_truth as truth
from hub.certify.commerce_truth import answered

if TYPE_CHECKING:
    from hub.certify.played import Played

PARIS = ZoneInfo("Europe/Paris")
STORES = {f"{n:04}": f"ST{n:02}" for n in range(1, 21)}
SITES = {"FR001": "WH1"}


@dataclass(frozen=True, slots=True)
class Number:
    """One authority's count of an article at a place."""

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


def erp_numbers(connection: Mapping[str, Any]) -> dict[tuple[str, str], Number]:
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
        page = etree.fromstring(answered(answer).content)
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


@dataclass(frozen=True, slots=True)
class Moved:
    """Pieces that left a place (or came back, below zero): when by the till, when by its server, under which ticket."""

    sku: str
    place: str
    pieces: int
    at: datetime
    known: datetime
    till: str = ""
    ticket: tuple[str, int] = ("", 0)


def till_moves(connections: Any) -> Iterator[Moved]:
    """Every line that a till sold or took back to be sold again; places by their names."""
    skus = truth.till_skus(connections)
    places = {p["id"]: p["name"].strip().casefold() for p in truth.square(connections, "locations")["locations"]}
    for order in truth.till_orders(connections, sorted(places)):
        if order["state"] != "COMPLETED":
            continue
        marks = order["metadata"]
        sold = [(line, int(line["quantity"])) for line in order.get("line_items") or ()]
        if marks.get("restock") != "false":
            back = [line for one in order.get("returns") or () for line in one["return_line_items"]]
            sold += [(line, -int(line["quantity"])) for line in back]
        for line, pieces_ in sold:
            yield Moved(
                skus[line["catalog_object_id"]], places[order["location_id"]], pieces_,
                datetime.fromisoformat(order["closed_at"]), datetime.fromisoformat(order["created_at"]),
                marks["workstation"], (marks["business_day"], int(marks["sequence"])),
            )  # fmt: skip


def shop_moves(connections: Any, articles: Mapping[str, str]) -> Iterator[Moved]:
    """Pieces that somebody took back in the shop's own office, at the place that received them."""
    places = {p["id"]: p["name"].strip().casefold() for p in truth.shopify(connections, "locations.json", "locations")}
    for order in shop_orders(connections):
        for refund in order["refunds"]:
            if str(refund["note"] or "").startswith("omnihub:"):
                continue  # whoever received these has told it already
            at = datetime.fromisoformat(refund["created_at"])
            for line in refund["refund_line_items"]:
                if line["restock_type"] == "return" and line["location_id"]:
                    sku = article_of(line["line_item"], articles)
                    yield Moved(sku, places[line["location_id"]], -line["quantity"], at, at)


def shop_orders(connections: Any) -> Iterator[dict[str, Any]]:
    return truth.shopify(connections, "orders.json?status=any&limit=250", "orders")


def article_of(line: Mapping[str, Any], articles: Mapping[str, str]) -> str:
    """Our code of a line's article: by its SKU, else by the barcode of its variant."""
    return (line["sku"] or "").strip().upper() or articles.get(str(line["variant_id"]), "")


def articles_of(connections: Any, codes: Mapping[str, str]) -> dict[str, str]:
    """By variant id, the article behind each barcode of the shop; ``codes`` are ours by barcode without zeros."""
    products = truth.shopify(connections, "products.json?limit=250", "products")
    return {
        str(v["id"]): codes[v["barcode"].lstrip("0")]
        for product in products
        for v in product["variants"]
        if (v["barcode"] or "").lstrip("0") in codes
    }


def promised(played: Played, articles: Mapping[str, str]) -> dict[str, int]:
    """Pieces by article that orders of the shop need, sent or not, and that no site of the ERP has taken on yet."""
    found: dict[str, int] = defaultdict(int)
    for order in shop_orders(played.connections):
        if order["cancelled_at"] is not None:
            continue
        rows = played.retailer.erp.sales.acceptances(f"SHOP-{order['order_number']}")
        taken = {str(row["line"]): row["quantity"] for row in rows}
        sent = Counter[int]()
        for parcel in order["fulfillments"]:
            if parcel["status"] != "cancelled":
                sent.update({line["id"]: line["quantity"] for line in parcel["line_items"]})
        for line in order["line_items"]:
            if line["variant_id"] and not line.get("gift_card"):
                needed = line["fulfillable_quantity"] + sent[line["id"]]
                open_ = max(0, needed - taken.get(str(line["id"]), 0))
                found[article_of(line, articles)] += open_
    return found


def on_hand(number: Number, moves: list[Moved]) -> int:
    """What lies there: the number, less what left after it."""
    left = number.pieces
    for move in moves:
        last = number.tickets.get(move.till)
        contained = move.ticket <= last if last else (move.at <= number.as_of and move.known <= number.as_of)
        left -= 0 if contained else move.pieces
    return left


def expected(
    played: Played, safety: int = 1, stale: timedelta = timedelta(hours=36)
) -> tuple[dict[str, int], dict[str, int]]:
    """(the shop's, the tills') numbers by SKU@LOCATION, for every key that a source has spoken of."""
    world, connections = played.retailer.world, played.connections
    names = {place.name.strip().casefold(): place.code for place in world.locations}
    articles = articles_of(connections, {sku.ean.lstrip("0"): sku.code for sku in world.skus})
    by_key: dict[tuple[str, str], list[Moved]] = defaultdict(list)
    for move in (*till_moves(connections), *shop_moves(connections, articles)):
        by_key[move.sku, names[move.place]].append(move)
    numbers = {**store_numbers(played.retailer.stores.folder), **erp_numbers(connections["erp"])}
    lying = {key: on_hand(number, by_key[key]) for key, number in numbers.items()}
    tills = {f"{sku}@{place}": max(0, n) for (sku, place), n in lying.items() if place != "WH1"}
    wanted = promised(played, articles)
    shop: dict[str, int] = {}
    for sku in sorted({sku for sku, _ in numbers}):
        left = wanted.get(sku, 0)
        for place in ["WH1", *sorted(STORES.values())]:
            if (sku, place) not in numbers:
                continue
            number = numbers[sku, place]
            fresh = place == "WH1" or number.as_of + stale > played.clock.now()
            free = lying[sku, place] - number.blocked - (0 if place == "WH1" else safety)
            free = max(0, free) if fresh else 0
            taken = min(left, free)
            left -= taken
            shop[f"{sku}@{place}"] = free - taken
    return shop, tills
