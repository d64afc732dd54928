"""The REST Admin API, as far as stock and orders need it: https://shopify.dev/docs/api/admin-rest/2026-04."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub.sandbox.shop import notices
from hub.sandbox.shop import rest_shapes as shapes
from hub.sandbox.shop.documents import CURRENCY
from hub.sandbox.shop.rest_pages import Page, refused
from hub.sandbox.shop.tables import parsed, stored
from hub.sandbox.web import Note, Refusal, Reply, Request

if TYPE_CHECKING:
    from hub.sandbox.shop.shop import Shop

NOT_FOUND = Reply(status=404, body={"errors": "Not Found"})


class Rest:
    """One method for each operation."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def shop_json(self, request: Request, note: Note) -> Reply:
        return Reply(
            body={
                "shop": {
                    "id": 60361277654,
                    "name": "Maison Omni",
                    "email": "boutique@example.com",
                    "domain": notices.DOMAIN,
                    "myshopify_domain": notices.DOMAIN,
                    "country_code": "FR",
                    "currency": CURRENCY,
                    "iana_timezone": "Europe/Paris",
                    "timezone": "(GMT+01:00) Europe/Paris",
                    "taxes_included": True,
                    "plan_name": "basic",
                }
            }
        )

    def locations(self, request: Request, note: Note) -> Reply:
        rows = self.shop.state.rows("SELECT * FROM shop_location ORDER BY id")
        return Reply(body={"locations": [shapes.location(row) for row in rows]})

    def products(self, request: Request, note: Note) -> Reply:
        """Products by id, each with its variants."""
        page = Page(request, ())
        rows = self.shop.state.rows(
            "SELECT * FROM shop_product WHERE id > ? ORDER BY id LIMIT ?", (page.after or 0, page.limit + 1)
        )
        shown_rows = rows[: page.limit]
        products = [self.shop.product_document(row) for row in shown_rows]
        last = shown_rows[-1]["id"] if len(rows) > page.limit else None
        return Reply(body={"products": products}, headers=page.link(last))

    def product(self, request: Request, note: Note) -> Reply:
        row = self.shop.catalog.product(_path_id(request))
        if row is None:
            raise Refusal(NOT_FOUND)
        return Reply(body={"product": self.shop.product_document(row)})

    # --- inventory --------------------------------------------------------------------------------

    def inventory_levels(self, request: Request, note: Note) -> Reply:
        """Levels by item and location."""
        page = Page(request, ("inventory_item_ids", "location_ids"))
        items, places = page.ids("inventory_item_ids"), page.ids("location_ids")
        if not items and not places:
            raise refused(422, "inventory_item_ids", "or location_ids must be given")
        after = (page.after[0], page.after[1]) if page.after else (0, 0)
        levels = self.shop.inventory.levels(items=items, locations=places, after=after, limit=page.limit + 1)
        last = levels[page.limit - 1] if len(levels) > page.limit else None
        body = {"inventory_levels": [shapes.level(level) for level in levels[: page.limit]]}
        return Reply(body=body, headers=page.link((last.item_id, last.location_id) if last else None))

    def set_level(self, request: Request, note: Note) -> Reply:
        """One level a call."""
        body = _json(request)
        values = {name: _integer(body, name) for name in ("inventory_item_id", "location_id", "available")}
        note.detail, note.summary = {**values}, f"1 available: {values['available']}"
        known = self.shop.state.row(
            "SELECT 1 FROM shop_variant, shop_location WHERE item_id = ? AND shop_location.id = ?",
            (values["inventory_item_id"], values["location_id"]),
        )
        if known is None:
            raise Refusal(NOT_FOUND)
        return Reply(body={"inventory_level": shapes.level(self.shop.inventory.set_available(*values.values()))})

    # --- orders -----------------------------------------------------------------------------------

    def orders(self, request: Request, note: Note) -> Reply:
        """Orders by status and time, in the order asked for."""
        page = Page(request, ("status", "updated_at_min", "updated_at_max", "created_at_min", "order"))
        sort, reverse = _order_by(page.filters.get("order", "created_at desc"))
        terms, values = _order_terms(page.filters)
        if page.after:
            terms.append(f"({sort}, id) {'<' if reverse else '>'} (?, ?)")
            values += page.after
        rows = self.shop.orders.page(sort, terms, values, limit=page.limit + 1, reverse=reverse)
        last = rows[page.limit - 1] if len(rows) > page.limit else None
        body = {"orders": [json.loads(row["document"]) for row in rows[: page.limit]]}
        return Reply(body=body, headers=page.link((last["sort"], last["id"]) if last else None))

    def order(self, request: Request, note: Note) -> Reply:
        document = self.shop.orders.get(_path_id(request))
        if document is None:
            raise Refusal(NOT_FOUND)
        return Reply(body={"order": document})

    def transactions(self, request: Request, note: Note) -> Reply:
        id = _path_id(request)
        if self.shop.orders.get(id) is None:
            raise Refusal(NOT_FOUND)
        return Reply(body={"transactions": self.shop.orders.transactions(id)})

    # --- webhooks ---------------------------------------------------------------------------------

    def webhooks(self, request: Request, note: Note) -> Reply:
        return Reply(body={"webhooks": [shapes.webhook(row) for row in self.shop.notices.subscriptions()]})

    def add_webhook(self, request: Request, note: Note) -> Reply:
        """Subscribe an address to a topic."""
        asked = _json(request).get("webhook")
        asked = asked if isinstance(asked, dict) else {}
        topic, address = str(asked.get("topic", "")), str(asked.get("address", ""))
        note.summary, note.detail = f"{topic} to {address}", {"topic": topic, "address": address}
        if topic not in notices.TOPICS:
            raise refused(422, "topic", f"Invalid topic specified: {topic}")
        if not address.startswith(("http://", "https://")):
            raise refused(422, "address", f"protocol {address.partition(':')[0]}:// is not supported")
        try:
            row = self.shop.notices.subscribe(topic, address)
        except sqlite3.IntegrityError:
            raise refused(422, "address", "for this topic has already been taken") from None
        return Reply(status=201, body={"webhook": shapes.webhook(row)})

    def delete_webhook(self, request: Request, note: Note) -> Reply:
        if not self.shop.notices.unsubscribe(_path_id(request)):
            raise Refusal(NOT_FOUND)
        return Reply(body={})


def _order_by(text: str) -> tuple[str, bool]:
    column, _, way = text.strip().lower().partition(" ")
    columns = {"created_at": "created_at", "processed_at": "created_at", "updated_at": "updated_at", "id": "id"}
    if column not in columns or way not in ("", "asc", "desc"):
        raise refused(400, "order", "Invalid value.")
    return columns[column], way == "desc"


def _order_terms(filters: Mapping[str, str]) -> tuple[list[str], list[Any]]:
    """SQL for the filters of orders.json; without a status only open orders are shown."""
    states = {"any": "1 = 1", "open": "cancelled_at IS NULL", "closed": "cancelled_at IS NOT NULL"}
    states["cancelled"] = states["closed"]
    status = filters.get("status", "open")
    if status not in states:
        raise refused(400, "status", "Invalid value.")
    terms, values = [states[status]], []
    bounds = {"updated_at_min": "updated_at >= ?", "updated_at_max": "updated_at <= ?"}
    bounds["created_at_min"] = "created_at >= ?"
    for name, term in bounds.items():
        if name in filters:
            terms.append(term)
            values.append(_moment(name, filters[name]))
    return terms, values


def _moment(name: str, text: str) -> str:
    try:
        return stored(
            parsed(text.replace(" ", "+"))
        )  # an offset's plus sign, sent without escaping, arrives as a space
    except ValueError:
        raise refused(400, name, "Invalid value.") from None


def _json(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise refused(400, "base", "the body must be a JSON object")
    return body


def _integer(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if isinstance(value, str) and value.lstrip("-").isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise refused(400, name, "Required parameter missing or invalid")
    return value


def _path_id(request: Request) -> int:
    text = request.params["id"]
    if not (text.isascii() and text.isdigit()):
        raise Refusal(NOT_FOUND)
    return int(text)
