"""The tickets of the morning before the hub arrived, and how they were paid."""

from __future__ import annotations

import random
from datetime import timedelta

from hub.sandbox.tills.tickets import Payment

BACKLOG = 300  # tickets since the night files, those of the offline till among them
OFFLINE_BEFORE_NIGHT = timedelta(minutes=50)  # the offline till sold within this span before the night file
IN_CASH, IN_TWO_PARTS, BY_GIFT_CARD = 0.22, 0.06, 0.04  # shares of the tickets; the rest is paid by card


def payments(draw: random.Random, cents: int) -> list[Payment]:
    """One payment, or two that make up the total together."""
    chance, first = draw.random(), cents * draw.randint(2, 8) // 10
    if chance < IN_CASH:
        return [Payment(method="CASH", cents=cents)]
    if chance < IN_CASH + IN_TWO_PARTS:
        return [Payment(method="CASH", cents=first), Payment(method="CARD", cents=cents - first)]
    if chance < IN_CASH + IN_TWO_PARTS + BY_GIFT_CARD:
        card = Payment(method="SQUARE_GIFT_CARD", cents=first, card=f"{draw.randint(0, 9999):04d}")
        return [card, Payment(method="CARD", cents=cents - first)]
    return [Payment(method="CARD", cents=cents)]
