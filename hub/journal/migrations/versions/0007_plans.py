"""Plans: what a flow would change, and what it was computed from."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    for part in ():
        op.get_bind().exec_driver_sql(part)
