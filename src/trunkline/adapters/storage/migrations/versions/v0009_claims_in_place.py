"""PostgreSQL: a record that is claimed, or given back, keeps its place in all indexes.

An update that changes nothing that an index holds or asks for writes the row alone (a heap-only tuple). So what claims
and callbacks are found by are columns of their own, made from the status, that a claim does not change; and pages keep
room for the next version of their rows. ``is_alone`` says that a record is the only one of its chain, so that a claim
need not look; false when that is not known. SQLite keeps its indexes: it writes a row's entries where they differ.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEYS = "contact_centre_id, list_id, window_id, priority"
_CLAIMABLE = "is_claimable AND phone_type NOT IN (10, 11)"
_STATEMENTS = (
    # READY, or RETRIEVED: in a buffer or on a desk.
    (
        "ALTER TABLE record"
        " ADD COLUMN is_claimable boolean NOT NULL GENERATED ALWAYS AS (status IN (1, 2)) STORED,"
        " ADD COLUMN callback_status smallint GENERATED ALWAYS AS"
        " (CASE WHEN record_type IN (4, 5, 6) THEN status END) STORED,"
        " ADD COLUMN is_alone boolean NOT NULL DEFAULT false"
    ),
    "ALTER TABLE record SET (fillfactor = 90)",
    "DROP INDEX record_claim_fresh, record_claim_due, record_callback, record_personal",
    (
        f"CREATE INDEX record_claim_fresh ON record ({_KEYS}, chain_id, chain_n, attempts)"
        f" WHERE {_CLAIMABLE} AND due_at_s IS NULL"
    ),
    (
        f"CREATE INDEX record_claim_due ON record ({_KEYS}, due_at_s, chain_id, chain_n, attempts)"
        f" WHERE {_CLAIMABLE} AND due_at_s IS NOT NULL"
    ),
    (
        "CREATE INDEX record_callback ON record"
        " (contact_centre_id, callback_status, due_at_s, list_id, chain_id, chain_n)"
        " WHERE callback_status IS NOT NULL AND due_at_s IS NOT NULL"
    ),
    (
        "CREATE INDEX record_personal ON record (contact_centre_id, agent_id, due_at_s)"
        " WHERE callback_status = 1 AND record_type IN (4, 5)"
    ),
    # Some hundred rows for each group that runs: read whole sooner than kept in order with each claim.
    "DROP INDEX buffer_by_lease",
)


def upgrade() -> None:
    """Add the columns and make the indexes over them; this writes the table of records anew."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in _STATEMENTS:
            op.execute(statement)
