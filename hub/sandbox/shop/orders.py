"""Web orders: placed, promised pieces from a location, and kept as the documents that REST shows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from hub.sandbox.baskets import Line
from hub.sandbox.clock import Clock
from hub.sandbox.shop import documents
from hub.sandbox.shop.accounts import Document, Transaction, net_cents, settled, shipping_cents, transaction
from hub.sandbox.shop.catalog import Catalog
from hub.sandbox.shop.documents import Bought, Terms
from hub.sandbox.shop.notices import Notices
from hub.sandbox.shop.promises import Promises
from hub.sandbox.shop.tables import shown, stored
from hub.sandbox.state import State

FIRST_ORDER, FIRST_NUMBER = 5361922875606, 1001
STEP = 32768
KINDS = {"paid": ("sale", "success"), "authorized": ("authorization", "success"), "pending": ("sale", "pending")}


class Orders:
    """Each order is one JSON document and its transactions."""

    def __init__(self, state: State, catalog: Catalog, promises: Promises, notices: Notices, clock: Clock) -> None:
        self.state = state
        self.catalog = catalog
        self.promises = promises
        self.notices = notices
        self.clock = clock

    def place(
        self, lines: Iterable[Line], at: datetime, terms: Terms | None = None, *, quiet: bool = False
    ) -> Document:
        """An order of ``lines`` (the retailer's codes); its pieces are committed at once.

        ``orders/create`` tells of its payment as well, so that ``orders/paid`` follows only a later one.
        """
        terms = terms or Terms()
        with self.state.transaction():
            bought = [Bought(variant=self.catalog.variant(line.sku), quantity=line.quantity) for line in lines]
            row = self.state.row("SELECT count(*) AS n FROM shop_order")
            n = row["n"] if row else 0
            new = documents.order(FIRST_ORDER + n * STEP, FIRST_NUMBER + n, bought, shown(stored(at)), terms)
            transactions = _payments(new, terms)
            document = {**settled(new, transactions, new["updated_at"]), **terms.changes}
            for line, one in zip(new["line_items"], bought, strict=True):
                self.promises.make(document["id"], line["id"], one.variant.item_id, one.quantity, stored(at))
            self.state.execute(
                "INSERT INTO shop_order VALUES (?, ?, ?, ?, NULL, ?, ?)",
                (new["id"], new["order_number"], *[stored(at)] * 2, json.dumps(document), json.dumps(transactions)),
            )
            if not quiet:
                self.notices.send("orders/create", document)
        return document

    def keep(self, document: Document, transactions: Sequence[Transaction], at: datetime) -> Document:
        """Store a changed order; answers the document with its statuses and totals as they are now."""
        document = settled(document, transactions, shown(stored(at)))
        self.state.execute(
            "UPDATE shop_order SET updated_at = ?, cancelled_at = ?, document = ?, transactions = ? WHERE id = ?",
            (
                stored(at),
                stored(datetime.fromisoformat(document["cancelled_at"])) if document["cancelled_at"] else None,
                json.dumps(document),
                json.dumps(list(transactions)),
                document["id"],
            ),
        )
        return document

    def get(self, id: int) -> Document | None:
        """One order; None when there is none."""
        row = self.state.row("SELECT document FROM shop_order WHERE id = ?", (id,))
        return json.loads(row["document"]) if row else None

    def documents(self) -> list[Document]:
        """All orders by number."""
        return [json.loads(row["document"]) for row in self.page("id")]

    def transactions(self, id: int) -> list[Transaction]:
        """An order's payments, as REST shows them."""
        row = self.state.row("SELECT transactions FROM shop_order WHERE id = ?", (id,))
        return json.loads(row["transactions"]) if row else []

    def holding(self, part: str, id: int) -> Document | None:
        """The order that has the refund or fulfilment ``id`` (``part`` is refunds or fulfillments)."""
        found = self.get(id - (id - FIRST_ORDER) % STEP)
        return found if found and any(one["id"] == id for one in found[part]) else None

    def page(
        self,
        sort: str,
        terms: Iterable[str] = (),
        values: Iterable[Any] = (),
        *,
        limit: int = -1,
        reverse: bool = False,
    ) -> list[Any]:
        """Rows (id, the ``sort`` column, document) that fulfil all ``terms``, in the order of ``sort`` and id."""
        way = "DESC" if reverse else "ASC"
        where = " AND ".join(("1 = 1", *terms))
        return self.state.rows(
            f"SELECT id, {sort} AS sort, document FROM shop_order WHERE {where}"  # noqa: S608 - columns are ours
            f" ORDER BY {sort} {way}, id {way} LIMIT {limit}",
            [*values],
        )


def _payments(document: Document, terms: Terms) -> list[Transaction]:
    """The transactions of the checkout: each payment takes what it was given, the open one what is left."""
    kind, status = KINDS[terms.payment]
    total, found = (
        sum(net_cents(line) for line in document["line_items"]) + shipping_cents(document),
        list[Transaction](),
    )
    fixed = sum(amount for _, amount in terms.payments if amount is not None)
    for n, (gateway, amount) in enumerate(terms.payments):
        part = total - fixed if amount is None else amount
        how = "sale" if gateway == documents.GIFT_CARD else kind
        found.append(transaction(document, n, how, gateway, part, document["created_at"], status=status))
    return found
