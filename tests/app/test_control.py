"""Campaign groups under control: states, what agents are told, unloading that waits, is forced, or completes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.app.harness import CAMPAIGN_ID, CENTRE, House, agent, record, run_in_house
from trunkline.adapters.storage.memory import MemoryStore
from trunkline.app.groups import control
from trunkline.app.groups.keeper import GroupKeeper
from trunkline.app.hand_out import buffers
from trunkline.app.ports import BufferEntry, ChainKey, Changes, DeskKey
from trunkline.domain import commands
from trunkline.domain.campaigns import Campaign
from trunkline.domain.enums import CallbackType, DialMode, GroupStatus, RecordStatus, RequestType
from trunkline.domain.events import (
    CampaignChanged,
    CampaignStep,
    MayLogOut,
    RecordWithdrawn,
)
from trunkline.domain.group_control import Control, ControlRefused, ServerError, Wish
from trunkline.domain.people import Role
from trunkline.domain.records import FieldChanges
from trunkline.errors import Forbidden, InvalidState

ANN, BOB, CARL = agent(1), agent(2), agent(3)
BOSS = agent(9, Role.SUPERVISOR)
GROUP = CAMPAIGN_ID
S, C = GroupStatus, Control


def keeper_of(house: House) -> GroupKeeper:
    """The keeper of a house's groups; it hears of what is committed, as in the server."""
    keeper = GroupKeeper(house.store, house.writer, lambda *_: None)
    publish = house.published.extend

    def hear(rows: Any) -> None:
        publish(rows)
        keeper.notice(rows)

    house.writer._publish = hear
    house.writer.on_adopt = keeper.book_changed
    return keeper


async def wish(keeper: GroupKeeper, what: Control, **values: Any) -> Campaign:
    """The supervisor asks something of the campaign's group."""
    return await keeper.control(BOSS, GROUP, Wish(control=what, **values))


def told(house: House) -> list[tuple[int, str]]:
    """Who was told what of campaigns without having asked, in order; forgets it."""
    found = [
        (stored.row.user_id, event.what.value)
        for stored in house.published
        for event in stored.row.events
        if isinstance(event, CampaignChanged) and stored.row.request_type is RequestType.UNSOLICITED
        and event.what not in (CampaignStep.PREVIEW_STARTED, CampaignStep.PREVIEW_ENDED)
    ]  # fmt: skip
    house.published.clear()
    return found


def all_three(step: str) -> list[tuple[int, str]]:
    """The three agents of the campaign, each told that."""
    return [(1, step), (2, step), (3, step)]


def in_buffer(key: ChainKey) -> BufferEntry:
    """A chain in the buffer of the group."""
    return BufferEntry(
        contact_centre_id=key[0],
        list_id=key[1],
        chain_id=key[2],
        campaign_group_id=GROUP,
        place=key[2],
        taken_at_ms=0,
        lease_until_ms=2**62,
    )


async def stored_status(house: House) -> GroupStatus:
    """Where the group stands in the database."""
    states = {state.key: state for state in (await house.store.directory()).group_states}
    return states[CENTRE, GROUP].status


def test_states_are_committed_with_what_agents_are_told() -> None:
    """Load, start, change of the goal, stop, unload: each is stored, audited, and told to every agent of the group."""

    async def test(house: House) -> None:
        keeper = keeper_of(house)
        for what, status, step in (
            (C.STOP, S.ACTIVE, "stopped"),
            (C.SET_MODE, S.ACTIVE, "mode changed"),
            (C.START, S.RUNNING, "started"),
        ):
            seen = await wish(keeper, what)
            assert seen.status is status
            assert await stored_status(house) is status
            audit = [s.row for s in house.published if s.row.user_id == BOSS.user_id]
            assert [row.request_type for row in audit] == [control.REQUEST_TYPES[what]]
            assert audit[0].campaign_id == CAMPAIGN_ID
            devices = {e.device_id for s in house.published for e in s.row.events}
            assert devices == {"d1", "d2", "d3"}
            assert told(house) == all_three(step)
        assert (await wish(keeper, C.UNLOAD)).status is S.NOT_LOADED
        assert told(house) == [*all_three("stopped"), *all_three("unloaded")]
        assert (await wish(keeper, C.LOAD)).status is S.ACTIVE
        assert told(house) == all_three("loaded")

    run_in_house(test, [])


def test_refusals_change_nothing() -> None:
    """What a state does not permit has the protocol's number; strangers and agents are sent away."""

    async def test(house: House) -> None:
        keeper = keeper_of(house)
        for what, error in (
            (C.LOAD, ServerError.CAMPAIGN_ALREADY_LOADED),
            (C.START, ServerError.CAMPAIGN_ALREADY_STARTED),
        ):
            with pytest.raises(ControlRefused) as caught:
                await wish(keeper, what)
            assert caught.value.error is error
        with pytest.raises(ControlRefused) as caught:
            await keeper.control(BOSS, 4711, Wish(control=C.STOP))
        assert (caught.value.error, caught.value.code) == (ServerError.CAMPAIGN_GROUP_NOT_FOUND, 6)
        stranger = msgspec.structs.replace(BOSS, contact_centre_id=2)
        with pytest.raises(ControlRefused) as caught:
            await keeper.control(stranger, GROUP, Wish(control=C.STOP))
        assert caught.value.error is ServerError.CAMPAIGN_GROUP_NOT_FOUND
        with pytest.raises(Forbidden):
            await keeper.control(ANN, GROUP, Wish(control=C.STOP))
        with pytest.raises(Forbidden):
            await house.ask(ANN, control.ControlGroup, campaign_group_id=GROUP, wish=Wish(control=C.STOP))
        assert house.published == []
        assert await stored_status(house) is S.RUNNING

    run_in_house(test, [])


def test_unloading_waits_for_agents_and_goes_on_by_itself() -> None:
    """The group waits until the last record left the last desk; nobody gets another one meanwhile."""

    async def test(house: House) -> None:
        keeper = keeper_of(house)
        (shown,) = await house.preview(ANN)
        (other,) = await house.preview(BOB)
        assert (await wish(keeper, C.UNLOAD)).status is S.WAITING_UNLOAD
        assert told(house) == all_three("stopped")
        with pytest.raises(InvalidState):
            await house.ask(ANN, commands.NextPreview)
        await house.ask(ANN, commands.CompleteRecord, handle=shown.handle, changes=FieldChanges())  # type: ignore[union-attr]
        await keeper.stop()
        assert await stored_status(house) is S.WAITING_UNLOAD
        await house.ask(BOB, commands.RejectRecord, handle=other.handle)  # type: ignore[union-attr]
        await keeper.stop()
        assert await stored_status(house) is S.NOT_LOADED
        assert told(house) == all_three("unloaded")
        # A preview session does not outlive its group.
        await wish(keeper, C.LOAD)
        await wish(keeper, C.START)
        with pytest.raises(InvalidState, match="StartPreviewSession"):
            await house.ask(ANN, commands.NextPreview)

    run_in_house(test, [record(1), record(2)])


def test_unloading_goes_on_by_the_clock_too() -> None:
    """A lease that ends frees the group, and a server that starts again finds the unloading where it was."""

    async def test(house: House) -> None:
        keeper = keeper_of(house)
        await house.preview(ANN)
        await wish(keeper, C.UNLOAD)
        again = GroupKeeper(house.store, house.writer, lambda *_: None)
        await again.advance()
        assert await stored_status(house) is S.WAITING_UNLOAD
        async with house.store.begin() as unit:
            (held,) = await unit.desk_of(CENTRE, 1)
            await unit.save(Changes(off_desk={control_key(held.entry.handle)}))
        await again.advance()
        assert await stored_status(house) is S.NOT_LOADED

    run_in_house(test, [record(1)])


def control_key(handle: int) -> DeskKey:
    """Key of a desk entry."""
    from trunkline.app.ports import DeskKey

    return DeskKey(CENTRE, handle)


def test_force_unload_takes_records_from_desks() -> None:
    """Records go back to their list as they were, their agents are told, and what is decided already stays decided."""

    async def test(house: House) -> None:
        keeper = keeper_of(house)
        (shown,) = await house.preview(ANN)
        (settled,) = await house.preview(BOB)
        await house.ask(
            BOB,
            commands.RescheduleRecord,
            handle=settled.handle,  # type: ignore[union-attr]
            callback_type=CallbackType.CAMPAIGN,
            due_at_s=house.clock.now_s() + 60,
        )
        house.published.clear()
        assert (await wish(keeper, C.FORCE_UNLOAD)).status is S.NOT_LOADED
        withdrawn = [
            (s.row.user_id, e.handle) for s in house.published for e in s.row.events if isinstance(e, RecordWithdrawn)
        ]
        assert sorted(withdrawn) == [(1, shown.handle), (2, settled.handle)]  # type: ignore[union-attr]
        assert await house.desk(ANN) == []
        assert await house.desk(BOB) == []
        chains = [await house.chain(n) for n in (1, 2)]
        assert [[r.status for r in chain] for chain in chains] == [[S_READY], [S_READY]]
        assert chains[1][0].due_at_s is not None
        assert told(house) == [*all_three("stopped"), *all_three("unloaded")]

    S_READY = RecordStatus.READY  # noqa: N806 - a name of an enumeration
    run_in_house(test, [record(1), record(2)])


def test_a_large_desk_is_cleared_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much lies on desks and in the buffer, each transaction takes a portion, and all of it goes back."""
    monkeypatch.setattr(control, "MAX_WITHDRAWN", 2)
    monkeypatch.setattr(buffers, "MAX_RETURNED", 2)

    async def test(house: House) -> None:
        keeper = keeper_of(house)
        for who in (ANN, BOB, CARL):
            await house.preview(who)
            await house.ask(who, commands.NextPreview)
        buffered = [msgspec.structs.replace(record(n), status=RecordStatus.RETRIEVED) for n in range(50, 55)]
        async with house.store.begin() as unit:
            await unit.save(Changes(new_records=buffered))
        assert isinstance(house.store, MemoryStore)
        house.store._tables.buffer |= {r.key[:3]: in_buffer(r.key[:3]) for r in buffered}
        batches = house.writer.batches
        await wish(keeper, C.FORCE_UNLOAD)
        assert house.writer.batches - batches >= 4  # two steps may share one
        for who in (ANN, BOB, CARL):
            assert await house.desk(who) == []
        statuses = [r.status for n in (*range(1, 7), *range(50, 55)) for r in await house.chain(n)]
        assert set(statuses) == {RecordStatus.READY}
        assert house.store._tables.buffer == {}

    run_in_house(test, [record(n) for n in range(1, 7)])


def test_complete_hands_out_what_is_in_memory_first() -> None:
    """A completing group runs until its buffer is empty, then waits for its agents, then is unloaded."""

    async def test(house: House) -> None:
        keeper = keeper_of(house)
        (shown,) = await house.preview(ANN)
        assert isinstance(house.store, MemoryStore)
        key = (CENTRE, 101, 2)
        house.store._tables.buffer[key] = in_buffer(key)
        seen = await wish(keeper, C.COMPLETE)
        assert (seen.status, seen.is_completing, seen.fetches) == (S.RUNNING, True, False)
        await keeper.advance()
        assert await stored_status(house) is S.RUNNING
        house.store._tables.buffer.clear()
        await keeper.advance()
        assert await stored_status(house) is S.WAITING_UNLOAD
        await house.ask(ANN, commands.RejectRecord, handle=shown.handle)  # type: ignore[union-attr]
        await keeper.stop()
        assert await stored_status(house) is S.NOT_LOADED

    run_in_house(test, [record(1)])


def test_a_large_group_is_told_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction tells more than its share of agents; each agent is told once, in the order of events."""
    monkeypatch.setattr(control, "MAX_TOLD", 2)
    monkeypatch.setattr("trunkline.app.groups.keeper.MAX_TOLD", 2)

    async def test(house: House) -> None:
        keeper = keeper_of(house)
        await wish(keeper, C.FORCE_UNLOAD)
        heard: dict[int, list[str]] = {}
        for user_id, step in told(house):
            heard.setdefault(user_id, []).append(step)
        assert heard == {n: ["stopped", "unloaded"] for n in range(1, 8)}

    run_in_house(test, [], campaign={"agents": frozenset(range(1, 8))})


def test_a_wish_of_a_schedule_needs_no_role_and_leaves_its_number() -> None:
    """Schedules ask from inside; the state says which one, and the audit has the request."""

    async def test(house: House) -> None:
        keeper = keeper_of(house)
        await keeper.control(control.inside(CENTRE), GROUP, Wish(control=C.STOP, schedule_id=12))
        (state,) = [s for s in house.writer.book.group_states if s.key == (CENTRE, GROUP)]
        assert (state.status, state.schedule_id) == (S.ACTIVE, 12)
        assert house.published[0].row.request_type is RequestType.GROUP_STOP
        await wish(keeper, C.START, dial_mode=DialMode.PREVIEW)
        (state,) = [s for s in house.writer.book.group_states if s.key == (CENTRE, GROUP)]
        assert state.schedule_id == 0

    run_in_house(test, [])


def test_an_agent_who_leaves_is_told_when_it_is_free() -> None:
    """With an empty desk at once, else when the grace time of what lies there ends."""

    async def test(house: House) -> None:
        _, free = await house.ask(ANN, commands.LogOut)
        assert isinstance(free, MayLogOut)
        assert free.at_s == house.clock.now_s()
        await house.preview(ANN)
        _, later = await house.ask(ANN, commands.LogOut)
        assert isinstance(later, MayLogOut)
        assert later.at_s == house.clock.now_s() + house.rules.grace_ms // 1000

    run_in_house(test, [record(1)])
