"""Prices, products and orders: what was confirmed and when, what waits and for what, what was edited in a target."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

HISTORY = """
-- The prices that a channel confirmed, each until the next: 400 days of them prove a reduction (EU Omnibus).
CREATE TABLE confirmed_price (
    target      text NOT NULL,
    key         text NOT NULL,
    amount      numeric NOT NULL,
    currency    text NOT NULL,
    since       timestamptz NOT NULL,
    PRIMARY KEY (target, key, since)
);
CREATE INDEX confirmed_price_age ON confirmed_price (since);
"""

WAITING = """
-- What a subject cannot be derived without, in sentences; gone as soon as it can be.
CREATE TABLE waiting (
    object      text NOT NULL,
    subject     text NOT NULL,
    target      text NOT NULL,
    reasons     jsonb NOT NULL,
    since       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (object, subject, target)
);
"""

EDITS = """
-- Fields that somebody changed in the target and that are left so (on_foreign_edit: accept or report),
-- until we have something new to say about them: {"title": {"ours": ..., "theirs": ..., "policy": ..., "at": ...}}
ALTER TABLE remote ADD COLUMN edits jsonb NOT NULL DEFAULT '{}';
CREATE INDEX remote_edits ON remote (target, object) WHERE edits <> '{}';
"""

DOUBTS = """
-- Since when a value is in doubt: what was asked or sent before that moment does not answer the doubt.
ALTER TABLE remote ADD COLUMN suspect_at timestamptz;
"""


def upgrade() -> None:
    for part in (HISTORY, WAITING, EDITS, DOUBTS):
        op.get_bind().exec_driver_sql(part)
