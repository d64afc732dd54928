"""Tickets as Square's orders: written by a till, with that till's clock and its own numbering in the metadata."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.sandbox.state import State
from hub.sandbox.tills.catalog import Variation
from hub.sandbox.tills.tables import money, rfc3339, square_id, whole_millis
from hub.sandbox.world import SKEW_MINUTES, SKEWED_TILL, World

AT_THE_COUNTER = timedelta(seconds=40)  # from opening a ticket to its payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What a till prints; ``at`` is the true time, ``uploaded_at`` when Square learnt of it."""

    store: str
    location_id: str
    till: int
    operator: str
    business_day: str
    sequence: int
    at: datetime
    uploaded_at: datetime
    lines: Sequence[tuple[Variation, int]]

    @property
    def closed_at(self) -> datetime:
        """The time by this till's clock."""
        fast = SKEW_MINUTES if (self.store, self.till) == SKEWED_TILL else 0
        return self.at + timedelta(minutes=fast)

    @property
    def occurred_at(self) -> int:
        """When Square books the pieces: never later than it learnt of them."""
        return min(whole_millis(self.closed_at), whole_millis(self.uploaded_at))


class Orders:
    """Stateless over :class:`State`."""

    def __init__(self, state: State, world: World) -> None:
        self.state = state
        self.world = world

    def write(self, sale: Sale) -> dict[str, Any]:
        """Keep a ticket; answers the order."""
        document = self._document(sale)
        closed, updated = whole_millis(sale.closed_at), whole_millis(sale.uploaded_at)
        self.state.execute(
            "INSERT INTO till_order VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                document["id"],
                sale.location_id,
                document["state"],
                closed - micros_of(AT_THE_COUNTER),
                closed,
                updated,
                json.dumps(document),
            ),
        )
        return document

    def page(self, sort: str, terms: Iterable[str], values: Iterable[Any], *, limit: int, reverse: bool) -> list[Any]:
        """Rows (id, the ``sort`` column, document) that fulfil all ``terms``, in the order of ``sort`` and id."""
        way = "DESC" if reverse else "ASC"
        where = " AND ".join(terms)
        return self.state.rows(
            f"SELECT id, {sort} AS sort, document FROM till_order WHERE {where}"  # noqa: S608 - columns are ours
            f" ORDER BY {sort} {way}, id {way} LIMIT ?",
            [*values, limit],
        )

    def _document(self, sale: Sale) -> dict[str, Any]:
        number = (sale.store, sale.till, sale.business_day, sale.sequence)
        id = square_id(29, self.world.seed, "order", *number)
        total = sum(variation.price_cents * n for variation, n in sale.lines)
        closed = whole_millis(sale.closed_at)
        opened = rfc3339(closed - micros_of(AT_THE_COUNTER))
        return {
            "id": id,
            "location_id": sale.location_id,
            "source": {"name": "Point of Sale"},
            "line_items": [_line(id, n, variation, pieces) for n, (variation, pieces) in enumerate(sale.lines)],
            "metadata": {
                "business_day": sale.business_day,
                "workstation": str(sale.till),
                "operator": sale.operator,
                "sequence": str(sale.sequence),
            },
            "created_at": opened,
            "updated_at": rfc3339(whole_millis(sale.uploaded_at)),
            "closed_at": rfc3339(closed),
            "state": "COMPLETED",
            "version": 1,
            "total_money": money(total),
            "total_tax_money": money(_tax(total)),
            "total_discount_money": money(0),
            "total_tip_money": money(0),
            "total_service_charge_money": money(0),
            "net_amount_due_money": money(0),
            "tenders": [_tender(id, sale, total)],
        }


def micros_of(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _line(order: str, n: int, variation: Variation, pieces: int) -> dict[str, Any]:
    total = variation.price_cents * pieces
    return {
        "uid": square_id(22, order, n),
        "catalog_object_id": variation.id,
        "catalog_version": variation.version,
        "item_type": "ITEM",
        "name": variation.item_name,
        "variation_name": variation.name,
        "quantity": str(pieces),
        "base_price_money": money(variation.price_cents),
        "variation_total_price_money": money(total),
        "gross_sales_money": money(total),
        "total_tax_money": money(_tax(total)),
        "total_discount_money": money(0),
        "total_service_charge_money": money(0),
        "total_money": money(total),
    }


def _tender(order: str, sale: Sale, total: int) -> dict[str, Any]:
    return {
        "id": square_id(22, order, "tender"),
        "location_id": sale.location_id,
        "transaction_id": order,
        "created_at": rfc3339(whole_millis(sale.closed_at)),
        "amount_money": money(total),
        "type": "CARD",
    }


def _tax(gross: int) -> int:
    """French VAT of 20% inside a price."""
    return round(gross / 6)
