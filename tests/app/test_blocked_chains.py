"""A list that is do-not-call for a long way: searched to its end, over many transactions, others in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from tests.app.blocked import block, blocked_then, out_of_dialing, shown_chain
from tests.app.harness import APPLICATION, NOON_S, House, agent, record
from trunkline.adapters.storage.memory import MemoryStore
from trunkline.app.asking import Asked
from trunkline.app.hand_out.next_chain import MAX_CHAINS_EXAMINED
from trunkline.app.ports import Claim, Claimed, Conflict, StoredRow, Unit
from trunkline.app.writer import MAX_BATCH, Writer
from trunkline.domain import commands
from trunkline.domain.enums import Door, RecordType, RequestType
from trunkline.domain.people import Caller
from trunkline.domain.records import Record
from trunkline.errors import InvalidState, Refused, Unavailable

ANN, BOB, CAL = agent(1), agent(2), agent(3)
BLOCKED = 450
ROUNDS = BLOCKED // MAX_CHAINS_EXAMINED
"""Transactions that are full of blocked chains."""
FEWER = 200
"""Enough for several transactions."""


def next_preview(who: Caller, key: int | None = None) -> Asked:
    """A GetPreviewRecord."""
    command = commands.NextPreview(
        application_id=APPLICATION, campaign_name="Campaign", device_id=who.devices[0].device_id
    )
    return Asked(
        caller=who,
        command=command,
        request_type=RequestType.PREVIEW_RECORD_REQUEST,
        door=Door.REST,
        reference=None if key is None else "r",
        request_key=key,
    )


async def together(house: House, asked: list[Asked]) -> list[StoredRow | BaseException | None]:
    """Submit all before the writer gets a turn; outcomes in order."""
    return await asyncio.gather(*[house.writer.submit(one) for one in asked], return_exceptions=True)


def with_blocked(
    test: Callable[[House], Awaitable[None]],
    callable_chains: int,
    *more: Record,
    blocked: int = BLOCKED,
    house: House | None = None,
) -> None:
    """Run a test on blocked chains, callable ones behind them, and ``more``; Ann, Bob and Cal take preview records."""

    async def run() -> None:
        records = blocked_then(blocked, callable_chains)
        opened = await (house or House()).open([*records, *more])
        await opened.writer.prepare()
        await block(opened, records[:blocked])
        for who in (ANN, BOB, CAL):
            await opened.ask(who, commands.StartPreview)
        try:
            await test(opened)
        finally:
            await opened.close()

    asyncio.run(run())


def test_the_callable_chain_behind_many_blocked_ones_is_found() -> None:
    """One request, one answer, one row; the blocked are out of dialing; no transaction examines more than the limit."""

    async def test(house: House) -> None:
        batches, requests, rows = house.writer.batches, house.writer.requests, len(house.published)
        assert shown_chain(await house.ask(ANN, commands.NextPreview)) == BLOCKED + 1
        assert house.writer.batches - batches == ROUNDS + 1
        assert house.writer.requests - requests == 1
        assert len(house.published) - rows == 1
        everyone = range(1, BLOCKED + 2)
        assert await out_of_dialing(house, everyone) == list(everyone[:-1])

    with_blocked(test, 1)


def test_empty_is_only_said_at_the_end_of_the_list() -> None:
    """When all are blocked the answer is that there is none, and each of them has been taken out of dialing."""

    async def test(house: House) -> None:
        assert shown_chain(await house.ask(ANN, commands.NextPreview)) is None
        assert len(await out_of_dialing(house, range(1, BLOCKED + 1))) == BLOCKED

    with_blocked(test, 0)


@pytest.mark.parametrize(("callable_chains", "left"), [(3, []), (1, [None, None])])
def test_agents_who_ask_at_once_never_get_the_same_chain(callable_chains: int, left: list[None]) -> None:
    """Three search the same blocked chains together: each callable chain goes to one of them, the rest get none."""

    async def test(house: House) -> None:
        batches = house.writer.batches
        chains = [shown_chain(one) for one in await together(house, [next_preview(who) for who in (ANN, BOB, CAL)])]
        wanted = list(range(BLOCKED + 1, BLOCKED + callable_chains + 1))
        assert sorted(chain for chain in chains if chain is not None) == wanted
        assert [chain for chain in chains if chain is None] == left
        assert house.writer.batches - batches == ROUNDS + 1

    with_blocked(test, callable_chains)


def test_others_do_not_wait_for_the_end_of_the_search() -> None:
    """Requests of the same batch, refused or not, and later ones are answered while the search goes on."""

    async def test(house: House) -> None:
        search = house.writer.submit(next_preview(ANN))
        start = commands.StartPreview(application_id=APPLICATION, campaign_name="Campaign", device_id="d2")
        end = commands.EndPreview(application_id=APPLICATION, campaign_name="Campaign", device_id="d4")
        refused, good = await together(
            house,
            [
                msgspec.structs.replace(next_preview(agent(4)), command=end),
                msgspec.structs.replace(next_preview(BOB), command=start),
            ],
        )
        assert isinstance(refused, Refused)
        assert isinstance(good, StoredRow)
        assert not search.done()
        await house.ask(BOB, commands.EndPreview)
        assert not search.done()
        assert shown_chain(await search) == FEWER + 1

    with_blocked(test, 1, blocked=FEWER)


def test_who_finds_at_once_does_not_wait_for_who_searches_long() -> None:
    """The request that used up a transaction goes behind the others: Bob's own callback comes while Ann's is sought."""

    async def test(house: House) -> None:
        anns, bobs = house.writer.submit(next_preview(ANN)), house.writer.submit(next_preview(BOB))
        assert shown_chain(await bobs) == 900
        assert not anns.done()
        assert shown_chain(await anns) == FEWER + 1

    callback = record(900, record_type=RecordType.PERSONAL_RESCHEDULED, agent_id=2, due_at_s=NOON_S)
    with_blocked(test, 1, callback, blocked=FEWER)


def test_a_repetition_of_a_request_that_goes_on() -> None:
    """The same key, together with the first, while it is under way and after it: one chain, acknowledged each time."""

    async def test(house: House) -> None:
        first, second = (house.writer.submit(next_preview(ANN, key=7)) for _ in range(2))
        await house.ask(BOB, commands.StartPreview)
        assert not first.done()
        third = house.writer.submit(next_preview(ANN, key=7))
        rows = await asyncio.gather(first, second, third)
        fourth = await house.writer.submit(next_preview(ANN, key=7))
        assert fourth is not None
        assert {shown_chain(row) for row in (*rows, fourth)} == {FEWER + 1}
        assert all(row is not None and row.row.events == fourth.row.events for row in rows)
        assert len(await house.desk(ANN)) == 1

    with_blocked(test, 2, blocked=FEWER)


def test_a_session_that_ends_meanwhile_refuses_the_rest() -> None:
    """The request is decided on what is there when it goes on: after EndPreviewSession nothing is handed out."""

    async def test(house: House) -> None:
        search = house.writer.submit(next_preview(ANN))
        await house.ask(ANN, commands.EndPreview)
        with pytest.raises(InvalidState):
            await search
        assert await house.desk(ANN) == []

    with_blocked(test, 1, blocked=FEWER)


class FailingStore(MemoryStore):
    """A store whose commits fail as told: one entry for each, None for one that succeeds."""

    def __init__(self) -> None:
        """Nothing fails at first."""
        super().__init__()
        self.failures: list[Exception | None] = []

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Unit]:
        """Fail before the commit when it is its turn."""
        async with super().begin() as unit:
            yield unit
            failure = self.failures.pop(0) if self.failures else None
            if failure is not None:
                raise failure


def test_conflicts_on_the_way() -> None:
    """Another program is in between at every other commit: tried again, alone too, and the end is the same."""
    store = FailingStore()

    async def test(house: House) -> None:
        store.failures = [Conflict(), None] * 40
        chains = [shown_chain(one) for one in await together(house, [next_preview(who) for who in (ANN, BOB)])]
        assert sorted(chain or 0 for chain in chains) == [FEWER + 1, FEWER + 2]
        store.failures = []
        assert len(await out_of_dialing(house, range(1, FEWER + 1))) == FEWER

    with_blocked(test, 2, blocked=FEWER, house=House(store=store))


def test_a_database_that_goes_away_on_the_way() -> None:
    """The request ends with what went wrong; what was saved before it stays, and the next request goes on there."""
    store = FailingStore()

    async def test(house: House) -> None:
        store.failures = [None, None, Unavailable("gone")]
        with pytest.raises(Unavailable):
            await house.ask(ANN, commands.NextPreview)
        assert house.writer.pending == 0
        assert len(await out_of_dialing(house, range(1, FEWER + 1))) == 2 * MAX_CHAINS_EXAMINED
        assert shown_chain(await house.ask(ANN, commands.NextPreview)) == FEWER + 1

    with_blocked(test, 1, blocked=FEWER, house=House(store=store))


def test_stopping_does_not_wait_for_the_end_of_the_list() -> None:
    """A request that is unfinished when the writer stops is told to come again; the next server goes on behind it."""

    async def test(house: House) -> None:
        search = house.writer.submit(next_preview(ANN))
        await house.ask(BOB, commands.StartPreview)
        await house.writer.stop()
        with pytest.raises(Unavailable):
            search.result()
        assert await house.desk(ANN) == []
        removed = len(await out_of_dialing(house, range(1, FEWER + 1)))
        assert 0 < removed < FEWER
        old = house.writer
        house.writer = Writer(house.store, house.clock, old.book, house.rules, old._handlers, house.published.extend)
        house.writer.start()
        assert shown_chain(await house.ask(ANN, commands.NextPreview)) == FEWER + 1
        assert house.writer.batches == 1 + (FEWER - removed) // MAX_CHAINS_EXAMINED

    with_blocked(test, 1, blocked=FEWER)


def test_nobody_searches_for_a_caller_who_has_gone() -> None:
    """A request whose caller no longer waits is dropped between two transactions."""

    async def test(house: House) -> None:
        search = house.writer.submit(next_preview(ANN))
        await house.ask(BOB, commands.StartPreview)
        search.cancel()
        batches = house.writer.batches
        await house.ask(BOB, commands.StartPreview)
        assert house.writer.batches == batches + 1
        assert house.writer.pending == 0
        assert len(await out_of_dialing(house, range(1, FEWER + 1))) < FEWER

    with_blocked(test, 1, blocked=FEWER)


def test_many_who_search_leave_room_for_others() -> None:
    """With more unfinished requests than fit into a transaction, others are still served in between."""
    many = MAX_BATCH + 10

    async def test(house: House) -> None:
        searches = [house.writer.submit(next_preview((ANN, BOB, CAL)[n % 3])) for n in range(many)]
        await house.ask(BOB, commands.StartPreview)
        assert not any(search.done() for search in searches)
        assert house.writer.pending == many
        chains = [shown_chain(row) for row in await asyncio.gather(*searches)]
        assert sorted(chain for chain in chains if chain is not None) == [101, 102, 103]

    with_blocked(test, 3, blocked=100)


class HastyStore(MemoryStore):
    """A store that claims by a clock six hours fast: it takes chains that may not be called."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Unit]:
        """Units that look ahead."""
        async with super().begin() as unit:
            right = unit.claim

            async def claim(wanted: Claim) -> Claimed:
                later_s = wanted.now_s + 6 * 3600
                return await right(msgspec.structs.replace(wanted, opens=lambda window: window.is_open(later_s)))

            unit.claim = claim  # type: ignore[method-assign,assignment]
            yield unit


@pytest.mark.parametrize("are_blocked_between", [False, True])
def test_a_search_that_removes_nothing_ends(*, are_blocked_between: bool) -> None:
    """Chains that the store finds and the rules do not allow are passed over, and no request goes on for ever.

    With blocked ones among them each transaction still removes some, and the callable chain is found in the end.
    """
    evening = [
        record(chain_id, from_s=17 * 3600, until_s=19 * 3600, phone_number=f"+1212{chain_id:07d}")
        for chain_id in range(1, MAX_CHAINS_EXAMINED + (0 if are_blocked_between else 11))
    ]

    async def run() -> None:
        blocked = [record(200 + n, phone_number=f"+1213{n:07d}") for n in range(60)] if are_blocked_between else []
        house = await House(store=HastyStore()).open([*evening, *blocked, record(300)])
        await block(house, blocked)
        await house.ask(ANN, commands.StartPreview)
        wanted = 300 if are_blocked_between else None
        assert shown_chain(await house.ask(ANN, commands.NextPreview)) == wanted
        await house.close()

    asyncio.run(run())


def test_changes_of_the_same_batch_are_met() -> None:
    """Chains that other requests of the batch just closed are passed over, and the search goes on behind them."""

    async def test(house: House) -> None:
        cancels = [
            msgspec.structs.replace(
                next_preview(BOB),
                command=commands.CancelRecord(
                    application_id=APPLICATION,
                    campaign_name="Campaign",
                    device_id="d2",
                    list_name="List",
                    phone_number=f"+1212{chain_id:07d}",
                ),
            )
            for chain_id in range(1, 61)
        ]
        outcomes = await together(house, [*cancels, next_preview(ANN)])
        assert shown_chain(outcomes[-1]) == 61

    with_blocked(test, 61, blocked=0)
