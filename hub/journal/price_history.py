"""The prices that each channel confirmed, and since when: proof of what a customer was asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from hub.journal.database import Connection

KEPT = timedelta(days=400)  # a reduction may last for months, and the 30 days before it must still be known

NOTE = """
INSERT INTO confirmed_price (target, key, amount, currency, since)
SELECT %(target)s, n.key, n.amount, n.currency, %(since)s
FROM unnest(%(keys)s::text[], %(amounts)s::numeric[], %(currencies)s::text[]) AS n (key, amount, currency)
LEFT JOIN LATERAL (
    SELECT amount, currency FROM confirmed_price c WHERE c.target = %(target)s AND c.key = n.key
    ORDER BY since DESC LIMIT 1
) last ON true
WHERE (last.amount, last.currency) IS DISTINCT FROM (n.amount, n.currency)
ON CONFLICT (target, key, since) DO UPDATE SET amount = excluded.amount, currency = excluded.currency
"""


def note(connection: Connection, target: str, prices: Mapping[str, tuple[str, str]], since: datetime) -> None:
    """``target`` confirmed these: key -> (amount, currency). What it asked for already is not written again."""
    if prices:
        keys = sorted(prices)
        connection.execute(
            NOTE,
            {
                "target": target,
                "since": since,
                "keys": keys,
                "amounts": [Decimal(prices[key][0]) for key in keys],
                "currencies": [prices[key][1] for key in keys],
            },
        )


def of(connection: Connection, target: str, keys: Sequence[str]) -> dict[str, list[tuple[datetime, Decimal]]]:
    """By key, when each amount began at ``target``, oldest first; each lasts until the next."""
    rows = connection.execute(
        "SELECT key, since, amount FROM confirmed_price WHERE target = %s AND key = ANY(%s) ORDER BY key, since",
        (target, list(keys)),
    )
    found: dict[str, list[tuple[datetime, Decimal]]] = defaultdict(list)
    for key, since, amount in rows:
        found[key].append((since, amount))
    return dict(found)


def forget(connection: Connection, before: datetime) -> int:
    """Remove what ended before ``before``: the amount that began last before it still stood then, and stays."""
    return connection.execute(
        """DELETE FROM confirmed_price c WHERE since < %(before)s AND EXISTS (
               SELECT 1 FROM confirmed_price later
               WHERE later.target = c.target AND later.key = c.key AND later.since > c.since
                 AND later.since <= %(before)s)""",
        {"before": before},
    ).rowcount
