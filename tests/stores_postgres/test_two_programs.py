"""Two programs that write to one database: conflicts, the order of the journal, the hand-out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from tests.stores.storage import add, ask, by_key, record, row, save, search
from trunkline.adapters.storage.postgres import PostgresStore
from trunkline.app.ports import Changes, Conflict
from trunkline.domain.enums import RecordStatus

pytestmark = pytest.mark.postgres


def run(url: str, check: Callable[[PostgresStore, PostgresStore], Awaitable[None]]) -> None:
    """Run a check with two open stores."""

    async def main() -> None:
        first, second = PostgresStore(url), PostgresStore(url)
        await first.open()
        await second.open()
        try:
            await check(first, second)
        finally:
            await first.close()
            await second.close()

    asyncio.run(main())


async def someone_waits(url: str) -> None:
    """Return when a connection waits for a lock."""
    operator = await asyncpg.connect(url)
    try:
        while not await operator.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ):
            pass
    finally:
        await operator.close()


def test_who_read_before_the_other_wrote_conflicts(url: str) -> None:
    """Two units that read the same record and change it: the second to save gets ``Conflict``."""

    async def overtaken(first: PostgresStore, second: PostgresStore) -> None:
        async with second.begin() as unit:
            (seen,) = await unit.chain(1, 10, 1)
            await save(first, records=by_key(record(1, attempts=1, version=2)))
            await unit.save(Changes(records=by_key(record(1, attempts=2, version=seen.version + 1))))

    async def check(first: PostgresStore, second: PostgresStore) -> None:
        await add(first, record(1))
        with pytest.raises(Conflict):
            await overtaken(first, second)
        assert await ask(second, "chain", 1, 10, 1) == [record(1, attempts=1, version=2)]

    run(url, check)


def test_writers_take_turns(url: str) -> None:
    """Who saves second waits for the first's commit: its journal numbers are greater, and a conflict is seen."""

    async def check(first: PostgresStore, second: PostgresStore) -> None:
        await add(first, record(1))

        async def late() -> list[int]:
            return await save(second, journal=[row()])

        async def late_conflict() -> None:
            with pytest.raises(Conflict):
                await save(second, records=by_key(record(1, attempts=2, version=2)))

        async with first.begin() as unit:
            early = await unit.save(Changes(records=by_key(record(1, attempts=1, version=2)), journal=[row()] * 3))
            waiting = asyncio.create_task(late())
            await someone_waits(url)
        assert min(await waiting) > max(early)
        async with first.begin() as unit:
            await unit.save(Changes(records=by_key(record(1, attempts=2, version=3))))
            conflicting = asyncio.create_task(late_conflict())
            await someone_waits(url)
        await conflicting

    run(url, check)


def test_one_record_is_handed_out_once(url: str) -> None:
    """What one program's unit is about to hand out the other passes over, without waiting."""

    async def check(first: PostgresStore, second: PostgresStore) -> None:
        await add(first, record(1), record(2))
        async with first.begin() as unit:
            mine = await unit.next_record(search())
            assert mine == record(1)
            assert await ask(second, "next_record", search()) == record(2)
            await unit.save(Changes(records=by_key(record(1, status=RecordStatus.RETRIEVED, version=2))))
        assert await ask(second, "next_record", search()) == record(2)

    run(url, check)


def test_all_taken_by_the_other(url: str) -> None:
    """When the only record is in the other's hands there is none."""

    async def check(first: PostgresStore, second: PostgresStore) -> None:
        await add(first, record(1))
        async with first.begin() as unit:
            assert await unit.next_record(search()) == record(1)
            assert await ask(second, "next_record", search()) is None

    run(url, check)
