"""Two programs that write to one database: conflicts, the order of the journal, the hand-out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
import pytest

from tests.stores.storage import GROUP, NOON_S, add, ask, by_key, callback_claim, claim, claimed, record, row, save
from trunkline.adapters.storage.postgres import PostgresStore
from trunkline.app.ports import Changes, Claimed, Conflict
from trunkline.domain.enums import RecordStatus, RecordType

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


def test_one_chain_is_claimed_once(url: str) -> None:
    """What one program's unit has claimed the other passes over, without waiting; it gets the next ones."""

    async def check(first: PostgresStore, second: PostgresStore) -> None:
        await add(first, *(record(n) for n in range(1, 5)))
        async with first.begin() as unit:
            assert [key[2] for key in (await unit.claim(claim(limit=2))).chains] == [1, 2]
            assert await claimed(second, claim(limit=1)) == [3]
        assert await claimed(second, claim()) == [4]
        assert len(await ask(second, "buffered", 1, GROUP, (), 10)) == 4

    run(url, check)


def test_a_chain_of_which_the_other_has_a_part(url: str) -> None:
    """A chain whose records lie in two windows goes whole to one program or stays whole; nobody waits."""

    async def check(first: PostgresStore, second: PostgresStore) -> None:
        await add(first, record(1, 0), record(1, 1, time_zone="Europe/Rome"), record(2))
        locker = await asyncpg.connect(url)
        async with locker.transaction():
            await locker.execute("SELECT FROM record WHERE chain_id = 1 AND chain_n = 1 FOR UPDATE")
            assert await claimed(first, claim()) == [2]
            assert await ask(first, "claim", claim()) == Claimed((), is_contested=True)
        await locker.close()
        assert await claimed(second, claim()) == [1]
        assert {one.status for one in await ask(first, "chain", 1, 10, 1)} == {RecordStatus.RETRIEVED}

    run(url, check)


def test_all_in_the_hands_of_the_other(url: str) -> None:
    """When another program has locked everything, that is told apart from an empty list; later there is one answer."""

    async def check(first: PostgresStore, second: PostgresStore) -> None:
        callback = record(2, record_type=RecordType.CAMPAIGN_CALL_BACK, due_at_s=NOON_S)
        await add(first, record(1), callback)
        contested = Claimed((), is_contested=True)
        with suppress(ZeroDivisionError):
            async with first.begin() as unit:
                assert len((await unit.claim(claim())).chains) == 1
                assert len((await unit.claim_callback(callback_claim())).chains) == 1
                assert await ask(second, "claim", claim()) == contested
                assert await ask(second, "claim_callback", callback_claim()) == contested
                raise ZeroDivisionError
        assert await claimed(second, claim()) == [1]
        assert await claimed(first, callback_claim()) == [2]
        assert await claimed(second, claim()) == []

    run(url, check)
