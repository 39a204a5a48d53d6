"""Groups whose agents, lists or records change: who is told, what still works."""

from __future__ import annotations

import msgspec
import pytest

from tests.app.harness import APPLICATION, CAMPAIGN_ID, CENTRE, NOON_S, House, record, run_in_house
from tests.app.test_control import ANN, BOB, BOSS, GROUP, C, S, all_three, keeper_of, stored_status, told, wish
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Provision
from trunkline.domain import commands
from trunkline.domain.campaigns import AgentGroup, CampaignGroup, CampaignList, GroupState
from trunkline.domain.enums import RecordType
from trunkline.domain.events import (
    NothingToPreview,
    RecordShown,
)
from trunkline.domain.group_control import ControlRefused, ServerError
from trunkline.domain.objects import ObjectKind, StoredObject


def test_agents_who_move_between_groups_are_told() -> None:
    """Who comes to a loaded group is assigned and sees its state; who leaves the campaign sees it go."""

    async def test(house: House) -> None:
        keeper = keeper_of(house)
        group = CampaignGroup(
            contact_centre_id=CENTRE,
            campaign_group_id=300,
            campaign_id=CAMPAIGN_ID,
            agent_group_id=300,
            name="Second",
            application_id=APPLICATION,
        )
        state = GroupState(contact_centre_id=CENTRE, campaign_group_id=300, status=S.ACTIVE, changed_at_ms=1)

        async def agents(first: set[int], second: set[int]) -> list[tuple[int, str]]:
            def people(number: int, name: str, members: set[int]) -> StoredObject:
                value = AgentGroup(
                    contact_centre_id=CENTRE, agent_group_id=number, name=name, user_ids=frozenset(members)
                )
                return StoredObject(kind=ObjectKind.AGENT_GROUP, value=value)

            objects = [
                people(GROUP, "Campaign", first),
                people(300, "Second", second),
                StoredObject(kind=ObjectKind.CAMPAIGN_GROUP, value=group),
            ]
            await house.store.provision(Provision(objects=objects, group_states=[state]))
            house.published.clear()
            house.writer.adopt(ReferenceBook(await house.store.directory()))
            await keeper.stop()
            return told(house)

        # A group that comes loaded: its agents see it loaded, nobody was assigned anywhere.
        assert await agents({1, 2, 3}, {3}) == [(3, "loaded")]
        assert await agents({1}, {2, 3}) == [(2, "assigned"), (2, "loaded")]
        assert await agents({1, 2}, {3}) == [(2, "assigned"), (2, "started")]
        assert await agents({1}, {3}) == [(2, "unloaded")]
        # A group without agents cannot work; those who come find it running again.
        assert await agents(set(), {3}) == [(1, "unloaded")]
        assert house.writer.book.group(CENTRE, GROUP).status is S.IN_ACTIVE  # type: ignore[union-attr]
        assert await agents({2}, {3}) == [(2, "assigned"), (2, "started")]

    run_in_house(test, [])


def test_a_group_that_cannot_work_stops_and_starts_by_itself() -> None:
    """When its last list goes the group is shown as one that cannot work, and agents see it stop; and the other way."""

    async def test(house: House) -> None:
        keeper = keeper_of(house)

        async def lists(*entries: CampaignList) -> list[tuple[int, str]]:
            stored = house.writer.book.object(CENTRE, ObjectKind.CAMPAIGN, CAMPAIGN_ID)
            assert stored is not None
            changed = msgspec.structs.replace(stored.value, lists=entries)
            await house.store.provision(Provision(objects=[StoredObject(kind=ObjectKind.CAMPAIGN, value=changed)]))
            house.writer.adopt(ReferenceBook(await house.store.directory()))
            await keeper.stop()
            return told(house)

        assert await lists() == all_three("stopped")
        seen = keeper.status(BOSS, GROUP)
        assert (seen.status, "no calling list" in seen.obstacle) == (S.IN_ACTIVE, True)
        assert await stored_status(house) is S.RUNNING
        await wish(keeper, C.STOP)
        with pytest.raises(ControlRefused) as caught:
            await wish(keeper, C.START)
        assert caught.value.error is ServerError.WRONG_CONFIGURATION
        house.published.clear()
        assert await lists(CampaignList(101)) == []
        assert (await wish(keeper, C.START)).status is S.RUNNING

    run_in_house(test, [])


def test_a_stopped_group_keeps_its_promises() -> None:
    """Loaded and not running: callbacks that are due are shown, fresh records are not, what was in memory is back."""

    async def test(house: House) -> None:
        keeper = keeper_of(house)
        await house.preview(BOB)
        await wish(keeper, C.STOP)
        (shown,) = await house.preview(ANN)
        assert isinstance(shown, RecordShown)
        assert shown.record.chain_id == 3
        (empty,) = await house.ask(ANN, commands.NextPreview)
        assert isinstance(empty, NothingToPreview)
        await wish(keeper, C.START)
        (fresh,) = await house.ask(ANN, commands.NextPreview)
        assert isinstance(fresh, RecordShown)

    due = {"record_type": RecordType.CAMPAIGN_CALL_BACK, "due_at_s": NOON_S - 60, "campaign_id": CAMPAIGN_ID}
    later = {**due, "due_at_s": NOON_S - 1}
    run_in_house(test, [record(1), record(2), record(3, **later), record(4, **due)])
