"""Do-not-call entries that come while records lie on desks."""

from __future__ import annotations

import pytest

from tests.app.harness import NOON_S, House, record, run_in_house
from tests.app.suppressing import ANN, BOB, CUSTOMER, enter, make_list
from trunkline.app.hand_out import desk_watch
from trunkline.app.hand_out.desk_watch import WATCH_EVERY_MS, DeskWatch
from trunkline.app.rescue import REPORT_MS, SYSTEM, ExpireLeases
from trunkline.domain import commands
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.enums import CallResult, Hold, RecordStatus, RecordType
from trunkline.domain.events import NothingToPreview, RecordShown, RecordWithdrawn
from trunkline.domain.records import FieldChanges

RECORDS = [record(1), record(2, customer_id="c2"), record(3)]


async def look(house: House, watch: DeskWatch) -> list[RecordWithdrawn]:
    """Let the time between two looks pass, look, and say what agents were told."""
    house.clock.ms += WATCH_EVERY_MS
    before = len(house.published)
    await watch.look()
    rows = [row.row for row in house.published[before:]]
    return [event for row in rows for event in row.events if isinstance(event, RecordWithdrawn)]


@pytest.mark.parametrize("page", [1, 200])
def test_a_record_that_is_named_while_it_lies_on_a_desk(page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its agent is told, it is out of dialing, the log says why; other agents keep theirs, and it is said once."""
    monkeypatch.setattr(desk_watch, "PAGE", page)

    async def test(house: House) -> None:
        watch = DeskWatch(house.store, house.writer, house.clock)
        register = await make_list(house, is_required=True)
        for who in (ANN, BOB):
            await house.preview(who)
        (mine,), (other,) = await house.desk(ANN), await house.desk(BOB)
        assert await look(house, watch) == []
        await enter(house, register, mine.record.phone_number)
        (told,) = await look(house, watch)
        assert (told.handle, told.device_id) == (mine.entry.handle, "d1")
        (kept,) = await house.desk(ANN)
        assert kept.entry.is_settled
        assert (kept.record.record_type, kept.record.call_result) == (RecordType.NO_CALL, CallResult.DO_NOT_CALL)
        assert kept.record.status is not RecordStatus.RETRIEVED
        row = house.attempts[-1]
        assert (row.step, row.detail["rule"], row.agent_id) == (AttemptStep.BLOCKED, "suppression", 1)
        assert await house.desk(BOB) == [other]
        assert await look(house, watch) == []
        changes = FieldChanges(call_result=CallResult.ANSWER)
        await house.ask(ANN, commands.CompleteRecord, handle=mine.entry.handle, changes=changes)
        assert await house.desk(ANN) == []
        assert (house.attempts[-1].step, house.attempts[-1].call_result) == (AttemptStep.ENDED, CallResult.ANSWER)
        assert [one.record_type for one in await house.chain(mine.record.chain_id)] == [RecordType.NO_CALL]

    run_in_house(test, RECORDS)


def test_do_not_call_is_asked_whatever_else_is_wrong_with_a_record() -> None:
    """A sibling whose time zone nobody knows any more is taken away like others."""

    async def test(house: House) -> None:
        watch = DeskWatch(house.store, house.writer, house.clock)
        register = await make_list(house, is_required=True)
        await house.preview(ANN)
        _, odd = await house.desk(ANN)
        await enter(house, register, odd.record.phone_number)
        (told,) = await look(house, watch)
        assert told.handle == odd.entry.handle
        assert (await house.chain(1))[1].record_type is RecordType.NO_CALL

    run_in_house(test, [record(1), record(1, 1, time_zone="Mars/Olympus")])


def test_a_record_that_was_taken_away_leaves_the_desk_soon() -> None:
    """Its agent has the time of a long call to report one; then nothing waits for what desktops have closed."""

    async def test(house: House) -> None:
        watch = DeskWatch(house.store, house.writer, house.clock)
        register = await make_list(house, is_required=True)
        await house.preview(ANN)
        await enter(house, register, RECORDS[0].phone_number)
        assert len(await look(house, watch)) == 1
        house.clock.ms += REPORT_MS - 1
        await house.ask(SYSTEM, ExpireLeases)
        assert len(await house.desk(ANN)) == 1
        house.clock.ms += 1
        await house.ask(SYSTEM, ExpireLeases)
        assert await house.desk(ANN) == []
        assert [one.record_type for one in await house.chain(1)] == [RecordType.NO_CALL]

    run_in_house(test, RECORDS)


def test_a_customer_that_is_named() -> None:
    """Entries of a customer are found like those of a number."""

    async def test(house: House) -> None:
        watch = DeskWatch(house.store, house.writer, house.clock)
        register = await make_list(house, is_required=True, kind=CUSTOMER)
        await house.preview(ANN)
        await house.preview(BOB)
        await enter(house, register, "c2")
        (told,) = await look(house, watch)
        assert told.device_id == "d2"

    run_in_house(test, RECORDS)


def test_an_entry_with_an_end_takes_the_record_for_that_time() -> None:
    """It is called again when the entry has ended, not before."""

    async def test(house: House) -> None:
        watch = DeskWatch(house.store, house.writer, house.clock)
        register = await make_list(house, is_required=True)
        await house.preview(ANN)
        await enter(house, register, RECORDS[0].phone_number, expires=str(NOON_S + 3600))
        assert len(await look(house, watch)) == 1
        (kept,) = await house.chain(1)
        assert (kept.hold, kept.due_at_s, kept.record_type) == (Hold.SUPPRESSION, NOON_S + 3600, RecordType.GENERAL)
        (held,) = await house.desk(ANN)
        await house.ask(ANN, commands.CompleteRecord, handle=held.entry.handle, changes=FieldChanges())
        assert isinstance((await house.preview(BOB))[0], NothingToPreview)
        house.clock.ms = (NOON_S + 3600) * 1000
        assert isinstance((await house.ask(BOB, commands.NextPreview))[0], RecordShown)

    run_in_house(test, RECORDS[:1])


@pytest.mark.parametrize("step_ms", [1, -3_600_000])
def test_no_second_look_before_its_time(step_ms: int) -> None:
    """The step of the upkeep costs nothing in between; a clock that is set back stops nothing."""

    async def test(house: House) -> None:
        watch = DeskWatch(house.store, house.writer, house.clock)
        register = await make_list(house, is_required=True)
        await house.preview(ANN)
        await enter(house, register, RECORDS[0].phone_number)
        house.clock.ms += WATCH_EVERY_MS - 1
        await watch.look()
        assert not (await house.desk(ANN))[0].entry.is_settled
        house.clock.ms += step_ms
        await watch.look()
        assert (await house.desk(ANN))[0].entry.is_settled

    run_in_house(test, RECORDS)
