"""Migrations on both databases: up, again, at once, from a newer program, over foreign tables."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from trunkline.adapters.storage import make_store, migrate
from trunkline.app.directory import ReferenceBook
from trunkline.config import Config
from trunkline.domain.campaigns import CampaignList
from trunkline.domain.enums import DialMode, DoNotCallKind, GroupStatus, SuppressionScope
from trunkline.errors import Refused, Unavailable
from trunkline.main import Program

TABLES = {
    "agent_session",
    "alembic_version",
    "attempt_log",
    "buffer",
    "calling_window",
    "contact_centre",
    "delivery_cursor",
    "desk",
    "device",
    "directory_version",
    "group_state",
    "import_run",
    "journal",
    "journal_state",
    "object",
    "object_history",
    "preview_session",
    "record",
    "recycle_run",
    "recycle_undo",
    "schedule_run",
    "suppression",
    "user_account",
}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'trunkline.db'}"
    return str(request.getfixturevalue("postgres_url"))


def run_sql(url: str, sql: str) -> list[str]:
    """Run one statement as somebody else would; the first column of what it yields."""
    path = migrate.sqlite_path(url)
    if path is not None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return [str(row[0]) for row in connection.execute(sql)]

    async def ask() -> list[str]:
        connection = await asyncpg.connect(url)
        try:
            return [str(row[0]) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(ask())


def tables(url: str) -> set[str]:
    """Names of the tables of a database."""
    if url.startswith("sqlite"):
        return set(run_sql(url, "SELECT name FROM sqlite_master WHERE type = 'table'"))
    return set(run_sql(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))


def test_an_empty_database_gets_every_table_and_the_newest_version(url: str) -> None:
    """Upgrading an empty database makes all tables; doing it again changes nothing."""
    assert migrate.current(url) is None
    migrate.upgrade(url)
    assert migrate.current(url) == migrate.head()
    assert tables(url) == TABLES | ({"number_pool"} if url.startswith("sqlite") else {"attempt_log_rest"})
    migrate.upgrade(url)
    assert migrate.current(url) == migrate.head()


def test_the_dry_run_shows_the_sql_and_changes_nothing(url: str) -> None:
    """``pending_sql`` names what would be made, leaves the database empty, and is empty afterwards."""
    text = migrate.pending_sql(url)
    assert "CREATE TABLE record (" in text
    assert "number_pool" in text if url.startswith("sqlite") else "CREATE SEQUENCE handle_seq" in text
    assert migrate.current(url) is None
    migrate.upgrade(url)
    assert migrate.pending_sql(url) == ""


def test_processes_that_start_together_migrate_once(url: str) -> None:
    """Four upgrades at the same time all succeed: one works, the others wait and find nothing to do."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        for result in [pool.submit(migrate.upgrade, url) for _ in range(4)]:
            result.result()
    assert run_sql(url, "SELECT version_num FROM alembic_version") == [migrate.head()]


def test_a_database_of_a_newer_program_is_refused(url: str) -> None:
    """A version this program does not know is left alone, with a sentence that says what to do."""
    migrate.upgrade(url)
    run_sql(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refused, match="9999"):
        migrate.upgrade(url)
    with pytest.raises(Refused, match="newer"):
        migrate.pending_sql(url)
    assert migrate.current(url) == "9999"


def test_tables_of_somebody_else_are_refused_and_nothing_is_half_done(url: str) -> None:
    """A migration that fails in the middle leaves no table behind: it is one transaction."""
    run_sql(url, "CREATE TABLE journal (id INTEGER)")
    with pytest.raises(Refused, match="did not make"):
        migrate.upgrade(url)
    assert tables(url) == {"journal"}


def test_it_works_while_an_event_loop_runs(url: str) -> None:
    """The upgrade may be called from a coroutine: it brings its own loop."""

    async def inside() -> str | None:
        migrate.upgrade(url)
        return migrate.current(url)

    assert asyncio.run(inside()) == migrate.head()


def test_a_fresh_sqlite_file_writes_ahead(tmp_path: Path) -> None:
    """A new SQLite database is in WAL mode, and its hot tables are stored by their key."""
    url = f"sqlite:///{tmp_path / 'trunkline.db'}"
    migrate.upgrade(url)
    assert run_sql(url, "PRAGMA journal_mode") == ["wal"]
    made = "".join(run_sql(url, "SELECT sql FROM sqlite_master WHERE name IN ('record', 'desk')"))
    assert made.count("WITHOUT ROWID") == 2


def test_each_database_gets_a_journal_of_its_own_name(url: str, tmp_path: Path) -> None:
    """The epoch is drawn when the migration runs: short, and another one in another database."""
    other = f"sqlite:///{tmp_path / 'other.db'}"
    epochs = []
    for database_url in (url, other):
        migrate.upgrade(database_url)
        epochs += run_sql(database_url, "SELECT epoch FROM journal_state")
    assert len(set(epochs)) == 2
    assert all(re.fullmatch("[a-z0-9]{12}", epoch) for epoch in epochs)


def test_a_database_of_the_first_version_gets_its_epoch(url: str) -> None:
    """What was there stays; rows that were pruned before count as pruned, and a second upgrade draws nothing anew."""
    migrate.upgrade(url, "0001")
    run_sql(
        url,
        "INSERT INTO journal (seq, contact_centre_id, user_id, at_ms, request_type, door, outcome, elapsed_ns) "
        "VALUES (8, 1, 1, 1, 1, 1, 0, 0)",
    )
    migrate.upgrade(url)
    assert run_sql(url, "SELECT pruned_to FROM journal_state") == ["7"]
    before = run_sql(url, "SELECT epoch FROM journal_state")
    migrate.upgrade(url)
    assert run_sql(url, "SELECT epoch FROM journal_state") == before
    assert run_sql(url, "SELECT seq FROM journal") == ["8"]


_CAMPAIGN = """{"contact_centre_id": 1, "campaign_id": 201, "name": "Sales", "application_id": 134, "description": "d",
"group_id": 301, "group_name": "Sales@North", "group_description": "g", "dial_mode": 3, "status": 5,
"suppression_scope": "campaign only", "lists": [{"list_id": 101, "share": 5, "is_active": false}], "agents": [1, 2]}"""
_LIST = """{"contact_centre_id": 1, "list_id": 101, "name": "Käufer", "from_s": 3600, "until_s": 7200,
"max_attempts": 3, "default_time_zone": "Europe/Paris", "default_region": "FR", "refuses_duplicates": true,
"fields": [{"name": "note", "is_sent": false, "is_read_only": true, "is_mandatory": true}]}"""


def test_lists_and_campaigns_become_objects(url: str) -> None:
    """A campaign that had its group inside is the same campaign afterwards, and do-not-call entries still hold."""
    migrate.upgrade(url, "0003")
    run_sql(url, "INSERT INTO contact_centre (id, name) VALUES (1, 'North')")
    run_sql(url, f"INSERT INTO calling_list VALUES (1, 101, 'Käufer', '{_LIST}')")
    run_sql(url, f"INSERT INTO campaign VALUES (1, 201, 'Sales', '{_CAMPAIGN}')")
    run_sql(
        url,
        "INSERT INTO suppression (contact_centre_id, kind, value_key, added_at_ms, reason, value) "
        "VALUES (1, 'number', '331', 5, 'asked', '+33 1')",
    )
    run_sql(url, "INSERT INTO calling_window VALUES (1, 101, 1, 'UTC', 0, 86400)")
    migrate.upgrade(url)

    async def look() -> tuple[ReferenceBook, set[tuple[DoNotCallKind, str]]]:
        store = make_store(url)
        await store.open()
        try:
            asked = [(DoNotCallKind.NUMBER, key) for key in ("331", "332")]
            async with store.begin() as unit:
                hits = await unit.suppressed(1, 201, [], 0, asked)
            return ReferenceBook(await store.directory()), set(hits)
        finally:
            await store.close()

    book, hits = asyncio.run(look())
    assert hits == {(DoNotCallKind.NUMBER, "331")}
    campaign = book.campaign(1, "Sales")
    assert (campaign.application_id, campaign.group_name) == (134, "Sales@North")
    assert [state.status for state in book.group_states] == [GroupStatus.RUNNING]
    assert (campaign.lists, campaign.agents) == ((CampaignList(101, 5, is_active=False),), frozenset({1, 2}))
    assert (campaign.dial_mode, campaign.suppression_scope) == (DialMode.PREVIEW, SuppressionScope.CAMPAIGN)
    calling_list = book.list_named(1, "Käufer")
    assert (calling_list.max_attempts, calling_list.fields[0].name) == (3, "note")
    (versions,) = run_sql(url, "SELECT count(*) FROM object_history WHERE version = 1")
    assert versions == "4"


def test_migrating_makes_room_for_attempts(postgres_url: str) -> None:
    """The command leaves parts of the attempt log for this month and the next ones; doing it again adds none."""
    program = Program()
    config = Config(database_url=postgres_url)
    for _ in range(2):
        program.migrate(config)
        parts = run_sql(postgres_url, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'attempt_log'::regclass")
        assert parts == ["4"]


def test_postgres_keeps_room_for_updates_in_place(postgres_url: str) -> None:
    """The record table leaves a part of each page free, and handles stay within 32 bits."""
    migrate.upgrade(postgres_url)
    assert run_sql(postgres_url, "SELECT reloptions::text FROM pg_class WHERE relname = 'record'") == [
        "{fillfactor=90}"
    ]
    assert run_sql(postgres_url, "SELECT max_value FROM pg_sequences WHERE sequencename = 'handle_seq'") == [
        "2147483647"
    ]


# A few rows that every node would hold whole: who is there at all, and one row of state each.
_DIRECTORIES = {"alembic_version", "contact_centre", "directory_version", "journal_state", "user_account"}
# Tables whose rows belong to one calling list each.
_OF_ONE_LIST = {"buffer", "calling_window", "import_run", "record", "recycle_run", "recycle_undo"}


def test_tables_can_be_distributed_by_contact_centre_and_list(postgres_url: str) -> None:
    """Each table has a key, each key that must be unique holds the contact centre, and of a list's tables the list."""
    Program().migrate(Config(database_url=postgres_url))
    keys = run_sql(
        postgres_url,
        "SELECT c.relname || ' ' || array_to_string(ARRAY(SELECT a.attname FROM pg_attribute a"
        " WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey)), ' ')"
        " FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')",
    )
    found = [(line.split()[0], set(line.split()[1:])) for line in keys]
    assert {name for name, _ in found if not name.startswith("attempt_log_")} == TABLES
    for name, columns in found:
        assert name in _DIRECTORIES or "contact_centre_id" in columns, (name, columns)
        assert name not in _OF_ONE_LIST or "list_id" in columns, (name, columns)


@pytest.mark.parametrize("address", ["sqlite://relative.db", "mysql://localhost/x", "trunkline.db", "sqlite:///here"])
def test_other_addresses_are_refused(address: str) -> None:
    """Only absolute SQLite paths and PostgreSQL addresses are taken."""
    with pytest.raises(Refused, match="absolute/path"):
        migrate.upgrade(address)


def test_a_database_that_cannot_be_reached_is_unavailable(tmp_path: Path) -> None:
    """No server, no folder: ``Unavailable``, not a driver's error."""
    with pytest.raises(Unavailable):
        migrate.upgrade("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(Unavailable):
        migrate.upgrade(f"sqlite:///{tmp_path / 'absent' / 'trunkline.db'}")
