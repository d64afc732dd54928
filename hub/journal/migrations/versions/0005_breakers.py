"""Circuit breakers: which system does not answer, since when, and who asks it next."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = """
-- How each system answers, for all workers together. A row is made by its first failure.
CREATE TABLE breaker (
    system        text PRIMARY KEY,
    failures      integer NOT NULL DEFAULT 0,  -- calls in a row without an answer
    failing_since timestamptz,                 -- when the first of them ended
    reason        text,                        -- what the latest of them said
    opened_at     timestamptz,                 -- NULL: closed, everybody may call
    probe_at      timestamptz,                 -- while open: before it nobody calls, then one call for all
    delay         double precision NOT NULL DEFAULT 0,  -- seconds to the next probe, without its jitter
    closed_at     timestamptz
);

-- Comparisons that are due since a system answers again; a row goes when its comparison has ended.
CREATE TABLE recovery (
    system        text NOT NULL,
    flow          text NOT NULL,
    since         timestamptz NOT NULL,
    rung_at       timestamptz,
    PRIMARY KEY (system, flow)
);

-- Read backwards it answers the newest of what waits, urgent first.
CREATE INDEX delivery_newest ON delivery (target, object, urgent, id) WHERE state = 'pending';
"""


def upgrade() -> None:
    for part in (TABLES,):
        op.get_bind().exec_driver_sql(part)
