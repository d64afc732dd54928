"""The operations of the service: arguments that the WSDL allowed in, XML content out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hub.sandbox.erp.pages import Operation, paged, present
from hub.sandbox.erp.pricelists import number
from hub.sandbox.erp.service_sales import SALES, WRITES
from hub.sandbox.erp.soap import Arguments, Element
from hub.sandbox.erp.system import Erp, StockRow

__all__ = ["OPERATIONS", "WRITES"]


def read_sites(erp: Erp, arguments: Arguments) -> list[Element]:
    """All sites, the depot first."""
    return [
        (
            "Site",
            [
                ("FCY", place.site),
                ("FCYNAM", place.name),
                ("FCYTYP", "M" if place.is_store else "D"),
                ("TZ", "Europe/Paris"),
                ("GEOLAT", place.position[0]),
                ("GEOLNG", place.position[1]),
            ],
        )
        for place in erp.world.locations
    ]


def _stock(erp: Erp, row: StockRow) -> list[Element]:
    return [
        ("ITMREF", row.itmref),
        ("STOFCY", row.site),
        ("QTYSTU", f"{row.on_hand}.000"),
        ("QTYBLK", f"{row.blocked}.000"),
        ("EANCOD", row.ean),
        ("UPDDATTIM", row.updated),
        ("ROWNUM", str(row.rownum)),
    ]


def _item(erp: Erp, row: Any) -> list[Element]:
    return [
        ("ITMREF", row["itmref"]),
        ("STYCOD", row["style"]),
        ("ITMDES", row["name"]),
        ("EANCOD", row["ean"]),
        ("TAXCOD", row["tax"]),
        ("UNTCOD", row["unit"]),
        ("WEIGHT", f"{row['grams'] // 1000}.{row['grams'] % 1000:03d}"),
        ("ITMSTA", str(row["status"])),
        ("UPDDATTIM", row["updated"]),
        ("ROWNUM", str(row["rownum"])),
    ]


def _price(erp: Erp, row: Any) -> list[Element]:
    return [
        ("PLICRD", number(row["rownum"])),
        ("PLICOD", row["list"]),
        ("ITMREF", row["itmref"]),
        ("PRI", row["amount"]),
        ("CUR", row["currency"]),
        ("TAXFLG", "TTC"),
        ("MINQTY", f"{row['min_quantity']}.000"),
        *present(("FCY", row["site"]), ("CRY", row["country"])),
        ("STRDAT", row["first_day"]),
        *present(("ENDDAT", row["last_day"])),
        ("ENASTA", str(row["status"])),
        ("UPDDATTIM", row["updated"]),
        ("ROWNUM", str(row["rownum"])),
    ]


def _promotion(erp: Erp, row: Any) -> list[Element]:
    return [
        ("PRMCOD", row["code"]),
        *present(("PLICOD", row["list"]), ("SALCHN", row["channel"])),
        ("CUR", "EUR"),
        ("TAXFLG", "TTC"),
        ("PRIO", str(row["priority"])),
        ("STRDATTIM", row["begins"]),
        ("ENDDATTIM", row["ends"]),
        ("ENASTA", str(row["status"])),
        ("UPDDATTIM", row["updated"]),
        ("ROWNUM", str(row["rownum"])),
        *(
            ("Item", [("ITMREF", erp.items.typed_of(sku)), ("PRI", amount), ("ENASTA", str(status))])
            for sku, (amount, status) in json.loads(row["items"]).items()
        ),
    ]


OPERATIONS: Mapping[str, Operation] = {
    "ReadSites": read_sites,
    "ReadStock": paged("Row", lambda erp, *place: erp.rows(*place), _stock),
    "ReadItems": paged("Item", lambda erp, *place: erp.items.rows(*place), _item),
    "ReadPrices": paged("Price", lambda erp, *place: erp.lists.prices(*place), _price),
    "ReadPromotions": paged("Promotion", lambda erp, *place: erp.lists.promotions(*place), _promotion),
    **SALES,
}
