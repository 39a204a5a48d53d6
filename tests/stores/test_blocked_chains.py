"""GetPreviewRecord on each store: a search over several transactions finds the same everywhere."""

from __future__ import annotations

import asyncio

from tests.app.blocked import block, blocked_then, out_of_dialing, shown_chain
from tests.app.harness import House, agent
from tests.stores.storage import Storage
from trunkline.app.hand_out.next_chain import MAX_CHAINS_EXAMINED
from trunkline.domain import commands

BLOCKED = 2 * MAX_CHAINS_EXAMINED + 20


def test_two_agents_search_behind_blocked_chains(storage: Storage) -> None:
    """Two who ask at once get the two callable chains, a third nothing; every blocked chain is out of dialing."""

    async def main() -> None:
        records = blocked_then(BLOCKED, 2)
        house = await House(store=storage.make()).open(records)
        await house.writer.prepare()
        await block(house, records[:BLOCKED])
        people = [agent(n) for n in (1, 2, 3)]
        for who in people:
            await house.ask(who, commands.StartPreview)
        outcomes = await asyncio.gather(*[house.ask(who, commands.NextPreview) for who in people])
        chains = [shown_chain(outcome) for outcome in outcomes]
        assert sorted(chain or 0 for chain in chains) == [0, BLOCKED + 1, BLOCKED + 2]
        assert len(await out_of_dialing(house, range(1, BLOCKED + 1))) == BLOCKED
        for who, chain in zip(people, chains, strict=True):
            assert [held.record.chain_id for held in await house.desk(who)] == ([] if chain is None else [chain])
        await house.close()

    asyncio.run(main())
