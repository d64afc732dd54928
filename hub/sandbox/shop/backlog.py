"""The orders of the last hours before the hub arrived; their webhooks went out long ago, to nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hub.sandbox.baskets import Baskets
from hub.sandbox.shop.documents import CARD, GIFT_CARD, Terms

if TYPE_CHECKING:
    from hub.sandbox.shop.shop import Shop

ORDERS, CANCELLED = 40, 5
SPAN = timedelta(hours=10)
GIFT_CARD_CENTS = 500


def populate(shop: Shop, baskets: Baskets) -> None:
    """Orders in the order of time, some of them cancelled soon after."""
    start = baskets.world.start
    draw = baskets.world.random("shop orders")
    moments = sorted(start - timedelta(minutes=2) - SPAN * draw.random() for _ in range(ORDERS))
    placed = []
    for n, at in enumerate(moments):
        lines = baskets.lines(draw.choice((1, 1, 2, 2, 3)))
        placed.append(shop.orders.place(lines, at, terms(n), quiet=True)["id"])
    for position in sorted(draw.sample(range(ORDERS), CANCELLED)):
        wait = (start - moments[position]) * (0.1 + 0.8 * draw.random())
        shop.acts.cancel(placed[position], moments[position] + wait, quiet=True)


def terms(n: int) -> Terms:
    """Most pay by card at once; some have a code, pay a part with a gift card, or are only authorized."""
    if n % 11 == 7:
        return Terms(payments=((GIFT_CARD, GIFT_CARD_CENTS), (CARD, None)))
    if n % 13 == 9:
        return Terms(payment="authorized")
    if n % 5 == 3:
        return Terms(
            coupon=("BIENVENUE10", "MERCI5")[n % 2], note="Sonner deux fois, merci 🙏" if n % 10 == 3 else None
        )
    return Terms()
