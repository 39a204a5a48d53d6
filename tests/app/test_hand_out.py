"""The hand-out: in what order chains come, the buffer, and what is judged at the moment of hand-out."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import msgspec

from tests.app.harness import (
    CAMPAIGN_ID,
    CENTRE,
    LIST_ID,
    NOON_S,
    OTHER_LIST_ID,
    House,
    agent,
    record,
    run_in_house,
)
from trunkline.app.asking import Asked
from trunkline.app.directory import ReferenceBook
from trunkline.app.hand_out.buffers import BufferKeeper, ReturnBuffer
from trunkline.app.hand_out.next_chain import BUFFER_LEASE_MS, MAX_WAITING, PORTION
from trunkline.app.ports import Changes, Provision, Suppression
from trunkline.app.rescue import SYSTEM
from trunkline.domain import commands
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.campaigns import CampaignList
from trunkline.domain.enums import (
    CallResult,
    DoNotCallKind,
    Door,
    GroupStatus,
    Hold,
    RecordStatus,
    RecordType,
    RequestType,
)
from trunkline.domain.events import AnyEvent, NothingToPreview, RecordShown
from trunkline.domain.filters import Filter
from trunkline.domain.objects import ObjectKind, StoredObject
from trunkline.domain.records import FieldChanges
from trunkline.domain.validation import Permission

ANN, BOB = agent(1), agent(2)
GROUP = CAMPAIGN_ID
FRESH = RecordStatus.READY
CALLBACK: dict[str, Any] = {"record_type": RecordType.CAMPAIGN_CALL_BACK, "due_at_s": NOON_S + 60}


def shown(events: list[AnyEvent]) -> tuple[int, int] | None:
    """List and chain of what was handed out, None for nothing."""
    (event,) = events
    if isinstance(event, NothingToPreview):
        return None
    assert isinstance(event, RecordShown)
    return event.record.list_id, event.record.chain_id


async def buffered(house: House) -> list[int]:
    """The chains in the group's buffer, in order."""
    async with house.store.begin() as unit:
        return [one.entry.chain_id for one in await unit.buffered(CENTRE, GROUP, (), 1000)]


async def inner(house: House, command: object) -> None:
    """Something that the server does by itself."""
    asked = Asked(caller=SYSTEM, command=command, request_type=RequestType.UNSOLICITED, door=Door.INSIDE)
    await house.writer.submit(asked)


async def next_of(house: House, who: Any = ANN) -> tuple[int, int] | None:
    """The next chain."""
    return shown(await house.ask(who, commands.NextPreview))


def test_callbacks_come_before_what_is_buffered() -> None:
    """The agent's own callback, then one for anyone, then the buffer, however long that was filled before."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.StartPreview)
        assert await next_of(house) == (LIST_ID, 1)
        assert len(await buffered(house)) == 9
        house.clock.ms += 60_000
        assert [await next_of(house) for _ in range(3)] == [(LIST_ID, 12), (LIST_ID, 11), (LIST_ID, 2)]

    own = {"record_type": RecordType.PERSONAL_CALL_BACK, "agent_id": 1, "due_at_s": NOON_S + 60}
    run_in_house(test, [*(record(n) for n in range(1, 11)), record(11, **CALLBACK), record(12, **own)])


def test_retries_come_before_what_is_buffered() -> None:
    """A retry that became due goes before the fresh chains that were claimed long ago, in its order, within seconds."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.StartPreview)
        assert await next_of(house) == (LIST_ID, 1)
        house.clock.ms += 60_000
        assert [await next_of(house) for _ in range(2)] == [(LIST_ID, 11), (LIST_ID, 2)]
        house.clock.ms += 2_000
        assert await next_of(house) == (LIST_ID, 3)  # 12 is due, but it is looked for every few seconds only
        house.clock.ms += 3_000
        assert [await next_of(house) for _ in range(2)] == [(LIST_ID, 12), (LIST_ID, 4)]

    retry = {"record_type": RecordType.CAMPAIGN_RESCHEDULED}
    late = [record(11, due_at_s=NOON_S + 60, **retry), record(12, due_at_s=NOON_S + 61, **retry)]
    run_in_house(test, [*(record(n) for n in range(1, 11)), *late])


def test_the_buffer_is_filled_below_its_mark() -> None:
    """A hundred at least; again when fewer than the lower mark for each agent are left, not before."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.StartPreview)
        await house.ask(BOB, commands.StartPreview)
        sizes = []
        for _ in range(PORTION - 5):
            assert await next_of(house) is not None
            sizes.append(len(await buffered(house)))
        # Two agents with four chains each: with seven left it is filled up again.
        assert sizes == [*range(PORTION - 1, 6, -1), PORTION - 1, PORTION - 2]

    run_in_house(test, [record(n) for n in range(1, 400)])


def test_shares_of_lists() -> None:
    """A portion is divided by share; a list that runs dry leaves its part to the other; share 0 is off."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.StartPreview)
        found = Counter([(await next_of(house) or (0, 0))[0] for _ in range(40)])
        assert found == {LIST_ID: 30, OTHER_LIST_ID: 10}
        assert len(await buffered(house)) == PORTION - 40

    lists = (CampaignList(LIST_ID, share=30), CampaignList(OTHER_LIST_ID, share=10), CampaignList(103, share=0))
    records = [record(n, list_id=list_id) for list_id in (LIST_ID, OTHER_LIST_ID, 103) for n in range(1, 101)]
    run_in_house(test, records, campaign={"lists": lists})


def test_a_dry_list_leaves_its_part() -> None:
    """Whatever the shares say, what there is is handed out."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.StartPreview)
        found = [await next_of(house) for _ in range(33)]
        assert Counter(one[0] for one in found if one) == {LIST_ID: 2, OTHER_LIST_ID: 30}
        assert found[-1] is None

    records = [record(1), record(2), *(record(n, list_id=OTHER_LIST_ID) for n in range(1, 31))]
    run_in_house(test, records, campaign={"lists": (CampaignList(LIST_ID, share=90), CampaignList(OTHER_LIST_ID))})


def test_what_was_permitted_is_written_down() -> None:
    """A hand-out leaves one row of the attempt log, and its desk entry says when; closed siblings say nothing."""

    async def test(house: House) -> None:
        await house.preview(ANN)
        assert [row.step for row in house.attempts] == [AttemptStep.PERMITTED]
        row = house.attempts[0]
        assert (row.chain_n, row.agent_id, row.campaign_group_id, row.rule_set_id) == (1, 1, GROUP, 900)
        desk = await house.desk(ANN)
        assert [held.entry.permitted_at_ms for held in desk] == [0, house.clock.ms, 0]
        assert {held.entry.attempt_guid for held in desk} == {row.attempt_guid}

    chain = [record(1, 0, from_s=0, until_s=60), record(1, 1), record(1, 2, time_zone="Nowhere/Atlantis")]
    run_in_house(test, chain)


def test_a_sibling_of_an_unknown_zone_is_shown() -> None:
    """A zone that has left the time-zone database keeps nobody from reading the chain."""

    async def test(house: House) -> None:
        (event,) = await house.preview(ANN)
        assert isinstance(event, RecordShown)
        events = await house.ask(ANN, commands.ReadChain, handle=event.handle)
        assert [one.offset_s for one in events if isinstance(one, RecordShown)] == [0]

    run_in_house(test, [record(1, 0), record(1, 1, time_zone="Nowhere/Atlantis")])


def test_a_window_that_closed_meanwhile() -> None:
    """What was buffered before its window closed goes back, and is handed out when it opens again."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.StartPreview)
        assert await next_of(house) == (LIST_ID, 1)
        house.clock.ms += 3_600_000
        assert await next_of(house) is None
        assert await buffered(house) == []
        assert [(await house.chain(n))[0].status for n in (2, 3)] == [FRESH, FRESH]
        house.clock.ms += 23 * 3_600_000
        assert await next_of(house) == (LIST_ID, 2)

    run_in_house(test, [record(n, from_s=11 * 3600, until_s=13 * 3600) for n in (1, 2, 3)])


def test_an_attempt_rule_holds_a_chain_until_it_lets_go() -> None:
    """The same person behind another chain: held, with a row that says why, until the oldest call is a day old."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.StartPreview)
        for n in (1, 2, 3):
            assert await next_of(house) == (LIST_ID, n)
            handle = (await house.desk(ANN))[0].entry.handle
            changes = FieldChanges(call_result=CallResult.NO_ANSWER)
            await house.ask(ANN, commands.CompleteRecord, handle=handle, changes=changes)
        assert await next_of(house) is None
        (held,) = await house.chain(4)
        assert (held.status, held.hold, held.due_at_s) == (FRESH, Hold.ATTEMPT_RULE, NOON_S + 86_400)
        assert house.attempts[-1].step is AttemptStep.BLOCKED
        house.clock.ms += 86_400_000
        assert await next_of(house) == (LIST_ID, 4)
        (taken,) = await house.chain(4)
        assert (taken.hold, taken.due_at_s) == (Hold.NONE, None)

    run_in_house(test, [record(n, customer_id="C1") for n in (1, 2, 3, 4)], campaign={"rule_set_id": None})


def test_do_not_call_entries_that_end() -> None:
    """A record that an entry names for a time is held for a day at most; one named for good is out of dialing."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.StartPreview)
        numbers = [(await house.chain(n))[0].phone_number for n in (1, 2)]
        async with house.store.begin() as unit:
            entries = [
                Suppression(
                    contact_centre_id=CENTRE, kind=DoNotCallKind.NUMBER, value=number, expires_at_s=expires_at_s
                )
                for number, expires_at_s in zip(numbers, (NOON_S + 3600, None), strict=True)
            ]
            await unit.save(Changes(suppressions=entries))
        assert await next_of(house) == (LIST_ID, 3)
        first, second = (await house.chain(1))[0], (await house.chain(2))[0]
        assert (first.status, first.hold, first.due_at_s) == (FRESH, Hold.SUPPRESSION, NOON_S + 3600)
        assert (second.status, second.record_type) == (RecordStatus.UPDATED, RecordType.NO_CALL)
        house.clock.ms += 3_600_000
        assert await next_of(house) == (LIST_ID, 1)

    run_in_house(test, [record(n) for n in (1, 2, 3)])


def test_the_validation_is_asked_first() -> None:
    """Without an answer a chain stays in the buffer and the next one is tried, a few at a time; then it comes."""
    answers: dict[int, Permission] = {}

    async def test(house: House) -> None:
        await house.ask(ANN, commands.StartPreview)
        assert await next_of(house) is None
        assert len(answers) == MAX_WAITING
        answers[5] = Permission.PERMITTED
        assert await next_of(house) == (LIST_ID, 5)
        assert len(await buffered(house)) == 29

    async def run() -> None:
        house = House()

        def ask(campaign: Any, calling_list: Any, one: Any) -> Permission:
            return answers.setdefault(one.chain_id, Permission.WAITING)

        house.rules = msgspec.structs.replace(house.rules, validation=ask)
        await house.open([record(n) for n in range(1, 31)])
        await test(house)
        await house.close()

    asyncio.run(run())


def test_a_filter_selects_and_orders() -> None:
    """What the list's filter leaves out stays where it is; its order counts; one that cannot be read selects none."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.StartPreview)
        assert [await next_of(house) for _ in range(3)] == [(LIST_ID, 3), (LIST_ID, 1), None]
        broken = Filter(contact_centre_id=CENTRE, filter_id=7, name="f", criteria="no such column = 1")
        await provision(house, broken)
        await house.ask(ANN, commands.RejectRecord, handle=(await house.desk(ANN))[0].entry.handle)
        assert await next_of(house) is None

    async def provision(house: House, used: Filter) -> None:
        await house.store.provision(Provision(objects=[StoredObject(kind=ObjectKind.FILTER, value=used)]))
        house.writer.adopt(ReferenceBook(await house.store.directory()))

    async def run() -> None:
        records = [record(n, attempts=n) for n in (1, 2, 3)]
        house = await House().open(records, list_changes={"filter_id": 7})
        used = Filter(
            contact_centre_id=CENTRE, filter_id=7, name="f", criteria="attempts <> 2", order_by="attempts DESC"
        )
        await provision(house, used)
        await test(house)
        await house.close()

    asyncio.run(run())


def test_what_happens_to_records_in_the_buffer() -> None:
    """Cancelled and do-not-call ones are not handed out; a record that joins a buffered chain goes with it."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.StartPreview)
        assert await next_of(house) == (LIST_ID, 1)
        number = (await house.chain(2))[0].phone_number
        await house.ask(ANN, commands.CancelRecord, list_name="List", phone_number=number)
        number = (await house.chain(3))[0].phone_number
        await house.ask(ANN, commands.SuppressContact, phone_number=number)
        await house.ask(
            ANN,
            commands.AddRecord,
            list_name="List",
            chain_id=4,
            phone_number="+12125550199",
            time_zone="UTC",
            from_s=0,
            until_s=86_400,
        )
        assert {one.status for one in await house.chain(4)} == {RecordStatus.RETRIEVED}
        assert await next_of(house) == (LIST_ID, 4)
        assert len([held for held in await house.desk(ANN) if held.record.chain_id == 4]) == 2
        assert await next_of(house) is None
        assert await buffered(house) == []

    run_in_house(test, [record(n) for n in (1, 2, 3, 4)])


def test_leases_of_the_buffer_end() -> None:
    """What lies in the buffer for too long goes back to its list as it was."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.StartPreview)
        assert await next_of(house) == (LIST_ID, 1)
        keeper = BufferKeeper(house.store, house.writer, house.clock)
        house.clock.ms += BUFFER_LEASE_MS - 1
        await keeper.round()
        assert await buffered(house) == [2, 3]
        house.clock.ms += 1
        await keeper.round()
        assert await buffered(house) == []
        assert [(await house.chain(n))[0].status for n in (2, 3)] == [FRESH, FRESH]
        assert await next_of(house) == (LIST_ID, 2)

    run_in_house(test, [record(n) for n in (1, 2, 3)])


def test_a_start_a_stop_and_a_change_empty_the_buffer() -> None:
    """When a server begins, when a group does not run, when its lists or rules changed: all goes back, in portions."""
    many = 450

    async def test(house: House) -> None:
        keeper = BufferKeeper(house.store, house.writer, house.clock)
        await house.ask(ANN, commands.StartPreview)
        await next_of(house)
        assert len(await buffered(house)) == many - 1
        await keeper.begin()
        assert await buffered(house) == []
        await next_of(house)
        campaign = house.writer.book.group(CENTRE, GROUP)
        assert campaign is not None
        lists = (CampaignList(LIST_ID), CampaignList(OTHER_LIST_ID, share=0))
        for changed in ({"lists": lists}, {"lists": lists, "status": GroupStatus.ACTIVE}):
            before = await buffered(house)
            assert before
            await house.store.provision(Provision(campaigns=[msgspec.structs.replace(campaign, **changed)]))
            house.writer.adopt(ReferenceBook(await house.store.directory()))
            await keeper.round()
            assert await buffered(house) == []
            await next_of(house)
        assert await buffered(house) == []
        statuses = Counter([(await house.chain(n))[0].status for n in range(1, many + 1)])
        assert set(statuses) == {FRESH, RecordStatus.RETRIEVED}
        assert statuses[RecordStatus.RETRIEVED] == 3

    run_in_house(test, [record(n) for n in range(1, many + 1)], campaign={"opt_buffer": 500})


def test_a_request_without_group_ends_leases_only() -> None:
    """Returning what has ended touches nothing else, and a round with nothing to do does nothing."""

    async def test(house: House) -> None:
        await house.ask(ANN, commands.StartPreview)
        await next_of(house)
        await inner(house, ReturnBuffer())
        assert await buffered(house) == [2]
        await inner(house, ReturnBuffer(group=(CENTRE, GROUP)))
        assert await buffered(house) == []
        await inner(house, ReturnBuffer(is_everything=True))

    run_in_house(test, [record(1), record(2)])
