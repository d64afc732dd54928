"""What the ERP checks before it takes a document: each refusal with a code, the field, and a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

CURRENCY = "EUR"
Document = Mapping[str, Any]


class Refusal(Exception):
    """The ERP does not take it, and nothing was changed; ``number`` is that of the document that is there already."""

    def __init__(self, code: str, field: str, text: str, number: str = "") -> None:
        self.code = code
        self.field = field
        self.text = text
        self.number = number
        super().__init__(f"{code} {field}: {text}")


def check_document(document: Document, known: Callable[[str], str | None], site: Callable[[str], str | None]) -> None:
    """Currency, country, articles, sites, then the arithmetic; the first that is wrong is named."""
    if document["CUR"] != CURRENCY:
        raise Refusal("ERP-CUR", "CUR", f"the books are kept in {CURRENCY}, not in {document['CUR']}")
    if document["SALTYP"] == "ORDER":
        _check_country(document)
    for position, line in enumerate(document.get("Line") or [], 1):
        check_line(line, f"Line[{position}]", known, site)
        _check_line_total(line, position)
    _check_total(document)


def check_line(line: Document, at: str, known: Callable[[str], str | None], site: Callable[[str], str | None]) -> None:
    """Its article and its site are known here."""
    if known(line["ITMREF"]) is None:
        raise Refusal("ERP-ITEM", f"{at}/ITMREF", f"there is no article {line['ITMREF']}")
    if (place := line.get("SITEXT")) and site(place) is None:
        raise Refusal("ERP-SITE", f"{at}/SITEXT", f"the table of sites has no {place}")


def _check_country(document: Document) -> None:
    address = document.get("Address") or []
    if not address or not address[0].get("CRY", "").strip():
        raise Refusal("ERP-CRY", "Address/CRY", "an order needs an address with a country")


def _check_line_total(line: Document, position: int) -> None:
    due = Decimal(line["QTY"]) * Decimal(line["PRI"]) - Decimal(line.get("DIS", "0"))
    if due != Decimal(line["AMT"]):
        sentence = f"quantity by price less discount is {due:.2f}, and the line says {line['AMT']}"
        raise Refusal("ERP-TOT", f"Line[{position}]/AMT", sentence)


def _check_total(document: Document) -> None:
    """Lines and shipping make the total, with the tax on top where line prices come without it."""
    lines = sum((Decimal(line["AMT"]) for line in document.get("Line") or []), Decimal(0))
    due = lines + Decimal(document.get("SHIAMT", "0"))
    total = Decimal(document["TOTAMT"])
    if total not in (due, due + Decimal(document.get("TAXAMT", "0"))):
        sentence = f"lines and shipping make {due:.2f}, and the document says {total:.2f}"
        raise Refusal("ERP-TOT", "TOTAMT", sentence)
