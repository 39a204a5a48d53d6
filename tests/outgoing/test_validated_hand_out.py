"""The hand-out of a campaign with a pre-dial validation: nobody gets a record that was not permitted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from tests.app.harness import CENTRE, LIST_ID, House, agent, record
from tests.outgoing.receiver import Answering, Got, Receiver, answer
from trunkline.adapters.http_out import HttpOut
from trunkline.app.asking import no_validation
from trunkline.app.hand_out.validation import ValidationSettings, Validator
from trunkline.domain import commands
from trunkline.domain.addresses import networks
from trunkline.domain.enums import CallResult, RecordStatus
from trunkline.domain.events import NothingToPreview, RecordShown
from trunkline.domain.records import Record
from trunkline.domain.validation import Permission

ANN = agent(1)


def with_validation(
    test: Callable[[House, Validator, Receiver], Awaitable[None]], answering: Answering, records: list[Record]
) -> None:
    """Run a test in a house whose campaign asks a receiver before each call."""

    async def run() -> None:
        outgoing = HttpOut(connections=4, allowed=networks(["127.0.0.0/8"]))
        async with Receiver(answering) as receiver:
            house = House(campaign={"validation_url": receiver.url})
            validator = Validator(
                outgoing,
                lambda asked: house.writer.submit(asked),  # noqa: PLW0108 - open makes the writer
                house.clock,
                lambda: 0.0,
                lambda step, error: None,
                ValidationSettings(urls=frozenset({receiver.url}), timeout_s=20),
            )
            house.rules = msgspec.structs.replace(house.rules, validation=validator.judge)
            await house.open(records)
            try:
                await test(house, validator, receiver)
            finally:
                await validator.stop()
                await house.close()
                await outgoing.close()

    asyncio.run(run())


async def shown(house: House, validator: Validator) -> Record | None:
    """The next record, once everything that waits for an answer has it; None when there is none."""
    for _ in range(4):
        [event] = await house.ask(ANN, commands.NextPreview)
        if isinstance(event, RecordShown):
            return event.record
        assert isinstance(event, NothingToPreview)
        if not validator.waiting:
            return None
        while validator.waiting:  # noqa: ASYNC110 - the state of tasks that nobody announces
            await asyncio.sleep(0)
    return None


async def by_number(got: Got) -> bytes:
    """Permit numbers that end in an even digit, refuse others, be confused by the 5."""
    last = int(json.loads(got.body)["GSW_PHONE"][-2])
    if last == 5:
        return answer(418)
    return answer(200) if last % 2 == 0 else answer(409, b'{"GSW_CALL_RESULT": "WrongNumber"}')


def test_only_permitted_records_are_handed_out() -> None:
    """Each record is asked about before it goes to a desk; the refused are treated, the others wait."""

    async def test(house: House, validator: Validator, receiver: Receiver) -> None:
        await house.ask(ANN, commands.StartPreview)
        met: set[int] = set()
        while (found := await shown(house, validator)) is not None:
            met.add(found.chain_id)
        assert met == {2, 4, 6, 8}
        results = {n: (await house.chain(n))[0] for n in range(1, 10)}
        assert {n for n, one in results.items() if one.call_result is CallResult.WRONG_NUMBER} == {1, 3, 7, 9}
        assert results[5].status is RecordStatus.READY
        asked = [json.loads(got.body)["GSW_PHONE"] for got in receiver.got]
        assert sorted(asked) == sorted({one.phone_number for one in results.values()})

    with_validation(test, by_number, [record(n) for n in range(1, 10)])


def test_what_is_settled_leaves_the_buffer() -> None:
    """A refused chain and one that waits lie in no group's buffer any more; the permitted ones do."""

    async def test(house: House, validator: Validator, receiver: Receiver) -> None:
        await house.ask(ANN, commands.StartPreview)
        found = await shown(house, validator)
        assert found is not None
        assert found.chain_id == 2
        async with house.store.begin() as unit:
            buffered = {n: await unit.buffer_entry(CENTRE, LIST_ID, n) is not None for n in range(1, 7)}
        assert buffered == {1: False, 2: False, 3: False, 4: True, 5: False, 6: True}

    with_validation(test, by_number, [record(n) for n in range(1, 7)])


def test_what_is_held_back_otherwise_is_not_asked_about() -> None:
    """Numbers on the do-not-call list, and those outside their hours, are nobody else's business."""

    async def test(house: House, validator: Validator, receiver: Receiver) -> None:
        await house.ask(ANN, commands.SuppressContact, phone_number=record(2).phone_number)
        await house.ask(ANN, commands.StartPreview)
        found = await shown(house, validator)
        assert found is not None
        assert found.chain_id == 4
        asked = {json.loads(got.body)["GSW_PHONE"] for got in receiver.got}
        assert asked == {record(4).phone_number}

    night = record(6, from_s=0, until_s=3600)
    with_validation(test, by_number, [record(2), record(4), night])


def test_without_a_validator_such_a_campaign_dials_nobody() -> None:
    """A program that asks nobody permits only campaigns without a validation."""
    house = House(campaign={"validation_url": "https://crm.example/ask"})

    async def run() -> None:
        await house.open([record(2)])
        try:
            [event] = await house.preview(ANN)
            assert isinstance(event, NothingToPreview)
            calling_list = house.writer.book.list_by_id(CENTRE, LIST_ID)
            campaign = house.writer.book.campaign(CENTRE, "Campaign")
            bare = msgspec.structs.replace(campaign, validation_url="")
            assert no_validation(bare, calling_list, record(2)) is Permission.NOT_ASKED
        finally:
            await house.close()

    asyncio.run(run())


@pytest.mark.parametrize("changes", [{"phone_number": "+12125550098"}, {"other_fields": {"note": "x"}}])
def test_a_record_that_changed_is_asked_about_again(changes: dict[str, Any]) -> None:
    """A permission holds for the record as it was asked about."""

    async def test(house: House, validator: Validator, receiver: Receiver) -> None:
        one = (await house.chain(2))[0]
        campaign = house.writer.book.campaign(CENTRE, "Campaign")
        calling_list = house.writer.book.list_by_id(CENTRE, LIST_ID)
        validator.judge(campaign, calling_list, one)
        while validator.waiting:  # noqa: ASYNC110 - the state of tasks that nobody announces
            await asyncio.sleep(0)
        assert validator.judge(campaign, calling_list, one) is Permission.PERMITTED
        moved = msgspec.structs.replace(one, status=RecordStatus.RETRIEVED, version=9)
        assert validator.judge(campaign, calling_list, moved) is Permission.PERMITTED
        changed = msgspec.structs.replace(one, **changes)
        assert validator.judge(campaign, calling_list, changed) is Permission.WAITING

    with_validation(test, by_number, [record(2)])
