"""Web orders: placed, promised pieces from a location, sometimes cancelled; told to subscribers as they happen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.sandbox.baskets import Baskets, Line
from hub.sandbox.clock import Clock
from hub.sandbox.shop import documents
from hub.sandbox.shop.catalog import Catalog
from hub.sandbox.shop.documents import Bought
from hub.sandbox.shop.inventory import Inventory, Piece
from hub.sandbox.shop.notices import Notices
from hub.sandbox.shop.tables import shown, stored
from hub.sandbox.state import State

FIRST_ORDER, FIRST_NUMBER = 5361922875606, 1001
STEP = 32768
BACKLOG, BACKLOG_CANCELLED = 40, 5
BACKLOG_SPAN = timedelta(hours=10)


class Orders:
    """Orders as REST shows them; each is one JSON document."""

    def __init__(self, state: State, catalog: Catalog, inventory: Inventory, notices: Notices, clock: Clock) -> None:
        self.state = state
        self.catalog = catalog
        self.inventory = inventory
        self.notices = notices
        self.clock = clock

    def populate(self, baskets: Baskets) -> None:
        """The orders of the last hours; their webhooks went out long ago, to nobody."""
        start = baskets.world.start
        draw = baskets.world.random("shop orders")
        moments = sorted(start - timedelta(minutes=2) - BACKLOG_SPAN * draw.random() for _ in range(BACKLOG))
        with self.state.transaction():
            placed = [self.place(baskets.lines(draw.choice((1, 1, 2, 2, 3))), at, quiet=True)["id"] for at in moments]
            for position in sorted(draw.sample(range(BACKLOG), BACKLOG_CANCELLED)):
                wait = (start - moments[position]) * (0.1 + 0.8 * draw.random())
                self.cancel(placed[position], moments[position] + wait, quiet=True)

    def place(self, lines: Iterable[Line], at: datetime, *, quiet: bool = False) -> dict[str, Any]:
        """A paid order of ``lines`` (the retailer's codes); its pieces are committed at once."""
        with self.state.transaction():
            bought = [Bought(variant=self.catalog.variant(line.sku), quantity=line.quantity) for line in lines]
            row = self.state.row("SELECT count(*) AS n FROM shop_order")
            n = row["n"] if row else 0
            document = documents.order(FIRST_ORDER + n * STEP, FIRST_NUMBER + n, bought, shown(stored(at)))
            self._commit(document["id"], bought, stored(at))
            self.state.execute(
                "INSERT INTO shop_order VALUES (?, ?, ?, ?, NULL, ?)",
                (document["id"], document["order_number"], stored(at), stored(at), json.dumps(document)),
            )
            if not quiet:
                self.notices.send("orders/create", document)
        return document

    def _commit(self, id: int, bought: Sequence[Bought], at: str) -> None:
        wanted = [Piece(item_id=b.variant.item_id, quantity=b.quantity) for b in bought]
        parts = self.inventory.commit(wanted, at)
        self.state.insert(
            "INSERT INTO shop_commitment VALUES (?, ?, ?, ?)",
            [(id, part.item_id, part.location_id, part.quantity) for part in parts],
        )

    def cancel(self, id: int, at: datetime, *, quiet: bool = False) -> dict[str, Any]:
        """Cancel an order and put its pieces back; cancelling it again changes nothing. ``KeyError``: no such order."""
        with self.state.transaction():
            document = self.get(id)
            if document is None:
                raise KeyError(id)
            if document["cancelled_at"] is not None:
                return document
            self.inventory.release(id, stored(at))
            document = documents.cancelled(document, shown(stored(at)))
            self.state.execute(
                "UPDATE shop_order SET updated_at = ?, cancelled_at = ?, document = ? WHERE id = ?",
                (stored(at), stored(at), json.dumps(document), id),
            )
            if not quiet:
                self.notices.send("orders/cancelled", document)
        return document

    def get(self, id: int) -> dict[str, Any] | None:
        """One order; None when there is none."""
        row = self.state.row("SELECT document FROM shop_order WHERE id = ?", (id,))
        return json.loads(row["document"]) if row else None

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
