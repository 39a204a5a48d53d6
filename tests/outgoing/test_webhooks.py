"""Deliveries to webhooks: to a real receiver, signed, in order, over failures and restarts."""

from __future__ import annotations

import asyncio

import pytest

from tests.app.harness import CAMPAIGN_ID, CENTRE, LIST_ID, NOON_S
from tests.outgoing.receiver import Receiver, answer, saying
from tests.outgoing.site import SECRET, WEBHOOK_ID, Site, at_site, bodies, until
from trunkline.app.webhooks import notices
from trunkline.client.webhooks import WebhookNotAuthentic, verify
from trunkline.contract.notices import CALL_REPORT_KEYS
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.webhooks import DeliveryState, Notice
from trunkline.errors import NotFound


def test_an_attempt_is_reported_twice() -> None:
    """At its beginning and at its end, with every key of the list, signed; what else is logged is not sent."""

    async def test(site: Site) -> None:
        async with Receiver() as receiver:
            await site.log("before it was made")
            await site.save(receiver.url)
            webhooks = await site.begin()
            await site.log("g1", detail={"phone_type": 4})
            await site.log("g1", step=AttemptStep.TREATED)
            await site.log("g1", step=AttemptStep.ENDED, detail={"permitted_at_ms": 1_795_435_190_000})
            await site.log("g2", step=AttemptStep.RELEASED)
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
            await site.log("g1")
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
            await site.log("g1", "g2")
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
        await site.log("g1")
        await webhooks.round()
        await until(lambda: site.postman.progress.failures == 1)
        site.house.clock.ms += 60_000
        site.postman.nudge()
        await until(lambda: site.postman.progress.state is DeliveryState.STOPPED)
        assert site.told == ["webhook 7 is stopped: the connection was refused"]
        await site.log("g2")
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
            await site.log("g1")
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
            await site.log(*(f"g{number}" for number in range(10)))
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
            await site.log("first")
            await webhooks.round()
            await receiver.wait_for(1)
            await until(lambda: site.postman.progress.delivered == 1)
            await webhooks.stop()
            await site.house.writer.stop()  # writes the cursor
            await site.log(*(f"g{number}" for number in range(notices.MAX_TAIL + 1_200)))
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
            others = (f"other{number}" for number in range(notices.NOTE_EVERY + 5))
            await site.log(*others, campaign_id=999, campaign_group_id=999)
            await webhooks.round()
            await until(lambda: site.postman.reports.position >= notices.NOTE_EVERY)
            await site.log("mine")
            await webhooks.round()
            got = await receiver.wait_for(1)
        assert [body["GSW_CALL_ATTEMPT_GUID"] for body in bodies(got)] == ["mine"]

    at_site(test)


def test_a_treatment_may_tell() -> None:
    """A decision whose step names the webhook goes to it, with what was decided; others go to nobody."""

    async def test(site: Site) -> None:
        async with Receiver() as receiver:
            await site.save(receiver.url, notices=(Notice.TREATMENT,))
            webhooks = await site.begin()
            treated = {"rule": "Busy", "action": "RetryIn", "due_at_s": NOON_S, "why": "the first of 3"}
            await site.log("g1", step=AttemptStep.TREATED, detail={**treated, "hooks": "billing,crm"})
            await site.log("g2", step=AttemptStep.TREATED, detail={**treated, "hooks": "billing"})
            await site.log("g3", step=AttemptStep.TREATED, detail=treated)
            await site.log("g4", step=AttemptStep.ENDED)
            await site.log("g5", step=AttemptStep.TREATED, detail={**treated, "hooks": "crm"})
            await webhooks.round()
            first, second = bodies(await receiver.wait_for(2))
        assert (first["notice"], first["GSW_CALL_ATTEMPT_GUID"], second["GSW_CALL_ATTEMPT_GUID"]) == (
            "treatment",
            "g1",
            "g5",
        )
        assert first["treatment"] == {
            "rule": "Busy",
            "action": "RetryIn",
            "history": None,
            "dueAt": NOON_S,
            "nextChainN": None,
            "why": "the first of 3",
        }
        assert first["GSW_CALL_RESULT"] == 6

    at_site(test)


def test_disabled_and_unknown_webhooks() -> None:
    """A disabled one gets nothing and has nobody; an unknown one is not found."""

    async def test(site: Site) -> None:
        async with Receiver() as receiver:
            await site.save(receiver.url, is_enabled=False)
            webhooks = await site.begin()
            await site.log("g1")
            await webhooks.round()
            assert webhooks.postman(CENTRE, WEBHOOK_ID) is None
            with pytest.raises(NotFound):
                webhooks.postman(CENTRE, WEBHOOK_ID + 1)
            with pytest.raises(NotFound):
                webhooks.postman(CENTRE + 1, WEBHOOK_ID)
        assert receiver.got == []

    at_site(test)
