"""The EU Omnibus rule: a reduction is announced beside the lowest price of the 30 days before it began.

Directive 98/6/EC, article 6a. What counts is what the channel was confirmed to ask, not what was planned.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

DAYS = timedelta(days=30)


def lowest_before(
    history: Iterable[tuple[datetime, Decimal]], began: datetime, days: timedelta = DAYS
) -> Decimal | None:
    """The lowest price that stood at any moment of ``[began - days, began)``; None where none is known.

    ``history``: (since, amount) in any order, each price standing until the next. An article that is
    younger than the window is judged by the days it has. ``began`` in the retailer's zone makes the
    window one of calendar days, also over a change of the clocks.
    """
    opens = began - days
    rows = sorted((since, amount) for since, amount in history if since < began)
    stood_at_opening = [amount for since, amount in rows if since <= opens][-1:]
    return min([*stood_at_opening, *(amount for since, amount in rows if since > opens)], default=None)
