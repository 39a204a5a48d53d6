"""Use cases about records on a desk: what they change, what they leave alone, what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.harness import NOON_S, House, agent, record, run_in_house
from trunkline.domain import commands
from trunkline.domain.desk import Share, shared
from trunkline.domain.enums import CallbackType, CallResult, Door, RecordStatus, RecordType
from trunkline.domain.events import Acknowledgement, NothingToPreview, RecordAcknowledged, RecordShown
from trunkline.domain.records import FieldChanges, Record
from trunkline.errors import Forbidden, InvalidState, NotFound, OutOfRange

ANN, BOB = agent(1), agent(2)
CHAIN = [record(1, 0), record(1, 1), record(1, 2)]


async def taken(house: House, who: object = ANN) -> RecordShown:
    """The next chain, on the desk."""
    events = await house.preview(who)  # type: ignore[arg-type]
    assert isinstance(events[0], RecordShown)
    return events[0]


def statuses(chain: list[Record]) -> list[RecordStatus]:
    """Statuses by place."""
    return [one.status for one in chain]


def test_update_writes_fields_and_keeps_the_record() -> None:
    """UpdateRecord stores what it names, as often as wanted, and the record stays on the desk."""

    async def test(house: House) -> None:
        handle = (await taken(house)).handle
        changes = FieldChanges(until_s=100, call_result=CallResult.BUSY, other_fields={"note": "x"})
        for _ in range(2):
            events = await house.ask(ANN, commands.UpdateRecord, handle=handle, changes=changes)
            assert isinstance(events[0], RecordAcknowledged)
            assert (events[0].what, events[0].call_result) == (Acknowledgement.UPDATED, CallResult.BUSY)
            assert events[0].list_name == "List"
        stored = (await house.chain(1))[0]
        assert (stored.until_s, stored.call_result, stored.other_fields) == (100, CallResult.BUSY, {"note": "x"})
        assert stored.status is RecordStatus.RETRIEVED
        assert len(await house.desk(ANN)) == 3

    run_in_house(test, CHAIN)


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"handle": 999_999}, NotFound),
        ({"campaign_name": "Nowhere"}, NotFound),
        ({"campaign_name": "Elsewhere"}, InvalidState),
        ({"application_id": 135}, InvalidState),
        ({"list_name": "Nowhere"}, NotFound),
        ({"list_name": "Other"}, InvalidState),
        ({"device_id": "d2"}, NotFound),
        ({"changes": FieldChanges(time_zone="Mars/Olympus")}, OutOfRange),
        ({"changes": FieldChanges(phone_number="nobody")}, OutOfRange),
        ({"changes": FieldChanges(from_s=86_400)}, OutOfRange),
    ],
)
def test_update_refusals_change_nothing(fields: dict[str, Any], refusal: type[Exception]) -> None:
    """What contradicts the record is refused as documented, and nothing is different afterwards."""

    async def test(house: House) -> None:
        handle = (await taken(house)).handle
        before = await house.chain(1)
        given = {"handle": handle, "changes": FieldChanges(until_s=5), **fields}
        with pytest.raises(refusal):
            await house.ask(ANN, commands.UpdateRecord, **given)
        assert await house.chain(1) == before

    run_in_house(test, CHAIN)


def test_foreign_and_unknown_handles_are_told_alike() -> None:
    """Another agent's handle is answered with the very words of an unknown one."""

    async def test(house: House) -> None:
        handle = (await taken(house)).handle
        said = []
        for number in (handle, 999_999):
            with pytest.raises(NotFound) as refused:
                await house.ask(BOB, commands.UpdateRecord, handle=number, changes=FieldChanges(until_s=5))
            said.append(str(refused.value))
        assert said[0] == said[1]

    run_in_house(test, CHAIN)


def test_complete_ends_the_chain() -> None:
    """Complete stores the result, ends the siblings, empties the desk."""

    async def test(house: House) -> None:
        handle = (await taken(house)).handle
        await house.ask(
            ANN, commands.CompleteRecord, handle=handle, changes=FieldChanges(call_result=CallResult.ANSWER)
        )
        chain = await house.chain(1)
        assert statuses(chain) == [RecordStatus.UPDATED, RecordStatus.CHAIN_UPDATED, RecordStatus.CHAIN_UPDATED]
        assert (chain[0].call_result, chain[0].attempts, chain[0].agent_id) == (CallResult.ANSWER, 1, 1)
        assert chain[0].called_at_s == NOON_S
        assert await house.desk(ANN) == []
        with pytest.raises(NotFound):
            await house.ask(ANN, commands.CompleteRecord, handle=handle, changes=FieldChanges())
        assert isinstance((await house.preview(ANN))[0], NothingToPreview)

    run_in_house(test, CHAIN)


def test_reject_gives_the_chain_back() -> None:
    """A rejected chain is handed out again, to anybody."""

    async def test(house: House) -> None:
        first = await taken(house)
        await house.ask(ANN, commands.RejectRecord, handle=first.handle)
        assert set(statuses(await house.chain(1))) == {RecordStatus.READY}
        again = await taken(house, BOB)
        assert again.record.key == first.record.key
        assert again.handle != first.handle

    run_in_house(test, CHAIN)


@pytest.mark.parametrize("kind", list(CallbackType))
def test_reschedule_makes_the_chain_wait_and_come_back(kind: CallbackType) -> None:
    """A callback is due at its time, for whom it was set; siblings wait and come with it; Complete changes nothing."""

    async def test(house: House) -> None:
        handle = (await taken(house)).handle
        due_at_s = NOON_S + 600
        await house.ask(ANN, commands.RescheduleRecord, handle=handle, callback_type=kind, due_at_s=due_at_s)
        chain = await house.chain(1)
        assert statuses(chain) == [RecordStatus.READY, RecordStatus.CHAIN_READY, RecordStatus.CHAIN_READY]
        assert chain[0].due_at_s == due_at_s
        is_personal = kind is CallbackType.PERSONAL
        assert chain[0].record_type is (RecordType.PERSONAL_CALL_BACK if is_personal else RecordType.CAMPAIGN_CALL_BACK)
        assert len(await house.desk(ANN)) == 3
        await house.ask(ANN, commands.CompleteRecord, handle=handle, changes=FieldChanges(call_result=CallResult.BUSY))
        assert await house.chain(1) == chain
        assert await house.desk(ANN) == []
        assert isinstance((await house.preview(BOB))[0], NothingToPreview)
        house.clock.ms += 600_000
        if is_personal:
            assert isinstance((await house.preview(BOB))[0], NothingToPreview)
        due = await taken(house, ANN if is_personal else BOB)
        assert due.record.chain_n == 0
        assert due.callback_type is kind
        assert set(statuses(await house.chain(1))) == {RecordStatus.RETRIEVED}

    run_in_house(test, CHAIN)


def test_reschedule_in_the_past_is_refused() -> None:
    """A callback cannot be set for a time that is over."""

    async def test(house: House) -> None:
        handle = (await taken(house)).handle
        with pytest.raises(InvalidState):
            await house.ask(
                ANN,
                commands.RescheduleRecord,
                handle=handle,
                callback_type=CallbackType.PERSONAL,
                due_at_s=NOON_S - 1,
            )

    run_in_house(test, CHAIN)


def test_a_local_time_is_read_in_the_record_s_zone() -> None:
    """``mm/dd/yyyy hh:mm`` means the wall clock of the person called."""

    async def test(house: House) -> None:
        handle = (await taken(house)).handle
        await house.ask(
            ANN,
            commands.RescheduleRecord,
            door=Door.USER_EVENT,
            handle=handle,
            callback_type=CallbackType.CAMPAIGN,
            local_time="11/24/2026 09:00",
            is_scheduled=False,
        )
        assert (await house.chain(1))[0].due_at_s == 1_795_528_800

    run_in_house(test, [record(1, 0, time_zone="America/New_York")])


def test_a_callback_taken_by_another_is_not_ended_by_the_first() -> None:
    """Complete under a settled handle leaves alone what another agent works by now."""

    async def test(house: House) -> None:
        handle = (await taken(house)).handle
        await house.ask(
            ANN, commands.RescheduleRecord, handle=handle, callback_type=CallbackType.CAMPAIGN, due_at_s=NOON_S + 60
        )
        house.clock.ms += 61_000
        await taken(house, BOB)
        before = await house.chain(1)
        await house.ask(ANN, commands.CompleteRecord, handle=handle, changes=FieldChanges())
        assert await house.chain(1) == before
        assert len(await house.desk(BOB)) == 3

    run_in_house(test, CHAIN)


def test_the_chain_is_shown_record_by_record() -> None:
    """GetChainedRecord shows each sibling under its own handle, then says that this was all."""

    async def test(house: House) -> None:
        handle = (await taken(house)).handle
        events = await house.ask(ANN, commands.ReadChain, handle=handle)
        shown, end = events[:-1], events[-1]
        assert [one.record.chain_n for one in shown if isinstance(one, RecordShown)] == [1, 2]
        assert isinstance(end, RecordAcknowledged)
        assert (end.what, end.chain_id) == (Acknowledgement.CHAIN_END, 1)
        assert len({handle, *(one.handle for one in shown if isinstance(one, RecordShown))}) == 3

    run_in_house(test, CHAIN)


def test_rights_in_consultation_and_conference() -> None:
    """A consulted agent reads the chain and nothing else; in a conference everyone writes, the first Complete wins."""

    async def test(house: House) -> None:
        handle = (await taken(house)).handle
        await share(house, handle, Share.CONSULTATION)
        assert len(await house.ask(BOB, commands.ReadChain, handle=handle)) == 3
        with pytest.raises(Forbidden):
            await house.ask(BOB, commands.UpdateRecord, handle=handle, changes=FieldChanges(until_s=5))
        await share(house, handle, Share.CONFERENCE)
        await house.ask(BOB, commands.UpdateRecord, handle=handle, changes=FieldChanges(until_s=5))
        await house.ask(BOB, commands.CompleteRecord, handle=handle, changes=FieldChanges())
        with pytest.raises(NotFound):
            await house.ask(ANN, commands.UpdateRecord, handle=handle, changes=FieldChanges(until_s=6))

    run_in_house(test, CHAIN)


async def share(house: House, handle: int, kind: Share) -> None:
    """Let Bob join the call of a record."""
    from trunkline.app.ports import Changes, DeskKey

    held = next(one for one in await house.desk(ANN) if one.entry.handle == handle)
    async with house.store.begin() as unit:
        entry = shared(held.entry, BOB.user_id, kind)
        await unit.save(Changes(desk={DeskKey(entry.contact_centre_id, handle): entry}))
