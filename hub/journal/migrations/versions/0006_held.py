"""Batches that a guard holds, the plan in words, and who decided what and why."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = """
-- A snapshot, or the pages of one reading, that somebody must decide about. A reading of several pages is first
-- gathered, then weighed as a whole; one that no guard objects to is passed on, page by page, and its row goes.
CREATE TABLE held (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow        text NOT NULL,
    system      text NOT NULL,
    route       text NOT NULL,          -- the vendor's object, whose mappings apply it
    object      text NOT NULL,          -- what it becomes
    series      text NOT NULL DEFAULT '',
    snapshot    bigint REFERENCES snapshot (id),
    source      text NOT NULL DEFAULT '',
    as_of       timestamptz,
    rows        integer NOT NULL DEFAULT 0,
    measured    jsonb NOT NULL DEFAULT '{}',
    plan        text NOT NULL DEFAULT '',
    reason      text NOT NULL DEFAULT '',
    state       text NOT NULL CHECK (state IN ('gathering', 'passed', 'held', 'approved', 'rejected',
                                               'superseded', 'failed')),
    run         text NOT NULL,
    held_at     timestamptz NOT NULL,
    decided_by  text,
    why         text,
    decided_at  timestamptz,
    asked       text,                   -- the Airflow run that asks a person
    asked_at    timestamptz             -- when it last did: a run that is gone falls silent, and another asks
);
CREATE INDEX held_open ON held (system, route) WHERE state IN ('gathering', 'passed', 'held', 'approved');
CREATE INDEX held_asked ON held (asked) WHERE asked IS NOT NULL;

-- What it consists of, in the vault: one file, or page by page.
CREATE TABLE held_page (
    held        bigint NOT NULL REFERENCES held (id) ON DELETE CASCADE,
    position    integer NOT NULL,
    payload     text NOT NULL,
    source      text NOT NULL,
    taken       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (held, position)
);
CREATE INDEX held_page_payload ON held_page (payload);

-- The keys that it would change: what differs because of it, and what is the same word read once more.
CREATE TABLE held_record (
    held        bigint NOT NULL REFERENCES held (id) ON DELETE CASCADE,
    object      text NOT NULL,
    key         text NOT NULL,
    subject     text NOT NULL,
    source_key  text NOT NULL,
    digest      text NOT NULL,
    as_of       timestamptz
);
CREATE INDEX held_record_of ON held_record (held);
CREATE INDEX held_record_subject ON held_record (object, subject);
CREATE INDEX held_record_source ON held_record (source_key, digest);
"""


def upgrade() -> None:
    for part in (TABLES,):
        op.get_bind().exec_driver_sql(part)
