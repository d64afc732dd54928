"""Plans: what a flow would change, and what it was computed from."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

TABLES = """
CREATE TABLE plan (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('pass', 'repair')),
    flow        text NOT NULL,
    system      text,                                   -- the one source that was read; NULL: all
    rules       text NOT NULL,                          -- the hash of hub.yaml's rules
    digest      text NOT NULL,                          -- of everything it would change
    summary     jsonb NOT NULL,                         -- in words and counts, by source and by target
    changes     text NOT NULL,                          -- reference into the vault
    run         text NOT NULL,
    made_at     timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    applied_at  timestamptz,
    applied_by  text,
    applied_run text
);
"""


def upgrade() -> None:
    for part in (TABLES,):
        op.get_bind().exec_driver_sql(part)
