"""The tickets that Square keeps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from hub.sandbox.state import State
from hub.sandbox.tills.tables import parsed


class Orders:
    """Stateless over :class:`State`."""

    def __init__(self, state: State) -> None:
        self.state = state

    def write(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a new ticket, or the next version of one; answers it."""
        self.state.execute(
            "INSERT OR REPLACE INTO till_order VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                order["id"],
                order["location_id"],
                order["state"],
                parsed(order["created_at"]),
                parsed(order.get("closed_at") or order["updated_at"]),
                parsed(order["updated_at"]),
                json.dumps(order),
            ),
        )
        return dict(order)

    def get(self, ids: Iterable[str]) -> list[dict[str, Any]]:
        """The tickets of ``ids`` in their order; unknown ones are left out."""
        sql = "SELECT document FROM till_order WHERE id = ?"
        return [json.loads(row["document"]) for id in ids if (row := self.state.row(sql, (id,))) is not None]

    def returned(self, id: str) -> dict[str, int]:
        """How many pieces of each line of a ticket have come back, by the line's uid."""
        rows = self.state.rows(
            "SELECT document FROM till_order WHERE document LIKE ?", (f'%"source_order_id": "{id}"%',)
        )
        total: dict[str, int] = {}
        for row in rows:
            for one in json.loads(row["document"])["returns"]:
                for line in one["return_line_items"] if one.get("source_order_id") == id else ():
                    uid = line["source_line_item_uid"]
                    total[uid] = total.get(uid, 0) + int(line["quantity"])
        return total

    def page(self, sort: str, terms: Iterable[str], values: Iterable[Any], *, limit: int, reverse: bool) -> list[Any]:
        """Rows (id, the ``sort`` column, document) that fulfil all ``terms``, in the order of ``sort`` and id."""
        way = "DESC" if reverse else "ASC"
        where = " AND ".join(terms)
        return self.state.rows(
            f"SELECT id, {sort} AS sort, document FROM till_order WHERE {where}"  # noqa: S608 - columns are ours
            f" ORDER BY {sort} {way}, id {way} LIMIT ?",
            [*values, limit],
        )
