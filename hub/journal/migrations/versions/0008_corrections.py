"""Corrections of refused records, beside the original."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for part in ():
        op.get_bind().exec_driver_sql(part)
