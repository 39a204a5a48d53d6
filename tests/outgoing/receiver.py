"""A small real HTTP server in the test's own loop: it answers what it is told to, and keeps what it got."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import NamedTuple, Self


class Got(NamedTuple):
    """A request as it came; header names are in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes


def answer(status: int = 200, body: bytes = b"", *headers: str) -> bytes:
    """An HTTP answer."""
    head = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


Answering = Callable[[Got], Awaitable[bytes | None]]


class Receiver:
    """``answering`` makes the bytes of each answer; None closes the connection. ``got`` holds every request."""

    def __init__(self, answering: Answering | None = None, tls: ssl.SSLContext | None = None) -> None:
        """Nothing listens before the block is entered."""
        self.got: list[Got] = []
        self.connections = 0
        self.port = 0
        self._answering = answering
        self._tls = tls
        self._arrived = asyncio.Condition()
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/hook"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def wait_for(self, count: int) -> list[Got]:
        """The requests, as soon as there are that many."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.got) >= count)
        return self.got

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side went away, or the test is over
        finally:
            self._open.discard(task)
            writer.transport.abort() if self._tls else writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        got = Got(head[0], headers, await reader.readexactly(int(headers.get("content-length", 0))))
        async with self._arrived:
            self.got.append(got)
            self._arrived.notify_all()
        said = answer() if self._answering is None else await self._answering(got)
        if said is None:
            return False
        writer.write(said)
        await writer.drain()
        return True


def saying(*answers: bytes | None) -> Answering:
    """Give these answers in turn, then the last one for ever."""
    left = list(answers)

    async def say(got: Got) -> bytes | None:
        return left.pop(0) if len(left) > 1 else left[0]

    return say


async def silence(got: Got) -> bytes | None:
    """Never answer."""
    await asyncio.Event().wait()
    return None
