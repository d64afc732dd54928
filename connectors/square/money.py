"""Amounts: exact decimal text here, whole minor units at Square."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hub.transport.numbers import whole

# ISO 4217: minor units of the currencies that have not two.
PLACES = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3}


def money_of(amount: str, currency: str) -> dict[str, Any]:
    """``19.90`` EUR as ``{"amount": 1990, "currency": "EUR"}``; ValueError where minor units cannot say it."""
    units = Decimal(amount).scaleb(PLACES.get(currency, 2))
    if units != units.to_integral_value() or units < 0:
        raise ValueError(f"{amount} {currency} cannot be said in whole minor units")
    return {"amount": int(units), "currency": currency}


def amount_of(money: Mapping[str, Any] | None) -> str | None:
    """Text with exactly the currency's decimals; None where there is no amount."""
    if not money or money.get("amount") is None:
        return None
    places = PLACES.get(str(money.get("currency")), 2)
    return f"{Decimal(whole(money['amount'])).scaleb(-places):.{places}f}"
