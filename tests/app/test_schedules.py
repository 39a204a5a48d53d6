"""Schedules at work: on time, once, after a pause, and what came of it."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.app.harness import CAMPAIGN_ID, CENTRE, NOON_S, House, run_in_house
from tests.app.test_control import keeper_of, wish
from trunkline.app.directory import ReferenceBook
from trunkline.app.groups.schedules import MISSED, Scheduler
from trunkline.app.ports import ObjectChanges, ObjectWrite, Provision
from trunkline.domain.campaigns import GroupState
from trunkline.domain.enums import GroupStatus
from trunkline.domain.group_control import Control
from trunkline.domain.objects import ObjectKind, StoredObject
from trunkline.domain.schedules import Schedule, ScheduleAction, ScheduleItem

GROUP = CAMPAIGN_ID
DAY_S = 86_400
A, S = ScheduleAction, GroupStatus


def item(action: ScheduleAction, minutes: int, **values: Any) -> ScheduleItem:
    """An action every day, so many minutes after noon UTC."""
    return ScheduleItem(action=action, at_s=43_200 + minutes * 60, weekdays=tuple(range(7)), **values)


async def plan(house: House, *items: ScheduleItem, changed_at_s: int = NOON_S, **values: Any) -> Scheduler:
    """Save a schedule over the campaign's group, which is not loaded; a scheduler that sees it."""
    schedule = Schedule(
        contact_centre_id=CENTRE, schedule_id=12, name="days", campaign_group_ids=(GROUP,), items=items, **values
    )
    stored = StoredObject(kind=ObjectKind.SCHEDULE, value=schedule, changed_at_ms=changed_at_s * 1000)
    state = GroupState(contact_centre_id=CENTRE, campaign_group_id=GROUP)
    await house.store.provision(Provision(objects=[stored], group_states=[state]))
    house.writer.book = ReferenceBook(await house.store.directory())
    return Scheduler(house.store, house.writer, keeper_of(house), house.clock)


def stand(house: House) -> tuple[GroupStatus, int]:
    """Where the group stands, and which schedule brought it there."""
    state = house.writer.book.group_state(CENTRE, GROUP)
    assert state is not None
    return state.status, state.schedule_id


async def outcomes(house: House) -> list[tuple[int, int, str]]:
    """Minutes after the first noon, item, outcome of every turn."""
    runs = await house.store.schedule_runs(CENTRE, 0)
    return [((run.due_at_s - NOON_S) // 60, run.item_n, run.outcome) for run in runs]


DONE = f"{GROUP}: done"


def test_a_day_by_the_clock() -> None:
    """Load, start, stop, unload, each at its minute, once, with the schedule's number in the state."""

    async def test(house: House) -> None:
        scheduler = await plan(house, item(A.LOAD, 1), item(A.START, 2), item(A.STOP, 3), item(A.UNLOAD, 4))
        seen: list[tuple[GroupStatus, int]] = []
        for _ in range(5 * 60):
            await scheduler.run_due()
            if not seen or seen[-1] != stand(house):
                seen.append(stand(house))
            house.clock.ms += 1000
        assert seen == [(S.NOT_LOADED, 0), (S.ACTIVE, 12), (S.RUNNING, 12), (S.ACTIVE, 12), (S.NOT_LOADED, 12)]
        assert await outcomes(house) == [(1, 0, DONE), (2, 1, DONE), (3, 2, DONE), (4, 3, DONE)]

    run_in_house(test, [])


def test_a_turn_is_had_once_across_restarts() -> None:
    """A server that starts again does not repeat what was done, even when a person undid it since."""

    async def test(house: House) -> None:
        scheduler = await plan(house, item(A.LOAD, 1), item(A.START, 1))
        house.clock.ms += 90_000
        await scheduler.run_due()
        assert stand(house)[0] is S.RUNNING
        keeper = keeper_of(house)

        await wish(keeper, Control.FORCE_UNLOAD)
        again = Scheduler(house.store, house.writer, keeper, house.clock)
        await again.run_due()
        assert stand(house) == (S.NOT_LOADED, 0)
        assert len(await outcomes(house)) == 2

    run_in_house(test, [])


def test_what_was_missed_leads_to_where_it_would_have() -> None:
    """After three days without a server only what still matters is done, and the rest is written down as missed."""

    async def test(house: House) -> None:
        scheduler = await plan(house, item(A.LOAD, 1), item(A.START, 2), item(A.UNLOAD, 30), changed_at_s=NOON_S - 10)
        house.clock.ms = (NOON_S + 2 * DAY_S + 10 * 60) * 1000
        await scheduler.run_due()
        assert stand(house) == (S.RUNNING, 12)
        found = await outcomes(house)
        assert len(found) == 8
        assert [outcome for *_, outcome in found] == [MISSED] * 6 + [DONE] * 2

    run_in_house(test, [])


def test_what_was_due_before_a_change_is_not_done() -> None:
    """A schedule begins when it is saved: yesterday's turns of a new one do not happen, nor those of a new version."""

    async def test(house: House) -> None:
        scheduler = await plan(house, item(A.LOAD, -5))
        await scheduler.run_due()
        assert stand(house)[0] is S.NOT_LOADED
        house.clock.ms += 600_000
        await scheduler.run_due()
        stored = house.writer.book.object(CENTRE, ObjectKind.SCHEDULE, 12)
        assert stored is not None
        changed = msgspec.structs.replace(stored.value, items=(item(A.LOAD, 5), item(A.LOAD, 11)))
        write = ObjectWrite(
            contact_centre_id=CENTRE,
            kind=ObjectKind.SCHEDULE,
            object_id=12,
            expected_version=stored.version,
            value=changed,
        )
        await house.store.change_objects(ObjectChanges(at_ms=house.clock.ms, changed_by=9, writes=(write,)))
        house.writer.book = ReferenceBook(await house.store.directory())
        await scheduler.run_due()
        assert await outcomes(house) == []
        house.clock.ms += 60_000
        await scheduler.run_due()
        assert await outcomes(house) == [(11, 1, DONE)]

    run_in_house(test, [])


def test_a_refusal_is_written_down() -> None:
    """What a group refuses, and a group that does not exist, keep no other from its turn."""

    async def test(house: House) -> None:
        scheduler = await plan(house, item(A.STOP, 1, campaign_group_ids=(4711, GROUP)))
        house.clock.ms += 60_000
        await scheduler.run_due()
        ((_, _, outcome),) = await outcomes(house)
        assert outcome == (
            "4711: CampaignGroupNotFound, there is no campaign group with this id; "
            f"{GROUP}: CampaignNotLoaded, the group is not loaded"
        )

    run_in_house(test, [])


def test_a_disabled_schedule_rests() -> None:
    """Nothing happens while it is disabled."""

    async def test(house: House) -> None:
        scheduler = await plan(house, item(A.LOAD, 1), is_enabled=False)
        house.clock.ms += 60_000
        await scheduler.run_due()
        assert await outcomes(house) == []

    run_in_house(test, [])
