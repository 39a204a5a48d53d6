"""WebSocket over ASGI: frames both ways, their order beside what takes time, and the ends that a socket may have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any

import pytest

from tests.bayeux.harness import INTERNAL, OUTBOUND, connect, disconnect, event, handshake, marks_in, publish, subscribe
from tests.bayeux.site import Notes, Plug, Site
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


def run(scenario: Callable[[], Awaitable[None]]) -> list[dict[str, Any]]:
    """Run a scenario; returns what the loop's exception handler was told."""
    reported: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        await asyncio.wait_for(scenario(), 30)

    asyncio.run(main())
    return reported


def test_item_70_frames_go_both_ways() -> None:
    """A socket is accepted, a session opened on it, events are pushed; the client leaves and the session stays."""

    async def scenario() -> None:
        site = Site()
        plug, task, client_id = await site.plugged(OUTBOUND)
        site.deliver(event(1), event(2))
        assert [marks_in(frame) for frame in await plug.frames(1)] == [[1, 2]]
        assert site.cometd.sockets == 1
        plug.leave()
        await task
        assert site.cometd.sockets == 0
        assert marks_in((await site.post(connect(client_id))).messages) == [1, 2]

    assert run(scenario) == []


def test_item_99_handshakes_are_counted_by_the_sockets_address() -> None:
    """Where the server tells it."""

    async def scenario() -> None:
        site = Site(Config(max_handshakes_per_s=1))
        plug = Plug(client=("10.0.0.1", 1))
        task = site.plug(plug)
        for _ in range(6):
            plug.say(handshake())
        replies = [frame[0]["successful"] for frame in await plug.frames(6)]
        assert replies == [True] * 5 + [False]
        plug.leave()
        await task

    assert run(scenario) == []


def test_item_75_an_upgrade_that_is_not_offered_is_refused_at_once() -> None:
    """The client falls back to polls."""

    async def scenario() -> None:
        plug = Plug()
        await Site(Config(connection_types=("long-polling",))).plug(plug)
        assert [message["type"] for message in plug.sent] == ["websocket.close"]

    assert run(scenario) == []


@pytest.mark.parametrize(
    ("frame", "code"),
    [(None, 1003), ("{", 1007), ("7", 1007), ("[]", 1007), ("[7]", 1007), ("[" + " " * 65_536 + "]", 1009)],
    ids=["binary", "no JSON", "no array", "empty", "no object", "too large"],
)
def test_item_70_what_is_no_message_ends_the_socket(frame: str | None, code: int) -> None:
    """With the code that says why; what comes behind it is not processed."""

    async def scenario() -> None:
        site = Site()
        plug = Plug()
        task = site.plug(plug)
        if frame is None:
            plug.say_bytes()
        else:
            plug.say_text(frame)
        plug.say(handshake())
        await task
        assert plug.code == code
        assert site.cometd.sockets == 0
        assert site.hooks.heard == []

    assert run(scenario) == []


def test_item_52_the_last_word_comes_before_the_close() -> None:
    """A kicked session's connect is answered, then the socket closed."""

    async def scenario() -> None:
        site = Site()
        plug, task, client_id = await site.plugged()
        plug.say(connect(client_id), publish(client_id, "/chat/a"))
        await plug.frames(1)
        plug.say(connect(client_id))
        await asyncio.sleep(0)
        site.cometd.kick("ann")
        await task
        assert plug.sent[-2]["text"].startswith('[{"successful":false')
        assert plug.code == 1008

    assert run(scenario) == []


def test_item_84_stopping_closes_every_socket() -> None:
    """Those with a session, those on which nobody shook hands, and those that come later."""

    async def scenario() -> None:
        site = Site()
        plug, task, _ = await site.plugged()
        silent, late = Plug(), Plug()
        waiting = site.plug(silent)
        while site.cometd.sockets < 2:
            await asyncio.sleep(0)
        await site.cometd.stop()
        await asyncio.gather(task, waiting, site.plug(late))
        assert [each.code for each in (plug, silent, late)] == [1001] * 3
        assert site.cometd.sockets == 0

    assert run(scenario) == []


def test_a_client_that_does_not_read_loses_its_session_and_nobody_else_anything() -> None:
    """What may wait for it is bounded; what it had not taken is thrown away, and is not confirmed."""

    async def scenario() -> None:
        site = Site(max_unsent_bytes=600)
        plug, task, client_id = await site.plugged(OUTBOUND)
        other, other_task, _ = await site.plugged(OUTBOUND)
        plug.reading.clear()
        site.hooks.heard.clear()
        for mark in (1, 2, 3):
            site.deliver(Delivery(OUTBOUND, b'"' + b"x" * 250 + b'"', mark))
            await other.frames(mark)
        assert site.hooks.heard == [("closed", client_id, "ann", "overflow")]
        plug.say(handshake())
        plug.reading.set()
        await task
        assert [message["type"] for message in plug.sent] == ["websocket.send", "websocket.close"]
        assert plug.code == 1008
        assert site.cometd.sockets == 1
        assert site.cometd.server.has_sessions("ann")
        other.leave()
        await other_task

    assert run(scenario) == []


def test_a_stuck_client_is_not_heard_any_more() -> None:
    """A frame that it had sent before would open a session on a socket that is gone."""

    async def scenario() -> None:
        site = Site(max_unsent_bytes=10)
        line = HandLine()
        socket = site.cometd.open_socket("ann", line)
        socket.received(b'[{"channel":"/meta/handshake","version":"1.0"}]')
        assert line.is_aborted
        site.hooks.heard.clear()
        socket.received(b'[{"channel":"/meta/handshake","version":"1.0"}]')
        assert site.hooks.heard == []
        socket.gone()
        assert site.server._hub.on_socket == {}

    assert run(scenario) == []


def test_the_servers_deadline_ends_a_socket_like_a_full_line() -> None:
    """Whoever watches the line says that its client is stuck."""

    async def scenario() -> None:
        site = Site()
        line = HandLine()
        socket = site.cometd.open_socket("ann", line)
        socket.received(b'[{"channel":"/meta/handshake","version":"1.0"}]')
        socket.stuck()
        socket.stuck()
        assert line.is_aborted
        assert site.hooks.heard[-1][0] == "closed"
        assert site.cometd.sockets == 0

    assert run(scenario) == []


class HandLine:
    """A line that keeps what was sent, unsent."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.is_aborted = False
        self.unsent = 0

    def send(self, body: bytes) -> None:
        self.frames.append(body)
        self.unsent += len(body)

    def close(self, code: int) -> None:
        self.unsent = 0

    def abort(self) -> None:
        self.is_aborted = True

    def unsent_bytes(self) -> int:
        return self.unsent


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


def test_item_99_frames_behind_a_subscription_are_bounded() -> None:
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
        while site.cometd._tasks:
            await asyncio.sleep(0)
        assert hooks.heard == []

    assert run(scenario) == []


def test_item_94_a_subscription_that_cannot_be_prepared_fails() -> None:
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
        while site.cometd._tasks:
            await asyncio.sleep(0)
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


def test_a_server_that_raises_for_a_lost_client_is_heard() -> None:
    """Frames that cannot be sent are no defect."""

    async def scenario() -> None:
        site = Site()
        plug, task, _ = await site.plugged(OUTBOUND)
        plug.send_error = ConnectionResetError()
        site.deliver(event(1))
        await asyncio.sleep(0)
        plug.leave()
        await task
        assert site.cometd.sockets == 0

    assert run(scenario) == []


def test_item_53_a_client_that_disconnects_closes_by_itself() -> None:
    """It gets its reply on the open socket."""

    async def scenario() -> None:
        site = Site()
        plug, task, client_id = await site.plugged()
        plug.say(disconnect(client_id))
        assert (await plug.frames(1))[0][0]["successful"]
        assert not task.done()
        plug.leave()
        await task

    assert run(scenario) == []
