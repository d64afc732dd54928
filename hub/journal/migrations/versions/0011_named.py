"""Every article and place that any system has told of, apart from the many levels that name them."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

NAMED = """
-- Without a unique key: two processes that learn of the same article at once do not wait for each other.
CREATE TABLE named (name text NOT NULL, key text NOT NULL);
CREATE INDEX named_key ON named (name, key);
INSERT INTO named (name, key)
SELECT DISTINCT 'sku', data ->> 'sku' FROM source_state
WHERE object IN ('stock_level', 'variant', 'price') AND data ->> 'sku' <> ''
UNION ALL
SELECT DISTINCT 'location', data ->> 'location' FROM source_state
WHERE object = 'location' AND data ->> 'location' <> '';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(NAMED)
