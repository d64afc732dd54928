"""Whether Airflow has the question about a held batch: a task that is tried again must not take the answer off it."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE held ADD COLUMN put boolean NOT NULL DEFAULT false")
