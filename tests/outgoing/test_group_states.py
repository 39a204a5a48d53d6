"""States of campaign groups, told to a webhook."""

from __future__ import annotations

import msgspec

from tests.app.harness import CAMPAIGN_ID
from tests.outgoing.receiver import Receiver, silence
from tests.outgoing.site import Site, at_site, bodies, until
from trunkline.app.webhooks import notices
from trunkline.domain.campaigns import GroupState
from trunkline.domain.enums import DialMode, GroupStatus
from trunkline.domain.webhooks import Notice


def test_group_states() -> None:
    """Each change is told with figures, then every ten seconds while loaded; not after the unload."""

    async def test(site: Site) -> None:
        async with Receiver() as receiver:
            await site.save(receiver.url, notices=(Notice.GROUP_STATE,), campaign_ids=(CAMPAIGN_ID,))
            await site.begin()
            await receiver.wait_for(1)
            for changes in (
                {"status": GroupStatus.ACTIVE},
                {"dial_mode": DialMode.PROGRESS},
                {"status": GroupStatus.RUNNING},
                {"status": GroupStatus.WAITING_UNLOAD},
                {"status": GroupStatus.NOT_LOADED},
            ):
                await site.set_group(**changes)
            await receiver.wait_for(6)
            await site.set_group(status=GroupStatus.ACTIVE)
            await receiver.wait_for(7)
            await until(lambda: site.postman.progress.delivered == 7)
            site.house.clock.ms += notices.PERIOD_MS
            site.postman.nudge()
            await receiver.wait_for(8)
            await until(lambda: site.postman.progress.delivered == 8)
        told = bodies(receiver.got)
        assert [(one["event"], one["status"], one["GSW_DIAL_MODE"]) for one in told] == [
            ("periodic", "Running", 3),
            ("stopped", "Active", 3),
            ("dial mode change", "Active", 2),
            ("started", "Running", 2),
            ("stopped", "WaitingUnload", 2),
            ("unloaded", "NotLoaded", 2),
            ("loaded", "Active", 2),
            ("periodic", "Active", 2),
        ]
        assert told[7] == {
            "notice": "group-state",
            "noticeId": told[7]["noticeId"],
            "event": "periodic",
            "status": "Active",
            "GSW_TENANT_NAME": "centre",
            "GSW_CAMPAIGN_GROUP_NAME": "Campaign",
            "GSW_CAMPAIGN_GROUP_GUID": told[0]["GSW_CAMPAIGN_GROUP_GUID"],
            "GSW_CAMPAIGN_GROUP_DBID": CAMPAIGN_ID,
            "GSW_GROUP_NAME": "Campaign",
            "GSW_CAMPAIGN_NAME": "Campaign",
            "GSW_CAMPAIGN_DBID": CAMPAIGN_ID,
            "GSW_DIAL_MODE": 2,
            "GSW_OPTIMIZE_BY": 1,
            "GSW_OPTIMIZE_GOAL": 85,
            "GSW_STAT_BUSY_FACTOR": 0.85,
            "GSW_STAT_HIT_RATIO": 0.3,
            "GSW_STAT_OVERDIAL_RATE": 0.02,
            "GSW_STAT_TIME_TO_COMPLETE": 600,
            "lists": [{"GSW_CALLING_LIST": "List", "GSW_STAT_HIT_RATIO": 0.3, "GSW_STAT_TIME_TO_COMPLETE": 600}],
        }
        assert told[5]["GSW_STAT_HIT_RATIO"] is None

    at_site(test)


def test_a_change_is_told_after_a_restart() -> None:
    """A group that changed while nothing was delivered is told first, as it stands now."""

    async def test(site: Site) -> None:
        async with Receiver() as receiver:
            await site.save(receiver.url, notices=(Notice.GROUP_STATE,), campaign_ids=(CAMPAIGN_ID,))
            webhooks = await site.begin()
            await receiver.wait_for(1)
            await webhooks.stop()
            await site.set_group(status=GroupStatus.ACTIVE)
            await site.set_group(status=GroupStatus.NOT_LOADED)
            await site.begin()
            got = await receiver.wait_for(2)
            await until(lambda: site.postman.progress.delivered == 1)
        assert [(one["event"], one["status"]) for one in bodies(got)][1:] == [("unloaded", "NotLoaded")]

    at_site(test)


def test_what_waits_for_a_dead_receiver_is_bounded() -> None:
    """Of many changes each group's last one is kept; those of the clock are not kept at all."""

    async def test(site: Site) -> None:
        async with Receiver(silence) as receiver:
            await site.save(receiver.url, notices=(Notice.GROUP_STATE,))
            await site.begin()
            await receiver.wait_for(1)
            states = site.postman.states
            state: GroupState = next(iter(site.house.writer.book.group_states))
            for number in range(3 * notices.MAX_CHANGES):
                after = msgspec.structs.replace(
                    state,
                    changed_at_ms=state.changed_at_ms + 1,
                    status=[GroupStatus.ACTIVE, GroupStatus.RUNNING][number % 2],
                )
                states.changed(state, after)
                state = after
            assert len(states._changes) <= notices.MAX_CHANGES
            assert states._changes[-1].state == state

    at_site(test)
