"""What no schema can say of one record, and what two records of one key may not say of each other.

Asked after the schema has accepted a record; answers are (path, reason), or None where nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from hub.retail.money import CURRENCIES, decimals, exact
from hub.retail.orders import Objection, illegal_transition, objection_to_order

Check = Callable[[Mapping[str, Any]], Objection | None]
TransitionCheck = Callable[[Mapping[str, Any], Mapping[str, Any]], Objection | None]


def price(data: Mapping[str, Any]) -> Objection | None:
    """A currency that exists, no more decimals than it has, an end after the start."""
    if found := _money(data["currency"], [("amount", data["amount"])]):
        return found
    until = data.get("valid_until")
    if until and datetime.fromisoformat(until) <= datetime.fromisoformat(data["valid_from"]):
        return "valid_until", f"{until} is not after the start ({data['valid_from']}); the entry would never count"
    return None


def order_return(data: Mapping[str, Any]) -> Objection | None:
    """A currency that exists, and no more decimals than it has."""
    return _money(data["currency"], _refunded(data))


def product(data: Mapping[str, Any]) -> Objection | None:
    """A product is not the one above itself; longer circles are found where products are put together."""
    if data.get("parent") == data["product"]:
        return "parent", f"{data['product']} is the product above itself"
    return None


def _refunded(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "amount", data["amount"]
    yield from ((f"lines[{n}].amount", line["amount"]) for n, line in enumerate(data["lines"]) if "amount" in line)


def _money(currency: str, amounts: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> Objection | None:
    if currency not in CURRENCIES:
        return "currency", f"{currency} is no currency of ISO 4217"
    for path, amount in amounts:
        if not exact(amount, currency):
            return path, f"{amount} has more decimals than {currency}, which has {decimals(currency)}"
    return None


CHECKS: Mapping[str, Check] = {
    "price": price,
    "product": product,
    "order": objection_to_order,
    "order_return": order_return,
}

# (what the system said before, what it says now)
TRANSITIONS: Mapping[str, TransitionCheck] = {"order": illegal_transition}
