"""Use cases about a contact: do-not-call, cancel, add; and that the hand-out obeys them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.harness import NOON_S, OTHER_LIST_ID, House, agent, record, run_in_house
from trunkline.app.rescue import REPORT_MS
from trunkline.domain import commands
from trunkline.domain.enums import (
    CallbackType,
    CallResult,
    ChainAttribute,
    DoNotCallKind,
    PhoneType,
    RecordStatus,
    RecordType,
    SuppressionScope,
)
from trunkline.domain.events import Acknowledgement, NothingToPreview, RecordAcknowledged, RecordShown, RecordWithdrawn
from trunkline.domain.numbers import canonical_number
from trunkline.domain.records import FieldChanges
from trunkline.errors import AlreadyExists, InvalidState, NotFound

ANN, BOB = agent(1), agent(2)
CHAIN = [record(1, 0), record(1, 1)]


async def handle_of_next(house: House) -> int:
    """Ann takes the next chain."""
    events = await house.preview(ANN)
    assert isinstance(events[0], RecordShown)
    return events[0].handle


def test_do_not_call_takes_the_record_out() -> None:
    """The record is NoCall with result 51; its sibling is untouched; the handle stays readable until Complete."""

    async def test(house: House) -> None:
        handle = await handle_of_next(house)
        events = await house.ask(ANN, commands.SuppressContact, handle=handle)
        assert isinstance(events[0], RecordAcknowledged)
        assert (events[0].what, events[0].handle) == (Acknowledgement.SUPPRESSED, handle)
        first, second = await house.chain(1)
        assert (first.status, first.record_type) == (RecordStatus.UPDATED, RecordType.NO_CALL)
        assert first.call_result is CallResult.DO_NOT_CALL
        assert second.status is RecordStatus.RETRIEVED
        assert len(await house.desk(ANN)) == 2
        await house.ask(ANN, commands.CompleteRecord, handle=handle, changes=FieldChanges(call_result=CallResult.BUSY))
        assert (await house.chain(1))[0] == first
        assert await house.desk(ANN) == []

    run_in_house(test, CHAIN)


def test_do_not_call_for_the_whole_chain() -> None:
    """AllChain enters every number of the chain."""

    async def test(house: House) -> None:
        handle = await handle_of_next(house)
        await house.ask(ANN, commands.SuppressContact, handle=handle, chain_attribute=ChainAttribute.ALL_CHAIN)
        assert {one.record_type for one in await house.chain(1)} == {RecordType.NO_CALL}
        async with house.store.begin() as unit:
            keys = [(DoNotCallKind.NUMBER, canonical_number(one.phone_number)) for one in CHAIN]
            hits = await unit.suppressed(1, 201, [], NOON_S, keys)
        assert len(hits) == 2

    run_in_house(test, CHAIN)


@pytest.mark.parametrize("spelling", ["+12125550020", "+1 (212) 555-0020", "0012125550020"])
def test_a_number_on_the_list_is_not_handed_out(spelling: str) -> None:
    """Whatever its spelling, a suppressed number is found at hand-out, taken out of dialing, and the next one comes."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.SuppressContact, phone_number=spelling)
        events = await house.preview(BOB)
        assert isinstance(events[0], RecordShown)
        assert events[0].record.chain_id == 3
        assert (await house.chain(2))[0].record_type is RecordType.NO_CALL

    run_in_house(test, [record(2, phone_number="+1 212 555 0020"), record(3)])


def test_another_number_of_a_blocked_chain_may_be_called() -> None:
    """A hit on one number leaves the chain's other number callable."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.SuppressContact, phone_number=CHAIN[0].phone_number)
        events = await house.preview(BOB)
        assert isinstance(events[0], RecordShown)
        assert events[0].record.chain_n == 1

    run_in_house(test, CHAIN)


@pytest.mark.parametrize("operation", [commands.UpdateRecord, commands.RescheduleRecord])
def test_a_number_on_the_list_does_not_get_onto_a_desk(
    operation: type[commands.UpdateRecord | commands.RescheduleRecord],
) -> None:
    """Who changes a record's number, now or for a callback, gets none that must not be called; a spelling is none."""
    callback: dict[str, Any] = {"callback_type": CallbackType.PERSONAL, "due_at_s": NOON_S + 3600}
    more = callback if operation is commands.RescheduleRecord else {}

    async def test(house: House) -> None:
        handle = await handle_of_next(house)
        await house.ask(BOB, commands.SuppressContact, phone_number="+12125550999")
        before = await house.chain(1)
        changes = FieldChanges(phone_number="+1 212 555 0999")
        with pytest.raises(InvalidState, match="do-not-call"):
            await house.ask(ANN, operation, handle=handle, changes=changes, **more)
        assert await house.chain(1) == before
        await house.ask(ANN, commands.SuppressContact, handle=handle)
        changes = FieldChanges(phone_number=CHAIN[0].phone_number.replace("+", "00"))
        await house.ask(ANN, commands.UpdateRecord, handle=handle, changes=changes)

    run_in_house(test, CHAIN)


def test_a_customer_on_the_list_is_not_handed_out() -> None:
    """An entry by customer id holds for all numbers of that customer."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.SuppressContact, customer_id="c-1")
        assert isinstance((await house.preview(BOB))[0], NothingToPreview)
        assert {r.record_type for r in (*await house.chain(1), *await house.chain(2))} == {RecordType.NO_CALL}

    run_in_house(test, [record(1, customer_id="c-1"), record(2, customer_id="c-1")])


@pytest.mark.parametrize("scope", list(SuppressionScope))
def test_scope_of_an_agent_s_entry(scope: SuppressionScope) -> None:
    """It holds in the contact centre, unless the campaign says "campaign only" (decisions 5)."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.SuppressContact, phone_number="+12125550999")
        async with house.store.begin() as unit:
            number = (DoNotCallKind.NUMBER, "12125550999")
            elsewhere = await unit.suppressed(1, 202, [], NOON_S, [number])
            here = await unit.suppressed(1, 201, [], NOON_S, [number])
        assert len(here) == 1
        assert bool(elsewhere) is (scope is SuppressionScope.CONTACT_CENTRE)

    run_in_house(test, CHAIN, campaign={"suppression_scope": scope})


def test_the_other_agent_is_told() -> None:
    """A record that somebody else's request takes away is withdrawn from the desk it lies on."""

    async def test(house: House) -> None:
        handle = await handle_of_next(house)
        await house.ask(BOB, commands.CancelRecord, phone_number=CHAIN[0].phone_number)
        told = [row.row for row in house.published if row.row.user_id == ANN.user_id][-1]
        assert isinstance(told.events[0], RecordWithdrawn)
        assert told.events[0].handle == handle
        assert (await house.chain(1))[0].status is RecordStatus.CANCELLED
        gone, kept = await house.desk(ANN)
        assert gone.entry.lease_until_ms == house.clock.ms + REPORT_MS
        assert kept.entry.lease_until_ms == house.clock.ms + house.rules.lease_ms

    run_in_house(test, CHAIN)


def test_cancel_by_handle_and_of_nothing() -> None:
    """Cancel by handle closes that record; cancelling a number nobody has is refused."""

    async def test(house: House) -> None:
        handle = await handle_of_next(house)
        await house.ask(ANN, commands.CancelRecord, handle=handle, chain_attribute=ChainAttribute.RECORD_ONLY)
        first, second = await house.chain(1)
        assert (first.status, first.call_result) == (RecordStatus.CANCELLED, CallResult.CANCEL_RECORD)
        assert second.status is RecordStatus.RETRIEVED
        with pytest.raises(NotFound):
            await house.ask(ANN, commands.CancelRecord, phone_number="+19995550000")

    run_in_house(test, CHAIN)


NEW: dict[str, Any] = {
    "list_name": "List",
    "phone_number": "+12125550777",
    "phone_type": PhoneType.MOBILE,
    "time_zone": "EST",
}


def test_add_opens_a_chain() -> None:
    """A new record gets a fresh handle, a chain of its own, and can be handed out."""

    async def test(house: House) -> None:
        fields: dict[str, Any] = {"from_s": 0, "until_s": 86_400, "other_fields": {"name": "Zoe"}}
        events = await house.ask(ANN, commands.AddRecord, **NEW, **fields)
        added = events[0]
        assert isinstance(added, RecordAcknowledged)
        assert added.record is not None
        assert (added.what, added.record.chain_n, added.record.attempts) == (Acknowledgement.ADDED, 0, 0)
        shown = (await house.preview(BOB))[0]
        assert isinstance(shown, RecordShown)
        assert shown.record.other_fields == {"name": "Zoe"}
        assert shown.handle != added.handle

    run_in_house(test, [])


@pytest.mark.parametrize("is_open", [True, False])
def test_add_to_a_chain_on_a_desk_goes_to_that_desk(is_open: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A chain is never in two hands, not even by adding to it; the entry tells whether the rules let the new one go."""

    async def test(house: House) -> None:
        await handle_of_next(house)
        hours: dict[str, Any] = {"from_s": 0, "until_s": 86_400 if is_open else 60}
        events = await house.ask(BOB, commands.AddRecord, **NEW, **hours, chain_id=1)
        added = (await house.desk(ANN))[-1]
        assert (added.record.chain_n, added.entry.permitted_at_ms) == (2, house.clock.ms if is_open else 0)
        assert isinstance(events[0], RecordAcknowledged)
        assert isinstance((await house.preview(BOB))[0], NothingToPreview)
        assert events[0].handle in {one.entry.handle for one in await house.desk(ANN)}

    run_in_house(test, CHAIN)


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"list_name": "Nowhere"}, NotFound),
        ({"list_name": "Foreign"}, InvalidState),
        ({"chain_id": 77}, NotFound),
        ({"agent_name": "agent2"}, NotFound),
        ({"due_at_s": NOON_S - 5}, InvalidState),
        ({"phone_number": CHAIN[0].phone_number}, AlreadyExists),
    ],
)
def test_add_refusals(fields: dict[str, Any], refusal: type[Exception]) -> None:
    """What cannot be added is refused, and nothing is added."""

    async def test(house: House) -> None:
        with pytest.raises(refusal):
            await house.ask(ANN, commands.AddRecord, **{**NEW, **fields})
        assert house.published == []

    run_in_house(test, CHAIN, list_changes={"refuses_duplicates": True})


def test_fields_that_stay_here() -> None:
    """A custom field that the format does not send is not shown to agents."""

    async def test(house: House) -> None:
        shown = (await house.preview(ANN))[0]
        assert isinstance(shown, RecordShown)
        assert shown.record.other_fields == {"open": 1}
        assert shown.list_name == "Other"

    run_in_house(test, [record(5, list_id=OTHER_LIST_ID, other_fields={"open": 1, "secret": 2})])


def test_order_of_hand_out() -> None:
    """Promises to a person first, then callbacks of the campaign, retries, then fresh records in list order."""
    due = NOON_S - 10
    records = [
        record(1, list_id=OTHER_LIST_ID),
        record(2),
        record(3, record_type=RecordType.CAMPAIGN_RESCHEDULED, due_at_s=due),
        record(4, record_type=RecordType.CAMPAIGN_CALL_BACK, due_at_s=due),
        record(5, record_type=RecordType.PERSONAL_CALL_BACK, due_at_s=due, agent_id=2),
        record(6, record_type=RecordType.PERSONAL_CALL_BACK, due_at_s=due, agent_id=1),
        record(7, record_type=RecordType.CAMPAIGN_CALL_BACK, due_at_s=NOON_S + 100),
    ]

    async def test(house: House) -> None:
        order = []
        for _ in range(6):
            event = (await house.preview(ANN))[0]
            order.append(event.record.chain_id if isinstance(event, RecordShown) else None)
        assert order == [6, 4, 3, 2, 1, None]

    run_in_house(test, records)


@pytest.mark.parametrize(
    "changes",
    [
        {"from_s": 46_800, "until_s": 50_000},
        {"phone_type": PhoneType.EMAIL_ADDRESS, "phone_number": "a@example.org"},
        {"attempts": 10},
        {"record_type": RecordType.NO_CALL},
        {"status": RecordStatus.STALE},
        {"due_at_s": NOON_S + 1},
        {"record_type": RecordType.PERSONAL_RESCHEDULED, "agent_id": 2},
    ],
)
def test_what_is_not_handed_out(changes: dict[str, Any]) -> None:
    """Closed windows, addresses, spent attempts, do-not-call, closed records, the future, other people's callbacks."""

    async def test(house: House) -> None:
        assert isinstance((await house.preview(ANN))[0], NothingToPreview)

    run_in_house(test, [record(1, **changes)])


def test_preview_needs_its_session() -> None:
    """GetPreviewRecord before StartPreviewSession, and EndPreviewSession without one, contradict the state."""

    async def test(house: House) -> None:
        for kind in (commands.NextPreview, commands.EndPreview):
            with pytest.raises(InvalidState):
                await house.ask(ANN, kind)
        await house.ask(ANN, commands.StartPreview)
        await house.ask(ANN, commands.EndPreview)
        with pytest.raises(InvalidState):
            await house.ask(ANN, commands.NextPreview)

    run_in_house(test, CHAIN)


def test_a_callback_type_is_remembered_on_the_screen() -> None:
    """The agent sees that a record is a callback."""

    async def test(house: House) -> None:
        shown = (await house.preview(ANN))[0]
        assert isinstance(shown, RecordShown)
        assert shown.callback_type is CallbackType.CAMPAIGN

    run_in_house(test, [record(1, record_type=RecordType.CAMPAIGN_CALL_BACK, due_at_s=NOON_S)])
