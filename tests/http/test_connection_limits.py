"""What a client may make a connection keep: requests ahead of their turn, trailers, and bodies nobody needs."""

from __future__ import annotations

import asyncio

from tests.http.test_connections import Held, Holding, at_once, converse, echo, held, post, served, talk, until_closed
from trunkline.web.connection import MAX_PIPELINED


def test_a_body_that_nobody_needs_gets_little_time() -> None:
    """Behind an early answer an immense length that is announced does not keep the connection open."""
    head = b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    said = asyncio.run(talk(head, bounds=at_once(body_s=0.05)))
    assert said.startswith(b"HTTP/1.1 200")


CHUNKS = b"POST / HTTP/1.1\r\nHost: x\r\nX-Said: head\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n"


def test_a_trailer_is_no_header() -> None:
    """What comes behind the body does not replace what came in front of it."""
    (said,) = asyncio.run(converse(echo, CHUNKS + b"X-Said: trailer\r\n\r\n"))
    assert b"x-said: head\r\n" in said


def test_a_trailer_has_a_size() -> None:
    """A trailer without an end closes the connection, although its chunked body has no limit here."""
    said = asyncio.run(talk(CHUNKS + b"X: ", *[b"x" * 10_000] * 20))
    assert said == b""


def test_few_requests_wait_for_their_turn() -> None:
    """More requests than a client may send ahead are refused, whether they come in one packet or not."""

    async def pipelined() -> None:
        door = Holding()
        async with served(door=door) as site:
            reader, writer = await asyncio.open_connection(*site.address)
            writer.write(post(b"first") + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10 * MAX_PIPELINED)
            first = await door.requests.get()
            assert len(site.protocols[0].pipeline) <= MAX_PIPELINED
            first.answer(200, b"held")
            assert b"HTTP/1.1 400" in await until_closed(reader)
            writer.close()

    asyncio.run(pipelined())


def test_a_held_request_with_another_behind_it_hears_of_its_lost_client() -> None:
    """The request that is being served is told, not only the last one that came."""

    async def leave(it: Held) -> None:
        it.writer.write(post(b"y"))
        await it.site.is_queued.wait()
        lost = asyncio.Event()
        it.request.on_lost = lost.set
        it.site.protocols[0].transport.abort()
        await lost.wait()
        assert not it.request.answer(200, b"late")

    asyncio.run(held(leave))
