"""What happens at a till: a sale, its payments, a return, a ticket that is taken back.

A ticket has its number, and its goods have left the shelf, from the moment it is opened: a store file
written meanwhile contains it. Square's own count falls when it is paid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub.sandbox.baskets import Line
from hub.sandbox.clock import business_day
from hub.sandbox.tills.articles import Variation
from hub.sandbox.tills.returns import Back, Return, part_of
from hub.sandbox.tills.tables import rfc3339, whole_millis
from hub.sandbox.tills.tickets import (
    CANCELED,
    COMPLETED,
    OPEN,
    Discount,
    Payment,
    Sale,
    Ticket,
    included,
    settled,
    tender,
    till_time,
)

if TYPE_CHECKING:
    from hub.sandbox.tills.tills import Tills

Wanted = Iterable[Line | tuple[str, int]]
Articles = Sequence[tuple[Variation, int]]


class Counter:
    """Every method belongs into a transaction of the caller's and answers the order as Square shows it."""

    def __init__(self, tills: Tills) -> None:
        self.tills = tills
        self.catalog = tills.catalog
        self.orders = tills.orders

    def ticket(self, store: str, till: int, operator: str | None, at: datetime, uploaded_at: datetime) -> Ticket:
        """The next ticket of a till."""
        number = self.tills.floor.next_ticket(store, till, business_day(at))
        return Ticket(
            seed=self.tills.world.seed,
            store=store,
            location_id=self.catalog.location_ids()[store],
            till=till,
            operator=operator or self.tills.world.location(store).operators[0],
            business_day=number.business_day,
            sequence=number.sequence,
            at=at,
            uploaded_at=uploaded_at,
        )

    def articles(self, wanted: Wanted) -> Articles:
        """What a customer takes to the till, as the catalog knows it; ``KeyError`` for what it does not."""
        lines = [line if isinstance(line, Line) else Line(sku=line[0], quantity=line[1]) for line in wanted]
        return [(self.catalog.variation(line.sku), line.quantity) for line in lines]

    def sell(
        self, ticket: Ticket, articles: Articles, payments: Sequence[Payment] | None, discount: Discount | None
    ) -> dict[str, Any]:
        """A customer takes goods to the till; paid in full or not."""
        sale = Sale(ticket=ticket, lines=articles, payments=payments, discount=discount)
        order = sale.document()
        pieces = sale.pieces
        self._book(ticket, {variation.code: -pieces[variation.id] for variation, _ in articles})
        if order["state"] == COMPLETED:
            self.tills.inventory.sold(ticket.location_id, pieces, ticket.occurred_at)
        return self.orders.write(order)

    def pay(self, id: str, payment: Payment, at: datetime) -> dict[str, Any]:
        """Another part of a ticket is paid; the last one closes it."""
        order = self._in(OPEN, id)
        closed = self._till_time(order, at)
        tenders = [*order["tenders"], tender(order, payment, len(order["tenders"]), closed)]
        order = settled({**_next(order, at), "tenders": tenders}, closed)
        if order["state"] == COMPLETED:
            pieces = {line["catalog_object_id"]: int(line["quantity"]) for line in order["line_items"]}
            self.tills.inventory.sold(order["location_id"], pieces, min(closed, whole_millis(at)))
        return self.orders.write(order)

    def cancel(self, id: str, at: datetime) -> dict[str, Any]:
        """The customer leaves without paying; the goods go back to the shelf."""
        order = self._in(OPEN, id)
        pieces = {self.code(line): int(line["quantity"]) for line in order["line_items"]}
        self.tills.floor.change(self.store(order), pieces, at)
        closed = rfc3339(self._till_time(order, at))
        return self.orders.write({**_next(order, at), "state": CANCELED, "closed_at": closed})

    def take_back(self, made: Return) -> dict[str, Any]:
        """Goods come back, with a ticket of their own."""
        ticket = made.ticket
        self._book(ticket, {line.variation.code: line.pieces for line in made.lines} if made.restock else {})
        if made.restock:
            pieces = {id: -n for id, n in made.pieces.items()}
            self.tills.inventory.sold(ticket.location_id, pieces, ticket.occurred_at)
        return self.orders.write(made.document())

    def parts(self, original: Mapping[str, Any], wanted: Sequence[tuple[str, int]] | None) -> list[Back]:
        """What comes back of a ticket, all that is left of it where nothing is named."""
        back = self.orders.returned(str(original["id"]))
        lines = {self.code(line): line for line in original["line_items"]}
        left = {sku: int(line["quantity"]) - back.get(line["uid"], 0) for sku, line in lines.items()}
        chosen = [(sku, n) for sku, n in left.items() if n] if wanted is None else wanted
        return [
            part_of(lines[sku], self.catalog.variation(sku), n, back.get(lines[sku]["uid"], 0)) for sku, n in chosen
        ]

    def unlinked(self, store: str, wanted: Sequence[tuple[str, int]], cents: Mapping[str, int]) -> list[Back]:
        """What comes back without a ticket of ours: for what the customer's receipt says, else for the price here."""
        place = self.catalog.location_ids()[store]
        found = []
        for sku, pieces in wanted:
            variation = self.catalog.variation(sku)
            amount = cents.get(sku, variation.price_at(place) * pieces)
            found.append(Back(variation=variation, pieces=pieces, cents=amount, tax_cents=included(amount)))
        return found

    def store(self, order: Mapping[str, Any]) -> str:
        """The retailer's code of the store of an order."""
        ids = {id: code for code, id in self.catalog.location_ids().items()}
        return ids[order["location_id"]]

    def code(self, line: Mapping[str, Any]) -> str:
        """The retailer's code of the article of a line."""
        return str(self.catalog.row(line["catalog_object_id"])["code"])

    def _in(self, state: str, id: str) -> dict[str, Any]:
        """The order; ``ValueError`` unless it is in ``state``."""
        order = next(iter(self.orders.get([id])), None)
        if order is None or order["state"] != state:
            raise ValueError(f"{id} is no order that is {state}")
        return order

    def _book(self, ticket: Ticket, pieces: Mapping[str, int]) -> None:
        """Signed pieces on the shelf, with the ticket that explains them."""
        lines = [Line(sku=sku, quantity=-n) for sku, n in pieces.items()]
        self.tills.floor.sell(ticket.store, ticket.till, _number(ticket), lines, ticket.uploaded_at)

    def _till_time(self, order: Mapping[str, Any], at: datetime) -> int:
        return till_time(self.store(order), int(order["metadata"]["workstation"]), at)


def _number(ticket: Ticket) -> Any:
    from hub.sandbox.floor import TicketNumber

    return TicketNumber(business_day=ticket.business_day, sequence=ticket.sequence)


def _next(order: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The order, changed once more."""
    return {**order, "version": order["version"] + 1, "updated_at": rfc3339(whole_millis(at))}
