"""Callbacks by the clock: shown to their agent, missed after the grace time, moved by a supervisor."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.harness import CAMPAIGN_ID, CENTRE, LIST_ID, NOON_S, House, agent, record, run_in_house
from tests.app.test_judging import made
from tests.app.test_treating import plan, statuses, steps
from trunkline.app.callbacks.deciding import MAX_SHOWN
from trunkline.app.callbacks.rounds import CallbackRounds
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Changes, Provision, Suppression, User
from trunkline.app.rescue import SYSTEM, ExpireLeases
from trunkline.contract.callbacks import Names, callback_object
from trunkline.domain import commands
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.campaigns import CampaignList, GroupState
from trunkline.domain.enums import CallbackType, CallResult, DoNotCallKind, GroupStatus, Hold, RecordStatus, RecordType
from trunkline.domain.events import Appearance, RecordShown
from trunkline.domain.people import Role
from trunkline.domain.records import FieldChanges

ANN, BOB, BOSS = agent(1), agent(2), agent(9, Role.SUPERVISOR)
R, S, T = CallResult, RecordStatus, RecordType
GRACE_S = 1800
PERSONAL: dict[str, Any] = {"record_type": T.PERSONAL_CALL_BACK, "agent_id": 1, "campaign_id": CAMPAIGN_ID}
CAMPAIGN: dict[str, Any] = {"record_type": T.CAMPAIGN_CALL_BACK, "agent_id": 1, "campaign_id": CAMPAIGN_ID}


def chain(chain_id: int = 1, **values: Any) -> list[Any]:
    """A callback due in ten minutes, with a sibling that waits with it."""
    first = record(chain_id, 0, **{**PERSONAL, "due_at_s": NOON_S + 600, **values})
    return [first, record(chain_id, 1, status=S.CHAIN_READY)]


class Clockwork:
    """The rounds of a house, turned by hand."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.rounds = CallbackRounds(house.store, house.writer, house.clock, GRACE_S)

    async def turn(self, seconds: int = 0) -> list[RecordShown]:
        """Let time pass, look after callbacks and leases; the calls shown since."""
        self.house.clock.ms += seconds * 1000
        before = len(self.house.published)
        await self.rounds.serve_callbacks()
        await self.house.ask(SYSTEM, ExpireLeases)
        events = [event for row in self.house.published[before:] for event in row.row.events]
        return [one for one in events if isinstance(one, RecordShown) and one.what is Appearance.SCHEDULED_CALL]


async def log_in(house: House, who: Any = ANN) -> None:
    """Log the agent in."""
    await house.ask(who, commands.StartSession, device_id=who.devices[0].device_id)


def test_a_due_callback_is_shown_to_its_agent() -> None:
    """Not before its time; then on the desk with its whole chain, to the device of the log-in, once."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house)
        assert await clockwork.turn(599) == []
        (shown,) = await clockwork.turn(1)
        assert (shown.device_id, shown.agent_name, shown.callback_type) == ("d1", "agent1", CallbackType.PERSONAL)
        assert (shown.record.chain_n, shown.campaign_name, shown.list_name) == (0, "Campaign", "List")
        desk = await house.desk(ANN)
        assert [held.record.status for held in desk] == [S.RETRIEVED, S.RETRIEVED]
        assert shown.handle == desk[0].entry.handle
        row = house.published[-1].row
        assert (row.user_id, row.handle) == (1, shown.handle)
        assert steps([*house.attempts]) == []
        assert [one.step for one in house.attempts] == [AttemptStep.PERMITTED]
        assert await clockwork.turn(1) == []
        changes = FieldChanges(call_result=R.ANSWER)
        await house.ask(ANN, commands.CompleteRecord, handle=shown.handle, changes=changes)
        assert statuses(await house.chain(1)) == [S.UPDATED, S.CHAIN_UPDATED]

    run_in_house(test, chain())


def test_an_agent_who_previews_is_there_too() -> None:
    """A preview session of the campaign is enough; the first device is used."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await house.ask(ANN, commands.StartPreview)
        (shown,) = await clockwork.turn(600)
        assert shown.device_id == "d1"

    run_in_house(test, chain())


def test_a_personal_retry_is_shown_like_a_callback() -> None:
    """What a treatment scheduled for one agent comes to that agent as well."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house)
        (shown,) = await clockwork.turn(600)
        assert shown.callback_type is CallbackType.PERSONAL

    run_in_house(test, chain(record_type=T.PERSONAL_RESCHEDULED))


def test_the_scheduled_call_can_be_moved() -> None:
    """ScheduledRecordReschedule sets another time; the callback comes again then."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house)
        (shown,) = await clockwork.turn(600)
        await house.ask(
            ANN,
            commands.RescheduleRecord,
            handle=shown.handle,
            callback_type=CallbackType.PERSONAL,
            due_at_s=NOON_S + 7200,
        )
        await house.ask(ANN, commands.CompleteRecord, handle=shown.handle, changes=FieldChanges())
        assert await clockwork.turn(600) == []
        (again,) = await clockwork.turn(6000)
        assert again.record.key == shown.record.key

    run_in_house(test, chain())


def test_away_it_falls_to_the_campaign_after_the_grace_time() -> None:
    """Nobody there: result 47 after the grace time, then anyone's, at once; the log tells both."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house, BOB)
        assert await clockwork.turn(600 + GRACE_S - 1) == []
        assert (await house.chain(1))[0].record_type is T.PERSONAL_CALL_BACK
        await clockwork.turn(1)
        first, sibling = await house.chain(1)
        assert (first.status, first.record_type, first.call_result) == (
            S.READY,
            T.CAMPAIGN_CALL_BACK,
            R.AGENT_CALL_BACK_ERROR,
        )
        assert (first.due_at_s, first.attempts, sibling.status) == (house.clock.now_s(), 0, S.CHAIN_READY)
        assert steps(house.attempts) == [AttemptStep.CALLBACK_MISSED, AttemptStep.TREATED]
        assert house.attempts[0].detail["due_at_s"] == NOON_S + 600
        assert house.attempts[1].detail["why"] == "AgentCallBackError, step 1: a callback for the campaign now"
        shown = (await house.preview(BOB))[0]
        assert isinstance(shown, RecordShown)
        assert shown.callback_type is CallbackType.CAMPAIGN

    run_in_house(test, chain())


def test_the_plan_decides_about_a_missed_callback() -> None:
    """A sequence for 47 goes before what is built in; a retry stays with the agent."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await clockwork.turn(600 + GRACE_S)
        first = (await house.chain(1))[0]
        assert (first.record_type, first.agent_id) == (T.PERSONAL_RESCHEDULED, 1)
        assert first.due_at_s == house.clock.now_s() + 3600
        await clockwork.turn(3600 + GRACE_S)
        assert (await house.chain(1))[0].status is S.AGENT_ERROR

    rules = {"AgentCallBackError": [{"action": "RetryIn", "interval_min": 60}, {"action": "MarkAsAgentError"}]}
    run_in_house(test, chain(), plan=plan(rules))


@pytest.mark.parametrize("how", ["disabled", "not in the group"])
def test_an_owner_who_cannot_come_back_counts_as_away(how: str) -> None:
    """A disabled account, or one that left the group, gets nothing, and the colleagues call after the grace time."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house)
        if how == "disabled":
            gone = User(caller=ANN, password_hash="-", is_enabled=False)
            await house.store.provision(Provision(users=[gone]))
        assert await clockwork.turn(600) == []
        await clockwork.turn(GRACE_S)
        assert (await house.chain(1))[0].record_type is T.CAMPAIGN_CALL_BACK

    campaign = {"agents": frozenset({2, 3})} if how == "not in the group" else None
    run_in_house(test, chain(), campaign=campaign)


async def set_state(house: House, status: GroupStatus) -> None:
    """Bring every group into a state, as its control does."""
    for group in house.writer.book.groups_of(CENTRE):
        state = GroupState(
            contact_centre_id=CENTRE,
            campaign_group_id=group.group_id,
            status=status,
            changed_at_ms=house.clock.now_ms(),
        )
        await house.store.provision(Provision(group_states=[state]))
    house.writer.book = ReferenceBook(await house.store.directory())


def test_while_no_group_is_loaded_nothing_is_shown_or_missed() -> None:
    """The grace time begins when a group is loaded that could keep the callback."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house)
        await set_state(house, GroupStatus.NOT_LOADED)
        assert await clockwork.turn(86_400) == []
        before = await house.chain(1)
        assert before[0].status is S.READY
        await house.ask(ANN, commands.EndSession)
        await set_state(house, GroupStatus.ACTIVE)
        await clockwork.turn(GRACE_S - 1)
        assert await house.chain(1) == before
        await clockwork.turn(1)
        assert (await house.chain(1))[0].record_type is T.CAMPAIGN_CALL_BACK

    run_in_house(test, chain())


def test_what_became_due_while_the_server_was_down_is_not_missed_at_once() -> None:
    """After a start everything due is shown; what nobody takes is missed a grace time after the start."""

    async def test(house: House) -> None:
        house.clock.ms += 6 * 3_600_000
        clockwork = Clockwork(house)
        await clockwork.turn()
        assert (await house.chain(1))[0].status is S.READY
        await log_in(house)
        assert len(await clockwork.turn()) == 1
        await clockwork.turn(GRACE_S)
        assert (await house.chain(2))[0].call_result is R.GROUP_CALL_BACK_ERROR

    run_in_house(test, [*chain(), *chain(2, **CAMPAIGN)])


def test_a_closed_window_shows_nothing_and_keeps_nobody_waiting() -> None:
    """Due outside the contact's window: it is shown when the window opens, and missed a grace time after that."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house)
        assert await clockwork.turn(600) == []
        assert await clockwork.turn(3600 * 3 - 601) == []
        assert len(await clockwork.turn(1)) == 1
        assert statuses(await house.chain(2)) == [S.READY, S.CHAIN_READY]
        await clockwork.turn(GRACE_S)
        assert statuses(await house.chain(2)) == [S.MISSED_CALL_BACK, S.CHAIN_READY]

    window = {"from_s": 15 * 3600, "until_s": 16 * 3600}
    run_in_house(test, [*chain(**window), *chain(2, **window, **CAMPAIGN)])


def test_the_law_s_hours_hold_for_callbacks_too() -> None:
    """A callback set for the night is shown in the morning, however wide the contact's own window is."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house)
        assert await clockwork.turn(10 * 3600) == []
        assert await clockwork.turn(10 * 3600 - 1) == []
        assert len(await clockwork.turn(1)) == 1

    run_in_house(test, chain(due_at_s=NOON_S + 10 * 3600), campaign={"rule_set_id": None})


def test_a_call_that_the_agent_does_not_look_at_is_missed() -> None:
    """What was shown has the grace time as its lease; a touch gives it the whole."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house)
        shown = await clockwork.turn(600)
        looked_at = next(one for one in shown if one.record.chain_id == 2)
        await house.ask(ANN, commands.UpdateRecord, handle=looked_at.handle, changes=FieldChanges(until_s=100))
        await clockwork.turn(GRACE_S)
        assert (await house.chain(1))[0].record_type is T.CAMPAIGN_CALL_BACK
        assert statuses(await house.chain(2)) == [S.RETRIEVED, S.RETRIEVED]
        assert {held.record.chain_id for held in await house.desk(ANN)} == {2}

    run_in_house(test, [*chain(1), *chain(2)])


def test_an_agent_is_not_buried() -> None:
    """Some due calls at a time; when one is done the next comes."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house)
        shown = await clockwork.turn(600)
        assert [one.record.chain_id for one in shown] == list(range(1, MAX_SHOWN + 1))
        assert await clockwork.turn() == []
        changes = FieldChanges(call_result=R.ANSWER)
        await house.ask(ANN, commands.CompleteRecord, handle=shown[0].handle, changes=changes)
        (following,) = await clockwork.turn()
        assert following.record.chain_id == MAX_SHOWN + 1

    run_in_house(test, [one for n in range(1, MAX_SHOWN + 4) for one in chain(n)])


def test_do_not_call_holds_for_callbacks_too() -> None:
    """A number that must not be called is taken out of dialing instead of being shown."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house)
        number = (await house.chain(1))[0].phone_number
        async with house.store.begin() as unit:
            blocked = Suppression(contact_centre_id=CENTRE, kind=DoNotCallKind.NUMBER, value=number)
            await unit.save(Changes(suppressions=[blocked]))
        assert await clockwork.turn(600) == []
        first, sibling = await house.chain(1)
        assert (first.status, first.record_type, first.call_result) == (S.UPDATED, T.NO_CALL, R.DO_NOT_CALL)
        assert sibling.status is S.READY

    run_in_house(test, chain())


@pytest.mark.parametrize("values", [PERSONAL, CAMPAIGN])
def test_a_callback_that_a_limit_forbids_is_put_back_and_not_missed(values: dict[str, Any]) -> None:
    """Nobody broke the promise while the law forbade it; the grace time begins when the limit lets go."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        rows = [made(record(1), age_s) for age_s in (3600, 3000, 2400)]
        async with house.store.begin() as unit:
            await unit.save(Changes(attempts=rows))
        await clockwork.turn(600)
        assert statuses(await house.chain(1)) == [S.READY, S.CHAIN_READY]
        await clockwork.turn(GRACE_S)
        held, sibling = await house.chain(1)
        free_s = NOON_S - 3600 + 86_400
        assert (held.status, held.hold, held.due_at_s, sibling.status) == (
            S.READY, Hold.ATTEMPT_RULE, free_s, S.CHAIN_READY
        )  # fmt: skip
        assert [row.step for row in house.attempts] == [AttemptStep.BLOCKED]
        shown = callback_object(held, Names("List", "Campaign", "agent1"), house.clock.now_s())
        assert (shown["timestamp"], shown["lateSeconds"], shown["heldBy"]) == (free_s, 0, "ATTEMPT_RULE")
        await clockwork.turn(free_s + GRACE_S - 1 - house.clock.now_s())
        assert (await house.chain(1))[0] == held
        await clockwork.turn(1)
        assert [row.step for row in house.attempts][1] is AttemptStep.CALLBACK_MISSED

    run_in_house(test, chain(**values), campaign={"rule_set_id": None})


@pytest.mark.parametrize("kind", [commands.CancelRecord, commands.SuppressContact])
def test_what_waited_for_a_closed_callback_waits_no_more(kind: type) -> None:
    """When the callback's number is cancelled or must not be called, the customer's other numbers are Ready again."""

    async def test(house: House) -> None:
        number = (await house.chain(1))[0].phone_number
        await house.ask(BOB, kind, phone_number=number)
        first, sibling = await house.chain(1)
        assert first.status in (S.CANCELLED, S.UPDATED)
        assert sibling.status is S.READY

    run_in_house(test, chain())


def test_many_due_callbacks_are_looked_at_page_by_page() -> None:
    """Callbacks that wait do not hide those behind them."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house, BOB)
        shown = []
        for _ in range(3):
            shown += await clockwork.turn(300)
        assert [one.record.chain_id for one in shown] == [900]

    waiting = [record(n, 0, **{**PERSONAL, "agent_id": 3, "due_at_s": NOON_S + 1}) for n in range(1, 260)]
    run_in_house(test, [*waiting, record(900, 0, **{**PERSONAL, "agent_id": 2, "due_at_s": NOON_S + 2})])


def test_a_list_that_was_switched_off_keeps_its_callbacks() -> None:
    """With no open list nobody could keep the promise: nothing is shown, nothing missed."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house)
        assert await clockwork.turn(600 + GRACE_S) == []
        assert (await house.chain(1))[0].status is S.READY

    run_in_house(test, chain(), campaign={"lists": (CampaignList(LIST_ID, 0),)})
