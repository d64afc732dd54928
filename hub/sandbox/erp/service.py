"""The operations of the StockService: arguments that the WSDL allowed in, XML content out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from hub.sandbox.clock import from_naive_paris, naive_paris
from hub.sandbox.erp.soap import Element, Fault
from hub.sandbox.erp.system import Erp, StockRow

SET_SIZE_MAX = 100
BOOKMARK_PROOF = 16  # hexadecimal digits


def read_sites(erp: Erp, arguments: dict[str, str]) -> list[Element]:
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


def read_stock(erp: Erp, arguments: dict[str, str]) -> list[Element]:
    """One page; a bookmark brings ``changedSince`` and ``asOf`` of the first page with it."""
    size = int(arguments["setSize"])
    if not 1 <= size <= SET_SIZE_MAX:
        raise Fault("ERP-SETSIZE", f"setSize is {size}, allowed are 1 to {SET_SIZE_MAX}")
    since, as_of, after = _position(erp, arguments)
    found = erp.rows(since, after, size + 1)
    content: list[Element] = [("Row", _row(row)) for row in found[:size]]
    if len(found) > size:
        content.append(("nextBookmark", _bookmark(erp, since, as_of, found[size - 1].rownum)))
    return [*content, ("asOf", as_of)]


OPERATIONS = {"ReadSites": read_sites, "ReadStock": read_stock}


def _row(row: StockRow) -> list[Element]:
    return [
        ("ITMREF", row.itmref),
        ("STOFCY", row.site),
        ("QTYSTU", f"{row.on_hand}.000"),
        ("QTYBLK", f"{row.blocked}.000"),
        ("EANCOD", row.ean),
        ("UPDDATTIM", row.updated),
        ("ROWNUM", str(row.rownum)),
    ]


def _position(erp: Erp, arguments: dict[str, str]) -> tuple[str, str, int]:
    """changedSince, asOf and the row after which this page begins."""
    if bookmark := arguments.get("bookmark"):
        return _opened(erp, bookmark)
    since = arguments.get("changedSince", "")
    if since:
        try:
            from_naive_paris(since)
        except ValueError:
            raise Fault("ERP-DATE", f"changedSince {since} is not a date") from None
    return since, naive_paris(erp.clock.now()), 0


def _bookmark(erp: Erp, since: str, as_of: str, after: int) -> str:
    """Opaque to the client and proof against being made up; holds for ever, nothing is stored for it."""
    text = json.dumps([since, as_of, after])
    return base64.urlsafe_b64encode(f"{_proof(erp, text)}{text}".encode()).decode()


def _opened(erp: Erp, bookmark: str) -> tuple[str, str, int]:
    try:
        plain = base64.urlsafe_b64decode(bookmark.encode()).decode()
    except ValueError:
        plain = ""
    proof, text = plain[:BOOKMARK_PROOF], plain[BOOKMARK_PROOF:]
    if not hmac.compare_digest(proof.encode(), _proof(erp, text).encode()):
        raise Fault("ERP-BOOKMARK", "the bookmark is not one of ours")
    since, as_of, after = json.loads(text)
    return since, as_of, after


def _proof(erp: Erp, text: str) -> str:
    return hmac.new(erp.password.encode(), text.encode(), hashlib.sha256).hexdigest()[:BOOKMARK_PROOF]
