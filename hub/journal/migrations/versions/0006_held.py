"""Batches that a guard holds, the plan in words, and who decided what and why."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for part in ():
        op.get_bind().exec_driver_sql(part)
