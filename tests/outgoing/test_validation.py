"""Pre-dial validation: questions to a real server, its answers, its failures, and what becomes of the records."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.harness import CENTRE, LIST_ID, NOON_S, House, agent, record
from tests.outgoing.receiver import Answering, Got, Receiver, answer, saying, silence
from trunkline.adapters.http_out import HttpOut
from trunkline.app.directory import ReferenceBook
from trunkline.app.hand_out.validation import ValidationSettings, Validator
from trunkline.app.ports import Changes, ObjectChanges, ObjectWrite
from trunkline.contract.validation import mark_of, question, read_answer
from trunkline.domain.addresses import networks
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.campaigns import Campaign
from trunkline.domain.enums import CallResult, Hold, RecordAction, RecordStatus, RecordType
from trunkline.domain.objects import ObjectKind
from trunkline.domain.records import Record
from trunkline.domain.treatments import Step, TreatmentPlan, TreatmentRule
from trunkline.domain.validation import Permission, permits


class Site:
    """A campaign with a validation at a receiver."""

    def __init__(self, house: House, receiver: Receiver, outgoing: HttpOut, settings: dict[str, Any]) -> None:
        """Ready to be asked."""
        self.house = house
        self.receiver = receiver
        self.told: list[str] = []
        self.campaign: Campaign = msgspec.structs.replace(
            house.writer.book.campaign(CENTRE, "Campaign"), validation_url=receiver.url
        )
        self.validator = Validator(
            outgoing,
            house.writer.submit,
            house.clock,
            lambda: 0.0,
            lambda step, error: self.told.append(str(error)),
            ValidationSettings(**{"urls": frozenset({receiver.url}), "timeout_s": 20.0, **settings}),
        )

    async def judge(self, chain_id: int = 1, chain_n: int = 0) -> Permission:
        """What the hand-out hears about a record as it is stored."""
        one = (await self.house.chain(chain_id))[chain_n]
        return self.validator.judge(self.campaign, self.house.writer.book.list_by_id(CENTRE, LIST_ID), one)

    async def settled(self) -> None:
        """Wait until everything that waits was answered and written down."""
        while self.validator.waiting:  # noqa: ASYNC110 - the state of tasks that nobody announces
            await asyncio.sleep(0)

    async def ask(self, chain_id: int = 1, chain_n: int = 0) -> Permission:
        """Ask, wait for the answer, ask again."""
        assert await self.judge(chain_id, chain_n) is Permission.WAITING
        await self.settled()
        return await self.judge(chain_id, chain_n)


def at_site(
    test: Callable[[Site], Awaitable[None]], answering: Answering | None, records: list[Record], **settings: Any
) -> None:
    """Run a test at a site whose validation answers so."""

    async def run() -> None:
        house = await House().open(records)
        outgoing = HttpOut(connections=4, allowed=networks(["127.0.0.0/8"]))
        async with Receiver(answering) as receiver:
            site = Site(house, receiver, outgoing, settings)
            try:
                await test(site)
            finally:
                await site.validator.stop()
                await outgoing.close()
                await house.close()

    asyncio.run(run())


REFUSED = answer(409, b'{"GSW_CALL_RESULT": 51}')


def test_the_question_is_the_record() -> None:
    """With the keys that a call would carry and the custom fields; a permitted record is asked about once."""

    async def test(site: Site) -> None:
        assert await site.ask() is Permission.PERMITTED
        assert await site.judge() is Permission.PERMITTED
        [got] = site.receiver.got
        assert json.loads(got.body) == {
            "GSW_CAMPAIGN_NAME": "Campaign",
            "GSW_APPLICATION_ID": 134,
            "GSW_CAMPAIGN_GROUP_NAME": "Campaign",
            "GSW_CAMPAIGN_GROUP_DBID": 201,
            "GSW_CAMPAIGN_GROUP_DESCRIPTION": "",
            "GSW_CALLING_LIST": "List",
            "GSW_CALLING_LIST_DBID": 101,
            "GSW_CHAIN_ID": 1,
            "GSW_CHAIN_N": 0,
            "GSW_PHONE": "+12125550010",
            "GSW_PHONE_TYPE": 1,
            "GSW_RECORD_TYPE": 2,
            "GSW_CALL_RESULT": 28,
            "GSW_ATTEMPTS": 0,
            "GSW_TZ_NAME": "UTC",
            "GSW_FROM": 0,
            "GSW_UNTIL": 86400,
            "GSW_CUSTOMER_ID": "c1",
            "note": "x",
        }
        site.house.clock.ms += 300_000
        assert await site.judge() is Permission.WAITING

    at_site(test, None, [record(1, customer_id="c1", other_fields={"note": "x"})])


def test_without_a_validation_nobody_is_asked() -> None:
    """A campaign without an address dials."""

    async def test(site: Site) -> None:
        site.campaign = msgspec.structs.replace(site.campaign, validation_url="")
        assert await site.judge() is Permission.NOT_ASKED
        assert site.validator.waiting == 0

    at_site(test, None, [record(1)])


def test_a_refused_record_is_treated_with_the_result() -> None:
    """It is not called: its result is that of the answer, it counts as no attempt, and the log says why."""

    async def test(site: Site) -> None:
        assert await site.ask() is Permission.WAITING  # changed since: it is another question now
        one, sibling = await site.house.chain(1)
        assert (one.status, one.call_result, one.attempts) == (RecordStatus.UPDATED, CallResult.DO_NOT_CALL, 0)
        assert sibling.status is RecordStatus.CHAIN_UPDATED

    at_site(test, saying(REFUSED, answer(200)), [record(1), record(1, 1)])


def test_a_refused_record_follows_the_treatment() -> None:
    """The list's plan has a sequence for the result: its step is taken as after a call, and the log holds both."""

    async def test(site: Site) -> None:
        house = site.house
        plan = TreatmentPlan(
            contact_centre_id=CENTRE,
            treatment_id=5,
            name="plan",
            rules=(
                TreatmentRule(
                    call_result=CallResult.DO_NOT_CALL,
                    steps=(Step(step_id=1, action=RecordAction.RETRY_IN, interval_min=30),),
                ),
            ),
        )
        calling_list = msgspec.structs.replace(house.writer.book.list_by_id(CENTRE, LIST_ID), treatment_id=5)
        writes = tuple(
            ObjectWrite(contact_centre_id=CENTRE, kind=kind, object_id=number, expected_version=version, value=value)
            for kind, number, version, value in (
                (ObjectKind.TREATMENT, 5, 0, plan),
                (ObjectKind.CALLING_LIST, LIST_ID, 1, calling_list),
            )
        )
        await house.store.change_objects(ObjectChanges(at_ms=1, changed_by=9, writes=writes))
        house.writer.adopt(ReferenceBook(await house.store.directory()))
        assert await site.judge() is Permission.WAITING
        await site.settled()
        [one] = await house.chain(1)
        assert (one.status, one.call_result, one.attempts) == (RecordStatus.READY, CallResult.DO_NOT_CALL, 0)
        assert (one.record_type, one.due_at_s) == (RecordType.CAMPAIGN_RESCHEDULED, NOON_S + 1800)
        rows = [stored.row for stored in await house.store.attempts_of_chain(CENTRE, LIST_ID, 1, 10)]
        assert [row.step for row in rows] == [AttemptStep.TREATED, AttemptStep.BLOCKED]
        assert rows[1].detail == {"rule": "pre-dial validation", "said": "409", "call_result": 51}

    at_site(test, saying(REFUSED), [record(1)])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (answer(409), "409 without a result"),
        (answer(409, b"{}"), "409 without a result"),
        (answer(409, b'{"GSW_CALL_RESULT": 99}'), "409 without a result"),
        (answer(302), "302"),
        (answer(204), "204"),
        (answer(404), "404"),
    ],
)
def test_an_odd_answer_dials_nobody(said: bytes, words: str) -> None:
    """The record waits, longer each time, and the others go on; the record says why it waits."""

    async def test(site: Site) -> None:
        assert await site.judge(1) is Permission.WAITING
        await site.settled()
        [one] = await site.house.chain(1)
        assert (one.status, one.hold, one.due_at_s) == (RecordStatus.READY, Hold.VALIDATION, NOON_S + 1)
        last = site.validator.last(one.key)
        assert last is not None
        assert last[0].said.startswith(words)
        assert not permits(await site.judge(1))
        assert await site.ask(2) is Permission.PERMITTED
        site.house.clock.ms += 1_000

    at_site(test, saying(said, answer(200)), [record(1), record(2)])


def test_a_failing_server_is_left_alone() -> None:
    """After a failure nobody asks for a while that grows; then one question at a time until it answers."""

    async def test(site: Site) -> None:
        for chain_id in range(1, 11):
            assert await site.judge(chain_id) is Permission.WAITING
        await site.settled()
        asked = len(site.receiver.got)
        assert asked <= 4  # those that were under way together
        server = site.validator.servers()[site.receiver.url]
        assert (server.failures, server.closed_until_ms) == (1, site.house.clock.ms + 1_000)
        assert await site.judge(10) is Permission.WAITING
        assert site.validator.waiting == 0
        site.house.clock.ms += 1_000
        for chain_id in (10, 9, 8):
            assert await site.judge(chain_id) is Permission.WAITING
        assert site.validator.waiting == 1
        await site.settled()
        assert len(site.receiver.got) == asked + 1
        assert (server.failures, server.closed_until_ms) == (2, site.house.clock.ms + 2_000)
        site.house.clock.ms += 2_000
        is_well.append(True)
        assert await site.ask(8) is Permission.PERMITTED
        assert server.failures == 0
        assert await site.ask(9) is Permission.PERMITTED
        assert len(site.told) == 2

    is_well: list[bool] = []

    async def answering(got: Got) -> bytes:
        return answer(200) if is_well else answer(503)

    at_site(test, answering, [record(n) for n in range(1, 11)], connections=4)


@pytest.mark.parametrize("timeout_result", [None, CallResult.SYSTEM_ERROR])
def test_a_server_that_does_not_answer_in_time(timeout_result: CallResult | None) -> None:
    """The record gets the configured result, or waits when there is none; nobody is called."""

    async def test(site: Site) -> None:
        assert await site.judge() is Permission.WAITING
        await site.settled()
        [one] = await site.house.chain(1)
        if timeout_result is None:
            assert (one.status, one.hold) == (RecordStatus.READY, Hold.VALIDATION)
        else:
            assert (one.status, one.call_result) == (RecordStatus.UPDATED, timeout_result)
        assert site.validator.servers()[site.receiver.url].failures == 1

    at_site(test, silence, [record(1)], timeout_s=0.05, timeout_result=timeout_result)


@pytest.mark.parametrize("race_result", [None, CallResult.GENERAL_ERROR])
def test_a_record_that_changes_meanwhile(race_result: CallResult | None) -> None:
    """The answer was about another record: the result of the race, or the question again."""

    async def test(site: Site) -> None:
        assert await site.judge() is Permission.WAITING
        await site.receiver.wait_for(1)
        async with site.house.store.begin() as unit:
            [one] = await unit.chain(CENTRE, LIST_ID, 1)
            changed = msgspec.structs.replace(one, phone_number="+12125550099", version=one.version + 1)
            await unit.save(Changes(records={one.key: changed}))
        go.set()
        await site.settled()
        [one] = await site.house.chain(1)
        expected = (RecordStatus.READY, CallResult.UNKNOWN)
        assert (one.status, one.call_result) == (
            expected if race_result is None else (RecordStatus.UPDATED, race_result)
        )

    go = asyncio.Event()

    async def answering(got: Got) -> bytes:
        await go.wait()
        return REFUSED

    at_site(test, answering, [record(1)], race_result=race_result)


def test_a_record_on_a_desk_stays_there() -> None:
    """A refusal that comes too late changes nothing of what an agent holds."""

    async def test(site: Site) -> None:
        assert await site.judge() is Permission.WAITING
        await site.receiver.wait_for(1)
        await site.house.preview(agent(1))
        go.set()
        await site.settled()
        [held] = await site.house.desk(agent(1))
        assert (held.record.status, held.record.call_result) == (RecordStatus.RETRIEVED, CallResult.UNKNOWN)

    go = asyncio.Event()

    async def answering(got: Got) -> bytes:
        await go.wait()
        return REFUSED

    at_site(test, answering, [record(1)])


def test_a_promised_time_stays() -> None:
    """A callback that the validation could not be asked about keeps its time."""

    async def test(site: Site) -> None:
        assert await site.judge() is Permission.WAITING
        await site.settled()
        [one] = await site.house.chain(1)
        assert (one.due_at_s, one.hold) == (NOON_S - 60, Hold.NONE)
        assert await site.judge() is Permission.UNANSWERED

    due = record(1, record_type=RecordType.CAMPAIGN_CALL_BACK, due_at_s=NOON_S - 60)
    at_site(test, saying(answer(404)), [due])


def test_only_configured_addresses_are_asked() -> None:
    """Another one is not asked, its campaign is not dialed, and that is said once."""

    async def test(site: Site) -> None:
        site.campaign = msgspec.structs.replace(site.campaign, validation_url=f"{site.receiver.url}/other")
        for _ in range(3):
            assert await site.judge() is Permission.WAITING
        assert site.receiver.connections == 0
        assert site.told == ["a campaign names a validation that is not in validation_urls; it is not dialed"]

    at_site(test, None, [record(1)])


def test_questions_are_asked_a_few_at_a_time() -> None:
    """No more than there are connections, however many records wait."""
    under_way: list[int] = [0, 0]

    async def answering(got: Got) -> bytes:
        under_way[0] += 1
        under_way[1] = max(under_way)
        await asyncio.sleep(0)
        under_way[0] -= 1
        return answer(200)

    async def test(site: Site) -> None:
        for chain_id in range(1, 51):
            await site.judge(chain_id)
        await site.settled()
        assert len(site.receiver.got) == 50
        assert 1 < under_way[1] <= 3

    at_site(test, answering, [record(n) for n in range(1, 51)], connections=3)


@given(st.integers(100, 599), st.binary(max_size=60))
def test_any_answer_means_something(status: int, body: bytes) -> None:
    """Permitted by 200 alone; refused by 409 with a result that exists; everything else calls nobody."""
    said = read_answer(status, body)
    assert (said.permission is Permission.PERMITTED) == (status == 200)
    if said.permission is Permission.REFUSED:
        assert status == 409
        assert said.call_result is not None


def test_the_mark_is_that_of_the_question() -> None:
    """Every property that is sent makes another mark."""
    campaign = Campaign(contact_centre_id=CENTRE, campaign_id=1, name="C", application_id=1)
    one = record(1)
    marks = {
        mark_of(question(campaign, "List", msgspec.structs.replace(one, **changes)))
        for changes in ({}, {"phone_number": "+1"}, {"other_fields": {"a": 1}}, {"attempts": 1}, {"customer_id": "x"})
    }
    assert len(marks) == 5
    assert mark_of(question(campaign, "List", msgspec.structs.replace(one, version=9))) in marks
