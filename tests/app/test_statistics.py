"""Statistics of groups and lists: what they follow, how often the store is asked, completion by itself."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app.harness import CAMPAIGN_ID, CENTRE, LIST_ID, House, agent, record, run_in_house
from tests.app.test_control import keeper_of, wish
from tests.app.test_treating import plan
from trunkline.app.asking import Asked
from trunkline.app.groups.statistics import Statistics, complete_finished
from trunkline.app.ports import Changes
from trunkline.domain import commands
from trunkline.domain.attempts import AttemptStep, attempt_row
from trunkline.domain.campaigns import Campaign
from trunkline.domain.enums import CallbackType, CallResult, Door, GroupStatus, RecordStatus, RecordType, RequestType
from trunkline.domain.group_control import Control
from trunkline.domain.records import FieldChanges, Happening, is_open, moved
from trunkline.domain.statistics import WINDOW_MS, Waiting

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
    house: House,
    chain_id: int,
    result: CallResult,
    step: AttemptStep = AttemptStep.ENDED,
    *,
    is_lead: bool = False,
    **of: Any,
) -> None:
    """A row of the attempt log."""
    of_group: dict[str, Any] = {"campaign_group_id": GROUP, "is_lead": is_lead}
    row = attempt_row(record(chain_id, call_result=result, **of), step, house.clock.ms, "g", **of_group)
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
        # The first look is also one back at what was finished before the last half hour.
        assert [where[3] for where in asked] == [0, 0, 3]
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
        keeper = keeper_of(house)
        await wish(keeper, Control.FORCE_UNLOAD)
        await wish(keeper, Control.LOAD)
        statistics = figures_of(house)
        await statistics.sample()
        async with house.store.begin() as unit:
            (first,) = await unit.chain(CENTRE, LIST_ID, 1)
        async with house.store.begin() as unit:
            done = record(1, status=RecordStatus.UPDATED, version=first.version + 1)
            await unit.save(Changes(records={done.key: done}))
        await tried(house, 1, CallResult.ANSWER, is_lead=True)
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


def test_the_rate_is_that_of_the_last_half_hour() -> None:
    """Also after a start: what was finished before the half hour is in the log, and does not count for the rate."""

    async def test(house: House) -> None:
        for chain_id, age_ms in ((1, 7_200_000), (2, 1_900_000), (3, 1_700_000), (4, 0)):
            house.clock.ms -= age_ms
            await tried(house, chain_id, CallResult.ANSWER, is_lead=True)
            house.clock.ms += age_ms
        statistics = figures_of(house)
        figures = await statistics.of_group(group(house))
        # Two of the four within the half hour, six chains open.
        assert (figures.tally.leads, figures.time_to_complete_s) == (4, 6 * 900)
        assert (figures.lists[0].time_to_complete_s, figures.busy_factor) == (6 * 900, None)
        # Samples that are older than half an hour go, but for the one at its beginning.
        for _ in range(400):
            house.clock.ms += 10_000
            await statistics.sample()
        (feed,) = [one for key, one in statistics._feeds.items() if key == (CENTRE, GROUP)]
        assert house.clock.ms - feed.samples[0].at_ms == WINDOW_MS

    run_in_house(test, [record(n) for n in range(1, 7)])


RESULTS = (CallResult.ANSWER, CallResult.BUSY, CallResult.NO_ANSWER, CallResult.ANSWERING_MACHINE, CallResult.ABANDONED)
PLAN = plan({"Busy": {"action": "RetryIn", "interval_min": 1}, "NoAnswer": {"action": "NextInChain"}})
_acts = st.sampled_from(["complete", "complete", "complete", "cancel", "reject", "callback", "miss", "recycle"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(_acts, st.sampled_from(RESULTS)), max_size=25))
def test_a_server_that_starts_finds_the_same_figures(acts: list[tuple[str, CallResult]]) -> None:
    """Whatever agents and supervisors do: who looked all the time and who looks at the log for the first time agree."""

    async def test(house: House) -> None:
        statistics = figures_of(house)
        await house.ask(ANN, commands.StartPreview)
        for act, result in acts:
            house.clock.ms += 61_000
            before = len(house.attempts)
            await carry_out(house, act, result)
            for row in house.attempts[before:]:
                is_finished = not any(is_open(one.status) for one in await house.chain(row.chain_id))
                assert row.is_lead is (is_finished and row.step is AttemptStep.ENDED)
            await statistics.of_group(group(house))
        house.clock.ms += 1_000
        one_list = house.writer.book.list_by_id(CENTRE, LIST_ID)
        seen, new = [], Statistics(house.store, house.clock, lambda: house.writer.book)
        for who in (statistics, new):
            figures = await who.of_group(group(house))
            seen.append((figures.tally, [one.tally for one in figures.lists], (await who.of_list(one_list)).tally))
        assert seen[0] == seen[1]
        assert (seen[0][0].leads, seen[0][0].results.total()) == (
            sum(row.is_lead for row in house.attempts), sum(row.step is AttemptStep.ENDED for row in house.attempts)
        )  # fmt: skip

    run_in_house(test, [record(1), record(1, 1), record(2), record(3), record(3, 1)], plan=PLAN)


async def carry_out(house: House, act: str, result: CallResult) -> None:
    """Something that an agent or a supervisor does; nothing when there is nothing to do it to."""
    if act == "recycle":
        async with house.store.begin() as unit:
            chain = await unit.chain(CENTRE, LIST_ID, 1)
            if not any(is_open(one.status) for one in chain):
                anew: dict[str, Any] = {"call_result": CallResult.UNKNOWN, "attempts": 0}
                again = [moved(one, Happening.RESET, version=one.version + 1, **anew) for one in chain]
                await unit.save(Changes(records={one.key: one for one in again}))
        return
    if act == "miss":
        await tried(house, 2, CallResult.GROUP_CALL_BACK_ERROR, AttemptStep.CALLBACK_MISSED)
        return
    await house.ask(ANN, commands.NextPreview)
    desk = [held for held in await house.desk(ANN) if held.record.status is RecordStatus.RETRIEVED]
    if not desk:
        return
    handle = desk[0].entry.handle
    if act == "complete":
        changes = FieldChanges(call_result=result)
        await house.ask(ANN, commands.CompleteRecord, handle=handle, changes=changes)
    elif act == "cancel":
        await house.ask(ANN, commands.CancelRecord, handle=handle)
        await house.ask(ANN, commands.RejectRecord, handle=handle)
    elif act == "reject":
        await house.ask(ANN, commands.RejectRecord, handle=handle)
    else:
        due_at_s = house.clock.now_s() + 60
        await house.ask(
            ANN, commands.RescheduleRecord, handle=handle, callback_type=CallbackType.CAMPAIGN, due_at_s=due_at_s
        )
