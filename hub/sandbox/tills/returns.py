"""Goods that come back to a counter, as Square's order with ``returns``: wherever and however they were bought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.sandbox.tills.articles import Variation
from hub.sandbox.tills.tables import money, rfc3339, square_id
from hub.sandbox.tills.tickets import COMPLETED, Ticket, included


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """Pieces of one article, and what is paid back for them."""

    variation: Variation
    pieces: int
    cents: int
    tax_cents: int
    source_line: str = ""  # the line of the ticket that sold them


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """A ticket of its own in the store that takes the goods.

    ``original`` is the order of a till that sold them; ``reference`` names one that no till knows, as the
    receipt of the web shop does. Void: the cashier takes back a ticket that was closed by mistake.
    """

    ticket: Ticket
    lines: Sequence[Back]
    original: Mapping[str, Any] | None = None
    reference: str = ""
    restock: bool = True
    void: bool = False
    reason: str = "Retour client"

    @property
    def pieces(self) -> dict[str, int]:
        """By variation id."""
        total: dict[str, int] = {}
        for line in self.lines:
            total[line.variation.id] = total.get(line.variation.id, 0) + line.pieces
        return total

    def document(self) -> dict[str, Any]:
        """The order as Square keeps it."""
        head, closed = self.ticket.head(), rfc3339(self.ticket.closed_at)
        cents, tax_cents = sum(line.cents for line in self.lines), sum(line.tax_cents for line in self.lines)
        source = {"source_order_id": self.original["id"]} if self.original else {}
        return {
            **head,
            "metadata": {**head["metadata"], **self._marks()},
            "closed_at": closed,
            "state": COMPLETED,
            "returns": [
                {
                    "uid": square_id(22, self.ticket.id, "return"),
                    **source,
                    "return_line_items": [self._line(n, line) for n, line in enumerate(self.lines)],
                    "return_amounts": _amounts(cents, tax_cents),
                }
            ],
            "return_amounts": _amounts(cents, tax_cents),
            "net_amounts": _amounts(-cents, -tax_cents),
            "refunds": [self._refund(cents, closed)],
            **{f"total_{name}money": money(0) for name in ("", "tax_", "discount_", "tip_", "service_charge_")},
            "net_amount_due_money": money(0),
        }

    def _marks(self) -> dict[str, str]:
        """What Square has no field for."""
        marks = {"original_order": self.reference, "void": "true" if self.void else "", "reason": self.reason}
        return {"restock": str(self.restock).lower(), **{name: text for name, text in marks.items() if text}}

    def _line(self, n: int, back: Back) -> dict[str, Any]:
        line = {
            "uid": square_id(22, self.ticket.id, n),
            "quantity": str(back.pieces),
            "catalog_object_id": back.variation.id,
            "catalog_version": back.variation.version,
            "item_type": "ITEM",
            "name": back.variation.item_name,
            "variation_name": back.variation.name,
            "total_tax_money": money(back.tax_cents),
            "total_discount_money": money(0),
            "total_money": money(back.cents),
        }
        return {**line, "source_line_item_uid": back.source_line} if back.source_line else line

    def _refund(self, cents: int, at: str) -> dict[str, Any]:
        tenders = (self.original or {}).get("tenders") or []
        paid = {"tender_id": tenders[0]["id"]} if tenders else {}
        return {
            "id": square_id(22, self.ticket.id, "refund"),
            "location_id": self.ticket.location_id,
            "transaction_id": self.original["id"] if self.original else self.ticket.id,
            **paid,
            "created_at": at,
            "reason": self.reason,
            "amount_money": money(cents),
            "status": "APPROVED",
        }


def part_of(line: Mapping[str, Any], variation: Variation, pieces: int, before: int = 0) -> Back:
    """``pieces`` of a sold line, after ``before`` that came back earlier; all parts make up the line to the cent."""
    sold, total = int(line["quantity"]), line["total_money"]["amount"]
    if not 0 < pieces <= sold - before:
        raise ValueError(f"{pieces} of {variation.code} cannot come back: {sold - before} are left of this ticket")
    cents = total * (before + pieces) // sold - total * before // sold
    return Back(
        variation=variation, pieces=pieces, cents=cents, tax_cents=included(cents), source_line=str(line["uid"])
    )


def _amounts(cents: int, tax_cents: int) -> dict[str, Any]:
    return {
        "total_money": money(cents),
        "tax_money": money(tax_cents),
        "discount_money": money(0),
        "tip_money": money(0),
        "service_charge_money": money(0),
    }
