"""What people at the ERP do with sales documents: accept at a site, ship, cancel, receive what comes back."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import timedelta

from hub.sandbox.clock import naive_paris
from hub.sandbox.erp.checks import Refusal
from hub.sandbox.erp.sales import ACCEPTED, ENTERED, PREPARING, SHIPPED, Sale, Sales, whole
from hub.sandbox.world import WAREHOUSE

CARRIERS = ("Colissimo", "Chronopost", "DPD")
ACCEPTS_AFTER, SHIPS_AFTER = timedelta(seconds=3), timedelta(seconds=10)
PAUSE = 1.0  # seconds between two looks at the desk


class Office:
    """Works on the book of :class:`~hub.sandbox.erp.sales.Sales`."""

    def __init__(self, sales: Sales) -> None:
        self.sales = sales
        self.state = sales.state

    def accept(self, reference: str, sites: Mapping[str, str] | None = None, *, site: str = WAREHOUSE) -> None:
        """Take the order on: every line's pieces leave the free stock of ``site``, or of the one named for the line."""
        with self.state.transaction():
            sale = self.sales.sale(reference)
            if sale.status != ENTERED:
                raise Refusal("ERP-STATE", "CUSORDREF", f"{sale.number} is not new")
            cancelled = self.sales.cancelled_pieces(reference)
            for line in sale.lines:
                code = (sites or {}).get(line["LINREF"], site)
                pieces = whole(line["QTY"]) - cancelled[line["LINREF"]]
                self.sales.take(reference, {**line, "QTY": f"{max(0, pieces)}.000"}, self.sales.site(code) or code)
            self.sales.mark(reference, ACCEPTED)

    def prepare(self, reference: str) -> None:
        """Begin to pick."""
        self.sales.mark(reference, PREPARING)

    def ship(
        self, reference: str, lines: Mapping[str, int] | None = None, *, carrier: str = "", tracking: str | None = None
    ) -> list[str]:
        """Send what is accepted and has not left yet, or ``lines`` (line: pieces); a shipment from each site.

        Answers their numbers. Nothing changes in stock: the pieces left it when they were accepted.
        """
        with self.state.transaction():
            sale = self.sales.sale(reference)
            leaving: dict[str, list[dict[str, str]]] = {}
            for row in self.sales.acceptances(reference):
                left = row["quantity"] - row["shipped"]
                pieces = left if lines is None else min(left, lines.get(row["line"], 0))
                if pieces > 0:
                    self._leave(row, pieces)
                    part = {"LINREF": row["line"], "ITMREF": row["sku"], "QTY": f"{pieces}.000"}
                    leaving.setdefault(row["site"], []).append(part)
            if not leaving:
                raise Refusal("ERP-STATE", "CUSORDREF", f"{sale.number} has nothing to ship")
            numbers = [self._send(sale, site, parts, carrier, tracking) for site, parts in leaving.items()]
            done = all(row["shipped"] >= row["quantity"] for row in self.sales.acceptances(reference))
            self.sales.mark(reference, SHIPPED if done else PREPARING)
            return numbers

    def cancel(self, reference: str, reason: str) -> None:
        """The ERP gives the order up: out of stock, fraud ..."""
        self.sales.cancel(reference, reason)

    def receive_return(
        self,
        reference: str,
        lines: Mapping[str, int] | None = None,
        *,
        amount: str | None = None,
        site: str = WAREHOUSE,
        restock: bool = True,
        reason: str = "",
    ) -> str:
        """Somebody unpacks what a customer sent back: all of it, or ``lines`` (line: pieces); answers the number."""
        sale = self.sales.sale(reference)
        found: list[dict[str, str]] = []
        worth = 0
        for line in sale.lines:
            pieces = whole(line["QTY"]) if lines is None else lines.get(line["LINREF"], 0)
            if pieces:
                part = {"LINREF": line["LINREF"], "ITMREF": line["ITMREF"], "QTY": f"{pieces}.000"}
                found.append({**part, "RESTOCK": "1" if restock else "0", "SITEXT": site})
                worth += _cents(line["AMT"]) * pieces // max(1, whole(line["QTY"]))
        value = amount or f"{worth // 100}.{worth % 100:02d}"
        return self.sales.take_back(reference, found, value, reason=reason)

    def step(self, stop: threading.Event | None = None) -> float:
        """A second of the office's day: new orders are accepted after a while, accepted ones leave after another."""
        now = self.sales.clock.now()
        for sale in self.sales.documents(ENTERED, now - ACCEPTS_AFTER):
            self.accept(sale.reference)
        for sale in self.sales.documents(ACCEPTED, now - SHIPS_AFTER):
            if any(row["quantity"] > row["shipped"] for row in self.sales.acceptances(sale.reference)):
                self.ship(sale.reference)
        return PAUSE

    # --- one line, one parcel ---------------------------------------------------------------------

    def _leave(self, row: Mapping[str, str], pieces: int) -> None:
        self.state.execute(
            "UPDATE erp_acceptance SET shipped = shipped + ? WHERE reference = ? AND line = ?",
            (pieces, row["reference"], row["line"]),
        )

    def _send(self, sale: Sale, site: str, lines: list[dict[str, str]], carrier: str, tracking: str | None) -> str:
        """Write the shipment down; the carrier's number is made up as the carrier would."""
        now = naive_paris(self.sales.clock.now())
        row = self.state.execute(
            "INSERT INTO erp_shipment (reference, site, carrier, tracking, lines, at, updated)"
            " VALUES (?, ?, ?, '', ?, ?, ?)",
            (sale.reference, site, "", json.dumps(lines), now, now),
        ).lastrowid
        rownum = row or 0
        name = carrier or CARRIERS[rownum % len(CARRIERS)]
        code = f"6A{rownum:011d}" if tracking is None else tracking
        self.state.execute("UPDATE erp_shipment SET carrier = ?, tracking = ? WHERE rownum = ?", (name, code, rownum))
        return shipment_number(rownum)


def shipment_number(rownum: int) -> str:
    return f"SD{rownum:06d}"


def _cents(amount: str) -> int:
    return int(amount.replace(".", ""))
