"""PostgreSQL: the contact centre is in the key of the journal and of the attempt log, as it is in all others.

So every table that grows can be distributed by the contact centre (and those of records by centre and list); what is
left over are directories of a few rows, that each node would hold whole. The numbers still come first: the journal is
read in their order. SQLite keeps its row numbers: a file is not distributed.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE journal DROP CONSTRAINT journal_pkey",
    "ALTER TABLE journal ADD PRIMARY KEY (seq, contact_centre_id)",
    "DROP INDEX attempt_by_seq",
    # The time is there because the table is divided by it.
    "ALTER TABLE attempt_log ADD PRIMARY KEY (seq, contact_centre_id, at_ms)",
)


def upgrade() -> None:
    """Put the keys in the place of those over the number alone."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in _STATEMENTS:
            op.execute(statement)
