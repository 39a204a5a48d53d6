"""Buffers: chains taken for a group, in order, with leases, each leaving once."""

from __future__ import annotations

import pytest

from tests.stores.storage import CENTRE, GROUP, LIST, Storage, add, ask, claim, claimed, record, save
from trunkline.app.ports import Conflict, Store


def test_the_buffer_hands_out_in_order(storage: Storage) -> None:
    """By place, then list, chain; chains of other lists and centres are not passed over; groups see their own alone."""

    async def check(store: Store) -> None:
        await add(store, record(1), record(2), record(3), record(1, list_id=11))
        for chain_id, place in ((1, 8), (2, 5), (3, 5)):
            others = frozenset({1, 2, 3}) - {chain_id}
            assert await claimed(store, claim(first_place=place, passed_over=others)) == [chain_id]
        assert await claimed(store, claim(list_id=11, first_place=5, campaign_group_id=301)) == [1]
        keys = [one.entry.chain_key for one in await ask(store, "buffered", CENTRE, GROUP, (), 10)]
        assert keys == [(CENTRE, LIST, 2), (CENTRE, LIST, 3), (CENTRE, LIST, 1)]
        assert [
            one.entry.chain_id for one in await ask(store, "buffered", CENTRE, GROUP, [keys[0], (CENTRE, 11, 3)], 1)
        ] == [3]
        elsewhere = [(CENTRE + 1, *key[1:]) for key in keys]
        assert len(await ask(store, "buffered", CENTRE, GROUP, elsewhere, 10)) == 3
        sizes = await ask(store, "buffer_sizes")
        assert [(one.campaign_group_id, one.chains) for one in sizes] == [(GROUP, 3), (301, 1)]

    storage.run(check)


def test_leases_that_end(storage: Storage) -> None:
    """Entries come out by the end of their lease, from every group."""

    async def check(store: Store) -> None:
        await add(store, record(1), record(2), record(1, list_id=11))
        await claimed(store, claim(limit=1, lease_until_ms=50))
        await claimed(store, claim(limit=1, lease_until_ms=40))
        await claimed(store, claim(list_id=11, lease_until_ms=50, campaign_group_id=301))
        ended = [one.entry.chain_key for one in await ask(store, "buffers_ended", 50, 10)]
        assert ended == [(CENTRE, LIST, 2), (CENTRE, LIST, 1), (CENTRE, 11, 1)]
        assert [one.entry.chain_id for one in await ask(store, "buffers_ended", 49, 10)] == [2]
        assert len(await ask(store, "buffers_ended", 50, 2)) == 2

    storage.run(check)


def test_a_chain_leaves_the_buffer_once(storage: Storage) -> None:
    """Who takes a chain out that is not there any more gets ``Conflict``, and nothing of the unit is written."""

    async def check(store: Store) -> None:
        await add(store, record(1), record(2))
        await claimed(store, claim())
        await save(store, off_buffer={(CENTRE, LIST, 1)})
        with pytest.raises(Conflict):
            await save(store, off_buffer={(CENTRE, LIST, 1), (CENTRE, LIST, 2)})
        assert [one.entry.chain_id for one in await ask(store, "buffered", CENTRE, GROUP, (), 9)] == [2]

    storage.run(check)
