"""The tables of the first release.

Keys begin with the contact centre, and a record's with its list (decisions 10). There are no foreign keys: rows
are written in batches by one writer that knows what exists, and a check for each row would cost as much as the row.
Enumerations are numbers as in ``domain.enums``; texts named JSON hold structs of the domain.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_LAST_HANDLE = 2_147_483_647  # recordHandle is a 32-bit integer on the wire
_JOURNAL_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # INTEGER PRIMARY KEY is SQLite's own row number


def upgrade() -> None:
    """Make everything."""
    is_postgres = op.get_context().dialect.name == "postgresql"
    _reference_tables()
    _record_table()
    _desk_tables()
    if is_postgres:
        _sequences()
    else:
        _number_pool()
    _journal_tables(is_postgres=is_postgres)
    if is_postgres:
        # Room on each page keeps an update that touches no indexed column on its page (a heap-only tuple).
        op.execute("ALTER TABLE record SET (fillfactor = 85)")
        op.execute("ALTER TABLE desk SET (fillfactor = 85)")
        op.execute("ALTER TABLE delivery_cursor SET (fillfactor = 70)")  # nothing but updates, of the same few rows


def _reference_tables() -> None:
    op.create_table(
        "contact_centre",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "user_account",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("public_id", sa.Text, nullable=False, unique=True),
        sa.Column("user_name", sa.Text, nullable=False),
        sa.Column("first_name", sa.Text, nullable=False),
        sa.Column("last_name", sa.Text, nullable=False),
        sa.Column("email_address", sa.Text, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("features", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("is_enabled", sa.Boolean, nullable=False),
        sa.UniqueConstraint("contact_centre_id", "user_name"),
    )
    op.create_index("user_account_by_name", "user_account", ["user_name"])
    op.create_table(
        "device",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("device_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("phone_number", sa.Text, nullable=False),
        sa.Column("place_n", sa.Integer, nullable=False),
    )
    op.create_index("device_by_user", "device", ["contact_centre_id", "user_id"])
    for table, key in (("calling_list", "list_id"), ("campaign", "campaign_id")):
        op.create_table(
            table,
            sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column(key, sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("name", sa.Text, nullable=False),
            sa.Column("definition", sa.Text, nullable=False),
            sa.UniqueConstraint("contact_centre_id", "name"),
        )
    op.create_table(
        "directory_version",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO directory_version (id, version) VALUES (1, 0)")


def _record_table() -> None:
    op.create_table(
        "calling_window",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("list_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("window_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("from_s", sa.Integer, nullable=False),
        sa.Column("until_s", sa.Integer, nullable=False),
        sa.UniqueConstraint("contact_centre_id", "list_id", "time_zone", "from_s", "until_s"),
    )
    op.create_table(
        "record",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("list_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("chain_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("chain_n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("record_id", sa.BigInteger, nullable=False),
        sa.Column("phone_number", sa.Text, nullable=False),
        sa.Column("number_key", sa.Text, nullable=False),
        sa.Column("phone_type", sa.SmallInteger, nullable=False),
        sa.Column("record_type", sa.SmallInteger, nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("call_result", sa.SmallInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at_s", sa.BigInteger),
        sa.Column("called_at_s", sa.BigInteger),
        sa.Column("window_id", sa.Integer, nullable=False),
        sa.Column("campaign_id", sa.Integer),
        sa.Column("agent_id", sa.Integer),
        sa.Column("customer_id", sa.Text),
        sa.Column("treatments", sa.Text, nullable=False),
        sa.Column("other_fields", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("record_by_number", "record", ["contact_centre_id", "list_id", "number_key"])
    _partial("record_by_customer", "record", ["contact_centre_id", "list_id", "customer_id"], "customer_id IS NOT NULL")
    _partial(
        "record_fresh",
        "record",
        ["contact_centre_id", "list_id", "window_id", "priority", "chain_id", "chain_n"],
        "status = 1 AND due_at_s IS NULL",
    )
    _partial(
        "record_due", "record", ["contact_centre_id", "list_id", "due_at_s"], "status = 1 AND due_at_s IS NOT NULL"
    )
    _partial(
        "record_personal",
        "record",
        ["contact_centre_id", "agent_id", "due_at_s"],
        "status = 1 AND record_type IN (4, 5)",
    )


def _desk_tables() -> None:
    op.create_table(
        "desk",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("handle", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("list_id", sa.Integer, nullable=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("chain_n", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("device_id", sa.Text, nullable=False),
        sa.Column("campaign_id", sa.Integer, nullable=False),
        sa.Column("attempt_guid", sa.Text, nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger),
        sa.Column("is_settled", sa.Boolean, nullable=False),
        sa.Column("shares", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_index("desk_by_user", "desk", ["contact_centre_id", "user_id"])
    op.create_index("desk_by_chain", "desk", ["contact_centre_id", "list_id", "chain_id"])
    _partial("desk_by_lease", "desk", ["lease_until_ms"], "lease_until_ms IS NOT NULL")
    op.create_table(
        "suppression",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("value_key", sa.Text, primary_key=True),
        sa.Column("campaign_id", sa.Integer, primary_key=True, autoincrement=False, server_default="0"),
        sa.Column("added_at_ms", sa.BigInteger, nullable=False),
        sa.Column("added_by", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "preview_session",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("campaign_id", sa.Integer, primary_key=True, autoincrement=False),
    )
    op.create_table(
        "agent_session",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("device_id", sa.Text, nullable=False),
        sa.Column("state_name", sa.Text, nullable=False),
        sa.Column("started_at_ms", sa.BigInteger, nullable=False),
        sa.Column("place", sa.Text),
    )


def _sequences() -> None:
    op.execute(f"CREATE SEQUENCE handle_seq AS integer MAXVALUE {_LAST_HANDLE} NO CYCLE")
    op.execute("CREATE SEQUENCE record_seq NO CYCLE")
    op.execute("CREATE SEQUENCE chain_seq NO CYCLE")
    op.execute("CREATE SEQUENCE journal_seq NO CYCLE")


def _number_pool() -> None:
    op.create_table(
        "number_pool",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("next_value", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO number_pool (name, next_value) VALUES ('handle', 1), ('record', 1), ('chain', 1)")


def _journal_tables(*, is_postgres: bool) -> None:
    op.create_table(
        "journal",
        sa.Column(
            "seq",
            _JOURNAL_KEY,
            primary_key=True,
            autoincrement=False,
            server_default=sa.text("nextval('journal_seq')") if is_postgres else None,
        ),
        sa.Column("contact_centre_id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("request_type", sa.SmallInteger, nullable=False),
        sa.Column("door", sa.SmallInteger, nullable=False),
        sa.Column("campaign_id", sa.Integer),
        sa.Column("list_id", sa.Integer),
        sa.Column("handle", sa.Integer),
        sa.Column("outcome", sa.Integer, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("request_key", sa.BigInteger),
        sa.Column("elapsed_ns", sa.BigInteger, nullable=False),
        sa.Column("events", sa.LargeBinary),
    )
    _partial("journal_by_request_key", "journal", ["request_key"], "request_key IS NOT NULL")
    op.create_index("journal_by_user", "journal", ["contact_centre_id", "user_id", "seq"])
    op.create_table(
        "delivery_cursor",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("mark", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "import_run",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("list_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("import_id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("source_rows_done", sa.BigInteger, nullable=False),
        sa.Column("records_added", sa.BigInteger, nullable=False),
        sa.Column("rows_refused", sa.BigInteger, nullable=False),
        sa.Column("file_digest", sa.Text, nullable=False),
        sa.Column("started_at_ms", sa.BigInteger, nullable=False),
    )


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
