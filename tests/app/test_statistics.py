"""Statistics of groups and lists: what they follow, how often the store is asked, completion by itself."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.app.harness import CAMPAIGN_ID, CENTRE, LIST_ID, House, agent, record, run_in_house
from tests.app.test_control import keeper_of, wish
from trunkline.app.asking import Asked
from trunkline.app.ports import Changes
from trunkline.app.statistics import Statistics, complete_finished
from trunkline.domain import commands
from trunkline.domain.attempts import AttemptStep, attempt_row
from trunkline.domain.campaigns import Campaign
from trunkline.domain.enums import CallResult, Door, GroupStatus, RecordStatus, RecordType, RequestType
from trunkline.domain.group_control import Control
from trunkline.domain.statistics import Waiting

ANN, BOB = agent(1), agent(2)
GROUP = CAMPAIGN_ID


def figures_of(house: House) -> Statistics:
    """Statistics that hear of what is committed."""
    statistics = Statistics(house.store, house.clock, lambda: house.writer.book)
    publish = house.writer._publish

    def hear(rows: Any) -> None:
        publish(rows)
        statistics.notice(rows)

    house.writer._publish = hear
    return statistics


def group(house: House) -> Campaign:
    """The campaign's group."""
    found = house.writer.book.group(CENTRE, GROUP)
    assert found is not None
    return found


async def tried(
    house: House, chain_id: int, result: CallResult, step: AttemptStep = AttemptStep.ENDED, **of: Any
) -> None:
    """A row of the attempt log."""
    row = attempt_row(record(chain_id, call_result=result, **of), step, house.clock.ms, "g", campaign_group_id=GROUP)
    async with house.store.begin() as unit:
        await unit.save(Changes(attempts=[row]))


def test_attempts_are_read_from_where_it_stopped() -> None:
    """Counters grow with the log, by list and in total, and are read at most once a second."""

    async def test(house: House) -> None:
        statistics = figures_of(house)
        asked = []
        count = house.store.attempt_counts

        async def counted(*where: int) -> Any:
            asked.append(where)
            return await count(*where)

        house.store.attempt_counts = counted  # type: ignore[method-assign,assignment]
        await tried(house, 1, CallResult.ANSWER, record_type=RecordType.CAMPAIGN_CALL_BACK)
        await tried(house, 2, CallResult.BUSY)
        await tried(house, 2, CallResult.AGENT_CALL_BACK_ERROR, AttemptStep.CALLBACK_MISSED)
        first = await statistics.of_group(group(house))
        assert (first.tally.attempts, first.tally.hit_ratio) == (2, 0.5)
        assert (first.tally.callbacks_completed, first.tally.callbacks_missed) == (1, 1)
        await tried(house, 3, CallResult.BUSY)
        assert (await statistics.of_group(group(house))).tally.attempts == 2
        house.clock.ms += 1000
        second = await statistics.of_group(group(house))
        assert (second.tally.attempts, second.lists[0].tally.attempts, second.lists[1].tally.attempts) == (3, 3, 0)
        assert [after_seq for *_, after_seq in asked] == [0, 3]
        # Unloaded and loaded again it begins anew.
        keeper = keeper_of(house)
        await wish(keeper, Control.FORCE_UNLOAD)
        house.clock.ms += 5000
        await wish(keeper, Control.LOAD)
        assert (await statistics.of_group(group(house))).tally.attempts == 0

    run_in_house(test, [record(1), record(2), record(3)])


def test_lists_are_counted_now_and_then() -> None:
    """A count is kept for ten seconds, one list after the other, and many who ask share it."""

    async def test(house: House) -> None:
        statistics = figures_of(house)
        asked: list[int] = []
        count = house.store.record_counts

        async def counted(centre: int, list_id: int, most: int) -> Any:
            asked.append(list_id)
            return await count(centre, list_id, most)

        house.store.record_counts = counted  # type: ignore[method-assign,assignment]
        everybody = await asyncio.gather(*(statistics.of_group(group(house)) for _ in range(5)))
        assert sorted(asked) == [LIST_ID, 102]
        assert {figures.lists[0].records(RecordStatus.READY) for figures in everybody} == {2}
        house.clock.ms += 9_000
        await statistics.of_group(group(house))
        assert len(asked) == 2
        house.clock.ms += 1_000
        old = await statistics.of_group(group(house))
        assert old.lists[0].counted is not None
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(asked) == 4
        whole = await statistics.of_list(house.writer.book.list_by_id(CENTRE, LIST_ID))
        assert [c.group_id for c in whole.groups] == [GROUP, 202]

    run_in_house(test, [record(1), record(2)])


def test_agents_and_what_is_waited_for() -> None:
    """Who is there, who has a record, whether the last who asked got one; samples make the busy factor."""

    async def test(house: House) -> None:
        statistics = figures_of(house)
        assert (await statistics.of_group(group(house))).waiting == (Waiting.AGENTS,)
        await house.ask(ANN, commands.StartSession, device_id="d1")
        for who in (ANN, BOB):
            await house.ask(who, commands.StartPreview)
        row = await ask_for_record(house, ANN)
        assert row is not None
        figures = await statistics.of_group(group(house))
        assert tuple(figures.agents) == (3, 1, 2, 1, 2, 1)
        assert figures.waiting == ()
        await statistics.sample()
        await ask_for_record(house, BOB)
        house.clock.ms += 10_000
        await statistics.sample()
        figures = await statistics.of_group(group(house))
        assert figures.waiting == (Waiting.RECORDS,)
        assert figures.busy_factor == 0.5
        latest = statistics.latest(CENTRE, GROUP)
        assert (latest.busy_factor, [one.list_name for one in latest.lists]) == (0.5, ["List", "Other"])
        assert statistics.latest(CENTRE, 4711).busy_factor is None

    run_in_house(test, [record(1)])


async def ask_for_record(house: House, who: Any) -> Any:
    """GetPreviewRecord as the API audits it."""
    command = commands.NextPreview(application_id=134, campaign_name="Campaign", device_id=f"d{who.user_id}")
    return await house.writer.submit(
        Asked(caller=who, command=command, request_type=RequestType.PREVIEW_RECORD_REQUEST, door=Door.REST)
    )


def test_time_to_complete_follows_the_rate() -> None:
    """One chain finished in ten seconds, two open: twenty seconds more."""

    async def test(house: House) -> None:
        statistics = figures_of(house)
        await statistics.sample()
        async with house.store.begin() as unit:
            (first,) = await unit.chain(CENTRE, LIST_ID, 1)
        async with house.store.begin() as unit:
            done = record(1, status=RecordStatus.UPDATED, version=first.version + 1)
            await unit.save(Changes(records={done.key: done}))
        await tried(house, 1, CallResult.ANSWER)
        house.clock.ms += 10_000
        await statistics.sample()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        figures = await statistics.of_group(group(house))
        assert figures.tally.leads == 1
        assert figures.lists[0].time_to_complete_s == 20
        assert figures.time_to_complete_s == 20

    run_in_house(test, [record(1), record(2), record(3)])


def test_a_group_completes_itself_when_nothing_is_left() -> None:
    """Not while a chain is open, not when the lists are empty, but when the last chain is finished."""

    async def test(house: House) -> None:
        keeper, statistics = keeper_of(house), figures_of(house)
        (shown,) = await house.preview(ANN)

        async def look() -> GroupStatus:
            house.clock.ms += 10_000
            for _ in range(4):
                await complete_finished(keeper, statistics, house.writer.book)
                await asyncio.sleep(0)
            return group(house).status

        assert await look() is GroupStatus.RUNNING
        await house.ask(ANN, commands.CancelRecord, handle=shown.handle)  # type: ignore[union-attr]
        assert await look() is GroupStatus.WAITING_UNLOAD
        await house.ask(ANN, commands.RejectRecord, handle=shown.handle)  # type: ignore[union-attr]
        await keeper.stop()
        assert group(house).status is GroupStatus.NOT_LOADED

    run_in_house(test, [record(1)], campaign={"completes_itself": True})

    async def empty(house: House) -> None:
        keeper, statistics = keeper_of(house), figures_of(house)
        for _ in range(3):
            house.clock.ms += 10_000
            await complete_finished(keeper, statistics, house.writer.book)
            await asyncio.sleep(0)
        assert group(house).status is GroupStatus.RUNNING

    run_in_house(empty, [], campaign={"completes_itself": True})
