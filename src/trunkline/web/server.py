"""The socket server: uvicorn with what it needs to start, to tell its port, and to stop without losing anything."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

KEEP_ALIVE_S = 75
"""Seconds an idle connection is kept: longer than the usual 60 s of proxies in front, so that they close first."""
BACKLOG = 4096
"""Connections waiting to be accepted: a whole floor of desktops reconnecting at once."""
MAX_HEAD_BYTES = 32 * 1024
"""Request line and headers: cookies and credentials of real clients stay under 8 KiB; without a limit a head without
an end would fill the memory."""
RECEIVE_DEADLINE_S = 30.0
"""Seconds from a connection's opening, or from the first byte of a request, to the request's last byte: 64 KiB arrive
within that over the slowest line, and whoever sends a byte now and then holds no connection for ever."""
COLLECT_AFTER = (20_000, 50, 50)
"""Objects made before the youngest are searched for cycles, and how many such searches before the older ones are. A
request makes about a hundred objects and hardly a cycle: the interpreter's own 700 would search at every seventh."""

Hook = Callable[[], Awaitable[None]]


class AnswerTransport(asyncio.Transport):
    """What one answer is written to: its head waits for the first part of its body, so that both leave in one call.

    Sending is the costliest step of a small answer, and most answers have one part.
    """

    def __init__(self, connection: asyncio.Transport) -> None:
        super().__init__()
        self._connection = connection
        self._head: bytes | None = None
        self._is_begun = False

    def write(self, data: Any) -> None:
        """Keep the head, send everything else; an interim answer (100) is no head."""
        head = self._head
        if head is not None:
            self._head = None
            self._connection.write(head + data)
        elif self._is_begun or data.startswith(b"HTTP/1.1 100"):
            self._connection.write(data)
        else:
            self._is_begun = True
            self._head = data

    def close(self) -> None:
        """Send what is left and close the connection."""
        if self._head is not None:
            self.write(b"")
        self._connection.close()

    def is_closing(self) -> bool:
        """True while the connection is closing."""
        return self._connection.is_closing()


class BoundedProtocol(HttpToolsProtocol):
    """A connection whose requests arrive within bounds: a head of limited size, and all of it before a deadline."""

    _is_complete = False
    _is_in_head = True
    _head_bytes = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a first request."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a request that came in one piece costs no timer."""
        super().data_received(data)
        if self._is_complete:
            self._unwatch()
            return
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.send_400_response("The head of the request is too large.")
                return
        if self._deadline is None:
            self._watch()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._is_complete, self._is_in_head, self._head_bytes = False, True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to serve, unless the head came in one piece that is too large."""
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD_BYTES:
            raise httptools.HttpParserError("the head of the request is too large")
        self._is_in_head = False
        super().on_headers_complete()
        if self.scope["method"] != "HEAD":  # whose answer is a head alone
            self.cycle.transport = AnswerTransport(self.transport)

    def on_message_complete(self) -> None:
        """Note that the request is all there."""
        self._is_complete = True
        super().on_message_complete()

    def _watch(self) -> None:
        self._deadline = self.loop.call_later(RECEIVE_DEADLINE_S, self.transport.close)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Server(uvicorn.Server):
    """uvicorn that calls ``on_ready(port)`` when it listens and awaits ``on_stop`` before it closes connections."""

    def __init__(
        self,
        app: Any,
        *,
        host: str,
        port: int,
        shutdown_grace_s: int,
        on_ready: Callable[[int], None],
        on_stop: Hook,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                loop="none",
                http=BoundedProtocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                access_log=False,
                log_config=None,
                server_header=False,
                date_header=True,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=shutdown_grace_s,
                proxy_headers=False,
            )
        )
        self._on_ready = on_ready
        self._on_stop = on_stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as the wish to stop.

        uvicorn raises them once more after serving, which would end the process before the last writes.
        """
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say on which port."""
        await super().startup(sockets)
        _settle_memory()
        if self.started and self.servers:
            self._on_ready(self.servers[0].sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is held, then let uvicorn drain and close."""
        await self._on_stop()
        await super().shutdown(sockets)


def _settle_memory() -> None:
    """Take what the start has made out of the search for cycles: it lives as long as the process.

    Without this each full search walks over all modules, which stops everything for 30 to 60 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def announce_port(ready_fd: int, port: int) -> None:
    """Tell a parent process the bound port over a file descriptor, one line, then close it."""
    with os.fdopen(ready_fd, "w") as pipe:
        pipe.write(f"{port}\n")
