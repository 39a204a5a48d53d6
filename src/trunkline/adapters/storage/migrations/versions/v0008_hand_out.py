"""Indexes of the hand-out: records that may be claimed, by the window and the priority that a claim asks for.

Whatever never goes out (e-mail, messaging) is not in them, and the attempts are, so that a claim passes over records
without looking at their rows. Due records stand in the order of their time within a window and priority: of the overdue
ones only those that are taken are read.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes; those that they replace go."""
    for name, columns, where in (
        ("record_claim_fresh", ["chain_id", "chain_n", "attempts"], "due_at_s IS NULL"),
        ("record_claim_due", ["due_at_s", "chain_id", "chain_n", "attempts"], "due_at_s IS NOT NULL"),
    ):
        condition = sa.text(f"status = 1 AND {where} AND phone_type NOT IN (10, 11)")
        keys = ["contact_centre_id", "list_id", "window_id", "priority", *columns]
        op.create_index(name, "record", keys, sqlite_where=condition, postgresql_where=condition)
    op.drop_index("record_fresh", "record")
    op.drop_index("record_due", "record")
    # Without the contact centre: a planner that knows nothing of the table yet takes it for the primary key else.
    op.drop_index("buffer_by_group", "buffer")
    op.create_index("buffer_by_group", "buffer", ["campaign_group_id", "place"])
    op.create_index("preview_session_by_campaign", "preview_session", ["contact_centre_id", "campaign_id", "user_id"])
