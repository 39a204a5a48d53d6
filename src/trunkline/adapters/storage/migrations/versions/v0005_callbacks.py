"""Callbacks of a contact centre by status and time, whoever owns them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CALLBACKS = sa.text("record_type IN (4, 5, 6) AND due_at_s IS NOT NULL")


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "record_callback",
        "record",
        ["contact_centre_id", "status", "due_at_s", "list_id", "chain_id", "chain_n"],
        sqlite_where=_CALLBACKS,
        postgresql_where=_CALLBACKS,
    )
