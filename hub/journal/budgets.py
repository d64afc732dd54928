"""One budget per vendor account, shared by every process: a bucket that fills at the vendor's rate.

Taking more than is there makes a debt and answers how long to wait, so that waiting callers stand
in line instead of racing for the next token, and the bucket is used to the full.
"""

from __future__ import annotations

import time

from hub.journal.database import Connection

ELAPSED = "greatest(0, extract(epoch FROM clock_timestamp() - updated_at))"  # 0: the clock was set back

TAKE = f"""
UPDATE budget SET
    tokens = least(capacity, tokens + {ELAPSED} * per_second) - %(cost)s,
    updated_at = clock_timestamp()
WHERE account = %(account)s
RETURNING greatest(0, -tokens / per_second)
"""

OBSERVE = f"""
UPDATE budget SET tokens = %(available)s, updated_at = clock_timestamp()
WHERE account = %(account)s AND %(available)s + %(slack)s
      < least(capacity, tokens + {ELAPSED} * per_second)
"""

REST = f"""
UPDATE budget SET
    tokens = least(-%(seconds)s * per_second, tokens + {ELAPSED} * per_second),
    updated_at = clock_timestamp()
WHERE account = %(account)s
"""


def margin(capacity: float) -> float:
    """What is left unused of a vendor's bucket: calls do not arrive in the rhythm in which they were let go.

    The vendor's bucket starts to leak when the first call arrives, ours when it was taken; without a
    call's worth of slack the 41st of 40 at 2 a second came 15 ms early and was refused.
    """
    return min(max(1.0, capacity * 0.01), capacity / 2)


class AccountBudget:
    """The budget of one account; autocommits on a connection of its own, apart from any batch."""

    def __init__(self, connection: Connection, account: str, capacity: float, per_second: float) -> None:
        self._connection = connection
        self._account = account
        capacity -= margin(capacity)
        self._slack = max(1.0, capacity * 0.1)
        connection.execute(
            """INSERT INTO budget (account, capacity, per_second, tokens) VALUES (%s, %s, %s, %s)
               ON CONFLICT (account) DO UPDATE SET capacity = excluded.capacity, per_second = excluded.per_second
               WHERE (budget.capacity, budget.per_second) IS DISTINCT FROM (excluded.capacity, excluded.per_second)""",
            (account, capacity, per_second, capacity),
        )

    def take(self, cost: float = 1.0) -> float:
        """Take ``cost`` tokens; the seconds until they have really flowed in."""
        row = self._connection.execute(TAKE, {"account": self._account, "cost": cost}).fetchone()
        return float(row[0]) if row else 0.0

    def observe(self, available: float) -> None:
        """The vendor says that only ``available`` is left: somebody else uses the account too.

        A difference below a tenth of the bucket is the calls under way, and is passed over.
        """
        self._connection.execute(OBSERVE, {"account": self._account, "available": available, "slack": self._slack})

    def rest(self, seconds: float) -> None:
        """The vendor wants no call for so long: a debt that is paid off by then."""
        self._connection.execute(REST, {"account": self._account, "seconds": seconds})


class Unlimited:
    """The budget of a system that states none; for how long its vendor wants no call is known to this process alone."""

    def __init__(self) -> None:
        self._rests_until = 0.0

    def take(self, cost: float = 1.0) -> float:
        return max(0.0, self._rests_until - time.monotonic())

    def observe(self, available: float) -> None:
        return None

    def rest(self, seconds: float) -> None:
        self._rests_until = time.monotonic() + seconds


def left(connection: Connection, account: str) -> float | None:
    """What is in an account's bucket now, rounded; None for one without a budget."""
    row = connection.execute(
        f"""SELECT least(capacity, tokens + {ELAPSED} * per_second)
           FROM budget WHERE account = %s""",
        (account,),
    ).fetchone()
    return round(float(row[0]), 1) if row else None
