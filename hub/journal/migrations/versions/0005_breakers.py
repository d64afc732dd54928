"""Circuit breakers: which system does not answer, since when, and who asks it next."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for part in ():
        op.get_bind().exec_driver_sql(part)
