"""Sales documents over SOAP: imports answered document by document, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.sandbox.erp.checks import Refusal
from hub.sandbox.erp.office import shipment_number
from hub.sandbox.erp.pages import Operation, paged, present
from hub.sandbox.erp.sales import Sale, return_number
from hub.sandbox.erp.soap import Arguments, Element
from hub.sandbox.erp.system import Erp

CURRENCY = "EUR"


def _import(erp: Erp, arguments: Arguments) -> list[Element]:
    return [_result(erp.sales.enter, one) for one in arguments["Document"]]


def _revise(erp: Erp, arguments: Arguments) -> list[Element]:
    return [_result(erp.sales.revise, one) for one in arguments["Document"]]


def _cancel(erp: Erp, arguments: Arguments) -> list[Element]:
    def cancel(one: Mapping[str, Any]) -> str:
        return erp.sales.cancel(one["CUSORDREF"], one.get("REASON", ""))

    return [_result(cancel, one) for one in arguments["Cancellation"]]


def _returns(erp: Erp, arguments: Arguments) -> list[Element]:
    def take_back(one: Mapping[str, Any]) -> str:
        reference, external, lines = one["CUSORDREF"], one["RETREF"], one.get("Line") or []
        return erp.sales.take_back(reference, lines, one["AMT"], external=external, kind=one.get("RETKND"))

    return [_result(take_back, one) for one in arguments["Return"]]


def _result(carry_out: Callable[[Mapping[str, Any]], str], one: Mapping[str, Any]) -> Element:
    """The answer for one of many: its number, or why it was refused."""
    about: list[Element] = [("CUSORDREF", one["CUSORDREF"]), *present(("RETREF", one.get("RETREF")))]
    try:
        return "Result", [*about, ("NUMBER", carry_out(one))]
    except Refusal as refusal:
        why: list[Element] = [("CODE", refusal.code), ("FIELD", refusal.field), ("TEXT", refusal.text)]
        return "Result", [*about, *present(("NUMBER", refusal.number)), ("Refusal", why)]


def _documents(erp: Erp, arguments: Arguments) -> list[Element]:
    asked = [erp.sales.find(reference["CUSORDREF"]) for reference in arguments["Reference"]]
    return [("SalesDocument", _document(erp, sale)) for sale in asked if sale]


def _document(erp: Erp, sale: Sale) -> list[Element]:
    """As it was sent, in the order of the WSDL, with every return that is known of it."""
    returns: list[Element] = [("Return", _kept(row)) for row in erp.sales.returns_of(sale.reference)]
    about: list[Element] = [("SOHNUM", sale.number), ("ORDSTA", str(sale.status))]
    return [*about, ("Document", _elements(sale.content, DOCUMENT_ORDER)), *returns]


DOCUMENT_ORDER = (
    "CUSORDREF", "SALTYP", "SALCHN", "ORDDATTIM", "CUR", "Customer", "Address", "NOTE", "Line", "Discount",
    "GiftCard", "Payment", "SHIAMT", "TAXAMT", "TOTAMT",
)  # fmt: skip


def _elements(content: Mapping[str, Any], order: Sequence[str] | None = None) -> list[Element]:
    found: list[Element] = []
    for name in order or content:
        value = content.get(name)
        if isinstance(value, str):
            found.append((name, value))
        else:
            found += [(name, _elements(one)) for one in value or []]
    return found


def _kept(row: Any) -> list[Element]:
    lines: list[Element] = [("Line", _elements(line)) for line in json.loads(row["lines"])]
    about: list[Element] = [("RETNUM", return_number(row["rownum"]))]
    return [*about, *present(("RETREF", row["external"]), ("RETKND", row["kind"])), ("AMT", row["amount"]), *lines]


def _status(erp: Erp, sale: Sale) -> list[Element]:
    return [
        ("SOHNUM", sale.number),
        ("CUSORDREF", sale.reference),
        ("ORDSTA", str(sale.status)),
        ("STADATTIM", sale.since),
        *present(("REASON", sale.reason)),
        ("UPDDATTIM", sale.updated),
        ("ROWNUM", str(sale.rownum)),
        *(("Line", _accepted(erp, row)) for row in erp.sales.acceptances(sale.reference) if row["quantity"]),
    ]


def _accepted(erp: Erp, row: Any) -> list[Element]:
    return [
        ("LINREF", row["line"]),
        ("ITMREF", erp.items.typed_of(row["sku"])),
        ("QTY", f"{row['quantity']}.000"),
        ("FCY", row["site"]),
        ("ACCDATTIM", row["at"]),
    ]


def _shipment(erp: Erp, row: Any) -> list[Element]:
    return [
        ("SDHNUM", shipment_number(row["rownum"])),
        ("SOHNUM", erp.sales.sale(row["reference"]).number),
        ("CUSORDREF", row["reference"]),
        ("FCY", row["site"]),
        *present(("BPTNAM", row["carrier"]), ("TRACK", row["tracking"])),
        ("SHIDATTIM", row["at"]),
        ("UPDDATTIM", row["updated"]),
        ("ROWNUM", str(row["rownum"])),
        *(
            ("Line", [*_elements({**line, "ITMREF": erp.items.typed_of(line["ITMREF"])})])
            for line in json.loads(row["lines"])
        ),
    ]


def _return(erp: Erp, row: Any) -> list[Element]:
    return [
        ("RETNUM", return_number(row["rownum"])),
        ("SOHNUM", erp.sales.sale(row["reference"]).number),
        ("CUSORDREF", row["reference"]),
        *present(("RETREF", row["external"]), ("RETKND", row["kind"])),
        ("RETDATTIM", row["at"]),
        ("CUR", CURRENCY),
        ("AMT", row["amount"]),
        *present(("REASON", row["reason"])),
        ("UPDDATTIM", row["updated"]),
        ("ROWNUM", str(row["rownum"])),
        *(("Line", _received(erp, line)) for line in json.loads(row["lines"])),
    ]


def _received(erp: Erp, line: Mapping[str, str]) -> list[Element]:
    site = erp.sales.site(line["SITEXT"]) if "SITEXT" in line else None
    return [
        *present(("LINREF", line.get("LINREF"))),
        ("ITMREF", erp.items.typed_of(line["ITMREF"])),
        ("QTY", line["QTY"]),
        *present(("RESTOCK", line.get("RESTOCK")), ("FCY", site)),
    ]


WRITES = frozenset({"ImportSalesDocuments", "ReviseSalesDocuments", "CancelSalesDocuments", "ImportReturns"})
SALES: Mapping[str, Operation] = {
    "ImportSalesDocuments": _import,
    "ReviseSalesDocuments": _revise,
    "CancelSalesDocuments": _cancel,
    "ImportReturns": _returns,
    "ReadSalesDocuments": _documents,
    "ReadOrderStatus": paged("OrderStatus", lambda erp, *place: erp.sales.changed(*place), _status),
    "ReadShipments": paged("Shipment", lambda erp, *place: erp.sales.shipments(*place), _shipment),
    "ReadReturns": paged("CustomerReturn", lambda erp, *place: erp.sales.returns(*place), _return),
}
