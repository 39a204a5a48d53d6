"""The ASGI face: held polls, clients that leave, the timer, shutdown."""

from __future__ import annotations

import asyncio

import pytest

from tests.bayeux.harness import INTERNAL, OUTBOUND, connect, event, handshake, marks_in, subscribe
from tests.bayeux.site import Site
from trunkline.bayeux import AllowList, Config, Delivery


def test_a_held_poll_returns_with_all_events_of_one_delivery() -> None:
    """Nothing is sent before; then events first, the connect reply last."""

    async def scenario() -> None:
        site = Site()
        call, task = await site.hold(await site.connected("/**"), id="20")
        call.send_late_part()
        assert call.sent == []
        site.deliver(Delivery(OUTBOUND, b"1", 1), Delivery(INTERNAL, b"2", 2))
        await task
        assert [message["channel"] for message in call.messages] == [OUTBOUND, INTERNAL, "/meta/connect"]
        assert call.messages[-1]["id"] == "20"

    asyncio.run(scenario())


@pytest.mark.item(43)
def test_the_older_of_two_polls_ends_with_409() -> None:
    """At once; the newer one goes on."""

    async def scenario() -> None:
        site = Site()
        client_id = await site.connected("/**")
        older, older_task = await site.hold(client_id)
        newer, newer_task = await site.hold(client_id)
        await older_task
        assert older.status == 409
        site.deliver(event(1))
        await newer_task
        assert marks_in(newer.messages) == [1]

    asyncio.run(scenario())


@pytest.mark.item(47)
def test_a_poll_whose_client_left_swallows_nothing() -> None:
    """The request ends without an answer; later events wait for the next connect."""

    async def scenario() -> None:
        site = Site()
        client_id = await site.connected("/**")
        call, task = await site.hold(client_id)
        call.leave()
        await task
        assert call.sent == []
        site.deliver(event(1))
        assert marks_in((await site.post(connect(client_id))).messages) == [1]

    asyncio.run(scenario())


@pytest.mark.item(47)
def test_leaving_and_delivering_at_the_same_moment_loses_nothing() -> None:
    """Whichever is noticed first: the event is in the answer or still queued."""

    async def scenario(is_delivered_first: bool) -> None:  # noqa: FBT001
        site = Site()
        client_id = await site.connected("/**")
        call, task = await site.hold(client_id)
        if is_delivered_first:
            site.deliver(event(1))
            call.leave()
        else:
            call.leave()
            site.deliver(event(1))
        await task
        assert is_delivered_first or call.sent == []
        received = marks_in(call.messages) if call.sent else []
        received += marks_in((await site.post(connect(client_id, advice={"timeout": 0}))).messages)
        assert received == [1]

    asyncio.run(scenario(is_delivered_first=True))
    asyncio.run(scenario(is_delivered_first=False))


@pytest.mark.item(47)
def test_an_answer_that_cannot_be_sent_returns_to_the_queue() -> None:
    """The server says so with ``OSError``; nobody else hears of it."""

    async def scenario() -> None:
        site = Site()
        client_id = await site.connected("/**")
        call, task = await site.hold(client_id)
        call.send_error = ConnectionResetError()
        site.deliver(event(1))
        await task
        site.deliver(event(2))
        assert marks_in((await site.post(connect(client_id))).messages) == [1, 2]
        assert ("confirmed", "ann", OUTBOUND, 1) not in site.hooks.heard

    asyncio.run(scenario())


@pytest.mark.item(47)
def test_a_watch_that_fails_counts_as_a_client_that_left() -> None:
    """Some servers raise from ``receive`` instead of sending the message."""

    async def scenario() -> None:
        site = Site()
        client_id = await site.connected("/**")
        call, task = await site.hold(client_id)
        call.break_off()
        await task
        assert call.sent == []

    asyncio.run(scenario())


@pytest.mark.item(47)
def test_a_request_that_is_cancelled_gives_its_connect_up() -> None:
    """The server may cancel the handler; the session goes on with the next connect."""

    async def scenario() -> None:
        site = Site()
        client_id = await site.connected("/**")
        _, task = await site.hold(client_id)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        site.deliver(event(1))
        assert marks_in((await site.post(connect(client_id))).messages) == [1]
        assert site.cometd._exchanges == {}

    asyncio.run(scenario())


def test_nothing_keeps_watching_after_the_answer() -> None:
    """Neither a task nor an exchange is left of a poll that was answered."""

    async def scenario() -> None:
        site = Site()
        _, task = await site.hold(await site.connected("/**"))
        site.deliver(event(1))
        await task
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert site.cometd._exchanges == {}

    asyncio.run(scenario())


@pytest.mark.item(39)
def test_the_timer_ends_a_held_poll() -> None:
    """No call is needed: the poll returns by itself when its time is over."""

    async def scenario() -> None:
        site = Site(Config(timeout_ms=30))
        site.follow_loop()
        await site.cometd.start()
        begin = asyncio.get_running_loop().time()
        call, task = await site.hold(await site.connected())
        await task
        assert call.messages[0]["successful"]
        assert asyncio.get_running_loop().time() - begin >= 0.03
        await site.cometd.stop()

    asyncio.run(scenario())


@pytest.mark.item(41)
def test_the_timer_moves_forward_for_an_earlier_deadline() -> None:
    """It stood at the expiry of the session, a minute away, when a short connect came."""

    async def scenario() -> None:
        site = Site()
        site.follow_loop()
        await site.cometd.start()
        client_id = await site.connected()
        first = site.cometd._timer
        assert first is not None
        call, task = await site.hold(client_id, advice={"timeout": 20})
        assert first.cancelled()
        await task
        assert call.messages[0]["successful"]
        await site.cometd.stop()

    asyncio.run(scenario())


@pytest.mark.item(83)
def test_the_timer_sweeps_expired_sessions() -> None:
    """And rests once there is none; a session opened before the start is swept as well."""

    async def scenario() -> None:
        swept = asyncio.Event()
        site = Site(Config(max_interval_ms=20))
        site.follow_loop()
        site.hooks.on_closed = swept.set
        client_id = await site.connected()
        await site.cometd.start()
        await swept.wait()
        assert site.hooks.heard[-1] == ("closed", client_id, "ann", "expired")
        assert site.cometd._timer is None

    asyncio.run(scenario())


def test_many_deadlines_do_not_wake_the_timer_one_by_one() -> None:
    """However near the deadline is, the timer is set at least 20 ms ahead."""

    async def scenario() -> None:
        site = Site(Config(max_interval_ms=1))
        await site.cometd.start()
        begin = asyncio.get_running_loop().time()
        await site.post(handshake())
        assert site.cometd._timer is not None
        assert site.cometd._timer.when() - begin >= 0.02
        await site.cometd.stop()

    asyncio.run(scenario())


@pytest.mark.item(84)
def test_stopping_answers_held_polls_and_waits_for_them() -> None:
    """Retry advice on a connection that is closed, so that the next request finds another process."""

    async def scenario() -> None:
        site = Site()
        await site.cometd.start()
        call, _ = await site.hold(await site.connected("/**"))
        modern, _ = await site.hold(await site.connected("/**"), scope={"http_version": "2"})
        await asyncio.wait_for(site.cometd.stop(grace_s=60), 5)
        assert call.messages[-1]["advice"]["reconnect"] == "retry"
        assert call.headers[b"connection"] == b"close"
        assert b"connection" not in modern.headers, "HTTP/2 has no such header"
        assert site.cometd._timer is None
        refused = await site.post(handshake())
        assert not refused.messages[0]["successful"]
        assert refused.headers[b"connection"] == b"close"
        assert b"set-cookie" not in refused.headers

    asyncio.run(scenario())


@pytest.mark.item(84)
def test_stopping_does_not_wait_for_ever() -> None:
    """A client that does not read is left to the server."""

    async def scenario() -> None:
        site = Site()
        call, task = await site.hold(await site.connected("/**"))
        call.reading.clear()
        await site.cometd.stop(grace_s=0.01)
        assert not task.done()
        call.reading.set()
        await task
        await site.cometd.stop()

    asyncio.run(scenario())


@pytest.mark.item(52)
def test_a_kicked_poll_returns_with_advice_none() -> None:
    """The held connect ends at once."""

    async def scenario() -> None:
        site = Site()
        call, task = await site.hold(await site.connected())
        site.cometd.kick("ann")
        await task
        assert call.messages[0]["advice"]["reconnect"] == "none"

    asyncio.run(scenario())


@pytest.mark.item(96)
def test_two_principals_poll_side_by_side() -> None:
    """Each gets the own events of the same topic; a foreign client id is an unknown one."""

    async def scenario() -> None:
        site = Site()
        ann, bob = await site.connected("/**"), await site.connected("/**", principal="bob")
        ann_call, ann_task = await site.hold(ann)
        bob_call, bob_task = await site.hold(bob, principal="bob")
        stolen = await site.post(connect(ann), principal="bob")
        assert stolen.messages[0]["error"] == "402::Unknown client"
        site.deliver(event(1))
        site.deliver(event(2), principal="bob")
        await asyncio.gather(ann_task, bob_task)
        assert (marks_in(ann_call.messages), marks_in(bob_call.messages)) == ([1], [2])

    asyncio.run(scenario())


def test_a_request_that_meets_a_defect_is_answered() -> None:
    """With 500, also behind the preparation of a subscription, where nobody waits for an exception."""

    class Broken(AllowList):
        def may_subscribe(self, principal: object, channel: str) -> str | None:
            raise KeyError(channel)

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        site = Site()
        client_id = await site.connected()
        site.server._policy = Broken(["/**"])
        call = await site.post(subscribe(client_id, OUTBOUND))
        assert call.status == 500

    asyncio.run(asyncio.wait_for(scenario(), 20))
