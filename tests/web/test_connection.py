"""A connection that is fed by hand: the order of answers, and what comes behind an upgrade or a long body."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from tests.fuzz.frames import TEXT, UPGRADE, said_in
from tests.fuzz.lines import Edge, Line, answers_in

POLL = b'[{"channel":"/meta/connect","clientId":"c1","connectionType":"long-polling","id":"7"}]'
UNKNOWN = POLL.replace(b"c1", b"nobody")


def post(body: bytes, path: bytes = b"/cometd", *headers: bytes) -> bytes:
    """A request; those to ``/other`` go through ASGI."""
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: x", *headers, b"Content-Length: %d" % len(body), b"", body]
    return b"\r\n".join(lines)


def frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros."""
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + bytes(4) + payload


def on_a_line(test: Callable[[Edge, Line], Awaitable[None]]) -> None:
    """Run a test on a fresh connection; afterwards nothing of it is left."""

    async def run() -> None:
        edge = Edge()
        line = edge.line()
        await test(edge, line)
        await edge.end(line)

    asyncio.run(run())


def statuses(line: Line) -> list[int]:
    """What was answered."""
    return [answer.status for answer in answers_in(bytes(line.written))[0]]


def test_garbage_is_refused_after_the_answers_before_it() -> None:
    """A client that sends several requests at once finds each answer at its place."""

    async def test(edge: Edge, line: Line) -> None:
        sent = post(UNKNOWN, b"/other") + post(b"{", b"/other") + b"garbage"
        line.feed(sent, len(sent))
        await edge.settled()
        assert statuses(line) == [200, 400, 400]
        assert line.written.endswith(b"too many are sent at once.")
        assert line.is_closing()

    on_a_line(test)


def test_garbage_behind_a_held_poll_waits_for_its_answer() -> None:
    """The poll is answered first; nothing that comes behind the garbage is looked at."""

    async def test(edge: Edge, line: Line) -> None:
        line.feed(post(POLL) + b"garbage", 1_000)
        line.feed(post(UNKNOWN), 1_000)
        await edge.settled()
        assert statuses(line) == []
        edge.site.cometd.kick("ann")
        assert statuses(line) == [200, 400]

    on_a_line(test)


def test_a_poll_with_a_request_behind_it_is_given_up_with_its_connection() -> None:
    """Whoever waits is told of the end, not only the request that came last."""

    async def test(edge: Edge, line: Line) -> None:
        line.feed(post(POLL, b"/other") + post(UNKNOWN, b"/other"), 1_000)
        await edge.settled()
        assert statuses(line) == []

    on_a_line(test)  # which looks at what is left


def test_requests_behind_a_wish_for_another_protocol_are_served() -> None:
    """HTTP/2 by upgrade is not served; what came in the same piece is not lost."""

    async def test(edge: Edge, line: Line) -> None:
        sent = post(UNKNOWN, b"/other", b"Connection: Upgrade", b"Upgrade: h2c") + post(UNKNOWN)
        line.feed(sent, len(sent))
        await edge.settled()
        assert statuses(line) == [200, 200]

    on_a_line(test)


def test_no_socket_opens_while_an_answer_is_due() -> None:
    """The answer to a held poll would stand amid the frames; the upgrade is served as a plain request after it."""

    async def test(edge: Edge, line: Line) -> None:
        line.feed(post(POLL) + UPGRADE, 1_000)
        await edge.settled()
        edge.site.cometd.kick("ann")
        await edge.settled()
        assert statuses(line)[0] == 200
        assert 101 not in statuses(line)

    on_a_line(test)


def test_a_long_body_is_not_counted_as_the_head_behind_it() -> None:
    """The limit of a head holds for heads alone, however requests are packed."""

    async def test(edge: Edge, line: Line) -> None:
        following = post(UNKNOWN)
        sent = post(UNKNOWN + b" " * 40_000) + following
        line.feed(sent[:-100], len(sent))
        line.feed(sent[-100:], 100)
        await edge.settled()
        assert statuses(line) == [200, 200]

    on_a_line(test)


def test_a_message_that_comes_with_the_close_is_processed() -> None:
    """A page that is left says goodbye and closes in one breath: its session ends at once."""

    async def test(edge: Edge, line: Line) -> None:
        goodbye = json.dumps([{"channel": "/meta/disconnect", "clientId": "c1", "id": "9"}]).encode()
        line.feed(UPGRADE, len(UPGRADE))
        await edge.settled()
        line.feed(frame(TEXT, goodbye) + frame(8, b""), 1_000)
        await edge.settled()
        assert edge.site.server._hub.sessions.get("c1") is None
        texts, _, code = said_in(answers_in(bytes(line.written))[1])
        assert json.loads(texts[0])[0]["successful"]
        assert code is not None

    on_a_line(test)


def test_frames_that_come_with_the_upgrade_are_processed() -> None:
    """A client that does not wait for its answer loses nothing."""

    async def test(edge: Edge, line: Line) -> None:
        sent = UPGRADE + frame(TEXT, UNKNOWN)
        line.feed(sent, len(sent))
        await edge.settled()
        texts, _, _ = said_in(answers_in(bytes(line.written))[1])
        assert json.loads(texts[0])[0]["error"] == "402::Unknown client"

    on_a_line(test)


def test_nothing_is_done_behind_the_last_answer() -> None:
    """After an answer that closes the connection, a request that came with it has no effect."""

    async def test(edge: Edge, line: Line) -> None:
        goodbye = b'[{"channel":"/meta/disconnect","clientId":"c1"}]'
        sent = post(b"[" * 33) + post(goodbye)
        line.feed(sent, len(sent))
        await edge.settled()
        assert statuses(line) == [413]
        assert edge.site.server._hub.sessions.get("c1") is not None

    on_a_line(test)


def test_a_refused_request_whose_body_is_garbage_has_one_answer() -> None:
    """What was answered before its body came is not answered once more when the body turns out to be none."""

    async def test(edge: Edge, line: Line) -> None:
        head = b"POST /other HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        line.feed(head, len(head))
        await edge.settled()
        line.feed(b"garbage", 10)
        assert statuses(line) == [400]
        assert line.is_closing()

    on_a_line(test)
