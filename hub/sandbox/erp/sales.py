"""The ERP's sales book: documents taken once by the sender's reference, revised, cancelled, returned."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.sandbox.clock import Clock, naive_paris
from hub.sandbox.erp.checks import Refusal, check_document, check_line
from hub.sandbox.erp.items import ACCOUNTS, Items
from hub.sandbox.state import State
from hub.sandbox.world import World

ENTERED, ACCEPTED, PREPARING, SHIPPED, BOOKED, CANCELLED = 1, 2, 3, 4, 5, 9
KEPT_ON_REVISION = ("Customer", "Address", "NOTE")
TABLES = (
    """CREATE TABLE IF NOT EXISTS erp_sale (
    rownum INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    status INTEGER NOT NULL, reason TEXT NOT NULL, content TEXT NOT NULL, entered TEXT NOT NULL,
    since TEXT NOT NULL, updated TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS erp_sale_by_status ON erp_sale (status, entered)",
    """CREATE TABLE IF NOT EXISTS erp_acceptance (
    reference TEXT NOT NULL, line TEXT NOT NULL, sku TEXT NOT NULL, site TEXT NOT NULL, quantity INTEGER NOT NULL,
    shipped INTEGER NOT NULL, at TEXT NOT NULL, PRIMARY KEY (reference, line)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS erp_shipment (
    rownum INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL, site TEXT NOT NULL, carrier TEXT NOT NULL,
    tracking TEXT NOT NULL, lines TEXT NOT NULL, at TEXT NOT NULL, updated TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS erp_return (
    rownum INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL, external TEXT UNIQUE, kind TEXT,
    amount TEXT NOT NULL, lines TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL, updated TEXT NOT NULL)""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A document as it stands in the book."""

    rownum: int
    reference: str
    kind: str  # ORDER, TICKET
    status: int
    reason: str
    content: Mapping[str, Any]  # as it was sent, nested elements as lists
    entered: datetime
    since: str  # of its status, naive Paris time
    updated: str

    @property
    def number(self) -> str:
        return f"SO{self.rownum:08d}"

    @property
    def lines(self) -> Sequence[Mapping[str, Any]]:
        return self.content.get("Line") or []


class Sales:
    """What is imported over SOAP; :mod:`hub.sandbox.erp.office` is what people do with it."""

    def __init__(self, state: State, world: World, items: Items, clock: Clock) -> None:
        self.state = state
        self.world = world
        self.items = items
        self.clock = clock
        state.declare(*TABLES)

    # --- what is imported -------------------------------------------------------------------------

    def enter(self, content: Mapping[str, Any]) -> str:
        """Take a new document and answer its number; a :class:`Refusal` leaves everything as it was."""
        reference = content["CUSORDREF"]
        with self.state.transaction() as connection:
            if there := self.find(reference):
                raise Refusal("ERP-DUP", "CUSORDREF", f"{reference} is here already as {there.number}", there.number)
            check_document(content, self.items.known, self.site)
            kind, now = content["SALTYP"], self.clock.now()
            stamp = naive_paris(now)
            row = (reference, kind, BOOKED if kind == "TICKET" else ENTERED, json.dumps(content), now.isoformat())
            connection.execute(
                "INSERT INTO erp_sale (reference, kind, status, reason, content, entered, since, updated)"
                " VALUES (?, ?, ?, '', ?, ?, ?, ?)",
                (*row, stamp, stamp),
            )
            return self.sale(reference).number

    def revise(self, content: Mapping[str, Any]) -> str:
        """Put new lines and amounts in the place of the old; allocated pieces follow.

        Pieces can be changed until some have left; amounts and payments also afterwards.
        """
        with self.state.transaction():
            sale = self.sale(content["CUSORDREF"])
            if _goods(content) != _goods(sale.content):
                self._open(sale.reference)
            check_document({**_kept(sale), **content}, self.items.known, self.site)
            self._write_content(sale, {**content, **{k: v for k, v in _kept(sale).items() if k not in content}})
            wanted = {line["LINREF"]: whole(line["QTY"]) for line in content.get("Line") or []}
            accepted = [] if _goods(content) == _goods(sale.content) else self.acceptances(sale.reference)
            for row in accepted:
                self.allocate(row, wanted.get(row["line"], 0))
            for line in content.get("Line") or []:
                if accepted and line["LINREF"] not in {row["line"] for row in accepted}:
                    self.take(sale.reference, line, accepted[0]["site"])
            return sale.number

    def cancel(self, reference: str, reason: str = "") -> str:
        """End a document before anything has left; what was allocated is free again."""
        with self.state.transaction():
            sale = self.sale(reference)
            if sale.status == CANCELLED:
                return sale.number
            sale = self._open(reference)
            for row in self.acceptances(reference):
                self.allocate(row, 0)
            self.mark(sale.reference, CANCELLED, reason)
            return sale.number

    def take_back(
        self,
        reference: str,
        lines: Sequence[Mapping[str, Any]],
        amount: str,
        *,
        external: str | None = None,
        kind: str | None = "R",
        reason: str = "",
    ) -> str:
        """Enter a return and answer its number; what is restocked at a site whose stock the ERP keeps is free again."""
        with self.state.transaction() as connection:
            sale = self.sale(reference)
            if external is not None and (there := self._return_number(external)):
                raise Refusal("ERP-DUP", "RETREF", f"{external} is here already as {there}", there)
            for position, line in enumerate(lines, 1):
                check_line(line, f"Line[{position}]", self.items.known, self.site)
            stamp = naive_paris(self.clock.now())
            row = connection.execute(
                "INSERT INTO erp_return (reference, external, kind, amount, lines, reason, at, updated)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (reference, external, kind, amount, json.dumps(list(lines)), reason, stamp, stamp),
            ).lastrowid
            for line in lines:
                self._restock(sale, kind, line)
            return return_number(row or 0)

    def _restock(self, sale: Sale, kind: str | None, line: Mapping[str, Any]) -> None:
        """A line cancelled before it left gives its allocation back; goods go where they were received."""
        pieces = whole(line["QTY"])
        if kind == "C":
            row = next((r for r in self.acceptances(sale.reference) if r["line"] == line.get("LINREF")), None)
            if row is not None:
                self.allocate(row, max(row["shipped"], row["quantity"] - pieces))
        elif line.get("RESTOCK") == "1" and (place := line.get("SITEXT")):
            self.book(self.items.known(line["ITMREF"]) or "", self.site(place) or "", pieces)

    # --- what is in it ----------------------------------------------------------------------------

    def find(self, reference: str) -> Sale | None:
        row = self.state.row("SELECT * FROM erp_sale WHERE reference = ?", (reference,))
        return _sale(row) if row else None

    def sale(self, reference: str) -> Sale:
        """The document of this reference; a :class:`Refusal` where there is none."""
        if found := self.find(reference):
            return found
        raise Refusal("ERP-REF", "CUSORDREF", f"there is no document {reference}")

    def documents(self, status: int, entered_before: datetime | None = None) -> list[Sale]:
        """Those that stand at ``status``, oldest first."""
        rows = self.state.rows("SELECT * FROM erp_sale WHERE status = ? ORDER BY rownum", (status,))
        found = [_sale(row) for row in rows]
        return [sale for sale in found if entered_before is None or sale.entered <= entered_before]

    def changed(self, changed_since: str, after: int, limit: int) -> list[Sale]:
        rows = self.state.rows(
            "SELECT * FROM erp_sale WHERE rownum > ? AND updated >= ? ORDER BY rownum LIMIT ?",
            (after, changed_since, limit),
        )
        return [_sale(row) for row in rows]

    def acceptances(self, reference: str) -> list[Any]:
        """Lines that a site has accepted, with the pieces that have left."""
        return self.state.rows("SELECT * FROM erp_acceptance WHERE reference = ? ORDER BY line", (reference,))

    def shipments(self, changed_since: str, after: int, limit: int) -> list[Any]:
        return self.state.rows(
            "SELECT * FROM erp_shipment WHERE rownum > ? AND updated >= ? ORDER BY rownum LIMIT ?",
            (after, changed_since, limit),
        )

    def returns(self, changed_since: str, after: int, limit: int) -> list[Any]:
        return self.state.rows(
            "SELECT * FROM erp_return WHERE rownum > ? AND updated >= ? ORDER BY rownum LIMIT ?",
            (after, changed_since, limit),
        )

    def returns_of(self, reference: str) -> list[Any]:
        return self.state.rows("SELECT * FROM erp_return WHERE reference = ? ORDER BY rownum", (reference,))

    def cancelled_pieces(self, reference: str) -> Counter[str]:
        """Pieces of each line that were cancelled before they left."""
        rows = [row for row in self.returns_of(reference) if row["kind"] == "C"]
        lines = [line for row in rows for line in json.loads(row["lines"])]
        found: Counter[str] = Counter()
        for line in lines:
            found[line.get("LINREF", "")] += whole(line["QTY"])
        return found

    def site(self, code: str) -> str | None:
        """The ERP's code of a site that the sender calls ``code``: the cross-reference table."""
        return next((place.site for place in self.world.locations if code in (place.code, place.site)), None)

    # --- allocation and status --------------------------------------------------------------------

    def take(self, reference: str, line: Mapping[str, Any], site: str) -> None:
        """Allocate a line's pieces at ``site``: they leave the free stock at once. A gift card has none."""
        sku = self.items.known(line["ITMREF"]) or line["ITMREF"]
        if (pieces := whole(line["QTY"])) and not sku.startswith(ACCOUNTS):
            self.book(sku, site, -pieces)
            self.state.execute(
                "INSERT INTO erp_acceptance VALUES (?, ?, ?, ?, ?, 0, ?)",
                (reference, line["LINREF"], sku, site, pieces, naive_paris(self.clock.now())),
            )

    def allocate(self, row: Any, quantity: int) -> None:
        """Change the pieces that an accepted line takes; the difference leaves or rejoins the free stock."""
        self.book(row["sku"], row["site"], row["quantity"] - quantity)
        self.state.execute(
            "UPDATE erp_acceptance SET quantity = ? WHERE reference = ? AND line = ?",
            (quantity, row["reference"], row["line"]),
        )

    def book(self, sku: str, site: str, pieces: int) -> None:
        """Add signed ``pieces`` to the row that counts of an article at a site, where the ERP keeps one."""
        if pieces:
            self.state.execute(
                "UPDATE erp_stock SET on_hand = on_hand + ?, updated = ? WHERE rownum = (SELECT rownum FROM erp_stock"
                " WHERE sku = ? AND site = ? ORDER BY updated DESC, rownum DESC LIMIT 1)",
                (pieces, naive_paris(self.clock.now()), sku, site),
            )

    def mark(self, reference: str, status: int, reason: str = "") -> None:
        """Set the status as of now."""
        now = naive_paris(self.clock.now())
        self.state.execute(
            "UPDATE erp_sale SET status = ?, reason = ?, since = ?, updated = ? WHERE reference = ?",
            (status, reason, now, now, reference),
        )

    def _open(self, reference: str) -> Sale:
        """The document, which nothing has left yet and nobody has cancelled."""
        sale = self.sale(reference)
        if sale.status == CANCELLED:
            raise Refusal("ERP-STATE", "CUSORDREF", f"{sale.number} is cancelled")
        if any(row["shipped"] for row in self.acceptances(reference)):
            raise Refusal("ERP-SHIPPED", "CUSORDREF", f"pieces of {sale.number} have left already")
        return sale

    def _write_content(self, sale: Sale, content: Mapping[str, Any]) -> None:
        self.state.execute(
            "UPDATE erp_sale SET content = ?, updated = ? WHERE reference = ?",
            (json.dumps(content), naive_paris(self.clock.now()), sale.reference),
        )

    def _return_number(self, external: str) -> str | None:
        row = self.state.row("SELECT rownum FROM erp_return WHERE external = ?", (external,))
        return return_number(row["rownum"]) if row else None


def return_number(rownum: int) -> str:
    return f"RT{rownum:06d}"


def whole(quantity: str) -> int:
    """``2.000`` as 2."""
    return int(quantity.partition(".")[0])


def _goods(content: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What the customer gets, whatever it costs."""
    return [(line["LINREF"], line["ITMREF"], line["QTY"]) for line in content.get("Line") or []]


def _kept(sale: Sale) -> dict[str, Any]:
    return {name: sale.content[name] for name in KEPT_ON_REVISION if name in sale.content}


def _sale(row: Any) -> Sale:
    values = dict(row)
    return Sale(**{**values, "content": json.loads(row["content"]), "entered": datetime.fromisoformat(row["entered"])})
