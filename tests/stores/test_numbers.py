"""Fresh numbers never repeat."""

from __future__ import annotations

import pytest

from tests.stores.storage import Storage
from trunkline.app.ports import Store


async def take(store: Store, handles: int = 0, records: int = 0, chains: int = 0) -> tuple[range, range, range]:
    """Numbers in a unit of their own."""
    async with store.begin() as unit:
        return await unit.take_numbers(handles=handles, records=records, chains=chains)


def test_as_many_as_asked_for(storage: Storage) -> None:
    """Each kind of number comes in the amount asked for, also none, also more than a block."""

    async def check(store: Store) -> None:
        for wanted in ((1, 0, 0), (0, 2, 3), (0, 0, 0), (100, 1000, 65)):
            taken = await take(store, *wanted)
            assert tuple(len(numbers) for numbers in taken) == wanted
            assert all(number > 0 for numbers in taken for number in numbers)

    storage.run(check)


def test_numbers_do_not_repeat(storage: Storage) -> None:
    """Not in a unit, not in the next one, not after a unit that failed, not when the store is opened anew."""
    seen: list[int] = []

    async def check(store: Store) -> None:
        for count in (1, 63, 64, 65, 2):
            seen.extend((await take(store, count))[0])
        async with store.begin() as unit:
            for count in (1, 100, 3):
                seen.extend((await unit.take_numbers(handles=count))[0])
        with pytest.raises(ZeroDivisionError):
            await take_and_fail(store)
        seen.extend((await take(store, 3))[0])

    async def take_and_fail(store: Store) -> None:
        async with store.begin() as unit:
            seen.extend((await unit.take_numbers(handles=200))[0])
            raise ZeroDivisionError

    for _ in range(3):
        storage.run(check)
    assert len(seen) == len(set(seen))
    assert max(seen) < 2**31


def test_numbers_of_two_programs(durable_storage: Storage) -> None:
    """Two programs that take turns never get the same number, whatever becomes of their units."""
    seen: list[int] = []

    async def check(store: Store) -> None:
        async with durable_storage.opened() as other:
            for count in (1, 70, 2, 64, 5, 130):
                for one in (store, other):
                    seen.extend((await take(one, 0, 0, count))[2])
                    with pytest.raises(TypeError):
                        await ask_and_fail(one, count)

    async def ask_and_fail(store: Store, count: int) -> None:
        async with store.begin() as unit:
            seen.extend((await unit.take_numbers(chains=count))[2])
            raise TypeError

    durable_storage.run(check)
    assert len(seen) == len(set(seen))


def test_each_kind_counts_for_itself(storage: Storage) -> None:
    """Taking handles moves neither records nor chains."""

    async def check(store: Store) -> None:
        _, (record_id,), (chain_id,) = await take(store, 0, 1, 1)
        await take(store, handles=500)
        _, (next_record_id,), (next_chain_id,) = await take(store, 0, 1, 1)
        assert next_record_id == record_id + 1
        assert next_chain_id == chain_id + 1

    storage.run(check)
