"""What happens when the server goes away: the next unit reconnects, and an unknown outcome is said to be one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from tests.stores.storage import add, ask, by_key, record, row, save
from tests.support.postgres import PostgresServer
from trunkline.adapters.storage.postgres import PostgresStore
from trunkline.adapters.storage.postgres_server import translated
from trunkline.app.ports import Changes, Conflict, DeskKey
from trunkline.errors import AlreadyExists, Unavailable

pytestmark = pytest.mark.postgres


def run(url: str, check: Callable[[PostgresStore], Awaitable[None]], *, exclusive: bool = False) -> None:
    """Run a check with an open store."""

    async def main() -> None:
        store = PostgresStore(url, exclusive=exclusive)
        await store.open()
        try:
            await check(store)
        finally:
            await store.close()

    asyncio.run(main())


async def kill_writer(store: PostgresStore, url: str) -> None:
    """End the server's side of the writing connection, as an operator or a fail-over does; returns when it is gone."""
    assert store._writer is not None
    pid = store._writer.get_server_pid()
    operator = await asyncpg.connect(url)
    try:
        await operator.execute("SELECT pg_terminate_backend($1, 10000)", pid)
    finally:
        await operator.close()


def test_a_restarted_server_is_found_again(own_server: PostgresServer, own_url: str) -> None:
    """While the server is down units and reads are ``Unavailable``; when it is back they work, and nothing is lost."""

    async def check(store: PostgresStore) -> None:
        await add(store, record(1))
        await store.directory_version()
        own_server.crash()
        with pytest.raises(Unavailable):
            await save(store, new_records=[record(2)])
        with pytest.raises(Unavailable):
            await store.directory_version()
        own_server.start()
        await save(store, new_records=[record(3)])
        assert await store.directory_version() == 0
        assert await ask(store, "chain", 1, 10, 1) == [record(1)]
        assert await ask(store, "chain", 1, 10, 2) == []
        assert await ask(store, "chain", 1, 10, 3) == [record(3)]

    run(own_url, check, exclusive=True)


def test_a_server_without_flush_after_a_restart_is_not_used(
    own_server: PostgresServer, own_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks of opening hold for every connection: a server that came back unsafe gets no requests."""
    from tests.support import postgres

    async def check(store: PostgresStore) -> None:
        own_server.crash()
        monkeypatch.setitem(postgres._SETTINGS, "fsync", "off")
        own_server.start()
        with pytest.raises(Unavailable, match="closed"):
            await save(store, new_records=[record(1)])
        with pytest.raises(Unavailable, match="fsync"):
            await save(store, new_records=[record(1)])
        own_server.crash()
        monkeypatch.undo()
        own_server.start()
        await save(store, new_records=[record(1)])

    run(own_url, check)


def test_a_lost_connection_in_a_unit(url: str) -> None:
    """A unit whose connection is cut ends with ``Unavailable`` and leaves nothing; the next one works."""

    async def cut(store: PostgresStore) -> None:
        async with store.begin() as unit:
            await unit.save(Changes(new_records=[record(1)]))
            await kill_writer(store, url)
            await unit.chain(1, 10, 1)

    async def check(store: PostgresStore) -> None:
        with pytest.raises(Unavailable):
            await cut(store)
        assert await ask(store, "chain", 1, 10, 1) == []

    run(url, check)


def test_a_commit_without_an_answer(url: str) -> None:
    """When the connection is cut before the server said that it has committed, the caller is told: unknown."""

    async def cut(store: PostgresStore) -> None:
        async with store.begin() as unit:
            await unit.save(Changes(journal=[row()]))
            await kill_writer(store, url)

    async def check(store: PostgresStore) -> None:
        with pytest.raises(Unavailable, match="did not say"):
            await cut(store)
        assert await save(store, journal=[row()]) != []

    run(url, check)


def test_who_lost_the_connection_lost_the_lock(url: str) -> None:
    """After a cut the lock is free; a server that finds it taken by another one does not write any more."""

    async def check(store: PostgresStore) -> None:
        await kill_writer(store, url)
        successor = PostgresStore(url, exclusive=True)
        await successor.open()
        for _ in range(2):
            with pytest.raises(Unavailable):
                await save(store, journal=[row()])
        await save(successor, journal=[row()])
        await successor.close()
        await save(store, journal=[row()])

    run(url, check, exclusive=True)


def test_a_cancelled_unit_leaves_nothing(url: str) -> None:
    """A task that is cancelled inside its unit rolls back, and the connection stays usable."""

    async def check(store: PostgresStore) -> None:
        saved = asyncio.Event()

        async def work() -> None:
            async with store.begin() as unit:
                await unit.save(Changes(new_records=[record(1)]))
                saved.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await saved.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await ask(store, "chain", 1, 10, 1) == []

    run(url, check)


def test_an_error_swallowed_inside_a_unit_is_not_a_commit(url: str) -> None:
    """A unit whose transaction the server has given up does not pass for stored."""

    async def swallow(store: PostgresStore) -> None:
        async with store.begin() as unit:
            with pytest.raises(Conflict):
                await unit.save(Changes(new_records=[record(1)], journal=[row()]))

    async def check(store: PostgresStore) -> None:
        await add(store, record(1))
        with pytest.raises(Unavailable, match="rolled"):
            await swallow(store)

    run(url, check)


def test_handles_run_out(url: str) -> None:
    """Past the last 32-bit handle hand-outs are ``Unavailable``; everything else goes on."""

    async def check(store: PostgresStore) -> None:
        assert store._writer is not None
        await store._writer.execute("SELECT setval('handle_seq', 2147483645)")
        with pytest.raises(Unavailable, match="no number left"):
            await _take(store, handles=3)
        (handles, _, _) = await _take(store, handles=1)
        assert handles[-1] <= 2_147_483_647
        assert (await _take(store, records=2))[1] == range(1, 3)

    run(url, check)


async def _take(store: PostgresStore, **wanted: int) -> tuple[range, range, range]:
    async with store.begin() as unit:
        return await unit.take_numbers(**wanted)


def test_values_beyond_the_columns_find_nothing(url: str) -> None:
    """A handle of 64 bits and a log-in name with a NUL or half a character are unknown, not errors."""

    async def check(store: PostgresStore) -> None:
        assert await ask(store, "held", [DeskKey(1, 2**62)]) == []
        for name in ("a\x00b", "\ud800"):
            assert await store.user(1, name) is None
            assert await store.user_by_name(name) == []

    run(url, check)


def test_a_stale_record_in_the_middle_of_a_batch_rolls_all_back(url: str) -> None:
    """One conflict among many changes writes none of them, nor the journal, in one statement as in several."""

    async def change(store: PostgresStore, *, is_seen: bool) -> None:
        good = [record(n, attempts=1, version=2) for n in (1, 2, 4, 5)]
        stale = record(3, attempts=1, version=3)
        async with store.begin() as unit:
            for n in range(1, 6) if is_seen else ():
                await unit.chain(1, 10, n)
            await unit.save(Changes(records=by_key(*good, stale), journal=[row()]))

    async def check(store: PostgresStore) -> None:
        await add(store, *(record(n) for n in range(1, 6)))
        for is_seen in (True, False):
            with pytest.raises(Conflict):
                await change(store, is_seen=is_seen)
        assert await ask(store, "chain", 1, 10, 1) == [record(1)]
        assert await store.newest(1, 7, None, 10) == []

    run(url, check)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncpg.SerializationError("x"), Conflict),
        (asyncpg.DeadlockDetectedError("x"), Conflict),
        (asyncpg.TooManyConnectionsError("x"), Unavailable),
        (asyncpg.DiskFullError("x"), Unavailable),
        (asyncpg.AdminShutdownError("x"), Unavailable),
        (asyncpg.QueryCanceledError("x"), Unavailable),
        (asyncpg.LockNotAvailableError("x"), Unavailable),
        (asyncpg.ReadOnlySQLTransactionError("x"), Unavailable),
        (asyncpg.InterfaceError("connection is closed"), Unavailable),
        (asyncpg.UniqueViolationError("x"), AlreadyExists),
        (ConnectionResetError("x"), Unavailable),
        (TimeoutError(), Unavailable),
        (asyncpg.UndefinedTableError("x"), asyncpg.UndefinedTableError),
        (ValueError("x"), ValueError),
    ],
)
def test_what_errors_mean(error: Exception, kind: type[Exception]) -> None:
    """Each kind of the driver's errors becomes the one of ours that says what to do; defects stay what they are."""
    assert type(translated(error)) is kind
