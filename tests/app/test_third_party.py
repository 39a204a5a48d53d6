"""Requests of third parties: on other people's desks, in any list, told to the agents concerned."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.app.harness import LIST_ID, NOON_S, OTHER_LIST_ID, House, agent, record, run_in_house
from trunkline.adapters.storage.memory import MemoryStore
from trunkline.domain import commands
from trunkline.domain.enums import (
    CallbackType,
    CallResult,
    ChainAttribute,
    DoNotCallKind,
    Door,
    RecordStatus,
    RecordType,
)
from trunkline.domain.events import Acknowledgement, AnyEvent, RecordAcknowledged, RecordShown, RecordWithdrawn
from trunkline.domain.people import Caller, Role
from trunkline.domain.records import FieldChanges
from trunkline.domain.third_party import ThirdPartyRequest
from trunkline.errors import Forbidden, InvalidState, MissingParameter, NotFound, Refused

BOSS = agent(9, Role.SUPERVISOR)
ANN = agent(1)
BARE: dict[str, Any] = {"campaign_name": "", "application_id": 0, "device_id": ""}


async def ask(house: House, command: Any, *, who: Caller = BOSS, agent: Caller | None = None) -> RecordAcknowledged:
    """Send a request of a third party; returns its acknowledgement."""
    events = await house.ask(who, ThirdPartyRequest, door=Door.HTTP, command=command, agent=agent)
    assert len(events) == 1
    assert isinstance(events[0], RecordAcknowledged)
    assert events[0].door is Door.HTTP
    return events[0]


async def shown(house: House) -> int:
    """Let Ann take a record; returns its handle."""
    events = await house.preview(ANN)
    assert isinstance(events[-1], RecordShown)
    house.published.clear()
    return events[-1].handle


def told(house: House, user_id: int) -> list[AnyEvent]:
    """Events for a user since the record was shown."""
    return [event for stored in house.published if stored.row.user_id == user_id for event in stored.row.events]


def test_an_update_is_told_to_the_agent() -> None:
    """The record changes, stays on the desk, and the agent hears of it as of its own update."""

    async def test(house: House) -> None:
        handle = await shown(house)
        changes = FieldChanges(call_result=CallResult.BUSY, other_fields={"note": "x"})
        event = await ask(house, commands.UpdateRecord(**BARE, handle=handle, changes=changes))
        assert (event.what, event.handle, event.campaign_name) == (Acknowledgement.UPDATED, handle, "Campaign")
        [held] = await house.desk(ANN)
        assert (held.record.call_result, held.record.other_fields) == (CallResult.BUSY, {"note": "x"})
        [news] = told(house, 1)
        assert isinstance(news, RecordAcknowledged)
        assert (news.what, news.door, news.device_id) == (Acknowledgement.UPDATED, Door.INSIDE, "d1")

    run_in_house(test, [record(1)])


def test_a_processed_record_leaves_the_desk() -> None:
    """The result is the agent's, the chain is gone from the desk, and the agent is told for each record of it."""

    async def test(house: House) -> None:
        handle = await shown(house)
        changes = FieldChanges(call_result=CallResult.ANSWER)
        await ask(house, commands.CompleteRecord(**BARE, handle=handle, changes=changes))
        assert await house.desk(ANN) == []
        first, second = await house.chain(1)
        assert (first.status, first.call_result, first.agent_id) == (RecordStatus.UPDATED, CallResult.ANSWER, 1)
        assert second.status is RecordStatus.CHAIN_UPDATED
        assert [type(event) for event in told(house, 1)] == [RecordWithdrawn, RecordWithdrawn]
        assert {stored.row.user_id for stored in house.published} == {1, 9}

    run_in_house(test, [record(1), record(1, 1)])


@pytest.mark.parametrize("what", ["cancel", "do not call", "reschedule"])
def test_a_decided_record_is_withdrawn(what: str) -> None:
    """Cancel, do-not-call and a callback decide a record's fate: its agent is told once that it is gone."""
    made: dict[str, Any] = {
        "cancel": lambda handle: commands.CancelRecord(**BARE, handle=handle),
        "do not call": lambda handle: commands.SuppressContact(**BARE, handle=handle),
        "reschedule": lambda handle: commands.RescheduleRecord(
            **BARE, handle=handle, callback_type=CallbackType.PERSONAL, due_at_s=NOON_S + 3600, is_scheduled=False
        ),
    }
    ends: dict[str, tuple[RecordStatus, RecordType]] = {
        "cancel": (RecordStatus.CANCELLED, RecordType.GENERAL),
        "do not call": (RecordStatus.UPDATED, RecordType.NO_CALL),
        "reschedule": (RecordStatus.READY, RecordType.PERSONAL_CALL_BACK),
    }

    async def test(house: House) -> None:
        handle = await shown(house)
        event = await ask(house, made[what](handle))
        assert event.handle == handle
        [one] = await house.chain(1)
        assert (one.status, one.record_type) == ends[what]
        if what == "reschedule":
            assert one.agent_id == 1
        [news] = told(house, 1)
        assert isinstance(news, RecordWithdrawn)
        assert (news.handle, news.device_id) == (handle, "d1")
        house.published.clear()
        if what == "cancel":
            await ask(house, made[what](handle))
            assert told(house, 1) == []

    run_in_house(test, [record(1)])


def test_do_not_call_says_who_entered_it() -> None:
    """The entry is the third party's, though the record was the agent's; without a campaign it holds everywhere."""

    async def test(house: House) -> None:
        handle = await shown(house)
        await ask(house, commands.SuppressContact(**BARE, handle=handle))
        await ask(house, commands.SuppressContact(**BARE, customer_id="c9"))
        assert isinstance(house.store, MemoryStore)
        entered = house.store._now().suppressions.values()
        assert [(one.kind, one.added_by, one.campaign_id) for one in entered] == [
            (DoNotCallKind.NUMBER, 9, None),
            (DoNotCallKind.CUSTOMER, 9, None),
        ]

    run_in_house(test, [record(1)])


def test_a_contact_without_a_campaign_is_found_in_every_list() -> None:
    """Also in lists of no campaign; the agents who hold one of the records are told."""

    async def test(house: House) -> None:
        await shown(house)
        event = await ask(
            house, commands.CancelRecord(**BARE, customer_id="c1", chain_attribute=ChainAttribute.ALL_CHAIN)
        )
        assert (event.customer_id, event.campaign_name, event.application_id) == ("c1", "", 0)
        for chain_id, list_id in ((1, LIST_ID), (2, OTHER_LIST_ID), (3, 103)):
            assert {one.status for one in await house.chain(chain_id, list_id)} == {RecordStatus.CANCELLED}
        assert [type(news) for news in told(house, 1)] == [RecordWithdrawn]

    run_in_house(
        test,
        [
            record(1, customer_id="c1"),
            record(2, list_id=OTHER_LIST_ID, customer_id="c1"),
            record(3, list_id=103, customer_id="c1"),
        ],
    )


def test_a_named_campaign_narrows_it() -> None:
    """Only the lists of the campaign are touched; an unknown contact there is not found."""

    async def test(house: House) -> None:
        named = {**BARE, "campaign_name": "Campaign"}
        with pytest.raises(NotFound):
            await ask(house, commands.CancelRecord(**named, customer_id="c1"))
        with pytest.raises(NotFound):
            await ask(house, commands.CancelRecord(**{**BARE, "campaign_name": "Nobody's"}, customer_id="c1"))
        await ask(house, commands.SuppressContact(**named, customer_id="c1"))
        [one] = await house.chain(3, 103)
        assert one.status is RecordStatus.READY

    run_in_house(test, [record(3, list_id=103, customer_id="c1")])


def test_records_are_added_to_any_list() -> None:
    """With and without a campaign, for an agent who is named; a personal one needs somebody."""

    async def test(house: House) -> None:
        new: dict[str, Any] = {"phone_number": "+12125550177", "time_zone": "UTC"}
        event = await ask(house, commands.AddRecord(**BARE, list_name="Foreign", **new))
        assert event.record is not None
        [one] = await house.chain(event.record.chain_id, 103)
        assert (one.phone_number, one.status) == ("+12125550177", RecordStatus.READY)
        named = {**BARE, "campaign_name": "Campaign"}
        with pytest.raises(InvalidState, match="not a list of this campaign"):
            await ask(house, commands.AddRecord(**named, list_name="Foreign", **new))
        personal = commands.AddRecord(
            **named,
            list_name="List",
            **new,
            record_type=RecordType.PERSONAL_CALL_BACK,
            due_at_s=NOON_S + 60,
            agent_name="agent2",
        )
        event = await ask(house, personal, agent=agent(2))
        assert event.record is not None
        assert (event.record.agent_id, event.record.due_at_s) == (2, NOON_S + 60)
        with pytest.raises(MissingParameter, match="GSW_AGENT_ID"):
            await ask(house, msgspec.structs.replace(personal, agent_name=None))

    run_in_house(test, [])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"handle": 999_999}, NotFound),
        ({"campaign_name": "Elsewhere"}, InvalidState),
        ({"campaign_name": "Nowhere"}, NotFound),
        ({"application_id": 5}, InvalidState),
        ({"list_name": "Other"}, InvalidState),
        ({"list_name": "None"}, NotFound),
    ],
)
def test_what_contradicts_the_record_is_refused(changes: dict[str, Any], error: type[Refused]) -> None:
    """Nothing changes, and nobody is told."""

    async def test(house: House) -> None:
        handle = await shown(house)
        before = await house.desk(ANN)
        with pytest.raises(error):
            await ask(house, commands.CancelRecord(**{**BARE, "handle": handle, **changes}))
        assert await house.desk(ANN) == before
        assert house.published == []

    run_in_house(test, [record(1)])


def test_agents_may_not() -> None:
    """An agent is refused whatever it names."""

    async def test(house: House) -> None:
        handle = await shown(house)
        for command in (
            commands.CancelRecord(**BARE, handle=handle),
            commands.CancelRecord(**BARE, customer_id="c1"),
            commands.AddRecord(**BARE, list_name="List", phone_number="+1212"),
        ):
            with pytest.raises(Forbidden):
                await ask(house, command, who=ANN)

    run_in_house(test, [record(1)])


def test_a_repetition_is_recognised() -> None:
    """The same key: the same acknowledgement, no second record."""

    async def test(house: House) -> None:
        command = commands.AddRecord(**BARE, list_name="List", phone_number="+12125550177")
        first = await house.ask(BOSS, ThirdPartyRequest, door=Door.HTTP, key=5, command=command)
        again = await house.ask(BOSS, ThirdPartyRequest, door=Door.HTTP, key=5, command=command)
        other = await house.ask(BOSS, ThirdPartyRequest, door=Door.HTTP, key=6, command=command)
        assert first == again
        assert first != other

    run_in_house(test, [])
