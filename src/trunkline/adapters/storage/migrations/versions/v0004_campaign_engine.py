"""The tables of the campaign engine.

Everything that a supervisor configures is an object: one table, one history. Lists and campaigns move into it; a
campaign of before, which had its one group inside, becomes a campaign, an agent group, a campaign group and its state.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # INTEGER PRIMARY KEY is SQLite's own row number


def upgrade() -> None:
    """Make the tables and move what there is."""
    is_postgres = op.get_context().dialect.name == "postgresql"
    _objects()
    _move_lists_and_campaigns(is_postgres=is_postgres)
    _records()
    _suppressions()
    if is_postgres:
        for table in ("calling_window", "suppression"):
            op.execute(f"ALTER INDEX {table}_new_pkey RENAME TO {table}_pkey")
    _attempts(is_postgres=is_postgres)
    _recycling()
    op.create_table(
        "schedule_run",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("schedule_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("item_n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("due_at_s", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("done_at_ms", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
    )


def _objects() -> None:
    op.create_table(
        "object",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("object_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("changed_at_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.Integer),
    )
    op.create_index("object_by_name", "object", ["contact_centre_id", "kind", "name"], unique=True)
    _partial(
        "object_by_reference",
        "object",
        ["contact_centre_id", "kind", "reference"],
        "reference IS NOT NULL",
        unique=True,
    )
    op.create_table(
        "object_history",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("object_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("definition", sa.Text),
        sa.Column("changed_at_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "group_state",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("campaign_group_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("dial_mode", sa.SmallInteger, nullable=False),
        sa.Column("optimize_by", sa.SmallInteger, nullable=False),
        sa.Column("optimize_goal", sa.Integer, nullable=False),
        sa.Column("changed_at_ms", sa.BigInteger, nullable=False),
        sa.Column("schedule_id", sa.Integer, nullable=False),
    )
    op.add_column("user_account", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.add_column("user_account", sa.Column("reference", sa.Text))
    op.add_column("user_account", sa.Column("skills", sa.Text, nullable=False, server_default="{}"))
    _partial("user_account_with_skills", "user_account", ["contact_centre_id", "user_id"], "skills <> '{}'")
    _partial(
        "user_account_by_reference",
        "user_account",
        ["contact_centre_id", "reference"],
        "reference IS NOT NULL",
        unique=True,
    )


def _add_objects(kind: str, key: str, name: str, definition: str, table: str) -> None:
    """Rows of a table as objects; every argument is a text of this module."""
    op.execute(
        "INSERT INTO object (contact_centre_id, kind, object_id, name, version, definition, changed_at_ms) "  # noqa: S608
        f"SELECT contact_centre_id, '{kind}', {key}, {name}, 1, {definition}, 0 FROM {table}"
    )


def _move_lists_and_campaigns(*, is_postgres: bool) -> None:
    """Split what was stored as one text; each part keeps its number."""
    _add_objects("calling-list", "list_id", "name", "definition", "calling_list")
    for kind, keys in (
        ("campaign", ("contact_centre_id", "campaign_id", "name", "description", "suppression_scope", "lists")),
        ("agent-group", ("contact_centre_id", "agent_group_id:campaign_id", "name", "user_ids:agents")),
        (
            "campaign-group",
            (
                *("contact_centre_id", "campaign_group_id:campaign_id", "campaign_id", "agent_group_id:campaign_id"),
                *("name:group_name", "description:group_description", "application_id", "dial_mode"),
            ),
        ),
    ):
        group_name = _value("group_name", is_postgres=is_postgres, as_text=True)
        name = f"coalesce(nullif({group_name}, ''), name)" if kind == "campaign-group" else "name"
        _add_objects(kind, "campaign_id", name, _built(keys, is_postgres=is_postgres), "campaign")
    status, mode = (_value(key, is_postgres=is_postgres, as_text=True) for key in ("status", "dial_mode"))
    op.execute(
        "INSERT INTO group_state (contact_centre_id, campaign_group_id, status, dial_mode, optimize_by, "  # noqa: S608 - texts from this module
        "optimize_goal, changed_at_ms, schedule_id) SELECT contact_centre_id, campaign_id, "
        f"CAST({status} AS integer), CAST({mode} AS integer), 1, 85, 0, 0 FROM campaign"
    )
    op.execute(
        "INSERT INTO object_history (contact_centre_id, kind, object_id, version, definition, changed_at_ms, reason) "
        "SELECT contact_centre_id, kind, object_id, version, definition, changed_at_ms, 'moved' FROM object"
    )
    op.drop_table("calling_list")
    op.drop_table("campaign")


def _value(key: str, *, is_postgres: bool, as_text: bool = False) -> str:
    """A key of a campaign's text, as JSON or as SQL text."""
    if is_postgres:
        return f"(definition::json ->{'>' if as_text else ''} '{key}')"
    return f"json_extract(definition, '$.{key}')"


def _built(keys: tuple[str, ...], *, is_postgres: bool) -> str:
    """JSON text of some keys; ``new:old`` renames."""
    pairs = []
    for key in keys:
        new, _, old = key.partition(":")
        value = _value(old or new, is_postgres=is_postgres)
        if not is_postgres and (old or new) in ("lists", "agents"):
            value = f"json({value})"
        pairs.append(f"'{new}', {value}")
    return f"CAST({'json_build_object' if is_postgres else 'json_object'}({', '.join(pairs)}) AS text)"


def _records() -> None:
    op.add_column("record", sa.Column("hold", sa.SmallInteger, nullable=False, server_default="0"))
    op.add_column("desk", sa.Column("permitted_at_ms", sa.BigInteger, nullable=False, server_default="0"))
    # A window has more values now, so their key changes; SQLite cannot drop a constraint of a table.
    op.create_table(
        "calling_window_new",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("list_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("window_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("from_s", sa.Integer, nullable=False),
        sa.Column("until_s", sa.Integer, nullable=False),
        sa.Column("region", sa.Text, nullable=False, server_default=""),
        sa.Column("other_zones", sa.Text, nullable=False, server_default="[]"),
    )
    op.execute(
        "INSERT INTO calling_window_new (contact_centre_id, list_id, window_id, time_zone, from_s, until_s) "
        "SELECT contact_centre_id, list_id, window_id, time_zone, from_s, until_s FROM calling_window"
    )
    op.drop_table("calling_window")
    op.rename_table("calling_window_new", "calling_window")
    op.create_index(
        "calling_window_by_value",
        "calling_window",
        ["contact_centre_id", "list_id", "time_zone", "from_s", "until_s", "region", "other_zones"],
        unique=True,
    )
    op.create_table(
        "buffer",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("list_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("chain_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("campaign_group_id", sa.Integer, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("taken_at_ms", sa.BigInteger, nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("buffer_by_group", "buffer", ["contact_centre_id", "campaign_group_id", "place"])
    op.create_index("buffer_by_lease", "buffer", ["lease_until_ms"])


def _suppressions() -> None:
    op.create_table(
        "suppression_new",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("value_key", sa.Text, primary_key=True),
        sa.Column("suppression_list_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("campaign_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("expires_at_s", sa.BigInteger),
        sa.Column("added_at_ms", sa.BigInteger, nullable=False),
        sa.Column("added_by", sa.Integer),
        sa.Column("source", sa.Text, nullable=False, server_default=""),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.execute(
        "INSERT INTO suppression_new (contact_centre_id, kind, value_key, suppression_list_id, campaign_id, value, "
        "added_at_ms, added_by, reason) SELECT contact_centre_id, kind, value_key, 0, campaign_id, value, "
        "added_at_ms, added_by, reason FROM suppression"
    )
    op.drop_table("suppression")
    op.rename_table("suppression_new", "suppression")
    op.create_index(
        "suppression_by_list", "suppression", ["contact_centre_id", "suppression_list_id", "kind", "value_key"]
    )
    _partial("suppression_by_expiry", "suppression", ["expires_at_s"], "expires_at_s IS NOT NULL")


def _attempts(*, is_postgres: bool) -> None:
    """The attempt log. PostgreSQL keeps it in parts by time; what falls into none goes into the default part."""
    texts = ("attempt_guid", "number_key", "person_key", "time_zone", "other_zones", "region")
    columns: list[sa.Column[Any]] = [
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("contact_centre_id", sa.Integer, nullable=False),
        sa.Column("step", sa.SmallInteger, nullable=False),
        sa.Column("list_id", sa.Integer, nullable=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("chain_n", sa.Integer, nullable=False),
        sa.Column("record_id", sa.BigInteger, nullable=False),
        sa.Column("campaign_id", sa.Integer),
        sa.Column("campaign_group_id", sa.Integer),
        sa.Column("agent_id", sa.Integer),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("call_result", sa.SmallInteger, nullable=False),
        sa.Column("record_type", sa.SmallInteger, nullable=False),
        sa.Column("from_s", sa.Integer, nullable=False),
        sa.Column("until_s", sa.Integer, nullable=False),
        sa.Column("rule_set_id", sa.Integer, nullable=False),
        sa.Column("rule_set_version", sa.Integer, nullable=False),
        sa.Column("detail", sa.Text),
    ]
    if is_postgres:
        op.execute("CREATE SEQUENCE attempt_seq NO CYCLE")
        seq = sa.Column("seq", sa.BigInteger, nullable=False, server_default=sa.text("nextval('attempt_seq')"))
        op.create_table("attempt_log", seq, *columns, postgresql_partition_by="RANGE (at_ms)")
        op.execute("CREATE TABLE attempt_log_rest PARTITION OF attempt_log DEFAULT")
    else:
        op.create_table("attempt_log", sa.Column("seq", _BIG_KEY, primary_key=True), *columns)
    if is_postgres:
        op.create_index("attempt_by_seq", "attempt_log", ["seq"])
    op.create_index("attempt_by_number", "attempt_log", ["contact_centre_id", "number_key", "at_ms"])
    op.create_index("attempt_by_person", "attempt_log", ["contact_centre_id", "person_key", "at_ms"])
    op.create_index("attempt_by_chain", "attempt_log", ["contact_centre_id", "list_id", "chain_id", "at_ms"])


def _recycling() -> None:
    op.create_table(
        "recycle_run",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("list_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
        sa.Column("made_by", sa.Integer),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("records", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
    op.create_table(
        "recycle_undo",
        sa.Column("contact_centre_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("list_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("chain_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("chain_n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
    )


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
