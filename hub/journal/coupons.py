"""Coupons: each belongs to the one order that redeemed it, whether a client said so or a channel's order names it.

Codes are compared in capitals. The caller's transaction holds :func:`alone` while it decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.journal import counter
from hub.journal.database import Connection


def alone(connection: Connection, coupon: str) -> None:
    """Nobody else decides about ``coupon`` until this transaction ends."""
    counter.alone(connection, f"coupon/{coupon.upper()}")


def redeemed_by(connection: Connection, coupon: str) -> tuple[str, datetime] | None:
    """The order that a client redeemed ``coupon`` for, and when."""
    row = connection.execute(
        "SELECT order_key, redeemed_at FROM redemption WHERE coupon = %s", (coupon.upper(),)
    ).fetchone()
    return (row[0], row[1]) if row else None


def redeemed(connection: Connection, coupons: Sequence[str]) -> dict[str, str]:
    """By coupon in capitals, the order that each of those that a client redeemed belongs to."""
    rows = connection.execute(
        "SELECT coupon, order_key FROM redemption WHERE coupon = ANY(%s)", ([code.upper() for code in coupons],)
    )
    return dict(rows.fetchall())


def in_orders(connection: Connection, coupon: str) -> list[tuple[str, datetime]]:
    """The orders of all channels that name ``coupon`` and were not cancelled, oldest first: (order, placed at)."""
    return connection.execute(
        """SELECT key, (data ->> 'placed_at')::timestamptz FROM source_state
           WHERE object = 'order' AND coupons_of(data) @> ARRAY[%s] AND data ->> 'state' <> 'cancelled'
           ORDER BY 2, 1""",
        (coupon.upper(),),
    ).fetchall()


def redeem(connection: Connection, coupon: str, order: str, client: str, at: datetime) -> None:
    """Keep that ``order`` redeemed ``coupon``; it must be nobody's."""
    connection.execute(
        "INSERT INTO redemption (coupon, order_key, client, redeemed_at) VALUES (%s, %s, %s, %s)",
        (coupon.upper(), order, client, at),
    )


def give_back(connection: Connection, coupon: str, order: str) -> bool:
    """The sale did not happen: the coupon is nobody's again; False where ``order`` did not have it."""
    done = connection.execute("DELETE FROM redemption WHERE coupon = %s AND order_key = %s", (coupon.upper(), order))
    return done.rowcount == 1
