"""The hand-out under concurrency: never twice, never lost, whatever happens between claim and hand-out."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from tests.app.blocked import shown_chain
from tests.app.harness import CENTRE, LIST_ID, House, agent, record
from tests.stores.storage import GROUP, Storage, add, claim, claimed
from tests.stores.storage import record as stored_record
from trunkline.app.hand_out.buffers import BufferKeeper
from trunkline.app.ports import Changes, ClaimKind, Conflict, Store
from trunkline.domain import commands
from trunkline.domain.enums import CallResult, RecordStatus
from trunkline.domain.records import FieldChanges

ZONES = ("UTC", "Europe/Rome", "Asia/Tokyo")


def chains_of_two(count: int) -> list[Any]:
    """Chains of which every third has a second record in another window."""
    found = []
    for n in range(1, count + 1):
        found.append(stored_record(n, 0, time_zone=ZONES[n % 3], due_at_s=1 if n % 7 == 0 else None))
        if n % 3 == 0:
            found.append(stored_record(n, 1, time_zone=ZONES[(n + 1) % 3]))
    return found


def test_two_programs_claim_at_once(durable_storage: Storage) -> None:
    """Two programs take portions of one list until it is empty; some of their units fail: each chain goes out once."""
    count = 150
    taken: list[int] = []

    async def dispatch(store: Store, seed: int) -> None:
        draw = random.Random(seed)
        empty = 0
        while empty < 3:
            found: list[int] = []
            fails = draw.random() < 0.2
            try:
                async with store.begin() as unit:
                    for kind in ClaimKind:
                        result = await unit.claim(claim(kind, limit=draw.randint(1, 20)))
                        found += [chain_id for *_, chain_id in result.chains]
                        empty = 0 if result.is_contested else empty
                        await asyncio.sleep(0)
                    if fails:
                        raise ZeroDivisionError  # noqa: TRY301 - inside the unit
            except (ZeroDivisionError, Conflict):
                continue
            taken.extend(found)
            empty = 0 if found else empty + 1

    async def check(store: Store) -> None:
        async with durable_storage.opened() as other:
            await add(store, *chains_of_two(count))
            await asyncio.gather(dispatch(store, 1), dispatch(other, 2))
            assert await claimed(store, claim()) == []
            async with store.begin() as unit:
                assert await unit.buffer_size(CENTRE, GROUP) == count

    durable_storage.run(check)
    assert Counter(taken) == dict.fromkeys(range(1, count + 1), 1)


@pytest.mark.parametrize("seed", range(3))
def test_agents_take_and_give_back(storage: Storage, seed: int) -> None:
    """Agents ask, reject and finish at random, servers start anew: every chain is finished once, none is lost."""
    count = 40
    finished: list[int] = []

    async def work(house: House, who: Any, draw: random.Random) -> None:
        idle = 0
        while idle < 4:
            row = await house.ask(who, commands.NextPreview)
            chain_id = shown_chain(row)
            if chain_id is None:
                idle += 1
                await asyncio.sleep(0)
                continue
            idle = 0
            held = next(one for one in await house.desk(who) if one.record.chain_id == chain_id)
            if draw.random() < 0.3:
                await house.ask(who, commands.RejectRecord, handle=held.entry.handle)
            else:
                changes = FieldChanges(call_result=CallResult.ANSWER)
                await house.ask(who, commands.CompleteRecord, handle=held.entry.handle, changes=changes)
                finished.append(chain_id)

    async def main() -> None:
        draw = random.Random(seed)
        records = [record(n, place, time_zone=ZONES[(n + place) % 3]) for n in range(1, count + 1) for place in (0, 1)]
        house = await House(store=storage.make(), campaign={"min_buffer": 1, "opt_buffer": 2}).open(records)
        await house.writer.prepare()
        keeper = BufferKeeper(house.store, house.writer, house.clock)
        people = [agent(n) for n in (1, 2, 3)]
        for who in people:
            await house.ask(who, commands.StartPreview)
        for _ in range(3):
            await asyncio.gather(*(work(house, who, draw) for who in people), keeper.begin())
        async with house.store.begin() as unit:
            assert await unit.buffer_size(CENTRE, house.writer.book.groups_of(CENTRE)[0].group_id) == 0
        statuses = {one.status for n in range(1, count + 1) for one in await house.chain(n)}
        assert statuses == {RecordStatus.UPDATED, RecordStatus.CHAIN_UPDATED}
        for who in people:
            assert await house.desk(who) == []
        await house.close()

    asyncio.run(main())
    assert Counter(finished) == dict.fromkeys(range(1, count + 1), 1)


def test_a_crash_between_claim_and_hand_out(durable_storage: Storage) -> None:
    """What a server had claimed and not handed out when it died is there for the next one, each chain once."""

    async def main() -> None:
        first = durable_storage.make()
        await first.open()
        await add(first, *(record(n) for n in range(1, 31)))
        async with first.begin() as unit:
            await unit.claim(claim(list_id=LIST_ID, limit=10, lease_until_ms=2**50))
        with pytest.raises(ZeroDivisionError):
            await _claim_and_die(first)
        await first.close()
        house = await House(store=durable_storage.make()).open([])
        keeper = BufferKeeper(house.store, house.writer, house.clock)
        await keeper.begin()
        await house.ask(agent(1), commands.StartPreview)
        found = [shown_chain(await house.ask(agent(1), commands.NextPreview)) for _ in range(31)]
        assert sorted(chain for chain in found if chain is not None) == list(range(1, 31))
        assert found[-1] is None
        await house.close()

    async def _claim_and_die(store: Store) -> None:
        async with store.begin() as unit:
            assert len((await unit.claim(claim(list_id=LIST_ID, limit=10))).chains) == 10
            await unit.save(Changes())
            raise ZeroDivisionError

    asyncio.run(main())
