"""Marks that wait for nobody: whoever answers at the counter must not wait for a derivation that is under way."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

NOTES = """
-- Marks for recompute that are only ever added; whoever claims the next subjects moves them over first.
CREATE TABLE recompute_note (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    object      text NOT NULL,
    subject     text NOT NULL,
    due         timestamptz NOT NULL
);
CREATE VIEW recompute_open AS
    SELECT object, subject, due FROM recompute UNION ALL SELECT object, subject, due FROM recompute_note;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(NOTES)
