"""What the shop's answers have in common: ids, amounts, and errors that travel inside a success."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hub.errors import Reject, StopRun
from hub.transport.retry import NotNow

Data = Mapping[str, Any]

# Codes of user errors that say: not now.
BUSY = frozenset({"NON_READY_STATE", "NON_READY_MEDIA"})
ROOTS = ("product", "input", "inventoryItem")
NAMES = {
    "descriptionHtml": "description",
    "vendor": "brand",
    "productType": "category",
    "productOptions": "axes",
    "barcode": "gtin",
    "optionValues": "options",
    "price": "amount",
    "compareAtPrice": "compare_at",
}
SOON = 3.0  # seconds in which the shop has usually processed a picture


def gid(type: str, id: object) -> str:
    """``gid://shopify/Order/123``; an id that is one already stays."""
    text = str(id)
    return text if text.startswith("gid://") else f"gid://shopify/{type}/{text}"


def legacy_id(gid: str) -> str:
    """``gid://shopify/InventoryItem/123`` as REST names it: ``123``."""
    return gid.rsplit("/", 1)[-1]


def amount(value: Any) -> str | None:
    """An amount of the shop with two digits, exactly; ``19.9`` and ``19.90`` are one amount."""
    if value is None:
        return None
    exact = Decimal(str(value))
    cents = exact.quantize(Decimal("0.01"))
    return format(cents if cents == exact else exact, "f")


def money_of(metafield: Data | None) -> str | None:
    """The amount in a metafield of type ``money``; None where there is none or no amount in it."""
    try:
        return amount(json.loads(metafield["value"])["amount"]) if metafield else None
    except (ValueError, KeyError, TypeError, ArithmeticError):
        return None


def money_text(amount: str, currency: str) -> str:
    """The value of a metafield of type ``money``."""
    return json.dumps({"amount": amount, "currency_code": currency})


def in_order(answer: Data, payload: str, path: str, errors: str = "userErrors") -> Data:
    """The payload of a mutation that was carried out.

    Raises :class:`~hub.errors.Reject` below ``path`` with the shop's own words where it refused the
    content, NotNow where it cannot do it yet.
    """
    found: Data | None = answer[payload]
    if found is None:
        raise StopRun(f"the shop answered {payload} with nothing: the app lacks a permission")
    if refused := found[errors]:
        raise refusal(refused, path)
    return found


def refusal(errors: Sequence[Data], path: str) -> Reject | NotNow:
    """The first error; where ``path`` does not say which field it is about, the error's own words do."""
    first = errors[0]
    said = "; ".join(dict.fromkeys(str(error["message"]) for error in errors[:3]))
    code = f" ({first['code']})" if first.get("code") else ""
    if first.get("code") in BUSY:
        return NotNow(f"the shop is still processing: {said}{code}", delay=SOON)
    return Reject(path or spelled(first.get("field") or ()), f"the shop refuses it: {said}{code}")


def spelled(field: Sequence[Any]) -> str:
    """``["variants", "0", "barcode"]`` as the hub says it: ``variants[0].gtin``."""
    words = [str(part) for part in field if part not in ROOTS]
    found = "".join(f"[{word}]" if word.isdigit() else f".{NAMES.get(word, word)}" for word in words)
    return found.lstrip(".")
