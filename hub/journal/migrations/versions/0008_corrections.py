"""Corrections of refused records, beside the original, and entries that lookups lacked."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

HEALING = """
-- Who refused it: we, when it was read; we, before it could be unpacked; or the target that it was sent to.
ALTER TABLE quarantine ADD COLUMN side text NOT NULL DEFAULT 'read' CHECK (side IN ('read', 'pushed', 'sent'));
-- What the payload in the vault does not say and replaying needs: the vendor's object, versions, the snapshot.
ALTER TABLE quarantine ADD COLUMN record jsonb;
-- The moment that the record speaks of, where that could be read: an older word never lifts a newer one.
ALTER TABLE quarantine ADD COLUMN as_of timestamptz;
ALTER TABLE quarantine ADD COLUMN decided_by text;
ALTER TABLE quarantine ADD COLUMN why text;
ALTER TABLE quarantine ADD COLUMN decided_at timestamptz;
CREATE INDEX quarantine_open ON quarantine (system, id) WHERE state = 'open';
CREATE INDEX quarantine_open_cause ON quarantine (fingerprint, id) WHERE state = 'open';
"""

CORRECTIONS = """
-- A corrected copy of a refused record; the original stays what it is. Values live in the vault only.
CREATE TABLE correction (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    quarantine  bigint NOT NULL REFERENCES quarantine (id),
    raw         text NOT NULL REFERENCES vault (ref),
    kinds       jsonb NOT NULL,
    fields      text[] NOT NULL,
    who         text NOT NULL,
    why         text NOT NULL,
    made_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX correction_of ON correction (quarantine, id);
CREATE INDEX correction_raw ON correction (raw);
"""

LOOKUPS = """
-- Entries that the lookups of a system's mappings have beside what their files say; a file's own entry counts first.
CREATE TABLE lookup_entry (
    system      text NOT NULL,
    name        text NOT NULL,
    key         text NOT NULL,
    value       jsonb NOT NULL,
    who         text NOT NULL,
    why         text NOT NULL,
    added_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (system, name, key)
);
"""


def upgrade() -> None:
    for part in (HEALING, CORRECTIONS, LOOKUPS):
        op.get_bind().exec_driver_sql(part)
