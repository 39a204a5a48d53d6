"""Treatments at work: after Complete, after leases that ended, and what a chain looks like when it comes back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.app.harness import CENTRE, NOON_S, House, agent, record, run_in_house
from trunkline.app.ports import Changes, Suppression
from trunkline.app.rescue import SYSTEM, ExpireLeases
from trunkline.domain import commands
from trunkline.domain.attempts import AttemptRow, AttemptStep
from trunkline.domain.enums import (
    CallbackType,
    CallResult,
    DoNotCallKind,
    RecordStatus,
    RecordType,
    Treatment,
)
from trunkline.domain.events import NothingToPreview, RecordShown, RecordWithdrawn
from trunkline.domain.records import FieldChanges, Record
from trunkline.domain.treatment_documents import plan_of
from trunkline.domain.treatments import TreatmentPlan
from trunkline.errors import InvalidState

ANN, BOB = agent(1), agent(2)
R, S, T = CallResult, RecordStatus, RecordType
CHAIN = [record(1, 0), record(1, 1), record(1, 2)]


def plan(rules: dict[str, Any], **more: Any) -> TreatmentPlan:
    """A plan out of its document."""
    document = {"name": "Plan", "rules": rules, **more}
    return plan_of(document, contact_centre_id=CENTRE, treatment_id=7)


BUSY = plan(
    {
        "Busy": [
            {"action": "Cycle", "attempts": 2, "interval_min": 30, "increment_min": 5},
            {"action": "NextInChain"},
        ],
        "Stale": {"action": "Cycle", "interval_min": 15},
    },
    disposition_field="outcome",
    dispositions={"later": {"action": "Cycle", "interval_min": 60}},
)


async def taken(house: House, who: Any = ANN) -> RecordShown:
    """The next chain, on the desk."""
    events = await house.preview(who)
    assert isinstance(events[0], RecordShown), events
    return events[0]


async def call(house: House, result: CallResult | None, who: Any = ANN, **fields: Any) -> RecordShown:
    """Take the next chain and complete it with a result."""
    shown = await taken(house, who)
    changes = fields.pop("changes", FieldChanges(call_result=result))
    await house.ask(who, commands.CompleteRecord, handle=shown.handle, changes=changes, **fields)
    return shown


def statuses(chain: list[Record]) -> list[RecordStatus]:
    """Statuses by place."""
    return [one.status for one in chain]


def steps(rows: list[AttemptRow]) -> list[AttemptStep]:
    """What the rows tell."""
    return [row.step for row in rows if row.step is not AttemptStep.PERMITTED]


def test_busy_is_dialed_again_and_then_the_next_number() -> None:
    """Each Complete schedules what the plan says, for anyone, and the attempt log tells why."""

    async def test(house: House) -> None:
        await call(house, R.BUSY)
        chain = await house.chain(1)
        assert statuses(chain) == [S.READY, S.CHAIN_READY, S.CHAIN_READY]
        first = chain[0]
        assert (first.record_type, first.due_at_s) == (T.CAMPAIGN_RESCHEDULED, NOON_S + 1800)
        assert (first.call_result, first.attempts, first.called_at_s) == (R.BUSY, 1, NOON_S)
        assert (first.agent_id, first.treatments) == (1, "601@1@0@1")
        assert await house.desk(ANN) == []
        assert isinstance((await house.preview(BOB))[0], NothingToPreview)
        house.clock.ms += 1_800_000
        assert (await call(house, R.BUSY, BOB)).record.chain_n == 0
        house.clock.ms += 35 * 60_000
        assert (await call(house, R.BUSY)).record.chain_n == 0
        chain = await house.chain(1)
        assert statuses(chain) == [S.UPDATED, S.READY, S.CHAIN_READY]
        assert chain[1].treatments == "602@1@1@1"
        assert (await call(house, R.ANSWER)).record.chain_n == 1
        assert statuses(await house.chain(1)) == [S.UPDATED, S.UPDATED, S.CHAIN_UPDATED]
        assert steps(house.attempts) == [AttemptStep.ENDED, AttemptStep.TREATED] * 4
        rows = [row for row in house.attempts if row.step is AttemptStep.TREATED]
        assert [row.detail["history"] for row in rows] == ["601@1@0@1", "601@2@0@1", "602@1@1@1", ""]
        assert rows[0].detail["why"] == "Busy, step 1: dial again (1 of 2) in 30 min"
        assert (rows[0].detail["treatment_id"], rows[0].detail["treatment_version"]) == (7, 1)
        assert rows[3].detail["why"] == "the plan says nothing about this result: it is final"
        assert {row.attempt_guid for row in house.attempts[:2]} == {house.attempts[0].attempt_guid}

    run_in_house(test, CHAIN, plan=BUSY)


def test_a_personal_retry_comes_back_to_its_agent() -> None:
    """GSW_TREATMENT Personal makes it the agent's own; nobody else gets it."""

    async def test(house: House) -> None:
        await call(house, R.BUSY, treatment=Treatment.PERSONAL)
        first = (await house.chain(1))[0]
        assert (first.record_type, first.agent_id) == (T.PERSONAL_RESCHEDULED, 1)
        house.clock.ms += 1_800_000
        assert isinstance((await house.preview(BOB))[0], NothingToPreview)
        shown = await taken(house)
        assert (shown.record.chain_n, shown.callback_type) == (0, CallbackType.PERSONAL)

    run_in_house(test, CHAIN, plan=BUSY)


def test_a_result_of_an_earlier_update_counts() -> None:
    """Complete without a result treats the one that UpdateRecord stored."""

    async def test(house: House) -> None:
        shown = await taken(house)
        changes = FieldChanges(call_result=R.BUSY)
        await house.ask(ANN, commands.UpdateRecord, handle=shown.handle, changes=changes)
        assert steps(house.attempts) == []
        await house.ask(ANN, commands.CompleteRecord, handle=shown.handle, changes=FieldChanges())
        assert statuses(await house.chain(1))[0] is S.READY

    run_in_house(test, CHAIN, plan=BUSY)


def test_a_disposition_is_used_up_by_its_retry() -> None:
    """The custom field chooses the sequence, and is emptied for the next call, which has an outcome of its own."""

    async def test(house: House) -> None:
        changes = FieldChanges(call_result=R.ANSWER, other_fields={"outcome": "later", "note": "x"})
        await call(house, None, changes=changes)
        first = (await house.chain(1))[0]
        assert (first.status, first.due_at_s) == (S.READY, NOON_S + 3600)
        assert first.other_fields == {"outcome": None, "note": "x"}
        house.clock.ms += 3_600_000
        await call(house, R.ANSWER)
        assert statuses(await house.chain(1)) == [S.UPDATED, S.CHAIN_UPDATED, S.CHAIN_UPDATED]

    run_in_house(test, CHAIN, plan=BUSY)


@pytest.mark.parametrize("is_enabled", [None, False])
def test_without_a_plan_every_result_is_final(is_enabled: bool | None) -> None:  # noqa: FBT001 - a parameter of the test
    """No plan, or one that is switched off: the result is stored, the siblings are ended."""

    async def test(house: House) -> None:
        await call(house, R.BUSY)
        assert statuses(await house.chain(1)) == [S.UPDATED, S.CHAIN_UPDATED, S.CHAIN_UPDATED]
        assert steps(house.attempts) == [AttemptStep.ENDED]

    off = None if is_enabled is None else msgspec.structs.replace(BUSY, is_enabled=False)
    run_in_house(test, CHAIN, plan=off)


def test_the_list_s_attempts_end_every_plan() -> None:
    """With one attempt allowed, Busy goes to the next number at once, and ends with the last."""

    async def test(house: House) -> None:
        for n in range(3):
            assert (await call(house, R.BUSY)).record.chain_n == n
        assert statuses(await house.chain(1)) == [S.UPDATED] * 3

    run_in_house(test, CHAIN, plan=BUSY, list_changes={"max_attempts": 1})


def test_errors_are_not_counted() -> None:
    """A result of the error class leaves the attempts alone."""

    async def test(house: House) -> None:
        await call(house, R.DIAL_ERROR)
        assert (await house.chain(1))[0].attempts == 0

    run_in_house(test, CHAIN, plan=BUSY)


def test_a_sibling_may_be_dialed_instead() -> None:
    """An agent who dials another number of the chain completes that one; the treatment is about it."""

    async def test(house: House) -> None:
        await taken(house)
        handle = next(held.entry.handle for held in await house.desk(ANN) if held.record.chain_n == 2)
        changes = FieldChanges(call_result=R.BUSY)
        await house.ask(ANN, commands.CompleteRecord, handle=handle, changes=changes)
        assert statuses(await house.chain(1)) == [S.CHAIN_READY, S.CHAIN_READY, S.READY]
        house.clock.ms += 1_800_000
        assert (await taken(house)).record.chain_n == 2

    run_in_house(test, CHAIN, plan=BUSY)


def test_a_rejected_retry_comes_back_as_it_was() -> None:
    """Reject gives the chain back with its siblings still waiting, so that the same record is next."""

    async def test(house: House) -> None:
        for _ in range(3):
            await call(house, R.BUSY)
            house.clock.ms += 35 * 60_000
        before = await house.chain(1)
        shown = await taken(house)
        assert shown.record.chain_n == 1
        await house.ask(ANN, commands.RejectRecord, handle=shown.handle)
        after = await house.chain(1)
        assert statuses(after) == statuses(before)
        assert (await taken(house, BOB)).record.chain_n == 1
        assert steps(house.attempts)[-1] is AttemptStep.RELEASED

    run_in_house(test, CHAIN, plan=BUSY)


async def end_leases(house: House, after_ms: int) -> None:
    """Let time pass and end what ran out."""
    house.clock.ms += after_ms
    await house.ask(SYSTEM, ExpireLeases)


def test_stale_is_treated_when_the_plan_says_so() -> None:
    """A lease that ends is no attempt; the plan's sequence for Stale brings the record back; the agent is told."""

    async def test(house: House) -> None:
        await taken(house)
        await end_leases(house, house.rules.lease_ms)
        chain = await house.chain(1)
        assert statuses(chain) == [S.READY, S.CHAIN_READY, S.CHAIN_READY]
        assert (chain[0].call_result, chain[0].attempts) == (R.STALE, 0)
        assert chain[0].due_at_s == house.clock.now_s() + 900
        assert steps(house.attempts) == [AttemptStep.RELEASED, AttemptStep.TREATED]
        assert await house.desk(ANN) == []
        told = [event for row in house.published for event in row.row.events if isinstance(event, RecordWithdrawn)]
        assert len(told) == 3
        house.clock.ms += 900_000
        await taken(house)
        await end_leases(house, house.rules.lease_ms)
        assert statuses(await house.chain(1)) == [S.STALE] * 3

    run_in_house(test, CHAIN, plan=BUSY)


def test_a_chain_has_one_lease() -> None:
    """While one record of the chain is worked, its siblings stay on the desk with it."""

    async def test(house: House) -> None:
        handle = (await taken(house)).handle
        house.clock.ms += 3_600_000
        await house.ask(ANN, commands.UpdateRecord, handle=handle, changes=FieldChanges(until_s=5))
        await end_leases(house, house.rules.lease_ms - 3_600_000)
        assert len(await house.desk(ANN)) == 3
        assert set(statuses(await house.chain(1))) == {S.RETRIEVED}
        await end_leases(house, 3_600_000)
        assert await house.desk(ANN) == []

    run_in_house(test, CHAIN)


@pytest.mark.parametrize(("is_here", "status"), [(False, S.READY), (True, S.STALE)])
def test_a_result_for_those_who_log_out(is_here: bool, status: RecordStatus) -> None:  # noqa: FBT001 - a parameter of the test
    """With the option, a record whose agent logged out gets that result and its treatment; others become stale."""

    async def test(house: House) -> None:
        house.rules = msgspec.structs.replace(house.rules, logout_call_result=R.BUSY)
        house.writer._rules = house.rules
        await taken(house)
        if is_here:
            await end_leases(house, house.rules.lease_ms)
        else:
            await house.ask(ANN, commands.EndSession)
            await end_leases(house, house.rules.grace_ms)
        first = (await house.chain(1))[0]
        assert first.status is status
        assert first.call_result is (R.STALE if is_here else R.BUSY)
        assert first.attempts == (0 if is_here else 1)

    rules = {"Busy": {"action": "Cycle", "interval_min": 5}}
    run_in_house(test, CHAIN, plan=plan(rules))


@pytest.mark.parametrize("kind", list(CallbackType))
def test_a_callback_on_a_desk_that_nobody_reported_is_missed(kind: CallbackType) -> None:
    """When its lease ends, a personal callback falls to the campaign, a campaign's becomes MissedCallBack."""

    async def test(house: House) -> None:
        handle = (await taken(house)).handle
        await house.ask(ANN, commands.RescheduleRecord, handle=handle, callback_type=kind, due_at_s=NOON_S + 600)
        await house.ask(ANN, commands.CompleteRecord, handle=handle, changes=FieldChanges())
        house.clock.ms += 600_000
        await taken(house)
        await end_leases(house, house.rules.lease_ms)
        chain = await house.chain(1)
        if kind is CallbackType.PERSONAL:
            assert statuses(chain) == [S.READY, S.CHAIN_READY, S.CHAIN_READY]
            assert (chain[0].record_type, chain[0].call_result) == (T.CAMPAIGN_CALL_BACK, R.AGENT_CALL_BACK_ERROR)
            assert (await taken(house, BOB)).callback_type is CallbackType.CAMPAIGN
        else:
            assert statuses(chain) == [S.MISSED_CALL_BACK, S.CHAIN_READY, S.CHAIN_READY]
            assert chain[0].call_result is R.GROUP_CALL_BACK_ERROR
        assert AttemptStep.CALLBACK_MISSED in steps(house.attempts)

    run_in_house(test, CHAIN)


def test_a_callback_to_another_number() -> None:
    """The request may bring a new number; one that nobody may call is refused and changes nothing."""

    async def test(house: House) -> None:
        handle = (await taken(house)).handle
        given: dict[str, Any] = {
            "handle": handle,
            "callback_type": CallbackType.CAMPAIGN,
            "due_at_s": NOON_S + 600,
        }
        async with house.store.begin() as unit:
            blocked = Suppression(contact_centre_id=CENTRE, kind=DoNotCallKind.NUMBER, value="+12125559999")
            await unit.save(Changes(suppressions=[blocked]))
        before = await house.chain(1)
        with pytest.raises(InvalidState, match="do-not-call"):
            await house.ask(
                ANN, commands.RescheduleRecord, changes=FieldChanges(phone_number="+1 212 555 9999"), **given
            )
        assert await house.chain(1) == before
        await house.ask(ANN, commands.RescheduleRecord, changes=FieldChanges(phone_number="+12125558888"), **given)
        assert (await house.chain(1))[0].phone_number == "+12125558888"

    run_in_house(test, CHAIN)


def test_a_callback_on_another_number_takes_over_from_the_retry() -> None:
    """Only one record of a chain is next: the retry that was due no longer is when a sibling gets the callback."""

    async def test(house: House) -> None:
        await call(house, R.BUSY)
        house.clock.ms += 1_800_000
        await taken(house)
        handle = next(held.entry.handle for held in await house.desk(ANN) if held.record.chain_n == 2)
        due_at_s = house.clock.now_s() + 600
        await house.ask(
            ANN, commands.RescheduleRecord, handle=handle, callback_type=CallbackType.CAMPAIGN, due_at_s=due_at_s
        )
        chain = await house.chain(1)
        assert statuses(chain) == [S.CHAIN_READY, S.CHAIN_READY, S.READY]
        assert [one.due_at_s for one in chain] == [None, None, due_at_s]

    run_in_house(test, CHAIN, plan=BUSY)
