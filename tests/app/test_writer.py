"""The writer: one commit for many, each with its own outcome, nothing answered before it, nothing done twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from tests.app.harness import NOON_S, House, agent, record, run_in_house
from trunkline.adapters.storage.memory import MemoryStore
from trunkline.app.asking import Asked
from trunkline.app.ports import Conflict, StoredRow, Unit
from trunkline.app.rescue import ExpireLeases, ResetStale
from trunkline.app.writer import Writer
from trunkline.domain import commands
from trunkline.domain.enums import CallResult, Door, RecordStatus, RequestType
from trunkline.domain.events import DeviceStateChanged, NothingToPreview, RecordShown, RecordWithdrawn
from trunkline.domain.people import Caller, Role
from trunkline.domain.records import FieldChanges
from trunkline.errors import Forbidden, InvalidState, NotFound, Refused, Unavailable

ANN, BOB, BOSS = agent(1), agent(2), agent(9, Role.SUPERVISOR)


def update(who: Caller, handle: int, until_s: int, key: int | None = None) -> Asked:
    """An UpdateRecord."""
    command = commands.UpdateRecord(
        application_id=134,
        campaign_name="Campaign",
        device_id=who.devices[0].device_id,
        handle=handle,
        changes=FieldChanges(until_s=until_s),
    )
    return Asked(
        caller=who,
        command=command,
        request_type=RequestType.UPDATE_CALL_COMPLETION_STATS,
        door=Door.REST,
        reference=None if key is None else "r",
        request_key=key,
    )


async def gathered(house: House, asked: list[Asked]) -> list[StoredRow | BaseException | None]:
    """Submit all before the writer gets a turn; outcomes in order."""
    return await asyncio.gather(*[house.writer.submit(one) for one in asked], return_exceptions=True)


async def desk_handle(house: House, who: Caller = ANN) -> int:
    """Take the next chain."""
    event = (await house.preview(who))[0]
    assert isinstance(event, RecordShown)
    return event.handle


def test_one_commit_for_all_that_came_together() -> None:
    """Requests that arrive together share a transaction; two of one row both leave their event, the last stays."""

    async def test(house: House) -> None:
        handle = await desk_handle(house)
        batches = house.writer.batches
        outcomes = await gathered(house, [update(ANN, handle, n) for n in range(1, 41)])
        assert house.writer.batches == batches + 1
        rows = [one for one in outcomes if isinstance(one, StoredRow)]
        assert len({one.seq for one in rows}) == 40
        assert [one.seq for one in rows] == sorted(one.seq for one in rows)
        stored = (await house.chain(1))[0]
        assert stored.until_s == 40

    run_in_house(test, [record(1)])


def test_a_failing_one_fails_alone() -> None:
    """A refused request among good ones is refused, the others are done."""

    async def test(house: House) -> None:
        handle = await desk_handle(house)
        outcomes = await gathered(house, [update(ANN, handle, 5), update(BOB, handle, 6), update(ANN, handle, 7)])
        assert isinstance(outcomes[1], NotFound)
        assert isinstance(outcomes[0], StoredRow)
        assert isinstance(outcomes[2], StoredRow)
        assert (await house.chain(1))[0].until_s == 7

    run_in_house(test, [record(1)])


def test_a_repeated_request_is_acknowledged_and_not_done_again() -> None:
    """Within the window the same key changes nothing and acknowledges again; after it, it is a new request."""

    async def test(house: House) -> None:
        handle = await desk_handle(house)
        first, again = await gathered(house, [update(ANN, handle, 5, key=77), update(ANN, handle, 5, key=77)])
        version = (await house.chain(1))[0].version
        house.clock.ms += 599_000
        third = await house.writer.submit(update(ANN, handle, 5, key=77))
        assert (await house.chain(1))[0].version == version
        rows = [one for one in (first, again, third) if isinstance(one, StoredRow)]
        assert len({one.seq for one in rows}) == 3
        assert rows[0].row.events == rows[1].row.events == rows[2].row.events
        house.clock.ms += 2_000
        await house.writer.submit(update(ANN, handle, 5, key=77))
        assert (await house.chain(1))[0].version == version + 1

    run_in_house(test, [record(1)])


def test_the_key_of_another_user_is_no_repetition() -> None:
    """A collision of keys between users carries out both."""

    async def test(house: House) -> None:
        mine, his = await desk_handle(house), await desk_handle(house, BOB)
        await house.writer.submit(update(ANN, mine, 5, key=77))
        await house.writer.submit(update(BOB, his, 6, key=77))
        assert (await house.chain(2))[0].until_s == 6

    run_in_house(test, [record(1), record(2)])


def test_agents_who_ask_together_get_different_chains() -> None:
    """In one transaction too, no chain is handed out twice."""

    async def test(house: House) -> None:
        people = [ANN, BOB, agent(3)]
        for who in people:
            await house.ask(who, commands.StartPreview)
        events = await asyncio.gather(*[house.ask(who, commands.NextPreview) for who in people])
        got = [event[0].record.chain_id if isinstance(event[0], RecordShown) else None for event in events]
        assert got[:2] == [1, 2]
        assert isinstance(events[2][0], NothingToPreview)

    run_in_house(test, [record(1), record(2)])


class StubbornStore(MemoryStore):
    """A store whose transactions fail at commit as often as told."""

    def __init__(self, failures: list[Exception]) -> None:
        """Failures in the order in which they come."""
        super().__init__()
        self.failures = failures

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Unit]:
        """Fail before the commit while there are failures left."""
        async with super().begin() as unit:
            yield unit
            if self.failures:
                raise self.failures.pop(0)


@pytest.mark.parametrize(
    ("failures", "refused"),
    [([Conflict()], 0), ([Conflict()] * 6, 1), ([RuntimeError("disk"), RuntimeError("disk")], 1)],
)
def test_after_a_failed_commit_each_is_tried_alone(failures: list[Exception], refused: int) -> None:
    """A conflict is tried again, a lasting one and a defect hit one request, and the others are written."""

    async def run() -> None:
        store = StubbornStore([])
        house = await House(store=store).open([record(1)])
        handle = await desk_handle(house)
        store.failures = list(failures)
        outcomes = await gathered(house, [update(ANN, handle, n) for n in (5, 6, 7)])
        assert sum(not isinstance(one, StoredRow) for one in outcomes) == refused
        assert (await house.chain(1))[0].until_s == 7
        await house.close()

    asyncio.run(run())


def test_a_defect_in_publishing_does_nothing_twice() -> None:
    """What is committed stays so and is answered, once, whatever the courier meets; the loop is told."""

    async def test(house: House) -> None:
        handle = await desk_handle(house)
        told: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

        def broken(rows: Sequence[StoredRow]) -> None:
            house.published.extend(rows)
            raise KeyError("courier")

        house.writer._publish = broken
        house.published.clear()
        outcomes = await gathered(house, [update(ANN, handle, n) for n in (5, 6)])
        assert [one.seq for one in outcomes if isinstance(one, StoredRow)] == [row.seq for row in house.published]
        assert len(await house.store.newest(1, ANN.user_id, None, 100)) == 4  # both previews and both updates
        assert len(told) == 1

    run_in_house(test, [record(1)])


def test_the_queue_has_an_end() -> None:
    """Past its limit the writer says that it cannot; what was queued is written."""

    async def test(house: House) -> None:
        handle = await desk_handle(house)
        small = Writer(
            house.store, house.clock, house.writer.book, house.rules, house.writer._handlers, lambda _: None, 2
        )
        queued = [small.submit(update(ANN, handle, n)) for n in (1, 2)]
        with pytest.raises(Unavailable):
            small.submit(update(ANN, handle, 3))
        small.start()
        await small.stop()
        assert all(isinstance(one.result(), StoredRow) for one in queued)

    run_in_house(test, [record(1)])


def test_a_lease_that_ends_makes_the_chain_stale_until_a_supervisor_resets_it() -> None:
    """Eight hours after the last touch the record is STALE with result 46, the agent is told, the boss may reset it."""

    async def test(house: House) -> None:
        handle = await desk_handle(house)
        house.clock.ms += 3_600_000
        await house.ask(ANN, commands.UpdateRecord, handle=handle, changes=FieldChanges(until_s=86_399))
        house.clock.ms += house.rules.lease_ms - 1
        await house.ask(ANN, ExpireLeases)
        assert len(await house.desk(ANN)) == 1
        house.clock.ms += 1
        await house.ask(ANN, ExpireLeases)
        assert await house.desk(ANN) == []
        stored = (await house.chain(1))[0]
        assert (stored.status, stored.call_result) == (RecordStatus.STALE, CallResult.STALE)
        assert isinstance(house.published[-1].row.events[0], RecordWithdrawn)
        with pytest.raises(Forbidden):
            await house.ask(ANN, ResetStale, list_name="List", chain_id=1)
        await house.ask(BOSS, ResetStale, list_name="List", chain_id=1)
        assert (await house.chain(1))[0].status is RecordStatus.READY

    run_in_house(test, [record(1)])


def test_after_logging_out_a_record_stays_a_minute() -> None:
    """End of the session leaves the desk for the grace time; coming back in time keeps it (decisions 5)."""

    async def test(house: House) -> None:
        await desk_handle(house)
        await house.ask(ANN, commands.StartSession, device_id="d1")
        events = await house.ask(ANN, commands.EndSession)
        assert isinstance(events[0], DeviceStateChanged)
        assert events[0].state_name == "Offline"
        with pytest.raises(InvalidState):
            await house.ask(ANN, commands.NextPreview)
        house.clock.ms += 59_000
        await house.ask(ANN, commands.StartSession, device_id="d1")
        house.clock.ms += 60_000
        await house.ask(ANN, ExpireLeases)
        assert len(await house.desk(ANN)) == 1
        await house.ask(ANN, commands.EndSession)
        house.clock.ms += 60_000
        await house.ask(ANN, ExpireLeases)
        assert await house.desk(ANN) == []

    run_in_house(test, [record(1)])


def test_agent_states() -> None:
    """A state needs a log-in and is told to the agent's devices."""

    async def test(house: House) -> None:
        with pytest.raises(InvalidState):
            await house.ask(ANN, commands.ChangeState, state_name="Ready")
        with pytest.raises(NotFound):
            await house.ask(ANN, commands.StartSession, device_id="d2")
        await house.ask(ANN, commands.StartSession, device_id="d1")
        events = await house.ask(ANN, commands.ChangeState, state_name="Ready")
        assert isinstance(events[0], DeviceStateChanged)
        assert (events[0].state_name, events[0].phone_number) == ("Ready", "5001")

    run_in_house(test, [])


def test_campaigns_of_an_agent() -> None:
    """One event for each loaded campaign; none loaded is a refusal, so that the desktop does not time out."""

    async def test(house: House) -> None:
        assert len(await house.ask(ANN, commands.ReadCampaigns, device_id="d1")) == 2
        with pytest.raises(Refused):
            await house.ask(ANN, commands.ReadCampaigns, device_id="d1", campaign_name="Nowhere")

    run_in_house(test, [])


def test_the_clock_of_the_harness() -> None:
    """The tests' noon is the noon they say it is."""
    assert NOON_S % 86_400 == 43_200
