"""What only SQLite has: its file and settings, its plans, its failures, its threads."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.storage import CENTRE, LIST, Storage, add, ask, record, row, save
from trunkline.adapters.storage import make_store, sqlite_thread
from trunkline.adapters.storage.queries import sqlite_queries
from trunkline.adapters.storage.sqlite import SqliteStore
from trunkline.adapters.storage.sqlite_connection import Statements, connect
from trunkline.adapters.storage.sqlite_numbers import NumberPools
from trunkline.adapters.storage.sqlite_thread import DatabaseThread
from trunkline.app.ports import Store
from trunkline.errors import Defect, Refused, Unavailable

BIG_TABLES = re.compile(r"^SCAN (r|d|j|s|u|record|desk|journal|suppression|user_account|attempt_log)\b")

INDEXES = {
    "held": "PRIMARY KEY",
    "desk_of": "desk_by_user",
    "desk_page": "PRIMARY KEY",
    "expired": "desk_by_lease",
    "entries_of_chain": "desk_by_chain",
    "records_by_number": "record_by_number",
    "records_by_customer": "record_by_customer",
    "due_callbacks": "record_personal",
    "own_callbacks": "record_personal",
    "due_callbacks_of_list": "record_claim_due",
    "due_heads": "record_claim_due",
    "fresh_heads": "record_claim_fresh",
    "pick_due": "record_claim_due",
    "pick_fresh": "record_claim_fresh",
    "take_chains": "PRIMARY KEY",
    "buffered": "buffer_by_group",
    "buffers_ended": "buffer_by_lease",
    "repeats": "journal_by_request_key",
    "newest": "journal_by_user",
    "rows_after": "journal_by_user",
    "audit": "INTEGER PRIMARY KEY",
    "audit_of_user": "journal_by_user",
    "suppressed": "sqlite_autoindex_suppression_1 (contact_centre_id=? AND kind=? AND value_key=?)",
    "suppression_entries": "suppression_by_list",
    "suppression_counts": "suppression_by_list",
    "lift": "sqlite_autoindex_suppression_1",
    "attempts_of": "attempt_by_number (contact_centre_id=? AND number_key=? AND at_ms>?)",
    "attempts_of_chain": "attempt_by_chain",
    "attempts": "INTEGER PRIMARY KEY",
    "users_by_name": "user_account_by_name",
}

IN_ORDER = {
    "audit",
    "desk_page",
    "audit_of_user",
    "newest",
    "rows_after",
    "expired",
    "fresh_heads",
    "pick_fresh",
    "prune",
}
IN_ORDER |= {"attempts", "attempts_of_chain", "drop_attempts", "drop_suppressions"}


def path_of(url: str) -> Path:
    """The file of an address."""
    return Path(url.removeprefix("sqlite:///"))


def storage_of(url: str) -> Storage:
    """The suite's view of a SQLite file."""
    return Storage("sqlite", url, lambda: make_store(url))


async def on_writer(store: Store, statement: str) -> None:
    """Run a statement on the store's write connection."""
    assert isinstance(store, SqliteStore)
    assert store._writer is not None
    assert store._transactions is not None
    await store._writer.run(store._transactions._connection.execute, statement)


def plan_of(connection: sqlite3.Connection, name: str) -> list[str]:
    """How SQLite would run a statement, a line for each step."""
    queries = sqlite_queries()
    if "$rows" in queries[name]:
        text = queries.bulk(name, 64)
        parameters: object = (None,) * (64 * queries.width(name))
    else:
        text = queries[name].replace("$condition", "r.attempts < 3")
        parameters = dict.fromkeys(re.findall(r":(\w+)", text))
    return [line[3] for line in connection.execute(f"EXPLAIN QUERY PLAN {text}", parameters)]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", list(sqlite_queries()))
def test_no_statement_reads_a_whole_table(sqlite_url: str, name: str) -> None:
    """Every statement finds rows of large tables by an index, the hot ones by the index that was made for them."""
    with closing(connect(path_of(sqlite_url))) as connection:
        plan = plan_of(connection, name)
    # These read a log from one of its ends, no further than their limit; skills and names of accounts are small, and
    # their indexes are read whole.
    whole = ("note_pruned", "prune", "drop_attempts", "recent_request_keys", "skills", "namesakes")
    assert name in whole or not [line for line in plan if BIG_TABLES.match(line)], plan
    assert INDEXES.get(name, "") in "\n".join(plan)
    # Who asks for a page of a long row of rows must not wait until all of it is sorted.
    assert name not in IN_ORDER or not [line for line in plan if "TEMP B-TREE" in line], plan


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    """Opening makes no file: an address with a slip must not become an empty database."""
    path = tmp_path / "none.db"
    with pytest.raises(Unavailable):
        asyncio.run(make_store(f"sqlite:///{path}").open())
    assert not path.exists()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """Another kind of file is refused and left as it is."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database\n" * 100)
    with pytest.raises(Unavailable):
        asyncio.run(make_store(f"sqlite:///{path}").open())
    assert path.read_text().startswith("not a database\n")


def test_a_file_without_write_ahead_log(sqlite_url: str) -> None:
    """A database somebody switched to another journal mode is refused, and nothing of the store stays behind."""
    with closing(sqlite3.connect(path_of(sqlite_url))) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    before = threading.active_count()
    with pytest.raises(Unavailable, match="wal"):
        asyncio.run(make_store(sqlite_url).open())
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "change", ["DROP TABLE alembic_version", "UPDATE alembic_version SET version_num = '0000'"], ids=["none", "other"]
)
def test_a_schema_of_another_version(sqlite_url: str, change: str) -> None:
    """The schema must be the program's own."""
    with closing(sqlite3.connect(path_of(sqlite_url), isolation_level=None)) as connection:
        connection.execute(change)
    with pytest.raises(Unavailable, match="version"):
        asyncio.run(make_store(sqlite_url).open())


def test_an_open_store_flushes_every_commit(sqlite_url: str) -> None:
    """The write connection is in the mode in which an answered request outlives a power failure."""

    async def check(store: Store) -> None:
        assert isinstance(store, SqliteStore)
        assert store._writer is not None
        assert store._transactions is not None
        execute = store._transactions._connection.execute

        def settings() -> list[object]:
            return [execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")]

        assert await store._writer.run(settings) == [2, "wal"]
        with pytest.raises(Defect):
            await store.open()

    storage_of(sqlite_url).run(check)


@pytest.mark.parametrize("url", ["", "sqlite:relative.db", "sqlite:///relative.db", "mysql://x/y", "/tmp/x.db"])
def test_addresses_that_are_none(url: str) -> None:
    """Only the documented forms of an address are taken."""
    with pytest.raises(Refused):
        make_store(url)


def test_a_full_disk(sqlite_url: str) -> None:
    """A unit that finds no room fails and leaves nothing; the store goes on when there is room again."""

    async def check(store: Store) -> None:
        await add(store, record(1))
        await on_writer(store, "PRAGMA max_page_count = 1")  # SQLite takes the present size when that is larger
        many = [record(n, other_fields={"note": "x" * 4000}) for n in range(10, 400)]
        with pytest.raises(Unavailable):
            await save(store, new_records=many, journal=[row()])
        assert await ask(store, "chain", CENTRE, LIST, 10) == []
        await on_writer(store, "PRAGMA max_page_count = 1000000")
        await add(store, *many)
        assert await ask(store, "chain", CENTRE, LIST, 399) == many[-1:]

    storage_of(sqlite_url).run(check)


def test_a_program_that_holds_the_file(sqlite_url: str) -> None:
    """While another program writes for too long, units are unavailable and reads are not; then all is well."""

    async def check(store: Store) -> None:
        await on_writer(store, "PRAGMA busy_timeout = 1")
        with closing(sqlite3.connect(path_of(sqlite_url), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable):
                await ask(store, "chain", CENTRE, LIST, 1)
            assert await store.users(CENTRE) == []
        await add(store, record(1))

    storage_of(sqlite_url).run(check)


def test_handles_come_to_an_end(sqlite_url: str) -> None:
    """The last handle is the last of 32 bits; after it there are none, rather than ones used before."""
    with closing(sqlite3.connect(path_of(sqlite_url), isolation_level=None)) as connection:
        connection.execute("UPDATE number_pool SET next_value = ? WHERE name = 'handle'", (2**31 - 3,))

    async def check(store: Store) -> None:
        async with store.begin() as unit:
            assert list((await unit.take_numbers(handles=2))[0]) == [2**31 - 3, 2**31 - 2]
            assert list((await unit.take_numbers(handles=1))[0]) == [2**31 - 1]
            with pytest.raises(Unavailable):
                await unit.take_numbers(handles=1)

    storage_of(sqlite_url).run(check)


def test_numbers_when_the_pool_cannot_be_written(sqlite_url: str) -> None:
    """Numbers of a transaction that was rolled back while the file was taken are asked for anew, never repeated."""
    path = path_of(sqlite_url)
    with closing(connect(path)) as mine, closing(connect(path)) as other:
        mine.execute("PRAGMA busy_timeout = 1")
        pools = NumberPools(Statements(mine))
        mine.execute("BEGIN IMMEDIATE")
        seen = list(pools.take("chain", 10))
        mine.execute("ROLLBACK")
        other.execute("BEGIN IMMEDIATE")
        pools.rolled_back()
        other.execute("ROLLBACK")
        mine.execute("BEGIN IMMEDIATE")
        seen += pools.take("chain", 10)
        mine.execute("COMMIT")
        pools.committed()
    assert seen == list(range(1, 21))


def test_a_defect_in_a_statement(sqlite_url: str) -> None:
    """Values that the database does not take are our defect, not the caller's, and the store goes on."""

    async def check(store: Store) -> None:
        with pytest.raises(OverflowError):
            await save(store, journal=[row(request_key=2**64)])
        with pytest.raises(Defect):
            await save(store, new_records=[record(1, treatments=None)])
        await add(store, record(1))

    storage_of(sqlite_url).run(check)


def test_a_thread_that_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """More calls than the limit are refused at once; those taken are answered in order, also the dropped ones run."""
    monkeypatch.setattr(sqlite_thread, "MAX_WAITING", 3)

    async def main() -> None:
        thread = DatabaseThread("test")
        gate = threading.Event()
        done: list[int] = []
        first = thread.post(gate.wait, 60)
        second, third = (thread.post(done.append, n) for n in range(2))
        with pytest.raises(Unavailable):
            await thread.run(done.append, 9)
        second.cancel()
        gate.set()
        await asyncio.gather(first, third)
        await thread.run(done.append, 2)
        await thread.end(lambda: done.append(3))
        assert done == [0, 1, 2, 3]
        with pytest.raises(Unavailable):
            thread.post(done.append, 4)

    asyncio.run(main())


def test_a_loop_that_is_gone() -> None:
    """A result for an event loop that has ended is dropped, and the thread serves the next one."""
    gate = threading.Event()
    threads: list[DatabaseThread] = []

    async def leave() -> None:
        threads.append(DatabaseThread("test"))
        threads[0].post(gate.wait, 60)

    async def use() -> int:
        result = await threads[0].run(lambda: 5)
        await threads[0].end(lambda: None)
        return result

    asyncio.run(leave())
    gate.set()
    assert asyncio.run(use()) == 5


def test_one_server_at_a_time(sqlite_url: str) -> None:
    """A second server on the file is refused while the first runs, a tool is not; afterwards the file is free."""

    async def main() -> None:
        first, second = (make_store(sqlite_url, exclusive=True) for _ in range(2))
        await first.open()
        with pytest.raises(Refused):
            await second.open()
        tool = make_store(sqlite_url)
        await tool.open()
        await add(tool, record(1))
        await tool.close()
        await first.close()
        await second.open()
        assert await ask(second, "chain", CENTRE, LIST, 1) == [record(1)]
        await second.close()

    asyncio.run(main())
