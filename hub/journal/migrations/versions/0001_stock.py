"""The journal's nouns, as far as stock needs them."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

RUNS = """
CREATE TABLE run (
    id          text PRIMARY KEY,
    kind        text NOT NULL,
    flow        text,
    system      text,
    state       text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'held', 'failed')),
    counts      jsonb NOT NULL DEFAULT '{}',
    sentence    text,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at    timestamptz
);
CREATE INDEX run_recent ON run (started_at DESC);

-- Facts about the journal itself: which rules the derived values were computed with.
CREATE TABLE setting (name text PRIMARY KEY, value text NOT NULL);
"""

VAULT = """
-- Raw payloads and personal values live here and nowhere else; everything refers to them by ref.
CREATE TABLE vault (
    ref         text PRIMARY KEY,
    kind        text NOT NULL,
    size        bigint NOT NULL,
    content     bytea,
    path        text,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((content IS NULL) <> (path IS NULL))
);
CREATE INDEX vault_age ON vault (created_at);
"""

KNOWN = """
-- What each system says: its latest word per key. Never merged with another system's.
CREATE TABLE snapshot (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system      text NOT NULL,
    object      text NOT NULL,
    series      text NOT NULL,
    extent      text NOT NULL,
    as_of       timestamptz,
    identity    text NOT NULL,
    source      text NOT NULL,
    rows        integer NOT NULL,
    tickets     jsonb NOT NULL DEFAULT '{}',
    raw         text,
    mapping     text,
    state       text NOT NULL CHECK (state IN ('accepted', 'held', 'superseded', 'refused')),
    reason      text,
    run         text NOT NULL,
    seen_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (system, object, identity)
);
CREATE INDEX snapshot_held ON snapshot (system, object, series) WHERE state = 'held';

-- As-of and "seen" belong to the line of snapshots, not to its million rows.
CREATE TABLE series (
    system      text NOT NULL,
    object      text NOT NULL,
    series      text NOT NULL,
    as_of       timestamptz NOT NULL,
    snapshot    bigint REFERENCES snapshot (id),
    PRIMARY KEY (system, object, series)
);

CREATE TABLE source_state (
    system      text NOT NULL,
    object      text NOT NULL,
    key         text NOT NULL,
    subject     text NOT NULL,
    data        jsonb NOT NULL,
    as_of       timestamptz NOT NULL,
    series      text NOT NULL DEFAULT '',
    snapshot    bigint REFERENCES snapshot (id),
    source_key  text NOT NULL,
    -- the series' latest snapshot does not speak for this row: it was missing from it, or its line was refused
    detached    boolean NOT NULL DEFAULT false,
    origin      jsonb NOT NULL,
    mapping     text NOT NULL,
    run         text NOT NULL,
    PRIMARY KEY (system, object, key)
);
CREATE INDEX source_state_subject ON source_state (object, subject);
CREATE INDEX source_state_series ON source_state (system, object, series, source_key);

CREATE TABLE event (
    system      text NOT NULL,
    object      text NOT NULL,
    id          text NOT NULL,
    key         text NOT NULL,
    subject     text NOT NULL,
    data        jsonb NOT NULL,
    event_time  timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    contained   boolean NOT NULL DEFAULT false,
    origin      jsonb NOT NULL,
    mapping     text NOT NULL,
    run         text NOT NULL,
    PRIMARY KEY (system, object, id)
);
CREATE INDEX event_open ON event (object, subject) WHERE NOT contained;
CREATE INDEX event_key ON event (object, key, event_time);

CREATE TABLE checkpoint (
    system      text NOT NULL,
    object      text NOT NULL,
    value       jsonb NOT NULL,
    released    boolean NOT NULL DEFAULT false,
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (system, object)
);

CREATE TABLE inbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system      text NOT NULL,
    identity    text NOT NULL,
    path        text NOT NULL,
    url         text NOT NULL,
    headers     jsonb NOT NULL,
    raw         text NOT NULL REFERENCES vault (ref),
    received_at timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done')),
    run         text,
    UNIQUE (system, identity)
);
CREATE INDEX inbox_new ON inbox (system, id) WHERE state = 'new';

CREATE TABLE quarantine (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow        text NOT NULL,
    system      text NOT NULL,
    object      text NOT NULL,
    key         text,
    source_key  text,
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'superseded', 'replayed', 'discarded')),
    path        text NOT NULL,
    reason      text NOT NULL,
    cause       text NOT NULL,
    fingerprint text NOT NULL,
    origin      jsonb NOT NULL,
    raw         text NOT NULL REFERENCES vault (ref),
    mapping     text,
    run         text NOT NULL,
    seen        integer NOT NULL DEFAULT 1,
    first_seen  timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX quarantine_once ON quarantine (system, object, fingerprint, raw) WHERE state = 'open';
CREATE INDEX quarantine_source ON quarantine (system, object, source_key) WHERE state = 'open';
CREATE INDEX quarantine_key ON quarantine (system, object, key) WHERE state = 'open';
CREATE INDEX quarantine_cause ON quarantine (cause, id);
"""

SHOULD = """
-- Derived objects to compute again, now or when the clock says so.
CREATE TABLE recompute (
    object      text NOT NULL,
    subject     text NOT NULL,
    due         timestamptz NOT NULL,
    urgent      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (object, subject)
);
CREATE INDEX recompute_due ON recompute (object, due);

CREATE TABLE desired (
    target      text NOT NULL,
    object      text NOT NULL,
    key         text NOT NULL,
    subject     text NOT NULL,
    parts       jsonb NOT NULL,
    value       jsonb NOT NULL,
    generation  bigint NOT NULL,
    as_of       timestamptz NOT NULL,
    why         jsonb NOT NULL,
    refused     bigint,  -- the generation that the target refused: not sent again until it changes
    run         text NOT NULL,
    derived_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (target, object, key)
);
CREATE INDEX desired_subject ON desired (object, subject);

CREATE TABLE binding (
    system      text NOT NULL,
    object      text NOT NULL,
    key         text NOT NULL,
    external_id text NOT NULL,
    extra       jsonb NOT NULL DEFAULT '{}',
    matched     text,
    bound_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (system, object, key),
    UNIQUE (system, object, external_id)
);
"""

IS = """
-- What each target was last confirmed to hold; suspect: something may have changed it since.
CREATE TABLE remote (
    target      text NOT NULL,
    object      text NOT NULL,
    key         text NOT NULL,
    value       jsonb NOT NULL,
    generation  bigint NOT NULL DEFAULT 0,
    suspect     boolean NOT NULL DEFAULT false,
    confirmed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (target, object, key)
);
CREATE INDEX remote_suspect ON remote (target, object) WHERE suspect;

CREATE TABLE attempt (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target      text NOT NULL,
    object      text NOT NULL,
    idempotency_key text NOT NULL UNIQUE,
    body_hash   text NOT NULL,
    members     jsonb NOT NULL,
    state       text NOT NULL DEFAULT 'out' CHECK (state IN ('out', 'unknown', 'settled')),
    owner       text NOT NULL,
    lease_until timestamptz NOT NULL,
    sends       integer NOT NULL DEFAULT 1,
    answer      text,
    run         text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at  timestamptz
);
CREATE INDEX attempt_open ON attempt (target) WHERE state <> 'settled';

-- The outbox: only what is still open; what is settled moves to delivery_log.
CREATE TABLE delivery (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target      text NOT NULL,
    object      text NOT NULL,
    key         text NOT NULL,
    subject     text NOT NULL,
    aggregate   text NOT NULL,
    parts       jsonb NOT NULL,
    generation  bigint NOT NULL,
    value       jsonb NOT NULL,
    as_of       timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'out', 'doubtful')),
    urgent      boolean NOT NULL DEFAULT false,
    not_before  timestamptz,
    attempt     bigint REFERENCES attempt (id),
    run         text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX delivery_one_pending ON delivery (target, object, key) WHERE state = 'pending';
CREATE UNIQUE INDEX delivery_one_out ON delivery (target, object, key) WHERE state <> 'pending';
CREATE INDEX delivery_aggregate ON delivery (target, aggregate) WHERE state <> 'pending';
CREATE INDEX delivery_next ON delivery (target, urgent DESC, id) WHERE state = 'pending';

CREATE TABLE delivery_log (
    id          bigint NOT NULL,
    target      text NOT NULL,
    object      text NOT NULL,
    key         text NOT NULL,
    subject     text NOT NULL,
    generation  bigint NOT NULL,
    value       jsonb NOT NULL,
    state       text NOT NULL CHECK (state IN ('delivered', 'coalesced', 'refused')),
    attempt     bigint,
    reason      text,
    run         text NOT NULL,
    created_at  timestamptz NOT NULL,
    settled_at  timestamptz NOT NULL DEFAULT clock_timestamp()
) PARTITION BY RANGE (settled_at);
CREATE TABLE delivery_log_rest PARTITION OF delivery_log DEFAULT;
CREATE INDEX delivery_log_key ON delivery_log (key, settled_at);

CREATE TABLE budget (
    account     text PRIMARY KEY,
    capacity    double precision NOT NULL,
    per_second  double precision NOT NULL,
    tokens      double precision NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""

AUDIT = """
CREATE TABLE audit (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    run         text NOT NULL,
    flow        text,
    step        text NOT NULL,
    system      text NOT NULL,
    object      text NOT NULL,
    key         text NOT NULL,
    subject     text NOT NULL DEFAULT '',
    origin      jsonb,
    mapping     text,
    before      jsonb,
    after       jsonb,
    answer      text
) PARTITION BY RANGE (at);
CREATE TABLE audit_rest PARTITION OF audit DEFAULT;
CREATE INDEX audit_key ON audit (key, at);
CREATE INDEX audit_run ON audit (run, id);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER append_only_as_a_whole BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
"""


def upgrade() -> None:
    for part in (RUNS, VAULT, KNOWN, SHOULD, IS, AUDIT):
        op.get_bind().exec_driver_sql(part)
