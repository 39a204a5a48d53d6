"""WebSocket over ASGI: frames both ways, and the ends that a socket may have."""

from __future__ import annotations

import asyncio

import pytest

from tests.bayeux.harness import OUTBOUND, connect, disconnect, event, handshake, marks_in, publish
from tests.bayeux.site import Plug, Site, run
from trunkline.bayeux import Config, Delivery


def test_frames_go_both_ways() -> None:
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


def test_handshakes_are_counted_by_the_sockets_address() -> None:
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


def test_an_upgrade_that_is_not_offered_is_refused_at_once() -> None:
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
def test_what_is_no_message_ends_the_socket(frame: str | None, code: int) -> None:
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


def test_the_last_word_comes_before_the_close() -> None:
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


def test_stopping_closes_every_socket() -> None:
    """Those with a session, those on which nobody shook hands, and those that come later."""

    async def scenario() -> None:
        site = Site()
        plug, task, _ = await site.plugged()
        silent, late = Plug(), Plug()
        waiting = site.plug(silent)
        await silent.accepted()
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


def test_a_client_that_disconnects_closes_by_itself() -> None:
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
