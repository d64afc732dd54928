"""What waits by a clock, put right when that clock was set back: nothing is stuck until it catches up with itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.journal.attempts import TARGET
from hub.journal.database import Connection

# Longer than any lease, so that one which ends later was begun by the old time.
LONGEST_LEASE = timedelta(minutes=4)

HUB = (
    "UPDATE delivery SET not_before = not_before - %(by)s WHERE not_before > %(now)s",
    "UPDATE attempt SET lease_until = lease_until - %(by)s"
    " WHERE state <> 'settled' AND owner = %(target)s AND lease_until > %(now)s",
    "UPDATE breaker SET probe_at = probe_at - %(by)s WHERE probe_at > %(now)s",
    # What was marked for the moment itself; what is due at a date of its own stays.
    "UPDATE recompute SET due = %(now)s WHERE due > %(now)s AND due <= %(before)s",
    "UPDATE recompute_note SET due = %(now)s WHERE due > %(now)s AND due <= %(before)s",
    "DELETE FROM setting WHERE name LIKE 'bind/%%'",
    "UPDATE setting SET value = %(text)s WHERE name LIKE 'tick/%%' AND value > %(text)s",
)

DATABASE = (
    "UPDATE attempt SET lease_until = lease_until - %(by)s"
    " WHERE state <> 'settled' AND owner <> %(target)s AND isfinite(lease_until)"
    " AND lease_until > clock_timestamp() + %(lease)s",
)


def hub_was_set_back(connection: Connection, now: datetime, before: datetime) -> None:
    """The hub's own clock says ``now`` and said ``before`` earlier."""
    arguments = {"now": now, "before": before, "by": before - now, "text": now.isoformat(), "target": TARGET}
    for statement in HUB:
        connection.execute(statement, arguments)


def database_was_set_back(connection: Connection, now: datetime, before: datetime) -> None:
    """The database's clock says ``now`` and said ``before`` earlier."""
    arguments = {"by": before - now, "target": TARGET, "lease": LONGEST_LEASE}
    for statement in DATABASE:
        connection.execute(statement, arguments)
