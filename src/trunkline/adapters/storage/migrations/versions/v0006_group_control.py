"""Campaign groups that complete, since when they are loaded, and their attempts in the order of time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two columns and an index."""
    op.add_column("group_state", sa.Column("is_completing", sa.SmallInteger, nullable=False, server_default="0"))
    op.add_column("group_state", sa.Column("loaded_at_ms", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index("attempt_by_group", "attempt_log", ["contact_centre_id", "campaign_group_id", "at_ms"])
