"""The index of numbers begins with the number.

While a table's statistics are missing or old, PostgreSQL's planner takes an index whose first two columns are the
contact centre and the list to be as good as the primary key, and reads a whole list to change one of its records.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index anew."""
    op.drop_index("record_by_number", "record")
    op.create_index("record_by_number", "record", ["number_key", "contact_centre_id", "list_id"])
