"""What is promised to an order, from where: the rows behind Shopify's fulfilment orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.sandbox.shop.inventory import Inventory, Piece

FIRST_LINE = 13287364591638  # ids of fulfilment order lines begin here


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Pieces of one line from one location."""

    id: int
    order_id: int
    fulfillment_order_id: int
    line_id: int
    item_id: int
    location_id: int
    total: int  # less what was cancelled
    remaining: int  # not sent yet
    fulfilled: int
    updated_at: str

    def piece(self, quantity: int) -> Piece:
        return Piece(item_id=self.item_id, location_id=self.location_id, quantity=quantity)


Part = tuple[Promise, int]


class Promises:
    """Keeps promises and levels in step; call it inside a transaction."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.state = inventory.state

    def make(self, order_id: int, line_id: int, item_id: int, quantity: int, at: str) -> None:
        """Promise pieces to a line, from wherever they are."""
        for part in self.inventory.commit([Piece(item_id=item_id, quantity=quantity)], at):
            self.state.execute(
                "INSERT INTO shop_promise (order_id, fulfillment_order_id, line_id, item_id, location_id, total,"
                " remaining, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (order_id, self._group(order_id, part.location_id), line_id, item_id, part.location_id,
                 part.quantity, part.quantity, at),
            )  # fmt: skip

    def _group(self, order_id: int, location_id: int) -> int:
        """The fulfilment order for a location: the one that there is, or a new one."""
        groups = {promise.location_id: promise.fulfillment_order_id for promise in self.of(order_id)}
        return groups.get(location_id, order_id * 4 + len(groups))

    # --- reading ----------------------------------------------------------------------------------

    def of(self, order_id: int) -> list[Promise]:
        return self._rows("order_id = ?", order_id)

    def group(self, fulfillment_order_id: int) -> list[Promise]:
        return self._rows("fulfillment_order_id = ?", fulfillment_order_id)

    def fulfilled(self, fulfillment_id: int) -> list[Part]:
        """What went out with a fulfilment."""
        rows = self.state.rows("SELECT * FROM shop_fulfilled WHERE fulfillment_id = ?", (fulfillment_id,))
        return [(self._rows("id = ?", row["promise_id"])[0], row["quantity"]) for row in rows]

    def _rows(self, where: str, value: Any) -> list[Promise]:
        rows = self.state.rows(f"SELECT * FROM shop_promise WHERE {where} ORDER BY id", (value,))  # noqa: S608 - ours
        return [Promise(**dict(row)) for row in rows]

    # --- what becomes of them ---------------------------------------------------------------------

    def fulfil(self, fulfillment_id: int, parts: Sequence[Part], at: str) -> None:
        """Pieces leave the house."""
        self._change(parts, at, remaining=-1, fulfilled=1)
        self.inventory.consume([promise.piece(n) for promise, n in parts], at)
        rows = [(fulfillment_id, promise.id, n) for promise, n in parts]
        self.state.insert("INSERT INTO shop_fulfilled VALUES (?, ?, ?)", rows)

    def bring_back(self, fulfillment_id: int, at: str) -> list[Part]:
        """A fulfilment did not happen after all: its pieces are promised again."""
        parts = self.fulfilled(fulfillment_id)
        self._change(parts, at, remaining=1, fulfilled=-1)
        self.inventory.consume([promise.piece(-n) for promise, n in parts], at)
        return parts

    def cancel(self, parts: Sequence[Part], at: str, *, restock: bool) -> None:
        """Pieces are no longer wanted; unless they are restocked they are written off."""
        self._change(parts, at, remaining=-1, total=-1)
        pieces = [promise.piece(n) for promise, n in parts]
        if restock:
            self.inventory.release(pieces, at)
        else:
            self.inventory.consume(pieces, at)

    def pick(self, order_id: int, line_id: int, quantity: int, location_id: int | None = None) -> list[Part]:
        """Unsent pieces of a line, at ``location_id`` first."""
        rows = [promise for promise in self.of(order_id) if promise.line_id == line_id]
        parts: list[Part] = []
        for promise in sorted(rows, key=lambda promise: promise.location_id != location_id):
            n = min(promise.remaining, quantity - sum(taken for _, taken in parts))
            if n > 0:
                parts.append((promise, n))
        return parts

    def _change(self, parts: Iterable[Part], at: str, **signs: int) -> None:
        for promise, n in parts:
            terms = ", ".join(f"{column} = {column} + ?" for column in signs)
            values = [sign * n for sign in signs.values()]
            self.state.execute(
                f"UPDATE shop_promise SET {terms}, updated_at = ? WHERE id = ?",  # noqa: S608 - columns are ours
                (*values, at, promise.id),
            )
