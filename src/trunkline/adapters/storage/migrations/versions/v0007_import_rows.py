"""How many rows the file of an import has, so that its progress can be told as a part of the whole."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of imports of before it is not known, which is 0."""
    op.add_column("import_run", sa.Column("source_rows", sa.BigInteger, nullable=False, server_default="0"))
