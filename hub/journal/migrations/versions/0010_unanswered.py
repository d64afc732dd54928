"""In how large a company a delivery had no answer: the one that its target fails at is sent apart from the others."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE delivery ADD COLUMN unanswered integer")
