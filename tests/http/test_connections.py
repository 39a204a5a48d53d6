"""Connections: what passes within bounds of size and time, and what takes the door instead of ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec
import pytest
import uvicorn
from uvicorn.server import ServerState

from trunkline.web.bounds import Bounds
from trunkline.web.connection import MAX_HEAD_BYTES, BoundedProtocol
from trunkline.web.direct import DirectRequest, Door
from trunkline.web.exchange import Receive, Scope, Send
from trunkline.web.websocket import Gate

PIECES = [
    b"",
    b"GET / HT",
    b"GET / HTTP/1.1\r\nHost: x\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
]
"""Requests that never end."""


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads the body, unless the path is /early, then answers with the header x-said."""
    message: MutableMapping[str, Any] = {"type": "http.request", "more_body": scope["path"] != "/early"}
    while message.get("more_body"):
        message = await receive()
    if message["type"] == "http.request":
        said = dict(scope["headers"]).get(b"x-said", b"")
        headers = [(b"content-length", b"0"), (b"x-said", said)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body"})


BOUNDS = Bounds(head_s=30, body_s=30, write_s=30, keep_alive_s=30)
"""None that a test meets by chance."""


def at_once(**changed: float) -> Bounds:
    """Bounds of which some are met at once."""
    return msgspec.structs.replace(BOUNDS, **changed)


class Site:
    """A server on a free port with the application ``answer``."""

    def __init__(self, bounds: Bounds, door: Door | None, gate: Gate | None = None) -> None:
        self.state = ServerState()
        self.config = uvicorn.Config(answer, log_config=None, lifespan="off")
        self.protocols: list[BoundedProtocol] = []
        self.is_lost = asyncio.Event()
        self.is_queued = asyncio.Event()
        self.bounds = bounds
        self.door = door
        self.gate = gate
        self.address = ("", 0)

    def protocol(self) -> BoundedProtocol:
        """The protocol of a new connection."""
        made = Observed(self)
        self.protocols.append(made)
        return made


class Observed(BoundedProtocol):
    """A connection whose end the site is told."""

    def __init__(self, site: Site) -> None:
        super().__init__(
            bounds=site.bounds,
            door=site.door,
            gate=site.gate,
            config=site.config,
            server_state=site.state,
            app_state={},
        )
        self.site = site

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the site."""
        super().connection_lost(exc)
        self.site.is_lost.set()

    def on_message_complete(self) -> None:
        """Tell the site of requests that wait for their turn."""
        super().on_message_complete()
        if self.pipeline:
            self.site.is_queued.set()


@asynccontextmanager
async def served(bounds: Bounds = BOUNDS, door: Door | None = None, gate: Gate | None = None) -> AsyncIterator[Site]:
    """A site that is listening."""
    site = Site(bounds, door, gate)
    listening = await asyncio.get_running_loop().create_server(site.protocol, "127.0.0.1", 0)
    async with listening, asyncio.timeout(60):
        site.address = listening.sockets[0].getsockname()
        yield site


async def talk(*pieces: bytes, bounds: Bounds = BOUNDS, door: Door | None = None) -> bytes:
    """Send the pieces, each on its own, and read until the server closes the connection."""
    async with served(bounds, door) as site:
        reader, writer = await asyncio.open_connection(*site.address)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        said = await until_closed(reader)
        writer.close()
    return said


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """What arrives until the server closes or resets the connection."""
    said = b""
    try:
        while piece := await reader.read(65_536):
            said += piece
    except ConnectionError:
        pass
    return said


@pytest.mark.parametrize("piece", PIECES)
def test_a_request_that_never_ends_is_cut_off(piece: bytes) -> None:
    """A connection that sends nothing, half a head or half a body is closed at the deadline."""
    said = asyncio.run(talk(piece, bounds=at_once(head_s=0.05, body_s=0.05)))
    assert said.count(b"HTTP/1.1 ") == piece.count(b"\r\n\r\n") - piece.count(b"half")


def test_head_and_body_have_a_time_each() -> None:
    """A head in time is not cut off by the head's deadline when its body takes longer, but by the body's own."""
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    for bounds in (at_once(head_s=0.05), at_once(body_s=0.05)):

        async def half(bounds: Bounds = bounds) -> bool:
            async with served(bounds) as site:
                reader, writer = await asyncio.open_connection(*site.address)
                writer.write(post + b"half")
                try:
                    async with asyncio.timeout(0.5):
                        await until_closed(reader)
                except TimeoutError:
                    return True
                finally:
                    writer.close()
                return False

        assert asyncio.run(half()) is (bounds.body_s == BOUNDS.body_s)


@pytest.mark.parametrize("door", [None, lambda _: False], ids=["no door", "closed door"])
def test_a_slow_request_has_one_deadline(door: Door | None) -> None:
    """A byte now and then does not move the deadline, neither of the head nor of the body."""
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    for pieces, bounds in (
        ([b"GET / HTTP/1.1\r\n", *[b"X: y\r\n"] * 20], at_once(head_s=0.1)),
        ([post, *[b"x"] * 20], at_once(body_s=0.1)),
    ):
        assert asyncio.run(talk(*pieces, bounds=bounds, door=door)) == b""


@pytest.mark.parametrize("pieces", [1, 50], ids=["one piece", "many pieces"])
def test_a_head_has_a_size(pieces: int) -> None:
    """A head over the limit is refused, whether it comes at once or bit by bit, ended or not."""
    head = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"x" * (MAX_HEAD_BYTES + 1)
    size = len(head) // pieces + 1
    for end in (b"\r\n\r\n", b""):
        whole = head + end
        said = asyncio.run(talk(*(whole[at : at + size] for at in range(0, len(whole), size))))
        assert said.startswith(b"HTTP/1.1 400")


def test_an_idle_connection_is_closed() -> None:
    """After its answer a connection waits for the next request for a while, whatever served the last one."""
    for door in (None, echo):
        said = asyncio.run(talk(post(b"x"), bounds=at_once(keep_alive_s=0.05), door=door))
        assert said.count(b"HTTP/1.1 200") == 1


def test_a_client_that_does_not_read_is_cut_off() -> None:
    """An answer that its client does not take ends the connection at its deadline."""

    def much(request: DirectRequest) -> bool:
        return request.answer(200, b"x" * 50_000_000)

    async def stuck() -> None:
        async with served(at_once(write_s=0.05), much) as site:
            reader, writer = await asyncio.open_connection(*site.address, limit=1)
            writer.write(post(b"x"))
            await site.is_lost.wait()
            assert len(await until_closed(reader)) < 50_000_000
            writer.close()

    asyncio.run(stuck())


# The door


def post(body: bytes, *lines: bytes) -> bytes:
    """A request that a door is asked about."""
    head = [b"POST /path HTTP/1.1", b"Host: x", b"Content-Length: %d" % len(body), *lines, b"", b""]
    return b"\r\n".join(head) + body


def echo(request: DirectRequest) -> bool:
    """A door that answers with the body."""
    return request.answer(200, bytes(request.body), [(b"x-door", b"yes")])


async def converse(door: Door, *requests: bytes) -> list[bytes]:
    """The answers to requests that are sent one after the other's answer on one connection."""
    answers = []
    async with served(door=door) as site:
        reader, writer = await asyncio.open_connection(*site.address)
        for request in requests:
            writer.write(request)
            answers.append(await one_answer(reader))
        writer.close()
    return answers


async def one_answer(reader: asyncio.StreamReader) -> bytes:
    """The next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


def test_a_door_answers_in_the_connections_form() -> None:
    """Status line, date, the door's headers and the length are there, and the connection takes the next request."""
    first, second = asyncio.run(converse(echo, post(b"one"), post(b"")))
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nx-door: yes\r\n" in first
    assert first.endswith(b"\r\ncontent-length: 3\r\n\r\none")
    assert second.endswith(b"\r\ncontent-length: 0\r\n\r\n")


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /path HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /path HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\none",
        post(b"one", b"Connection: close"),
        b"POST /path HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n",
        post(b"x" * 65_537),
    ],
    ids=["GET", "1.0", "close", "chunked", "large"],
)
def test_what_is_not_plain_is_not_offered(request_: bytes) -> None:
    """Other methods and versions, a last request, an unknown length and a large body go through ASGI."""
    (said,) = asyncio.run(converse(echo, request_))
    assert said.startswith(b"HTTP/1.1 200")
    assert b"x-door" not in said


def test_what_the_door_does_not_take_goes_through_asgi_untouched() -> None:
    """The application gets the whole request, and the next one is offered again."""
    offered: list[bytes] = []

    def every_other(request: DirectRequest) -> bool:
        offered.append(bytes(request.body))
        return len(offered) % 2 == 0 and echo(request)

    answers = asyncio.run(converse(every_other, *(post(b"%d" % n) for n in range(4))))
    assert offered == [b"0", b"1", b"2", b"3"]
    assert [b"x-door" in said for said in answers] == [False, True, False, True]


class Holding:
    """A door that takes a request and leaves it unanswered."""

    def __init__(self) -> None:
        """Nothing is held yet."""
        self.requests: asyncio.Queue[DirectRequest] = asyncio.Queue()

    def __call__(self, request: DirectRequest) -> bool:
        """Take it."""
        self.requests.put_nowait(request)
        return True


def test_requests_in_one_packet_are_answered_in_their_order() -> None:
    """What comes behind a request that waits for its answer waits too, and goes through ASGI."""

    async def pipelined() -> None:
        door = Holding()
        async with served(door=door) as site:
            reader, writer = await asyncio.open_connection(*site.address)
            writer.write(post(b"first") + post(b"second"))
            first = await door.requests.get()
            assert first.answer(200, b"held", [])
            assert (await one_answer(reader)).endswith(b"held")
            assert b"held" not in await one_answer(reader)
            writer.close()
        assert door.requests.empty()

    asyncio.run(pipelined())


class Held(NamedTuple):
    """A request that is held, and both ends of its connection."""

    site: Site
    request: DirectRequest
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def held(act: Callable[[Held], Awaitable[None]]) -> None:
    """Do something while a request is held."""
    door = Holding()
    async with served(door=door) as site:
        reader, writer = await asyncio.open_connection(*site.address)
        writer.write(post(b"x"))
        await act(Held(site, await door.requests.get(), reader, writer))
        writer.close()


def test_a_held_request_hears_of_its_lost_client() -> None:
    """Who holds a request is told once when its client leaves; an answer afterwards goes nowhere."""

    async def leave(it: Held) -> None:
        lost = asyncio.Event()
        it.request.on_lost = lost.set
        it.request.hold()
        it.writer.close()
        await lost.wait()
        assert not it.request.answer(200, b"late")

    asyncio.run(held(leave))


def test_a_request_is_answered_once() -> None:
    """A second answer to the same request is not sent."""

    async def twice(it: Held) -> None:
        assert it.request.answer(200, b"one")
        assert not it.request.answer(200, b"two")
        assert (await one_answer(it.reader)).endswith(b"one")

    asyncio.run(held(twice))


def test_a_stopping_server_closes_after_the_held_answer() -> None:
    """When uvicorn stops, the connection of a held request stays open for its answer and is closed behind it."""

    async def stop(it: Held) -> None:
        it.site.protocols[0].shutdown()
        assert it.request.answer(200, b"last")
        said = await until_closed(it.reader)
        assert b"\r\nconnection: close\r\n" in said
        assert said.endswith(b"last")

    asyncio.run(held(stop))
