"""Connections: requests arrive within bounds of size and time, or the connection ends."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from trunkline.web import server
from trunkline.web.exchange import Receive, Scope, Send

PIECES = [
    b"",
    b"GET / HT",
    b"GET / HTTP/1.1\r\nHost: x\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
]
"""Requests that never end."""


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads the body, then answers."""
    message: MutableMapping[str, Any] = {"more_body": True}
    while message.get("more_body"):
        message = await receive()
    if message["type"] == "http.request":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})


async def talk(*pieces: bytes) -> bytes:
    """Send the pieces, each on its own, and read until the server closes the connection."""
    config = uvicorn.Config(answer, http=server.BoundedProtocol, log_config=None, lifespan="off")
    state = ServerState()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: server.BoundedProtocol(config, state, {}), "127.0.0.1", 0)
    async with listening:
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        said = await reader.read()
        writer.close()
    return said


@pytest.mark.parametrize("piece", PIECES)
def test_a_request_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch, piece: bytes) -> None:
    """A connection that sends nothing, half a head or half a body is closed at the deadline."""
    monkeypatch.setattr(server, "RECEIVE_DEADLINE_S", 0.05)
    said = asyncio.run(talk(piece))
    assert said.count(b"HTTP/1.1 ") == piece.count(b"\r\n\r\n") - piece.count(b"half")


def test_a_slow_request_has_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then does not move the deadline."""
    monkeypatch.setattr(server, "RECEIVE_DEADLINE_S", 0.1)

    async def drip() -> bytes:
        async with asyncio.timeout(30):
            return await talk(b"GET / HTTP/1.1\r\n", *[b"X: y\r\n"] * 20)

    assert asyncio.run(drip()) == b""


@pytest.mark.parametrize("pieces", [1, 50], ids=["one piece", "many pieces"])
def test_a_head_has_a_size(pieces: int) -> None:
    """A head over the limit is refused, whether it comes at once or bit by bit, ended or not."""
    head = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"x" * (server.MAX_HEAD_BYTES + 1)
    size = len(head) // pieces + 1
    for end in (b"\r\n\r\n", b""):
        whole = head + end
        said = asyncio.run(talk(*(whole[at : at + size] for at in range(0, len(whole), size))))
        assert said.startswith(b"HTTP/1.1 400")
