"""One WebSocket below CometD: its connection, its end, and what a client may make it keep."""

from __future__ import annotations

import asyncio
import socket

from tests.http.test_connections import BOUNDS, Site, at_once, one_answer, post, served
from trunkline.web.websocket import SocketConnection, Upgrade

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
FIN, TEXT, CONT, PING = 0x80, 1, 0, 9
NO_MASK = b"\0\0\0\0"


def frame(first: int, body: bytes = b"") -> bytes:
    """A short frame of a client."""
    return bytes([first, 0x80 | len(body)]) + NO_MASK + body


class Ear:
    """Opens every socket once it may, and hears what comes."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.may_open = asyncio.Event()
        self.may_open.set()
        self.asked = asyncio.Event()
        self.is_stuck = asyncio.Event()
        self.texts: asyncio.Queue[bytes] = asyncio.Queue()
        self.unsent_bytes = 0
        self.line: SocketConnection

    async def gate(self, upgrade: Upgrade, line: SocketConnection) -> Ear:
        """Let everybody in."""
        self.line = line
        self.asked.set()
        await self.may_open.wait()
        return self

    def received(self, text: bytes) -> None:
        """Keep it."""
        self.texts.put_nowait(text)

    def gone(self) -> None:
        """The end."""

    def stuck(self) -> None:
        """Note how much waits for the client."""
        self.unsent_bytes = self.line.unsent_bytes()
        self.is_stuck.set()


async def opened(site: Site) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client whose upgrade was granted."""
    reader, writer = await asyncio.open_connection(*site.address)
    writer.write(UPGRADE)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    return reader, writer


def test_a_socket_outlives_the_idle_time_of_its_connection() -> None:
    """A connection that served a request before it became a socket is not closed as an idle one."""

    async def upgrade_later() -> None:
        ear = Ear()
        async with served(at_once(keep_alive_s=0.05), gate=ear.gate) as site:
            reader, writer = await asyncio.open_connection(*site.address)
            writer.write(post(b"x"))
            await one_answer(reader)
            writer.write(UPGRADE)
            await reader.readuntil(b"\r\n\r\n")
            try:
                async with asyncio.timeout(0.3):
                    await reader.read(1)
            except TimeoutError:
                writer.write(frame(FIN | TEXT, b"there"))
                assert await ear.texts.get() == b"there"
            else:
                raise AssertionError("the socket was closed")
            writer.close()

    asyncio.run(upgrade_later())


def test_a_socket_that_opens_while_the_server_stops_is_closed() -> None:
    """The wish to close, said while the gate is asked, is carried out as soon as the socket is open."""

    async def stop_early() -> None:
        ear = Ear()
        ear.may_open.clear()
        async with served(gate=ear.gate) as site:
            reader, writer = await asyncio.open_connection(*site.address)
            writer.write(UPGRADE)
            await ear.asked.wait()
            ear.line.shutdown()
            ear.may_open.set()
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(4) == b"\x88\x02\x03\xe9"
            writer.close()

    asyncio.run(stop_early())


def test_pings_without_end_fill_no_memory() -> None:
    """A client that sends pings and does not read the answers is not read from, and then cut off."""

    async def flood() -> None:
        ear = Ear()
        async with served(at_once(write_s=0.2), gate=ear.gate) as site:
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, site.address)
            await loop.sock_sendall(client, UPGRADE)
            assert (await loop.sock_recv(client, 4096)).startswith(b"HTTP/1.1 101")
            flood = loop.create_task(loop.sock_sendall(client, frame(FIN | PING, b"x" * 125) * 80_000))
            await ear.is_stuck.wait()
            assert ear.unsent_bytes < 1_000_000
            flood.cancel()
            await asyncio.gather(flood, return_exceptions=True)
            client.close()

    asyncio.run(flood())


def test_empty_fragments_are_not_kept() -> None:
    """The library bounds a message's bytes; fragments without any would be a list without end."""

    async def fragments() -> None:
        ear = Ear()
        async with served(BOUNDS, gate=ear.gate) as site:
            reader, writer = await opened(site)
            writer.write(frame(TEXT, b"a") + frame(CONT) * 1000 + frame(FIN | PING))
            await reader.readexactly(2)
            assert ear.line._parts == [b"a"]
            writer.write(frame(FIN | CONT, b"b"))
            assert await ear.texts.get() == b"ab"
            writer.close()

    asyncio.run(fragments())
