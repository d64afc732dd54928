"""Reading page by page, the same for every object: changed since, a bookmark, and the moment of the first page."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any

from hub.sandbox.clock import from_naive_paris, naive_paris
from hub.sandbox.erp.soap import Arguments, Element, Fault
from hub.sandbox.erp.system import Erp

SET_SIZE_MAX = 100
BOOKMARK_PROOF = 16  # hexadecimal digits

Fetch = Callable[[Erp, str, int, int], Sequence[Any]]  # changed since, behind row, how many
Shape = Callable[[Erp, Any], list[Element]]
Operation = Callable[[Erp, Arguments], list[Element]]


def paged(name: str, fetch: Fetch, shape: Shape) -> Operation:
    """An operation that answers elements ``name``; what it fetches knows its ``rownum``."""

    def read(erp: Erp, arguments: Arguments) -> list[Element]:
        size = int(arguments["setSize"])
        if not 1 <= size <= SET_SIZE_MAX:
            raise Fault("ERP-SETSIZE", f"setSize is {size}, allowed are 1 to {SET_SIZE_MAX}")
        since, as_of, after = _position(erp, name, arguments)
        found = fetch(erp, since, after, size + 1)
        content: list[Element] = [(name, shape(erp, row)) for row in found[:size]]
        if len(found) > size:
            content.append(("nextBookmark", _bookmark(erp, [name, since, as_of, rownum(found[size - 1])])))
        return [*content, ("asOf", as_of)]

    return read


def rownum(row: Any) -> int:
    """Of a row of the database, or of an object made from one."""
    return int(row.rownum if hasattr(row, "rownum") else row["rownum"])


def present(*elements: tuple[str, str | None]) -> list[Element]:
    """Those whose text is neither missing nor empty."""
    return [(name, text) for name, text in elements if text]


def _position(erp: Erp, name: str, arguments: Arguments) -> tuple[str, str, int]:
    """changedSince, asOf and the row after which this page begins; a bookmark brings them from the first page."""
    if bookmark := arguments.get("bookmark"):
        return _opened(erp, name, bookmark)
    since = arguments.get("changedSince", "")
    if since:
        try:
            from_naive_paris(since)
        except ValueError:
            raise Fault("ERP-DATE", f"changedSince {since} is not a date") from None
    return since, naive_paris(erp.clock.now()), 0


def _bookmark(erp: Erp, place: list[object]) -> str:
    """Opaque to the client and proof against being made up; holds for ever, nothing is stored for it."""
    text = json.dumps(place)
    return base64.urlsafe_b64encode(f"{_proof(erp, text)}{text}".encode()).decode()


def _opened(erp: Erp, name: str, bookmark: str) -> tuple[str, str, int]:
    try:
        plain = base64.urlsafe_b64decode(bookmark.encode()).decode()
    except ValueError:
        plain = ""
    proof, text = plain[:BOOKMARK_PROOF], plain[BOOKMARK_PROOF:]
    if not hmac.compare_digest(proof.encode(), _proof(erp, text).encode()):
        raise Fault("ERP-BOOKMARK", "the bookmark is not one of ours")
    of, since, as_of, after = json.loads(text)
    if of != name:
        raise Fault("ERP-BOOKMARK", f"the bookmark is one of {of}")
    return since, as_of, after


def _proof(erp: Erp, text: str) -> str:
    return hmac.new(erp.password.encode(), text.encode(), hashlib.sha256).hexdigest()[:BOOKMARK_PROOF]
