"""Deliveries to webhooks: to a real receiver, signed, in order, over failures and restarts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from tests.app.harness import CAMPAIGN_ID, CENTRE, LIST_ID, House, record
from tests.outgoing.receiver import Got, Receiver, answer, saying, silence
from trunkline.adapters.http_out import HttpOut
from trunkline.app import notices
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import ObjectChanges, ObjectWrite
from trunkline.app.webhooks import Postman, Settings, Webhooks
from trunkline.client.webhooks import WebhookNotAuthentic, verify
from trunkline.contract.notices import CALL_REPORT_KEYS, GroupFigures, ListFigures
from trunkline.domain.addresses import networks
from trunkline.domain.attempts import AttemptStep, StoredAttempt, attempt_row
from trunkline.domain.campaigns import GroupState
from trunkline.domain.enums import CallResult, DialMode, GroupStatus
from trunkline.domain.objects import ObjectKind
from trunkline.domain.webhooks import DeliveryState, Notice, Webhook
from trunkline.errors import NotFound

SECRET = "0123456789abcdef"
WEBHOOK_ID = 7


class Log:
    """An attempt log in memory."""

    def __init__(self) -> None:
        """Nothing was tried yet."""
        self.rows: list[StoredAttempt] = []

    async def attempts_after(self, after_seq: int, limit: int) -> list[StoredAttempt]:
        """Rows behind that number."""
        return [row for row in self.rows if row.seq > after_seq][:limit]

    async def newest_attempt(self) -> int:
        """The newest number."""
        return self.rows[-1].seq if self.rows else 0

    def add(self, guid: str, step: AttemptStep = AttemptStep.PERMITTED, **facts: Any) -> None:
        """One more row."""
        changes = {"campaign_id": CAMPAIGN_ID, "campaign_group_id": CAMPAIGN_ID, "agent_id": 1, **facts}
        at_ms = 1_795_435_200_000 + len(self.rows)
        one = record(1, call_result=CallResult.BUSY, customer_id="c1")
        self.rows.append(StoredAttempt(len(self.rows) + 1, attempt_row(one, step, at_ms, guid, **changes)))


class Site:
    """A contact centre with a webhook at a receiver."""

    def __init__(self, house: House, log: Log, outgoing: HttpOut) -> None:
        """Nothing is delivered before ``begin``."""
        self.house = house
        self.log = log
        self.outgoing = outgoing
        self.told: list[str] = []

    async def save(self, url: str, *, version: int = 0, **changes: Any) -> None:
        """Write the webhook and read the reference data anew, as after an admin's change."""
        webhook = Webhook(
            **{
                "contact_centre_id": CENTRE,
                "webhook_id": WEBHOOK_ID,
                "name": "crm",
                "url": url,
                "secret": SECRET,
                "notices": (Notice.CALL_REPORT,),
                **changes,
            }
        )
        write = ObjectWrite(
            contact_centre_id=CENTRE,
            kind=ObjectKind.WEBHOOK,
            object_id=WEBHOOK_ID,
            expected_version=version,
            value=webhook,
        )
        await self.house.store.change_objects(ObjectChanges(at_ms=1, changed_by=9, writes=(write,)))
        self.house.writer.adopt(ReferenceBook(await self.house.store.directory()))

    async def begin(self, **settings: Any) -> Webhooks:
        """Begin to deliver; ends with the site."""
        house = self.house
        self.webhooks = Webhooks(
            house.store,
            self.log,
            house.writer,
            house.clock,
            self.outgoing,
            lambda: 0.5,
            lambda step, error: self.told.append(str(error)),
            Settings(**{"timeout_s": 20.0, **settings}),
            figures,
        )
        await self.webhooks.start()
        return self.webhooks

    @property
    def postman(self) -> Postman:
        """Who delivers to the webhook."""
        found = self.webhooks.postman(CENTRE, WEBHOOK_ID)
        assert found is not None
        return found

    async def set_group(self, **changes: Any) -> None:
        """The group changes state, as a committed request of a supervisor does it."""
        self.house.clock.ms += 1
        before = next(iter(self.house.writer.book.group_states))
        state = msgspec.structs.replace(before, changed_at_ms=self.house.clock.ms, **changes)
        self.house.writer.book = self.house.writer.book.with_states([state])
        self.webhooks.committed()


def figures(contact_centre_id: int, campaign_group_id: int) -> GroupFigures:
    """Figures of the example in the original's documentation."""
    per_list = ListFigures(list_name="List", hit_ratio=0.3, time_to_complete_s=600)
    return GroupFigures(busy_factor=0.85, hit_ratio=0.3, overdial_rate=0.02, time_to_complete_s=600, lists=(per_list,))


def at_site(test: Callable[[Site], Awaitable[None]]) -> None:
    """Run a test at a site that may send to this machine."""

    async def run() -> None:
        house = await House().open([])
        outgoing = HttpOut(connections=4, allowed=networks(["127.0.0.0/8"]))
        site = Site(house, Log(), outgoing)
        try:
            await test(site)
        finally:
            if hasattr(site, "webhooks"):
                await site.webhooks.stop()
            await outgoing.close()
            await house.close()

    asyncio.run(run())


def bodies(got: list[Got]) -> list[Any]:
    """What was received."""
    return [json.loads(one.body) for one in got]


async def until(is_so: Callable[[], bool]) -> None:
    """Let others work until it is so; the test's own time limit ends the wait."""
    while not is_so():  # noqa: ASYNC110 - the state of a task that nobody announces
        await asyncio.sleep(0)


def test_an_attempt_is_reported_twice() -> None:
    """At its beginning and at its end, with every key of the list, signed; what else is logged is not sent."""

    async def test(site: Site) -> None:
        async with Receiver() as receiver:
            site.log.add("before it was made")
            await site.save(receiver.url)
            webhooks = await site.begin()
            site.log.add("g1", detail={"phone_type": 4})
            site.log.add("g1", AttemptStep.TREATED)
            site.log.add("g1", AttemptStep.ENDED, detail={"permitted_at_ms": 1_795_435_190_000})
            site.log.add("g2", AttemptStep.RELEASED)
            await webhooks.round()
            got = await receiver.wait_for(3)
            begun, ended, released = bodies(got)
            await until(lambda: site.postman.progress.delivered == 3)
        assert list(begun) == ["notice", "noticeId", *CALL_REPORT_KEYS]
        assert {key: value for key, value in begun.items() if value is not None} == {
            "notice": "call-report",
            "noticeId": "call-2",
            "GSW_AGENT_ID": "agent1",
            "GSW_CALL_ATTEMPT_GUID": "g1",
            "GSW_CALL_TIME": 1_795_435_200,
            "GSW_CALLING_LIST": "List",
            "GSW_CALLING_LIST_DBID": LIST_ID,
            "GSW_CAMPAIGN_GROUP_GUID": begun["GSW_CAMPAIGN_GROUP_GUID"],
            "GSW_CAMPAIGN_GROUP_NAME": "Campaign",
            "GSW_CAMPAIGN_NAME": "Campaign",
            "GSW_CHAIN_ID": 1,
            "GSW_CHAIN_N": 0,
            "GSW_CUSTOMER_ID": "c1",
            "GSW_D_TZ_JAVA_NAME": "Etc/UTC",
            "GSW_HIST_SEQUENCE_NUM": 0,
            "GSW_TENANT_NAME": "centre",
            "GSW_PHONE": "12125550010",
            "GSW_PHONE_TYPE": 4,
            "GSW_CAMPAIGN_DBID": CAMPAIGN_ID,
            "GSW_START_PROCESSING": 1_795_435_200,
            "GSW_TZ_OFFSET": 0,
            "GSW_TZ_NAME": "UTC",
            "GSW_GROUP_NAME": "Campaign",
            "GSW_DIAL_MODE": 3,
            "GSW_OPTIMIZE_BY": 1,
            "GSW_OPTIMIZE_GOAL": 85,
        }
        assert (ended["GSW_HIST_SEQUENCE_NUM"], ended["GSW_CALL_RESULT"], ended["noticeId"]) == (1, 6, "call-4")
        assert (ended["GSW_CALL_TIME"], ended["GSW_COMPLETE_PROCESSING"]) == (1_795_435_190, 1_795_435_200)
        assert (released["GSW_CALL_ATTEMPT_GUID"], released["GSW_HIST_SEQUENCE_NUM"]) == ("g2", 1)
        for one in got:
            verify(SECRET, one.headers, one.body, site.house.clock.now_s())

    at_site(test)


def test_a_receiver_refuses_what_is_not_authentic() -> None:
    """Another secret, a changed body, id or time, an old time, a missing header: each is noticed."""

    async def test(site: Site) -> None:
        async with Receiver() as receiver:
            await site.save(receiver.url)
            webhooks = await site.begin()
            site.log.add("g1")
            await webhooks.round()
            [got] = await receiver.wait_for(1)
        now_s = site.house.clock.now_s()
        headers = got.headers
        verify(SECRET, {name.title(): value for name, value in headers.items()}, got.body, now_s + 299)
        for changes, body, secret, at_s in (
            ({}, got.body, "another secret..", now_s),
            ({}, got.body + b" ", SECRET, now_s),
            ({}, got.body, SECRET, now_s + 301),
            ({}, got.body, SECRET, now_s - 301),
            ({"trunkline-delivery": "other"}, got.body, SECRET, now_s),
            ({"trunkline-timestamp": str(now_s + 1)}, got.body, SECRET, now_s),
            ({"trunkline-timestamp": "soon"}, got.body, SECRET, now_s),
            ({"trunkline-signature": "v2=" + headers["trunkline-signature"][3:]}, got.body, SECRET, now_s),
            ({"trunkline-signature": "v1=\u00e4"}, got.body, SECRET, now_s),
            ({"trunkline-signature": ""}, got.body, SECRET, now_s),
        ):
            with pytest.raises(WebhookNotAuthentic):
                verify(secret, {**headers, **changes}, body, at_s)
        with pytest.raises(WebhookNotAuthentic):
            verify(SECRET, {}, got.body, now_s)

    at_site(test)


def test_failures_are_tried_again_in_order() -> None:
    """After a while that grows, with the same id; nothing overtakes, and the wish of the receiver is heard."""
    answers = [answer(500), answer(429, b"", "Retry-After: 60"), None, answer(200)]

    async def test(site: Site) -> None:
        async with Receiver(saying(*answers)) as receiver:
            await site.save(receiver.url)
            webhooks = await site.begin()
            site.log.add("g1")
            site.log.add("g2")
            await webhooks.round()
            for failures, error, wait_ms in (
                (1, "answered 500", 750),
                (2, "answered 429", 60_000),
                (3, "what came back is not HTTP", 3_000),
            ):
                await until(lambda failures=failures: site.postman.progress.failures == failures)  # type: ignore[misc]
                progress = site.postman.progress
                assert (progress.state, progress.last_error) == (DeliveryState.RETRYING, error)
                assert progress.next_try_ms == site.house.clock.ms + wait_ms
                site.house.clock.ms += wait_ms - 1
                site.postman.nudge()
                await asyncio.sleep(0.01)
                assert len(receiver.got) == failures
                site.house.clock.ms += 1
                site.postman.nudge()
            got = await receiver.wait_for(5)
            await until(lambda: site.postman.progress.delivered == 2)
        assert [body["GSW_CALL_ATTEMPT_GUID"] for body in bodies(got)] == ["g1", "g1", "g1", "g1", "g2"]
        assert len({one.headers["trunkline-delivery"] for one in got[:4]}) == 1
        # The first wait is shorter than a second, which the timestamp does not see.
        assert len({one.headers["trunkline-signature"] for one in got[:4]}) == 3
        assert site.postman.progress.state is DeliveryState.DELIVERING

    at_site(test)


def test_a_dead_receiver_is_given_up_and_resumed() -> None:
    """After the time that is set nothing more is tried; the state says so, and resuming goes on where it stopped."""

    async def test(site: Site) -> None:
        async with Receiver() as receiver:
            url = receiver.url
            port = receiver.port
        await site.save(url)
        webhooks = await site.begin(give_up_ms=60_000)
        site.log.add("g1")
        await webhooks.round()
        await until(lambda: site.postman.progress.failures == 1)
        site.house.clock.ms += 60_000
        site.postman.nudge()
        await until(lambda: site.postman.progress.state is DeliveryState.STOPPED)
        assert site.told == ["webhook 7 is stopped: the connection was refused"]
        site.log.add("g2")
        await webhooks.round()
        again = Receiver()
        again.port = port
        async with again:
            site.postman.nudge()
            await asyncio.sleep(0.01)
            assert again.connections == 0
            site.postman.resume()
            got = await again.wait_for(2)
        assert [body["GSW_CALL_ATTEMPT_GUID"] for body in bodies(got)] == ["g1", "g2"]

    at_site(test)


def test_a_receiver_that_is_gone_for_good_is_given_up_at_once() -> None:
    """410 stops; a changed webhook is tried anew."""

    async def test(site: Site) -> None:
        async with Receiver(saying(answer(410), answer(200))) as receiver:
            await site.save(receiver.url)
            webhooks = await site.begin()
            site.log.add("g1")
            await webhooks.round()
            await until(lambda: site.postman.progress.state is DeliveryState.STOPPED)
            await site.save(receiver.url, version=1, max_batch=2)
            await webhooks.round()
            got = await receiver.wait_for(2)
        assert [body["GSW_CALL_ATTEMPT_GUID"] for body in bodies(got)[1]] == ["g1"]

    at_site(test)


def test_batches_are_arrays() -> None:
    """A webhook that takes several gets them as an array, in order, as many as it said."""

    async def test(site: Site) -> None:
        async with Receiver() as receiver:
            await site.save(receiver.url, max_batch=4)
            webhooks = await site.begin()
            for number in range(10):
                site.log.add(f"g{number}")
            await webhooks.round()
            got = await receiver.wait_for(3)
        assert [[one["GSW_CALL_ATTEMPT_GUID"] for one in body] for body in bodies(got)] == [
            ["g0", "g1", "g2", "g3"],
            ["g4", "g5", "g6", "g7"],
            ["g8", "g9"],
        ]

    at_site(test)


def test_nothing_is_lost_over_a_restart() -> None:
    """The next program goes on behind what got through, however much was logged meanwhile (more than the memory)."""

    async def test(site: Site) -> None:
        async with Receiver() as receiver:
            await site.save(receiver.url, max_batch=500)
            webhooks = await site.begin()
            site.log.add("first")
            await webhooks.round()
            await receiver.wait_for(1)
            await until(lambda: site.postman.progress.delivered == 1)
            await webhooks.stop()
            await site.house.writer.stop()  # writes the cursor
            for number in range(notices.MAX_TAIL + 1_200):
                site.log.add(f"g{number}", campaign_id=999 if number % 10 == 0 else CAMPAIGN_ID)
            site.house.writer._is_stopping = False
            site.house.writer.start()
            site.house.writer._cursors.clear()
            await site.begin()
            await site.webhooks.round()
            await until(lambda: site.postman.progress.delivered == notices.MAX_TAIL + 1_200)
        told = [one["noticeId"] for body in bodies(receiver.got) for one in body]
        assert told == [f"call-{number + 1}" for number in range(notices.MAX_TAIL + 1_201)]

    at_site(test)


def test_only_the_named_campaigns() -> None:
    """A webhook that names campaigns hears of no other, and its place moves on all the same."""

    async def test(site: Site) -> None:
        async with Receiver() as receiver:
            await site.save(receiver.url, campaign_ids=(CAMPAIGN_ID,))
            webhooks = await site.begin()
            for number in range(notices.NOTE_EVERY + 5):
                site.log.add(f"other{number}", campaign_id=999, campaign_group_id=999)
            await webhooks.round()
            await until(lambda: site.postman.reports.position >= notices.NOTE_EVERY)
            site.log.add("mine")
            await webhooks.round()
            got = await receiver.wait_for(1)
        assert [body["GSW_CALL_ATTEMPT_GUID"] for body in bodies(got)] == ["mine"]

    at_site(test)


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


def test_disabled_and_unknown_webhooks() -> None:
    """A disabled one gets nothing and has nobody; an unknown one is not found."""

    async def test(site: Site) -> None:
        async with Receiver() as receiver:
            await site.save(receiver.url, is_enabled=False)
            webhooks = await site.begin()
            site.log.add("g1")
            await webhooks.round()
            assert webhooks.postman(CENTRE, WEBHOOK_ID) is None
            with pytest.raises(NotFound):
                webhooks.postman(CENTRE, WEBHOOK_ID + 1)
            with pytest.raises(NotFound):
                webhooks.postman(CENTRE + 1, WEBHOOK_ID)
        assert receiver.got == []

    at_site(test)
