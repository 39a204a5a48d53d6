"""What a client must know of the journal to continue from a place in it: its name, and how far it was pruned.

The epoch is drawn by the database itself, so that each database gets its own, whoever runs the text. Positions that
were never given out cannot be asked for, so a journal that exists already counts as pruned up to its first row.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Twelve random hexadecimal digits; those of a uuid of version 4 are random up to the twelfth.
_EPOCH = {"sqlite": "lower(hex(randomblob(6)))", "postgresql": "left(replace(gen_random_uuid()::text, '-', ''), 12)"}


def upgrade() -> None:
    """Make the table and its only row."""
    op.create_table(
        "journal_state",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("pruned_to", sa.BigInteger, nullable=False),
    )
    epoch = _EPOCH[op.get_context().dialect.name]
    op.execute(
        "INSERT INTO journal_state (id, epoch, pruned_to) "  # noqa: S608 - from the table above
        f"VALUES (1, {epoch}, coalesce((SELECT min(seq) FROM journal), 1) - 1)"
    )
