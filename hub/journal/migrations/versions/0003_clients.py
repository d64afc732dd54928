"""Who may ask the gateway, and which coupon was redeemed by which order."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

CLIENTS = """
-- Programs that ask the gateway; of a key only its hash is kept.
CREATE TABLE client (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    key_hash    text NOT NULL UNIQUE,
    scopes      text[] NOT NULL,
    channel     text,
    per_second  double precision NOT NULL CHECK (per_second > 0),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    used_at     timestamptz,
    revoked_at  timestamptz
);
CREATE UNIQUE INDEX client_name ON client (name) WHERE revoked_at IS NULL;
"""

COUPONS = """
-- A coupon belongs to the order that redeemed it, in whatever channel that was.
CREATE TABLE redemption (
    coupon      text PRIMARY KEY CHECK (coupon = upper(coupon)),
    order_key   text NOT NULL,
    client      text NOT NULL,
    redeemed_at timestamptz NOT NULL
);

-- The coupons that an order document names, in capitals: channels do not agree on how a code is written.
CREATE FUNCTION coupons_of(data jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(upper(found ->> 'code')) FROM jsonb_array_elements(data -> 'discounts') AS found
    WHERE found ? 'code'
$$;
CREATE INDEX order_coupons ON source_state USING gin (coupons_of(data)) WHERE object = 'order';
"""


def upgrade() -> None:
    for part in (CLIENTS, COUPONS):
        op.get_bind().exec_driver_sql(part)
