"""Which attempt finished its chain, in the attempt log itself: the statistics of a group are counted from it alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of attempts of before it is not known, which is 0."""
    op.add_column("attempt_log", sa.Column("is_lead", sa.SmallInteger, nullable=False, server_default="0"))
