"""The order of frames on a socket, while the application gets ready for a subscription and when it answers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping

from tests.bayeux.harness import INTERNAL, OUTBOUND, connect, event, handshake, marks_in, publish, subscribe
from tests.bayeux.site import Notes, Plug, Site, run
from trunkline.bayeux import Config, Delivery, Position, Recovery
from trunkline.bayeux_asgi import sockets
from trunkline.errors import Unavailable


class Slow(Notes):
    """Hooks that get ready for a subscription only when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.ready: asyncio.Future[Mapping[str, Recovery]] = asyncio.get_running_loop().create_future()

    async def before_subscribe(self, principal: Hashable, positions: Mapping[str, Position]) -> Mapping[str, Recovery]:
        self.begun.set()
        return await self.ready


def test_frames_behind_a_subscription_keep_their_order() -> None:
    """They wait while the application gets ready, and are processed behind it, one after the other."""

    async def scenario() -> None:
        hooks = Slow()
        site = Site(hooks=hooks)
        plug, task, client_id = await site.plugged()
        plug.say(subscribe(client_id, "/chat/*"))
        plug.say(publish(client_id, "/chat/a", data=1))
        plug.say(subscribe(client_id, "/chat/**"))
        plug.say(publish(client_id, "/chat/a", data=2))
        await hooks.begun.wait()
        assert plug.sent == []
        hooks.ready.set_result({})
        frames = await plug.frames(6)
        assert [message["channel"] for frame in frames for message in frame] == [
            "/meta/subscribe",
            "/chat/a",
            "/chat/a",
            "/meta/subscribe",
            "/chat/a",
            "/chat/a",
        ]
        plug.leave()
        await task

    assert run(scenario) == []


def test_a_frame_that_waited_confirms_nothing() -> None:
    """It is older than what was pushed while it waited."""

    async def scenario() -> None:
        hooks = Slow()
        site = Site(hooks=hooks)
        hooks.ready.set_result({})
        plug, task, client_id = await site.plugged(OUTBOUND)
        hooks.ready = asyncio.get_running_loop().create_future()
        hooks.begun.clear()
        plug.say(subscribe(client_id, INTERNAL))
        plug.say(connect(client_id))
        await hooks.begun.wait()
        site.deliver(event(1))
        hooks.ready.set_result({})
        await plug.frames(2)
        plug.say(publish(client_id, "/chat/a"))
        await plug.frames(3)
        assert [each[0] for each in hooks.heard].count("confirmed") == 1
        assert hooks.heard.index(("subscribed", client_id, "ann", INTERNAL)) < hooks.heard.index(
            ("confirmed", "ann", OUTBOUND, 1)
        )
        plug.leave()
        await task

    assert run(scenario) == []


def test_frames_behind_a_subscription_are_bounded() -> None:
    """Who sends on and on is thrown out; none of it is processed."""

    async def scenario() -> None:
        hooks = Slow()
        site = Site(hooks=hooks)
        plug, task, client_id = await site.plugged()
        hooks.heard.clear()
        plug.say(subscribe(client_id, OUTBOUND))
        for _ in range(sockets.MAX_WAITING_FRAMES + 1):
            plug.say(publish(client_id, "/chat/a"))
        await task
        assert plug.code == 1009
        hooks.ready.set_result({})
        await asyncio.gather(*site.cometd._tasks)
        assert hooks.heard == []

    assert run(scenario) == []


def test_a_subscription_that_cannot_be_prepared_fails() -> None:
    """The client may repeat it; the socket goes on."""

    async def scenario() -> None:
        hooks = Slow()
        site = Site(hooks=hooks)
        plug, task, client_id = await site.plugged()
        hooks.ready.set_exception(Unavailable("no store"))
        plug.say(subscribe(client_id, OUTBOUND))
        plug.say(publish(client_id, "/chat/a"))
        refused, published = await plug.frames(2)
        assert refused[0]["error"] == "403::subscribe_failed"
        assert published[0]["successful"]
        plug.leave()
        await task

    assert run(scenario) == []


def test_a_defect_while_a_frame_is_prepared_or_processed_ends_the_socket() -> None:
    """The client is told by the code, the operator by the loop's handler."""

    async def scenario() -> None:
        hooks = Slow()
        site = Site(hooks=hooks)
        plug, task, client_id = await site.plugged()
        hooks.ready.set_exception(RuntimeError("broken"))
        plug.say(subscribe(client_id, OUTBOUND))
        await task
        assert plug.code == 1011
        plug = Plug()
        task = site.plug(plug)
        site.ids = 0  # the next id is in use
        plug.say(handshake())
        await task
        assert plug.code == 1011

    first, second = run(scenario)
    assert str(first["exception"]) == "broken"
    assert "in use" in str(second["exception"])


def test_a_socket_that_goes_while_its_subscription_is_prepared_is_not_served() -> None:
    """Nothing is subscribed for a client that has left."""

    async def scenario() -> None:
        hooks = Slow()
        site = Site(hooks=hooks)
        plug, task, client_id = await site.plugged()
        hooks.heard.clear()
        plug.say(subscribe(client_id, OUTBOUND))
        await hooks.begun.wait()
        plug.leave()
        await task
        hooks.ready.set_result({})
        await asyncio.gather(*site.cometd._tasks)
        assert hooks.heard == []

    assert run(scenario) == []


class Telling(Notes):
    """Hooks that find much that was missed, and send something to a new subscription, as applications do."""

    site: Site

    async def before_subscribe(self, principal: Hashable, positions: Mapping[str, Position]) -> Mapping[str, Recovery]:
        missed = [event(mark) for mark in range(101, 107)]
        return {OUTBOUND: Recovery(is_recovered=True, offset=200, deliveries=missed)}

    def subscribed(self, client_id: str, principal: Hashable, channel: str, recovered: frozenset[str]) -> None:
        self.site.cometd.deliver_to(client_id, [Delivery(INTERNAL, b"200", 200)])


def test_what_a_hook_sends_comes_behind_what_was_said_before() -> None:
    """First the reply, then what was missed, as far as there is room, then the hook's: a channel keeps its order."""

    async def scenario() -> None:
        hooks = Telling()
        site = hooks.site = Site(Config(max_answer_bytes=210, replay_epoch="k"), hooks=hooks)
        plug = Plug()
        task = site.plug(plug)
        plug.say(handshake(ext={"replay": True}))
        client_id = (await plug.frames(1))[0][0]["clientId"]
        position = {"replay": {OUTBOUND: {"epoch": "k", "offset": 100}}}
        plug.say(subscribe(client_id, [OUTBOUND, INTERNAL], ext=position))
        _, reply, *events = await plug.frames(4)
        assert reply[0]["channel"] == "/meta/subscribe"
        assert [marks_in(frame) for frame in events] == [[101, 102, 103, 104, 105], [106]]
        plug.leave()
        await task

    assert run(scenario) == []
